"""One training over several processes, each with its share of every batch (data parallelism).

One process leads: it alone reads and writes folders. The others wait until it begins a training,
are told what it is, and follow it step by step. They meet at a store of torch's, whose address
`gandetect train classifier` puts into an environment variable for the leader's workers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from gandetect.config.classifier import ClassifierConfig
from gandetect.errors import TrainingError
from gandetect.machine import cores
from gandetect.training.batches import Share
from gandetect.training.examples import Examples

VARIABLE = "GANDETECT_DATA_PARALLEL"  # set for the processes that the leader starts
PATIENCE = 300.0  # seconds in which all processes must have joined a training
FAREWELL = 5.0  # seconds that the leader waits for others at the end; they may have died
FOR_EVER = timedelta(days=365)
END, LEFT = "end", "left"


@dataclass(frozen=True)
class World:
    """All processes of a training: ``devices`` on each of ``nodes``, and which one this is."""

    host: str
    port: int
    devices: int
    nodes: int = 1
    rank: int = 0

    @property
    def size(self) -> int:
        """The number of processes."""
        return self.devices * self.nodes

    @property
    def local_rank(self) -> int:
        """This process' number on its node."""
        return self.rank % self.devices

    @property
    def share(self) -> Share:
        """What this process takes of every batch."""
        return Share(self.rank, self.size)

    def store(self, *, host: bool = False) -> Store:
        """The store that the processes meet at, opened here or joined; or raise `TrainingError`."""
        patience = timedelta(seconds=PATIENCE)
        try:
            store = TCPStore(
                self.host, self.port, is_master=host, wait_for_workers=False, timeout=patience
            )
        except dist.DistError as error:
            raise TrainingError(
                f"the processes of the training cannot meet at {self.host}:{self.port} "
                f"({str(error).splitlines()[0]}); start the first node's command, and see that "
                "MASTER_ADDR and MASTER_PORT are its address and a free port of it"
            ) from None
        return PrefixStore("gandetect", store)


@dataclass(frozen=True)
class Given:
    """What the leader tells the others of a training."""

    config: ClassifierConfig
    train: Examples
    validation: Examples
    seed: int
    history: list[dict[str, Any]]
    state: Any
    device: str


def leaders_world() -> World | None:
    """The processes that this one leads; None where it trains alone, as it mostly does."""
    told = os.environ.get(VARIABLE)
    return World(**json.loads(told)) if told else None


def check_shareable(world: World | None, config: ClassifierConfig, device: torch.device) -> None:
    """Raise `TrainingError` for a training that these processes cannot share."""
    if world is None:
        return
    asked = f"--devices {world.devices} --num-nodes {world.nodes}"
    if config.contrastive is not None:
        raise TrainingError(
            f"classifier {config.name!r} learns by pairs of a batch, which {asked} would tear "
            "apart; train it with one process"
        )
    if config.batch_size < 2 * world.size:
        raise TrainingError(
            f"batch_size {config.batch_size} leaves less than two examples for each of "
            f"{world.size} processes ({asked}); give a larger batch or fewer processes"
        )
    here = {"cpu": world.devices, "cuda": torch.cuda.device_count()}.get(device.type, 1)
    if here < world.devices:
        raise TrainingError(
            f"{asked} was given, and there are {here} of {device.type} here; give as many as there "
            "are, or --device cpu"
        )


@contextmanager
def leading(world: World) -> Iterator[None]:
    """Let what this process starts lead, and end the others' waiting when the block is left."""
    os.environ[VARIABLE] = json.dumps(asdict(replace(world, rank=0)))
    store = world.store(host=os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True")
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        store.set(_key(store.add("trainings", 1)), END)
        _wait_for_leave(store, world.size - 1)


@contextmanager
def led(world: World | None, given: Given) -> Iterator[None]:
    """Begin a training with all processes of a world; the block is this one's part in it.

    Raises `TrainingError` when not all of them join, or one ends. Nothing happens without a world.
    """
    if world is None:
        yield
        return
    store = world.store()
    number = store.add("trainings", 1)
    store.set(_key(number), given.device)
    with _together(world, store, number, given.device):
        dist.broadcast_object_list([_packed(given)])
        _agree(None)
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, dist.DistError) and "gloo" not in str(error):
                raise
            raise TrainingError(
                f"one of the {world.size} processes of the training has ended, or lost its "
                "connection; its own messages say why, and the same command goes on from the "
                "last complete epoch"
            ) from None


def follow(world: World, assist: Callable[[World, Given], None]) -> None:
    """Take part in every training that the leader begins, until it ends."""
    store, number = world.store(), 1
    try:
        while (device := _next(store, number)) != END:
            _assist_one(world, store, number, device, assist)
            number += 1
        store.add(LEFT, 1)
    except dist.DistError:  # the leader, whose own message counts, has gone, and its store with it
        return


def gathered(columns: Sequence[Tensor]) -> list[Tensor]:
    """Each process' rows of these columns, one process after the other, on the CPU."""
    parts: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(parts, [column.cpu() for column in columns])
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def everywhere(flags: Tensor) -> Tensor:
    """Which of these flags ``(K,) bool`` hold in every process."""
    smallest = flags.cpu().int()
    dist.all_reduce(smallest, dist.ReduceOp.MIN)
    return smallest.bool()


def _assist_one(
    world: World,
    store: Store,
    number: int,
    device: str,
    assist: Callable[[World, Given], None],
) -> None:
    try:
        with _together(world, store, number, device):
            told: list[Any] = [None]
            dist.broadcast_object_list(told)
            given, problem = _unpacked(told[0])
            _agree(problem)
            if given is not None:  # else all have agreed to leave
                assist(world, given)
    except TrainingError:  # the leader raises it too, and says it
        return


def _wait_for_leave(store: Store, others: int) -> None:
    """Keep the store, which goes with this process, until the others have read that it ends."""
    deadline = monotonic() + FAREWELL
    while store.add(LEFT, 0) < others and monotonic() < deadline:
        sleep(0.05)


def _next(store: Store, number: int) -> str:
    store.wait([_key(number)], FOR_EVER)
    told: bytes = store.get(_key(number))
    return told.decode()


@contextmanager
def _together(world: World, store: Store, number: int, device: str) -> Iterator[None]:
    """Wait until every process is there; collective operations work within the block."""
    meeting = PrefixStore(_key(number), store)
    joined, deadline = meeting.add("joined", 1), monotonic() + PATIENCE
    while joined < world.size:
        if monotonic() > deadline:
            raise TrainingError(
                f"only {joined} of {world.size} processes have joined the training after "
                f"{PATIENCE:.0f} seconds; start the same command on every node, with the same "
                "--devices and --num-nodes"
            )
        sleep(0.05)
        joined = meeting.add("joined", 0)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, min(threads, cores() // world.devices)))
    if device == "cuda":
        torch.cuda.set_device(world.local_rank)
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, store=meeting, rank=world.rank, world_size=world.size)
    try:
        yield
    finally:
        dist.destroy_process_group()
        torch.set_num_threads(threads)


def _agree(problem: str | None) -> None:
    """Raise `TrainingError` everywhere when any process has a problem."""
    problems: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(problems, problem)
    for rank, said in enumerate(problems):
        if said:
            raise TrainingError(f"process {rank} of the training cannot take part: {said}")


def _packed(given: Given) -> dict[str, Any]:
    """What is told as it travels: images that are a file by its path, others as they are."""
    told = dict(vars(given))
    for name in ("train", "validation"):
        examples = vars(told[name])
        told[name] = {**examples, "images": _file_of(examples["images"]) or examples["images"]}
    return told


def _unpacked(told: dict[str, Any]) -> tuple[Given | None, str | None]:
    """What was told; or the sentence why images cannot be read here."""
    try:
        for name in ("train", "validation"):
            images = told[name]["images"]
            if isinstance(images, Path):
                told[name]["images"] = np.load(images, mmap_mode="r", allow_pickle=False)
            told[name] = Examples(**told[name])
            told[name].take(np.arange(1)).pixels()
    except (OSError, ValueError) as error:
        return None, (
            f"its images cannot be read there ({error}); put the run folder where every node sees "
            "it under the same path"
        )
    return Given(**told), None


def _file_of(images: Any) -> Path | None:
    """The ``.npy`` file that holds just these images, if they are memory-mapped; None if not."""
    name = getattr(images, "filename", None)
    if name is None or Path(name).suffix != ".npy":
        return None
    whole = np.load(name, mmap_mode="r", allow_pickle=False)
    return Path(name).resolve() if whole.shape == images.shape else None


def _key(number: int) -> str:
    return f"training {number}"

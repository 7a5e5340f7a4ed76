"""One training over several processes, each with its share of every batch (data parallelism).

Lightning averages their gradients. One process leads: it runs the study. The others wait until it
calls for a training, take part in that as it does, and write nothing. They are started here, or by
torchrun or SLURM: Lightning could start them, too, but kills all without a sentence when one ends.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import (
    LightningEnvironment,
    find_free_network_port,
)
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch import Tensor
from torch import distributed as dist

from gandetect.config.classifier import ClassifierConfig
from gandetect.errors import TrainingError, UsageError, WorkerError
from gandetect.events import Notify, silent
from gandetect.training.batches import ALONE, Share
from gandetect.workers import Pool

PATIENCE = timedelta(minutes=5)  # in which all must have joined, and each must do its part
FOR_EVER = timedelta(days=365)  # the others wait while the leader does what comes before

# The group of processes, on their CPUs, in which the leader calls for trainings.
_CALLS: ContextVar[Any] = ContextVar("calls", default=None)


@contextmanager
def processes(devices: int, nodes: int) -> Iterator[bool]:
    """Let classifiers train in ``devices`` processes on each of ``nodes``; gives whether we lead.

    Where torchrun or SLURM has started all processes, this is one of them. Otherwise the others of
    this node are started here; on several nodes the same command is given on each, with
    ``NODE_RANK`` (from 0), ``MASTER_ADDR`` and ``MASTER_PORT`` in the environment, as Lightning has
    it. A process that does not lead has done its part when the block begins; leave it then. Raises
    `UsageError` where the environment says something else, and `TrainingError` when the processes
    do not meet or one of them ends.
    """
    started = _started_by_others(devices, nodes)
    place = started or _first_of_node(devices, nodes, os.environ)
    with closing(Pool[int](devices - 1)) as pool:
        for local in range(1, 1 if started else devices):
            rank = str(int(place["RANK"]) + local)
            pool.start(local, partial(_follow, {**place, "RANK": rank, "LOCAL_RANK": str(local)}))
        if place["RANK"] != "0":
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # torch waits in C++, deaf to Python's
            _follow(place)
            yield False
            return
        with _met(place), _told_of_ends(pool):
            yield True
            call(None)


def cluster_environment() -> ClusterEnvironment:
    """What Lightning calls that which has started this process."""
    for kind in (TorchElasticEnvironment, SLURMEnvironment):
        if kind.detect():
            return kind()
    return LightningEnvironment()


def present_share() -> Share:
    """What this process takes of every batch: all of it where it trains alone."""
    return Share(dist.get_rank(), dist.get_world_size()) if _CALLS.get() is not None else ALONE


def layout() -> dict[str, int]:
    """The processes that train together, as arguments of Lightning's Trainer."""
    devices = int(os.environ["LOCAL_WORLD_SIZE"])
    return {"devices": devices, "num_nodes": dist.get_world_size() // devices}


def own_device(device: str) -> str:
    """The device of this process, of those of its node."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device


def call(part: Callable[[], object] | None) -> None:
    """Let all other processes, if there are any, do this now; None ends their waiting."""
    if _CALLS.get() is not None:
        dist.broadcast_object_list([part], group=_CALLS.get())
        dist.barrier(group=_CALLS.get())


def check_shareable(share: Share, config: ClassifierConfig, device: torch.device) -> None:
    """Raise `TrainingError` for a training that these processes cannot share."""
    if share.size == 1:
        return
    devices = layout()["devices"]
    options = f"--devices {devices} --num-nodes {share.size // devices}"
    if config.contrastive is not None:
        raise TrainingError(
            f"classifier {config.name!r} learns by pairs of a batch, which {options} would tear "
            "apart; train it with one process"
        )
    if config.batch_size < 2 * share.size:
        raise TrainingError(
            f"batch_size {config.batch_size} leaves less than two examples for each of "
            f"{share.size} processes ({options}); give a larger batch or fewer processes"
        )
    here = {"cpu": devices, "cuda": torch.cuda.device_count()}.get(device.type, 1)
    if here < devices:
        raise TrainingError(
            f"{options} was given, and there are {here} of {device.type} here; give as many as "
            "there are, or --device cpu"
        )


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


def _started_by_others(devices: int, nodes: int) -> dict[str, str] | None:
    """This process' place among those that torchrun or SLURM has started; None without them."""
    environment = cluster_environment()
    if isinstance(environment, LightningEnvironment):
        return None
    if environment.world_size() != devices * nodes:
        name = type(environment).__name__.removesuffix("Environment")
        raise UsageError(
            f"{name} has started {environment.world_size()} processes, and --devices {devices} "
            f"--num-nodes {nodes} makes {devices * nodes}; give the same numbers to both"
        )
    address = environment.main_address, environment.main_port
    return _place(devices, nodes, environment.global_rank(), environment.local_rank(), *address)


def _first_of_node(devices: int, nodes: int, environment: Mapping[str, str]) -> dict[str, str]:
    """The place of this node's first process, which starts the others."""
    if nodes == 1:
        return _place(devices, nodes, 0, 0, "127.0.0.1", find_free_network_port())
    try:
        node = int(environment["NODE_RANK"])
        address = environment["MASTER_ADDR"], int(environment["MASTER_PORT"])
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"--num-nodes is {nodes}, and the environment does not say where the first one is "
            f"({error}); set NODE_RANK (0 to {nodes - 1}), MASTER_ADDR and MASTER_PORT on every "
            "node, or start the command with torchrun or SLURM"
        ) from None
    if not 0 <= node < nodes:
        raise UsageError(f"NODE_RANK is {node}; of {nodes} nodes it is 0 to {nodes - 1}")
    return _place(devices, nodes, node * devices, 0, *address)


def _place(devices: int, nodes: int, rank: int, local: int, host: str, port: int) -> dict[str, str]:
    """The environment variables by which torch and Lightning know a process."""
    numbers = {"RANK": rank, "LOCAL_RANK": local, "LOCAL_WORLD_SIZE": devices, "MASTER_PORT": port}
    numbers |= {"NODE_RANK": rank // devices, "WORLD_SIZE": devices * nodes}
    return {"MASTER_ADDR": host, **{name: str(number) for name, number in numbers.items()}}


@contextmanager
def _met(place: Mapping[str, str]) -> Iterator[None]:
    """Meet all other processes; collective operations work within the block."""
    # torch tells of a connection that ends with the stack of its C++; what counts is our sentence.
    os.environ.update({"TORCH_CPP_LOG_LEVEL": "ERROR", **place})
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE
        )
    except dist.DistError as error:
        raise TrainingError(
            f"the {place['WORLD_SIZE']} processes of the training do not meet at "
            f"{place['MASTER_ADDR']}:{place['MASTER_PORT']} ({str(error).splitlines()[0]}); start "
            "the same command on every node, with the same --devices and --num-nodes, and see that "
            "MASTER_ADDR and MASTER_PORT are the first one's address and a free port of it"
        ) from None
    token = _CALLS.set(dist.new_group(backend="gloo", timeout=FOR_EVER))
    try:
        yield
    finally:
        _CALLS.reset(token)
        dist.destroy_process_group()


@contextmanager
def _told_of_ends(pool: Pool[int]) -> Iterator[None]:
    """Say in one sentence that a process has ended; where it is of this node, in its own."""
    try:
        yield
    except RuntimeError as error:
        if not _is_of_connection(error):
            raise
        with suppress(WorkerError):
            pool.finished(1.0)  # raises what a process of this node has failed with
        raise TrainingError(
            f"one of the {dist.get_world_size()} processes of the training has ended, or lost its "
            "connection; its own messages say why, and the same command goes on from the last "
            "complete epoch"
        ) from None


def _follow(place: Mapping[str, str], *, notify: Notify = silent) -> None:
    """Do what the leader calls for, until it ends the waiting or has gone, and says why itself."""
    with _met(place):
        while True:
            call: list[Any] = [None]
            try:
                dist.broadcast_object_list(call, group=_CALLS.get())
                dist.barrier(group=_CALLS.get())
                if call[0] is None:
                    return
                call[0]()
            except TrainingError:
                return  # it is the leader's, too, which says it
            except RuntimeError as error:
                if not _is_of_connection(error):
                    raise
                return


def _is_of_connection(error: RuntimeError) -> bool:
    return isinstance(error, dist.DistError) or "gloo" in str(error)

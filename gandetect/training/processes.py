"""Starts the processes of a training, or finds its place among those that torchrun or SLURM did."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.context import SpawnProcess

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from gandetect.errors import UsageError
from gandetect.machine import keep_freed_memory, settle_cuda
from gandetect.training.data_parallel import World, follow, leading
from gandetect.workers import end_with_parent


@contextmanager
def processes(devices: int, nodes: int) -> Iterator[bool]:
    """Let classifiers train in ``devices`` processes on each of ``nodes``; gives whether we lead.

    Where torchrun or SLURM has started all processes, this is one of them. Otherwise those of this
    node are started here: on several nodes the same command is given on each, with ``NODE_RANK``
    (from 0), ``MASTER_ADDR`` and ``MASTER_PORT`` in the environment, as lightning has it. A
    process that does not lead has done its part when the block begins; leave it then. Raises
    `UsageError` where the environment says something else.
    """
    # torch tells of a connection that ends with the stack of its C++; what counts is our sentence.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    world = _launched(devices, nodes)
    started_by_others = world is not None
    world = world or _world(devices, nodes, os.environ)
    first = world.rank + (world.rank == 0)
    ranks = () if started_by_others else range(first, world.rank + devices)
    if world.rank and started_by_others:
        _follow(world)
        yield False
        return
    with _followers(world, ranks) as others:
        if world.rank == 0:
            with leading(world):
                yield True
            return
        for one in others:
            one.join()
        yield False


def _launched(devices: int, nodes: int) -> World | None:
    """This process' place among those that torchrun or SLURM has started; None without them."""
    for kind in (TorchElasticEnvironment, SLURMEnvironment):
        if not kind.detect():
            continue
        found = kind()
        if found.world_size() != devices * nodes:
            raise UsageError(
                f"{kind.__name__.removesuffix('Environment')} has started {found.world_size()} "
                f"processes, and --devices {devices} --num-nodes {nodes} makes {devices * nodes}; "
                "give the same numbers to both"
            )
        return World(found.main_address, int(found.main_port), devices, nodes, found.global_rank())
    return None


def _world(devices: int, nodes: int, environment: Mapping[str, str]) -> World:
    """The place of this node's first process, of those that are to be started."""
    if nodes == 1:
        return World("127.0.0.1", _free_port(), devices)
    try:
        node = int(environment["NODE_RANK"])
        host, port = environment["MASTER_ADDR"], int(environment["MASTER_PORT"])
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"--num-nodes is {nodes}, and the environment does not say where the first one is "
            f"({error}); set NODE_RANK (0 to {nodes - 1}), MASTER_ADDR and MASTER_PORT on every "
            "node, or start the command with torchrun or SLURM"
        ) from None
    if not 0 <= node < nodes:
        raise UsageError(f"NODE_RANK is {node}; of {nodes} nodes it is 0 to {nodes - 1}")
    return World(host, port, devices, nodes, node * devices)


@contextmanager
def _followers(world: World, ranks: Sequence[int]) -> Iterator[list[SpawnProcess]]:
    """Start so many processes of this node; however the block is left, none outlives it."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_work, args=(replace(world, rank=rank),)) for rank in ranks]
    try:
        for one in started:
            one.start()
        yield started
    finally:
        for one in started:
            one.join(timeout=5 if world.rank == 0 else 0)
            one.terminate()


def _work(world: World) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    end_with_parent()
    _follow(world)


def _follow(world: World) -> None:
    from gandetect.training.supervised import assist

    keep_freed_memory()
    settle_cuda()
    follow(world, assist)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port

"""Joins a Ray cluster, or starts one, and says what is wrong with it in one sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gandetect.errors import RunError, UsageError, shortened
from gandetect.machine import cores

PATIENCE = 5.0  # seconds
# Ray's servers speak HTTP/2: a client's opening words with empty settings, to which the answer
# begins with a settings frame, of type 4 (RFC 9113, 3.4 and 6.5).
OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
SETTINGS = 4


@dataclass(frozen=True)
class Resources:
    """Resources of tasks: ``jobs`` at a time on this machine; CPUs (threads) and GPUs of each."""

    jobs: int
    cpus: int
    gpus: float


def check_address(address: str) -> None:
    """Raise `UsageError` for what is no address, and `RunError` where no Ray answers."""
    host, _, port = address.rpartition(":")
    if "/" in address or not host or not port.isdecimal():
        raise UsageError(
            f"--address {address!r} was given, and HOST:PORT of a Ray head was expected, as "
            "`ray start --head` prints it (the port is 6379 unless chosen)"
        )
    if not answers(address):
        raise RunError(
            f"no Ray answers at --address {address}; look whether its head runs (`ray status "
            f"--address {address}`), or leave --address out for a Ray of this machine"
        )


def answers(address: str) -> bool:
    """Whether a server of Ray's kind answers there, within a few seconds."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(OPENING)
            return connection.recv(4)[3:] == bytes([SETTINGS])
    except (OSError, OverflowError):
        return False


@contextmanager
def connected(address: str | None, resources: Resources) -> Iterator[Any]:
    """Join the cluster at ``address``, or start one of this machine; yields the ray module.

    Raises `GandetectError` when it cannot be joined, or has no room for a single task.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before Ray is imported
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of itself
    import ray

    if address is None:
        _start(ray, resources)
    else:
        check_address(address)
        _join(ray, address)
    try:
        _check_room(ray, resources)
        yield ray
    finally:
        ray.shutdown()


def nodes_with_room(ray: Any, resources: Resources) -> list[dict[str, Any]]:
    """The nodes that are alive and can hold at least one task."""
    return [
        node
        for node in ray.nodes()
        if node["Alive"]
        and node["Resources"].get("CPU", 0) >= resources.cpus
        and node["Resources"].get("GPU", 0) >= resources.gpus
    ]


def _start(ray: Any, resources: Resources) -> None:
    if resources.cpus > cores():
        raise UsageError(
            f"--cpus-per-task {resources.cpus} was given, and this machine has {cores()} core(s); "
            f"give at most {cores()}, or the --address of a cluster with larger nodes"
        )
    ray.init(
        address="local",
        num_cpus=resources.jobs * resources.cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        # Ray's workers would let all else go first; the local engine's do not.
        _system_config={"worker_niceness": 0},
    )


def _join(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        ray.shutdown()
        raise RunError(_why_not_joined(address, str(error))) from None


def _why_not_joined(address: str, message: str) -> str:
    """What Ray says of a cluster that cannot be joined, as one sentence."""
    return (
        f"the Ray at {address} cannot be joined from this machine "
        f"({shortened(' '.join(message.split()), 300)}); install the same Ray and Python on all "
        f"machines, and make this one a node: ray start --address={address} --num-cpus=0"
    )


def _check_room(ray: Any, resources: Resources) -> None:
    """Refuse what no node could ever hold: Ray itself would wait for one."""
    if nodes_with_room(ray, resources):
        return
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus, gpus = (max(node.get(kind, 0) for node in alive) for kind in ("CPU", "GPU"))
    raise UsageError(
        f"tasks of {resources.cpus} CPU(s) and {resources.gpus:g} GPU(s) were asked for, and no "
        f"node of this Ray has both (at most {cpus:g} CPU(s), and {gpus:g} GPU(s)); give less with "
        "--cpus-per-task or --gpus-per-task, or start larger nodes"
    )

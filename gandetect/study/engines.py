"""Which engine does the work, as it was asked for; a study need not know."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gandetect.engine.local import inline_engine, local_engine
from gandetect.engine.tasks import Engine
from gandetect.errors import UsageError
from gandetect.events import Notify


@dataclass(frozen=True)
class EngineOptions:
    """Where tasks are done, and what each is given; all but ``name`` is for Ray alone.

    They are done by processes of this machine ("local"), "inline" in this one, or by "ray".
    Without an ``address`` a Ray of its own is started on this machine, and stopped afterwards.
    ``cpus_per_task`` are also the threads of a task.
    """

    name: str = "local"
    address: str | None = None
    cpus_per_task: int | None = None
    gpus_per_task: float | None = None
    shared_path: bool = True

    def check(self) -> None:
        """Raise `GandetectError` for what makes no sense here, or for a Ray that is not there."""
        if self.name != "ray":
            given = {
                "--address": self.address is not None,
                "--cpus-per-task": self.cpus_per_task is not None,
                "--gpus-per-task": self.gpus_per_task is not None,
                "--no-shared-path": not self.shared_path,
            }
            if flag := next((flag for flag, is_given in given.items() if is_given), None):
                raise UsageError(
                    f"{flag} was given without --engine ray, and processes of this machine have "
                    "no use for it; add --engine ray, or remove it"
                )
            return
        if find_spec("ray") is None:
            raise UsageError(
                "--engine ray was given, and Ray is not installed; "
                "pip install 'gandetect[ray]', or leave --engine ray out"
            )
        gpus = self.gpus_per_task
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            raise UsageError(
                f"--gpus-per-task {gpus:g} was given, and Ray shares out parts of one GPU or "
                "whole ones; give a fraction up to 1, or a whole number"
            )
        if self.address is not None:
            from gandetect.cluster.connection import check_address

            check_address(self.address)


def open_engine(
    options: EngineOptions, *, jobs: int, threads: int, device: str, folder: Path, listen: Notify
) -> AbstractContextManager[Engine]:
    """The engine that was asked for, to be entered, for tasks that write below ``folder``.

    Each task has ``threads`` threads; on this machine ``jobs`` of them run at a time. However its
    block is left, nothing that was started goes on.
    """
    if options.name == "local":
        return local_engine(jobs, threads, listen)
    if options.name == "inline":
        return inline_engine(threads, listen)
    from gandetect.cluster.engine import Resources, ray_engine

    gpus = float(device == "cuda") if options.gpus_per_task is None else options.gpus_per_task
    resources = Resources(jobs, threads, gpus)
    return ray_engine(options.address, resources, options.shared_path, folder, listen)

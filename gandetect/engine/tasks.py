"""What an engine is given, and what it promises, wherever the work is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gandetect.machine import keep_freed_memory, settle_cuda

Event = Mapping[str, Any]
Notify = Callable[[Event], None]


@dataclass(frozen=True)
class Task:
    """One independent piece: ``function(notify=…, **arguments)``, picklable.

    An engine may know three arguments: ``folder`` is where the piece writes, every `Path` among
    the arguments is a file or folder that it reads, and ``device`` is where it computes.
    """

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Does independent pieces of a study, side by side."""

    def run(self, tasks: Sequence[Task]) -> list[Any]:
        """Run all tasks and return their results in order; the first failure is raised."""


def prepare_process(threads: int) -> None:
    """Make a process ready to compute with torch on ``threads`` threads."""
    import torch

    keep_freed_memory()
    settle_cuda()
    torch.set_num_threads(threads)

"""When stages ran, from `manifest.json`: how long, how many at a time, with idle time left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

IDLE = 300.0  # seconds without any stage, from which on a pause is left out


@dataclass(frozen=True)
class Ran:
    """One stage, its kind being the first part of its folder; seconds from the first start."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """Stages in the order of their starts, pauses taken out of their times.

    ``pauses`` are (where on the shortened axis, how many seconds were left out).
    """

    stages: Sequence[Ran]
    pauses: Sequence[tuple[float, float]]

    @property
    def wall(self) -> float:
        """Seconds from the first start to the last end, without the pauses."""
        return max((one.end for one in self.stages), default=0.0)

    @property
    def total(self) -> float:
        """Seconds of all stages, one after the other."""
        return sum(one.end - one.start for one in self.stages)

    @property
    def kinds(self) -> list[str]:
        """Kinds in the order in which they began."""
        return list(dict.fromkeys(one.kind for one in self.stages))

    def at_work(self) -> tuple[list[float], list[int]]:
        """How many stages ran: the times of each change, and the number from then on.

        A stage that begins where another ends does not count beside it.
        """
        changes: Counter[float] = Counter(one.start for one in self.stages)
        changes.subtract(one.end for one in self.stages)
        times = sorted(changes)
        return times, list(accumulate(changes[time] for time in times))


def timeline(times: Sequence[tuple[str, str, float]]) -> Timeline:
    """Stages as (folder, start in ISO 8601, seconds) on one axis; what has no valid start is left.

    Where for more than `IDLE` seconds nothing ran, as between two sessions of one study or before
    what was taken over from another, the axis goes on at once.
    """
    begun = sorted((start, name, took) for name, started, took in times
                   if (start := _seconds(started)) is not None)  # fmt: skip
    stages: list[Ran] = []
    pauses: list[tuple[float, float]] = []
    cut = begun[0][0] if begun else 0.0  # what is taken off every time
    last = 0.0
    for start, name, took in begun:
        if start - cut - last > IDLE:
            pauses.append((last, start - cut - last))
            cut = start - last
        stages.append(Ran(name.partition("/")[0], start - cut, start - cut + took))
        last = max(last, stages[-1].end)
    return Timeline(stages, pauses)


def slots(manifest: Mapping[str, Any]) -> int | None:
    """How many stages could run at a time; None where the manifest does not say."""
    jobs = manifest.get("jobs")
    return jobs if isinstance(jobs, int) and jobs > 0 else None


def _seconds(started: str) -> float | None:
    try:
        return datetime.fromisoformat(started).timestamp()
    except ValueError:
        return None

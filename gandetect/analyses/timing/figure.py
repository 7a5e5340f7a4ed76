"""A Gantt chart of the stages by kind, and how many of them were at work."""

from __future__ import annotations

from matplotlib.figure import Figure

from gandetect.analyses.timing.numbers import Timeline
from gandetect.report.style import DASHED, QUIET, new_panels, share_palette

LINE = 0.21  # inches a kind
MINUTES_FROM, HOURS_FROM = 300.0, 3 * 3600.0  # seconds


def gantt(timeline: Timeline, slots: int | None) -> Figure:
    """A line a kind of stage, above the number of stages at work; dashed where a pause is cut."""
    kinds = timeline.kinds
    figure, panels = new_panels(9.6, 1.7 + LINE * len(kinds), 2, 1, sharex=True,
                                height_ratios=[LINE * len(kinds) + 0.1, 0.8])  # fmt: skip
    upper, lower = panels[:, 0]
    name, unit = _unit(timeline.wall)
    colour = share_palette()(0.55)
    least = timeline.wall / unit / 400  # so that the shortest can be seen
    labels = []
    for line, kind in enumerate(kinds):
        of_kind = [one for one in timeline.stages if one.kind == kind]
        spans = [(one.start / unit, max(least, (one.end - one.start) / unit)) for one in of_kind]
        upper.broken_barh(spans, (line - 0.36, 0.72), facecolor=colour, alpha=0.75, linewidth=0)
        labels.append(f"{kind} ({len(of_kind)})" if len(of_kind) > 1 else kind)
    upper.set_yticks(range(len(kinds)), labels)
    upper.set_ylim(len(kinds) - 0.4, -0.6)
    upper.grid(axis="y", visible=False)
    upper.tick_params(axis="y", length=0)
    times, numbers = timeline.at_work()
    at = [time / unit for time in times]
    lower.fill_between(at, numbers, step="post", color=colour, alpha=0.75, linewidth=0)
    if slots is not None:
        lower.axhline(slots, color=QUIET, linewidth=1, linestyle=":")
    for place, _ in timeline.pauses:
        for axes in (upper, lower):
            axes.axvline(place / unit, color=QUIET, linewidth=1, linestyle=DASHED)
    lower.set(ylim=(0, 1.08 * max(*numbers, slots or 0)), xlim=(0, timeline.wall / unit * 1.005))
    lower.set(xlabel=f"{name} from the first start", ylabel="at work")
    lower.yaxis.get_major_locator().set_params(integer=True)
    return figure


def _unit(wall: float) -> tuple[str, float]:
    if wall < MINUTES_FROM:
        return "seconds", 1.0
    return ("minutes", 60.0) if wall < HOURS_FROM else ("hours", 3600.0)

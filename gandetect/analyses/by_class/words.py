"""Real images flagged, class by class: who pays the price."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.by_class import numbers
from gandetect.report.document import Block, Columns, Heat, table
from gandetect.report.heatmaps import share_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import POINTS, cell, count, number_interval, per_hundred
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def per_hundred_interval(share: float, interval: Sequence[float] | None) -> str:
    """A share of 100 with its interval, if there is one."""
    return per_hundred(share, *(interval or ()))


def by_class(results: StudyResults) -> list[Block]:
    """Share of each class's test reals called generated, a table for each point."""
    rows = results.metrics.get("by_class_across_seeds", [])
    if not rows:
        return results.absent("classes.parquet") if not results.labelled else []
    return [_heat(results, chosen(rows, operating_point=name), name)
            for name in results.points if name in ("native", "calibrated")]  # fmt: skip


def class_thresholds(results: StudyResults) -> list[Block]:
    """What each class would have for itself, and pays under the threshold of all."""
    rows = results.rows("class_thresholds")
    if not rows:
        return []
    flagged = chosen(results.rows("by_class_across_seeds"), operating_point="calibrated")

    def pays(of: Sequence[Row]) -> str:
        name = {key: of[0][key] for key in ("detector", "class_name")}
        return cell([row for row in chosen(flagged, **name) if not row["held_out"]],
                    "mean", per_hundred_interval, "ci95")  # fmt: skip

    columns: Columns = {
        "Detector": lambda of: str(of[0]["detector"]),
        "Class": lambda of: str(of[0]["class_name"]),
        "Calibration reals": lambda of: count(of[0]["n_calibration"]),
        "Its own threshold": lambda of: cell(of, "threshold", number_interval,
                                             none=say.too_few(of[0])),
        "Fakes caught with it, of 100": lambda of: cell(of, "caught", per_hundred_interval),
        "With the common one": lambda of: cell(of, "caught_in_common", per_hundred_interval),
        "Its reals flagged by the common one, of 100": pays,
    }  # fmt: skip
    lines = list(grouped(rows, "detector", "class_name").values())
    return [table(say.class_thresholds(results.many_seeds), lines, columns, text_columns=2)]


def _heat(results: StudyResults, rows: Sequence[Row], point: str) -> Heat:
    """Classes as rows, held-out ones first; framed where held out."""
    ordered = sorted(rows, key=lambda row: (not row["held_out"], row["class_name"]))
    lines = []
    for of in grouped(ordered, "class_name").values():
        cells = {row["detector"]: share_cell(row["mean"], row["ci95"], row["held_out"])
                 for row in of}  # fmt: skip
        name = f"{say.name(of[0])}, n = {count(of[0]['n'])}"
        lines.append((name, [cells.get(detector) for detector in results.detectors]))
    caption = say.flagged(POINTS[point], results.covers(point))
    return Heat(caption, ["Class", *results.detectors], lines)


CHAPTER = Chapter(
    "What is behind it",
    "Real images flagged, by class",
    [by_class, class_thresholds],
    say.finding,
    "classes",
)
ANALYSIS = Analysis("by_class", numbers.numbers, numbers.rows, [CHAPTER])

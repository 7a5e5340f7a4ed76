"""Over the epochs of training: how much of an answer is the epoch at which training stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.trajectories import numbers
from gandetect.analyses.trajectories.figure import answers_by_epoch
from gandetect.report.document import Block, Cell, Columns, Heat, Table, Text, table
from gandetect.report.images import evenly
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults, not_asked
from gandetect.report.words import number
from gandetect.statistics.rows import Row, Rows, chosen, grouped, means
from gandetect.statistics.scores import IN_DISTRIBUTION

TABULATED = 10  # epochs that a table of them has room for
ONLY = 0.25  # "only" is said of a ranking that moves less than this part of the share's way
say = Prose(__file__)


def trajectories(results: StudyResults) -> list[Block]:
    """What moves over the epochs, drawn and in numbers, or how to get that."""
    stored = results.metrics.get("trajectories") or {}
    cells, matrix, luck = (results.sorted(stored.get(k, [])) for k in ("cells", "matrix", "luck"))
    if not cells:
        return not_asked(results, "trajectory", '"all"') if results.facts.gans else []
    leads = (_lead(results, name, luck) for name in results.present(cells))
    draw = partial(answers_by_epoch, cells, results.inputs.histories)
    most = max(row["n"] for row in cells)
    return [
        *(Text(text, "lead") for text in leads if text),
        Text(say.meaning()),
        *(_heatmaps(results, matrix) if matrix else []),
        say.figure("trajectories", draw, _several(cells), most),
        Text(say.spread_of(results.many_seeds)),
        _luck_table(results, luck),
    ]


def _lead(results: StudyResults, detector: str, luck: Rows) -> str:
    """Say how the share of own fakes caught moves, and the AUROC beside it."""
    own = chosen(luck, detector=detector, role="own")
    share = next((row for row in own if row.get("operating_point") == "native"), None)
    area = next((row for row in own if row.get("real") == IN_DISTRIBUTION), None)
    return say.lead(results.called(detector), share, area, ONLY) if share else ""


def _heatmaps(results: StudyResults, matrix: Rows) -> list[Block]:
    """AUROC of discriminator epoch by generator epoch, of as many as a table has room for."""
    blocks: list[Block] = []
    complete = True
    for rows in grouped(matrix, "detector").values():
        epochs = sorted({int(row["j"]) for row in rows})
        complete &= len(epochs) <= TABULATED
        shown = evenly(epochs, TABULATED)
        blocks += [_heat(results, of, shown) for of in grouped(rows, "real").values()]
    fakes, reals = (max(row[key] for row in matrix) for key in ("n_generated", "n_real"))
    about = 0 if complete else TABULATED, _several(matrix), fakes, reals
    return [*blocks, Text(say.matrix_note(*about), "note")]


def _heat(results: StudyResults, matrix: Sequence[Row], epochs: Sequence[int]) -> Heat:
    areas = means(matrix, "auroc", "i", "j")

    def cell(i: int, j: int) -> Cell | None:
        if (i, j) not in areas:
            return None
        area = areas[i, j]
        hint = f"discriminator of epoch {i} on fakes of epoch {j}: {number(area)}"
        return Cell(number(area, 2), level=area, framed=i == j, hint=hint)

    return Heat(
        f"{matrix[0]['detector']}, own fakes against {results.named(matrix[0]['real'])}",
        ["AUROC", *(f"fakes of epoch {j}" for j in epochs)],
        [(f"discriminator, epoch {i}", [cell(i, j) for j in epochs]) for i in epochs[::-1]],
        scale="auroc",
    )


def _several(rows: Rows) -> bool:
    return len({row["seed"] for row in rows}) > 1


def _luck_table(results: StudyResults, luck: Rows) -> Table:
    def moved(key: str) -> Callable[[Row], str]:
        return lambda row: (say.points if row["statistic"] == "correct" else number)(row[key])

    columns: Columns = {
        "Detector": lambda row: row["detector"],
        "Images": lambda row: results.named(row["source"], row["detector"]),
        "Figure": lambda row: say.statistic(row, results),
        "Lowest to highest": say.extent,
        "From epoch to epoch": moved("sd_over_epochs"),
        "Later epochs": moved("late_sd"),
        "From run to run": moved("sd_over_seeds") if results.many_seeds else None,
        "By images": moved("image_sd"),
    }
    return table("How far a figure moves, and with what", luck, columns, text_columns=3)


CHAPTER = Chapter("Can I trust this?", "Chance: epochs", [trajectories], say.finding)
ANALYSIS = Analysis("trajectories", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True)

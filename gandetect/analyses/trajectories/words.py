"""Over the epochs of training: how much of an answer is the epoch at which training stopped."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.trajectories import numbers
from gandetect.analyses.trajectories.figure import answers_by_epoch, generations
from gandetect.report.document import Block, Cell, Heat, Table, Text
from gandetect.report.images import evenly
from gandetect.report.material import Material, drawn, not_asked
from gandetect.report.prose import Prose
from gandetect.report.words import count, number
from gandetect.statistics.rows import Row, Rows
from gandetect.statistics.scores import IN_DISTRIBUTION

TABULATED = 10  # epochs that a table of them has room for
ONLY = 0.25  # "only" is said of a ranking that moves less than this part of the share's way
say = Prose(__file__)


def trajectories(material: Material) -> list[Block]:
    """What moves over the epochs, drawn and in numbers, or how to get that."""
    found = material.metrics.get("trajectories") or {}
    cells, matrix = (material.sorted(found.get(key, [])) for key in ("cells", "matrix"))
    if not cells:
        return not_asked(material, "trajectory", '"all"') if material.inputs.experiment.gans else []
    luck = material.sorted(found["luck"])
    detectors = list(dict.fromkeys(row["detector"] for row in cells))
    leads = [text for name in detectors if (text := _lead(material, name, luck))]
    return [
        *(Text(text, "lead") for text in leads),
        Text(say.meaning()),
        *(_heatmaps(material, matrix) if matrix else []),
        _curves(material, cells),
        Text(say.spread_of()),
        Table("How far a figure moves, and with what", _header(material),
              [_luck_row(material, row) for row in luck], text_columns=3),
    ]  # fmt: skip


def _lead(material: Material, detector: str, luck: Rows) -> str:
    """Say how the share of own fakes caught moves, and the AUROC beside it."""
    own = [row for row in luck if row["detector"] == detector and row["role"] == "own"]
    share = next((row for row in own if row.get("operating_point") == "native"), None)
    area = next((row for row in own if row.get("real") == IN_DISTRIBUTION), None)
    return say.lead(material.called(detector), share, area, ONLY) if share else ""


def _heatmaps(material: Material, matrix: Rows) -> list[Block]:
    """AUROC of discriminator epoch by generator epoch in tables, and a figure of all."""
    blocks: list[Block] = []
    shown: dict[str, list[int]] = {}
    for detector in dict.fromkeys(row["detector"] for row in matrix):
        rows = [row for row in matrix if row["detector"] == detector]
        shown[detector] = evenly(sorted({int(row["j"]) for row in rows}), TABULATED)
        blocks += [
            _heat(material, [row for row in rows if row["real"] == real], shown[detector])
            for real in dict.fromkeys(row["real"] for row in rows)
        ]
    fakes, reals = (max(row[key] for row in matrix) for key in ("n_generated", "n_real"))
    several = _several(matrix)
    if all(row["j"] in shown[row["detector"]] for row in matrix):
        return [*blocks, Text(say.matrix_note(0, several, fakes, reals), "note")]
    figure = drawn(
        "trajectory-matrix",
        lambda: generations(matrix, material.named),
        "AUROC of each discriminator epoch on each generator epoch, as the tables above.",
        f"The same for every kept epoch.{' Mean over seeds.' if several else ''}",
    )
    note = say.matrix_note(TABULATED, several, fakes, reals)
    return [*blocks, Text(note, "note"), figure]


def _heat(material: Material, matrix: Rows, epochs: Sequence[int]) -> Heat:
    """Of one detector, against one group of reals."""
    areas: dict[tuple[int, int], list[float]] = {}
    for row in matrix:
        areas.setdefault((int(row["i"]), int(row["j"])), []).append(row["auroc"])
    rows = []
    for i in epochs[::-1]:
        means = {j: fmean(areas[i, j]) for j in epochs if (i, j) in areas}
        cells = [
            Cell(number(means[j], 2), level=means[j], framed=i == j,
                 hint=f"discriminator of epoch {i} on fakes of epoch {j}: {number(means[j])}")
            if j in means else None
            for j in epochs
        ]  # fmt: skip
        rows.append((f"discriminator, epoch {i}", cells))
    header = ["AUROC", *(f"fakes of epoch {j}" for j in epochs)]
    return Heat(
        f"{matrix[0]['detector']}, own fakes against {material.named(matrix[0]['real'])}",
        header,
        rows,
        scale="auroc",
    )


def _curves(material: Material, cells: Rows) -> Block:
    several = _several(cells)
    means = "Thick: mean over seeds; thin: single seeds." if several else (
        "Bands: 95 % intervals, over images only."
    )  # fmt: skip
    return drawn(
        "trajectories",
        lambda: answers_by_epoch(cells, material.inputs.histories),
        "Share answered correctly over the epochs of training, by detector and group.",
        f"{means} At most {count(max(row['n'] for row in cells))} images of a group at each "
        "epoch. Below: quality of the generator's images at the same epochs, where it was "
        "measured.",
    )


def _several(rows: Rows) -> bool:
    return len({row["seed"] for row in rows}) > 1


def _header(material: Material) -> list[str]:
    between = ["From run to run"] if material.many_seeds else []
    return ["Detector", "Images", "Figure", "Lowest to highest", "From epoch to epoch",
            "Later epochs", *between, "By images"]  # fmt: skip


def _luck_row(material: Material, row: Row) -> list[str]:
    share = row["statistic"] == "correct"
    show = say.points if share else number
    figure = (f"correct, {row['operating_point']}" if share
              else f"AUROC against {material.named(row['real'])}")  # fmt: skip
    extent = (f"{100 * row['lowest']:.1f} to {100 * row['highest']:.1f} %" if share
              else f"{number(row['lowest'])} to {number(row['highest'])}")  # fmt: skip
    between = [show(row["sd_over_seeds"])] if material.many_seeds else []
    return [row["detector"], material.named(row["source"], row["detector"]), figure, extent,
            show(row["sd_over_epochs"]), show(row["late_sd"]), *between,
            show(row["image_sd"])]  # fmt: skip


ANALYSIS = Analysis(
    "trajectories",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("How much is chance", "From epoch to epoch", [trajectories])],
)

"""Over the epochs of training: how much of an answer is the epoch at which training stopped."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.trajectories import numbers
from gandetect.analyses.trajectories.figure import ROLES, answers_by_epoch, generations
from gandetect.report.document import Block, Cell, Heat, Table, Text
from gandetect.report.images import evenly
from gandetect.report.material import Material, drawn, not_asked
from gandetect.report.words import count, listing, number, per_hundred, sentence
from gandetect.statistics.scores import IN_DISTRIBUTION

Row = dict[str, Any]
Rows = list[Row]

TABULATED = 10  # epochs that a table of them has room for
ONLY = 0.25  # "only" is said of a ranking that moves less than this part of the share's way

MEANING = (
    "A discriminator was never trained to be right, only to push its generator, and nothing tells "
    "when to stop. Here every kept epoch i of a discriminator is tried as a detector: on what its "
    "own generator made at every kept epoch j, and on the images of the other groups. The "
    "calibrated operating point is chosen anew for each epoch, on calibration images alone. "
    "No epoch was chosen by these figures: the detectors of this report are those of the last."
)
SPREAD = (
    "Standard deviations, of shares in percentage points. From epoch to epoch: within a run, over "
    "its kept epochs, mean over runs. Later epochs: those of the second half of training, where "
    "the detector is no longer a beginner. From run to run: at the last epoch. By images: what "
    "drawing other test images would do alone; epochs and runs answer the same real images, so "
    "that between them it does less."
)


def trajectories(material: Material) -> list[Block]:
    """What moves over the epochs, drawn and in numbers, or how to get that."""
    found = material.metrics.get("trajectories") or {}
    cells, matrix = (_sorted(material, found.get(key, [])) for key in ("cells", "matrix"))
    if not cells:
        return not_asked(material, "trajectory", '"all"') if material.inputs.experiment.gans else []
    luck = _sorted(material, found["luck"])
    detectors = list(dict.fromkeys(row["detector"] for row in cells))
    leads = [text for name in detectors if (text := _lead(material, name, luck))]
    return [
        *(Text(text, "lead") for text in leads),
        Text(MEANING),
        *(_heatmaps(material, matrix) if matrix else []),
        _curves(material, cells),
        Text(SPREAD),
        Table("How far a figure moves, and with what", _header(material),
              [_luck_row(material, row) for row in luck], text_columns=3),
    ]  # fmt: skip


def _sorted(material: Material, rows: Rows) -> Rows:
    """Discriminators first, as everywhere; within a detector the order stays."""
    names = material.detectors
    return sorted(rows, key=lambda row: names.index(row["detector"]))


def _lead(material: Material, detector: str, luck: Rows) -> str:
    """Say how the share of own fakes caught moves, and the AUROC beside it."""
    own = [row for row in luck if row["detector"] == detector and row["role"] == "own"]
    share = next((row for row in own if row.get("operating_point") == "native"), None)
    area = next((row for row in own if row.get("real") == IN_DISTRIBUTION), None)
    if share is None:
        return ""
    if len(share["epochs"]) < 2:
        return (f"{sentence(material.called(detector))}: one kept epoch alone does not tell how "
                "its answers move.")  # fmt: skip
    epochs, runs = count(len(share["epochs"])), len(share["seeds"])
    caught = "the share of own fakes caught at score 0"
    between = f"between {per_hundred(share['lowest'])} and {per_hundred(share['highest'])} of 100"
    text = f"{sentence(material.called(detector))}: "
    if runs == 1:
        text += f"between the {epochs} kept epochs of one run {caught} moved {between}"
    else:
        within = _points(share["range_over_epochs"])
        text += (f"over the {epochs} kept epochs of {runs} runs {caught} lay {between}, and moved "
                 f"by {within} points within a run on average")  # fmt: skip
    if area is not None:
        small = area["range_over_epochs"] < ONLY * share["range_over_epochs"]
        text += (f"; the AUROC {'only ' if small else ''}between {number(area['lowest'])} and "
                 f"{number(area['highest'])}")  # fmt: skip
    return f"{text}. {_against_runs(share, area)}"


def _against_runs(share: Row, area: Row | None) -> str:
    """Compare the spread within a run with the spread between runs."""
    if share["sd_over_seeds"] is None:
        return "One run does not tell how far runs differ."
    text = (
        f"The standard deviation of that share is {_points(share['sd_over_epochs'])} points from "
        f"epoch to epoch and {_points(share['sd_over_seeds'])} from run to run"
    )
    if area is not None:
        text += (f"; of the AUROC {number(area['sd_over_epochs'])} and "
                 f"{number(area['sd_over_seeds'])}")  # fmt: skip
    return f"{text}."


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
    over = " Mean over seeds." if _several(matrix) else ""
    note = (
        f"Framed: discriminator and generator of the same epoch.{over} Violet: fakes get "
        "higher scores than reals; ochre, below 0.5: fakes pass for more real than the reals. At "
        f"most {count(fakes)} fakes against {count(reals)} reals a cell."
    )
    if all(row["j"] in shown[row["detector"]] for row in matrix):
        return [*blocks, Text(note, "note")]
    figure = drawn(
        "trajectory-matrix",
        lambda: generations(matrix, material.named),
        f"AUROC of each discriminator epoch on each generator epoch. {_extremes(matrix)}.",
        f"The same for every kept epoch.{over}",
    )
    return [*blocks, Text(f"Shown are {TABULATED} epochs of each. {note}", "note"), figure]


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
        f"Share answered correctly over the epochs of training. {_last(cells)}.",
        f"{means} At most {count(max(row['n'] for row in cells))} images of a group at each "
        "epoch. Below: quality of the generator's images at the same epochs, where it was "
        "measured.",
    )


def _several(rows: Rows) -> bool:
    return len({row["seed"] for row in rows}) > 1


def _extremes(matrix: Rows) -> str:
    texts = []
    for detector in dict.fromkeys(row["detector"] for row in matrix):
        areas = [row["auroc"] for row in matrix if row["detector"] == detector]
        texts.append(f"{detector} from {number(min(areas), 2)} to {number(max(areas), 2)}")
    return listing(texts)


def _last(cells: Rows) -> str:
    """Words of the figure: every line at its last epoch, at score 0."""
    texts = []
    for detector in dict.fromkeys(row["detector"] for row in cells):
        own = [row for row in cells
               if row["detector"] == detector and row["operating_point"] == "native"]  # fmt: skip
        last = max(row["epoch"] for row in own)
        shares: dict[str, list[float]] = {}
        for row in own:
            if row["epoch"] == last:
                shares.setdefault(row["role"], []).append(row["correct"])
        ends = [f"{ROLES.get(role, role)} {100 * sum(of) / len(of):.0f} %"
                for role, of in shares.items()]  # fmt: skip
        texts.append(f"{detector} at score 0 and epoch {last}: {listing(ends)}")
    return "; ".join(texts)


def _header(material: Material) -> list[str]:
    between = ["From run to run"] if material.many_seeds else []
    return ["Detector", "Images", "Figure", "Lowest to highest", "From epoch to epoch",
            "Later epochs", *between, "By images"]  # fmt: skip


def _luck_row(material: Material, row: Row) -> list[str]:
    share = row["statistic"] == "correct"
    say = _points if share else number
    figure = (f"correct, {row['operating_point']}" if share
              else f"AUROC against {material.named(row['real'])}")  # fmt: skip
    extent = (f"{100 * row['lowest']:.1f} to {100 * row['highest']:.1f} %" if share
              else f"{number(row['lowest'])} to {number(row['highest'])}")  # fmt: skip
    between = [say(row["sd_over_seeds"])] if material.many_seeds else []
    return [row["detector"], material.named(row["source"], row["detector"]), figure, extent,
            say(row["sd_over_epochs"]), say(row["late_sd"]), *between,
            say(row["image_sd"])]  # fmt: skip


def _points(value: float | None) -> str:
    """Percentage points, or a dash where there is nothing to say."""
    return number(None if value is None else 100 * value, 1)


ANALYSIS = Analysis(
    "trajectories",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("How much is chance", "From epoch to epoch", [trajectories])],
)

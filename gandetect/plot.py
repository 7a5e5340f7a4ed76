"""Figures of a run on given axes, for notebooks and papers, as scikit-learn's displays.

Every function takes a loaded `Run`, an `Evaluation` or a run folder. It draws on ``ax``, or on a
new figure of pyplot where there is none, and returns the axes. Numbers and lines are those of the
report; fonts and background are your own.

>>> from gandetect import plot
>>> run = plot.example()
>>> plot.matrix(run, "calibrated").get_title()
'Answered correctly, calibrated'
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

from gandetect.analyses.calibration.figure import PANELS as METHODS
from gandetect.analyses.calibration.figure import draw_reliability
from gandetect.analyses.comparisons.figure import draw_runs
from gandetect.analyses.generators.words import real_samples
from gandetect.analyses.loaded import Run, load_run
from gandetect.analyses.thresholds.figure import (
    curves_of,
    draw_precision_recall,
    draw_ridges,
    draw_roc,
    of_seed,
)
from gandetect.analyses.trajectories.figure import draw_shares
from gandetect.errors import UsageError, unknown_name
from gandetect.evaluation import Evaluation, evaluate
from gandetect.report.results import StudyResults, matrix_sources
from gandetect.report.style import COLOURS, legend_entries, share_palette
from gandetect.report.words import wrapped
from gandetect.statistics.rows import Row, chosen

Source: TypeAlias = Run | Evaluation | Path | str
Ax: TypeAlias = Axes | None


@cache
def example() -> Run:
    """A made-up table of scores of two detectors, evaluated in a temporary folder.

    >>> from gandetect import plot
    >>> plot.example().matrix().shape
    (2, 3)
    """
    rng, n = np.random.default_rng(0), 60
    groups = [
        pd.DataFrame({
            "detector": detector, "source": source, "split": split, "score": rng.normal(mean, 1, n),
            "label": "generated" if source == "gan" else "real",
            "image": [f"{source} {split} {number}" for number in range(n)],
        })
        for detector, mean in (("sharp", 2.0), ("blunt", 0.5))
        for source, split, mean in (("gan", "test", mean), ("camera", "test", -mean),
                                    ("camera", "calibration", -mean), ("phone", "test", -mean))
    ]  # fmt: skip
    out = Path(mkdtemp()) / "example"
    return load_run(
        evaluate(pd.concat(groups), out=out, reference=["camera"], held_out=["phone"]).run
    )


def matrix(run: Source, operating_point: str = "native", *, ax: Ax = None) -> Axes:
    """Shares answered correctly: a row a detector, a column a source; own fakes framed.

    >>> from gandetect import plot
    >>> [label.get_text() for label in plot.matrix(plot.example()).get_yticklabels()]
    ['blunt', 'sharp']
    """
    results = _results(run)
    point = _one_of("operating point", operating_point, results.points)
    rows = chosen(results.metrics["across_seeds"], operating_point=point)
    names, sources = results.present(rows), matrix_sources(results.metrics)
    table = pd.DataFrame(rows).pivot_table(index="detector", columns="source", values="mean")
    axes = _axes(ax)
    labels = [wrapped(results.named(source), 14) for source in sources]
    sns.heatmap(100 * table.reindex(index=names, columns=sources), vmin=0, vmax=100, annot=True,
                fmt=".1f", cmap=share_palette(), linewidths=1, xticklabels=labels, ax=axes,
                cbar_kws={"label": "%"})  # fmt: skip
    for row in chosen(rows, role="own"):
        corner = sources.index(row["source"]), names.index(row["detector"])
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=COLOURS["own"], linewidth=2.5))
    axes.tick_params(axis="y", rotation=0)
    axes.set(title=f"Answered correctly, {point}", xlabel="", ylabel="")
    return axes


def scores(
    run: Source, detector: str | None = None, *, seed: int | None = None, ax: Ax = None
) -> Axes:
    """A detector's scores by source, with its thresholds; by default the first, and its first seed.

    >>> from gandetect import plot
    >>> plot.scores(plot.example(), "sharp").get_xlabel()
    'score (log-odds of generated)'
    """
    results, name = _of(run, detector)
    if seed is not None:
        of = chosen(results.rows("operating_points"), detector=name)
        _one_of("seed", seed, [row["detector_seed"] for row in of])
    axes = _axes(ax)
    cuts, sources = of_seed(results.inputs.scores, results.metrics, name, seed)
    draw_ridges(axes, cuts, sources, results.own(name), results.named)
    shown = legend_entries(axes)
    axes.legend(shown.values(), shown.keys(), fontsize="small", loc="upper left")
    return axes


def roc(run: Source, detector: str | None = None, *, ax: Ax = None) -> Axes:
    """ROC curves of a detector: each generated source against each real one, a line a seed.

    >>> from gandetect import plot
    >>> len(plot.roc(plot.example(), "sharp").lines)  # two kinds of reals, and the diagonal
    3
    """
    results, name = _of(run, detector)
    draw_roc(axes := _axes(ax), curves_of(results.inputs.scores, results.metrics, name))
    return _titled(axes, name)


def precision_recall(run: Source, detector: str | None = None, *, ax: Ax = None) -> Axes:
    """Precision-recall curves of a detector, as `roc`; precision is of the images as they are.

    >>> from gandetect import plot
    >>> plot.precision_recall(plot.example(), "sharp").get_xlabel()
    'generated caught (recall)'
    """
    results, name = _of(run, detector)
    lines = curves_of(results.inputs.scores, results.metrics, name)
    draw_precision_recall(axes := _axes(ax), lines)
    return _titled(axes, name)


def runs(
    run: Source, detector: str | None = None, operating_point: str = "native", *, ax: Ax = None
) -> Axes:
    """Every training run as a dot, with the mean and its 95 % interval, a line a source.

    >>> from gandetect import plot
    >>> plot.runs(plot.example(), "sharp", "calibrated").get_xlabel()
    'answered correctly'
    """
    results, name = _of(run, detector)
    _one_of("operating point", operating_point, results.points)
    rows = chosen(results.metrics["across_seeds"], detector=name, operating_point=operating_point)
    known = {row["source"] for row in rows}
    sources = [source for source in matrix_sources(results.metrics)[::-1] if source in known]
    draw_runs(axes := _axes(ax), rows, sources, results.named)
    axes.set(title=f"{name}: {operating_point}", xlabel="answered correctly")
    return axes


def calibration(
    run: Source, detector: str | None = None, method: str = "none", *, ax: Ax = None
) -> Axes:
    """Reliability: the probability that a detector said against the share that was generated.

    ``method`` is none (as scored), platt or isotonic. Raises `UsageError` for a run without
    calibration scores of both labels.

    >>> plot.calibration("runs/quick-…", "dcgan-bn", "platt")  # doctest: +SKIP
    """
    results, name = _of(run, detector)
    _one_of("method", method, METHODS)
    found = _found(results, "calibration", results.rows("reliability"))
    curves = chosen(found, detector=_one_of("detector", name, results.present(found)))
    draw_reliability(axes := _axes(ax), chosen(curves, method=method), results.labelled)
    axes.set(xlabel="probability that it said", ylabel="share that was generated")
    return _titled(axes, f"{name}, {METHODS[method]}")


def trajectory(
    run: Source, detector: str | None = None, operating_point: str = "native", *, ax: Ax = None
) -> Axes:
    """Share answered correctly by epoch; `UsageError` without ``evaluation.trajectory``.

    >>> plot.trajectory("runs/reference-…", "dcgan-bn")  # doctest: +SKIP
    """
    results = _results(run)
    stored = results.metrics.get("trajectories") or {}
    cells = _found(results, "trajectory", stored.get("cells", []))
    name = _one_of("detector", detector or cells[0]["detector"], results.present(cells))
    _one_of("operating point", operating_point, {row["operating_point"] for row in cells})
    draw_shares(axes := _axes(ax), chosen(cells, detector=name, operating_point=operating_point))
    axes.set(xlabel="epoch", ylabel=f"correct, {operating_point} operating point")
    return _titled(axes, name)


def samples(
    run: Source, gan: str | None = None, epoch: int | None = None, *, ax: Ax = None
) -> Axes:
    """A grid of a generator's images, by default after its last epoch; without ``gan``, of reals.

    The first seed where there are several.

    >>> plot.samples("runs/quick-…", "dcgan-bn", 1)  # doctest: +SKIP
    """
    results = _results(run)
    if gan is None:
        if (grid := real_samples(results)) is None:
            raise UsageError("the run has too few real images for a grid; name one of its gans")
        return _picture(ax, grid.transpose(1, 2, 0), "real images")
    made = {name: one.grids for (name, _), one in reversed(results.inputs.samples.items())}
    grids = made[_one_of("gan", gan, made)]
    shown = _one_of("epoch", max(grids) if epoch is None else epoch, sorted(grids))
    with Image.open(grids[shown]) as stored:
        return _picture(ax, np.asarray(stored.convert("RGB")), f"{gan}, epoch {shown}")


def _axes(ax: Ax) -> Axes:
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def _titled(axes: Axes, title: str) -> Axes:
    axes.set_title(wrapped(title, 44))
    shown = legend_entries(axes)
    axes.legend(shown.values(), shown.keys(), fontsize="small")
    return axes


def _picture(ax: Ax, pixels: Any, title: str) -> Axes:
    (axes := _axes(ax)).imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_axis_off()
    axes.set_title(title)
    return axes


def _results(run: Source) -> StudyResults:
    if isinstance(run, Evaluation):
        run = run.run
    return (run if isinstance(run, Run) else load_run(run)).results


def _of(run: Source, detector: str | None) -> tuple[StudyResults, str]:
    """What a figure is drawn from, and the detector, by default the first."""
    results = _results(run)
    return results, _one_of("detector", detector or results.detectors[0], results.detectors)


def _one_of(what: str, given: Any, choices: Any) -> Any:
    if given not in choices:
        raise unknown_name(what, given, map(str, choices))
    return given


def _found(results: StudyResults, what: str, rows: list[dict[str, Any]]) -> list[Row]:
    if not rows:
        why = "; ".join(dict.fromkeys(results.metrics.get("not_measured", {}).get(what, [])))
        raise UsageError(f"the run holds no {what}: {why or 'the study did not ask for it'}")
    return list(rows)

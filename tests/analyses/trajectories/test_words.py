"""The chapter on epochs: what its sentences claim, and what its figures draw."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gandetect.analyses.trajectories.figure import answers_by_epoch
from gandetect.analyses.trajectories.numbers import trajectories as evaluate
from gandetect.analyses.trajectories.words import trajectories
from gandetect.report.document import Picture
from gandetect.report.results import StudyResults
from gandetect.report.style import figure_svg, house_style
from gandetect.statistics.calibrated import CalibrationRule

RULE = CalibrationRule(0.05)
DETECTORS = ("dcgan-bn", "dcgan-plain")
OWN = {name: [f"generated:{name}"] for name in DETECTORS}
EPOCHS = (2, 4, 6)
REALS = ("real:in-distribution", "real:held-out", "real:calibration")


def table(seeds, epochs=EPOCHS, n=40) -> pd.DataFrame:
    """Scores whose level moves from epoch to epoch, while their order hardly does."""
    rng = np.random.default_rng(0)
    frames = []
    for detector in DETECTORS:
        other = next(name for name in DETECTORS if name != detector)
        sources = [(f"generated:{detector}", j) for j in epochs]
        sources += [(source, 0) for source in (f"generated:{other}", *REALS)]
        for seed in seeds:
            for epoch in epochs:
                level = -2.0 * (epoch == 4)
                for source, j in sources:
                    mean = level + (1.0 if source == f"generated:{detector}" else -1.0)
                    frames.append(pd.DataFrame({
                        "detector": detector, "detector_seed": seed, "epoch": epoch,
                        "source": source, "source_seed": seed, "source_epoch": j,
                        "label": source.partition(":")[0], "index": np.arange(n),
                        "score": rng.normal(mean, 1.0, n),
                    }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def history() -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(1, 7), "fid": [90, 70, 60, 50, 45, 40.0], "kid": 0.05})


def results(seeds=(0,), **kept) -> StudyResults:
    metrics = {
        "detectors": [
            {"detector": name, "kind": "discriminator", "own": OWN[name]} for name in DETECTORS
        ],
        "cells": [{"detector_seed": seed} for seed in seeds],
        "trajectories": evaluate(table(seeds, **kept), OWN, RULE),
    }
    histories = {(name, seed): history() for name in DETECTORS for seed in seeds}
    facts = SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
    return StudyResults(SimpleNamespace(facts=facts, histories=histories), metrics)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures out: for tests that read the text."""
    monkeypatch.setattr(
        "gandetect.report.prose.drawn",
        lambda name, draw, alt, caption: Picture(name, b"", alt, caption),
    )


@pytest.fixture(scope="module", params=[(0,), (0, 1)], ids=["one seed", "two seeds"])
def made(request):
    return results(request.param)


def texts(blocks, style=None) -> list[str]:
    return [block.text for block in blocks
            if block.kind == "text" and (style is None or block.style == style)]  # fmt: skip


@pytest.mark.usefixtures("undrawn")
def test_the_opening_says_how_far_share_and_auroc_move(made):
    leads = texts(trajectories(made), "lead")
    assert len(leads) == len(DETECTORS)
    luck = next(row for row in made.metrics["trajectories"]["luck"]
                if row["detector"] == "dcgan-bn" and row["role"] == "own"
                and row.get("real") == "real:in-distribution")  # fmt: skip
    assert f"the AUROC only between {luck['lowest']:.3f} and {luck['highest']:.3f}" in leads[0]
    assert "The discriminator of dcgan-bn" in leads[0]
    one = len(made.seeds) == 1
    assert ("One run does not tell how far runs differ" in leads[0]) == one
    assert ("from run to run" in leads[0]) != one


@pytest.mark.usefixtures("undrawn")
def test_one_kept_epoch_says_nothing_of_movement():
    found = trajectories(results(epochs=(4,)))
    assert "one kept epoch alone does not tell" in texts(found, "lead")[0]


@pytest.mark.usefixtures("undrawn")
def test_the_table_has_every_line_of_luck(made):
    rows = next(block for block in trajectories(made) if block.kind == "table")
    assert len(rows.rows) == len(made.metrics["trajectories"]["luck"])
    assert {len(row) for row in rows.rows} == {len(rows.header)}
    assert ("From run to run" in rows.header) == made.many_seeds


@pytest.mark.usefixtures("undrawn")
def test_a_matrix_for_each_detector_and_reals_frames_equal_epochs(made):
    heats = [block for block in trajectories(made) if block.kind == "heat"]
    assert len(heats) == 2 * 2
    for heat in heats:
        cells = [cells for _, cells in reversed(heat.rows)]
        framed = [[cell.framed for cell in line] for line in cells]
        assert framed == np.eye(len(EPOCHS), dtype=bool).tolist()


def test_shares_and_quality_stand_below_each_other_and_thin_lines_are_seeds(made):
    with house_style():
        figure = answers_by_epoch(made.metrics["trajectories"]["cells"], made.inputs.histories)
        figure_svg(figure)
    assert len(figure.axes) == 4 * len(DETECTORS)
    seeds = len(made.seeds)
    lines = figure.axes[0].lines  # four groups: a mean each, and a line a seed when several
    assert len(lines) == 4 * (1 if seeds == 1 else 1 + seeds)
    assert len(figure.axes[0].collections) == (4 if seeds == 1 else 0)  # bands


def test_no_detectors_quality_runs_out_of_a_panel(made):
    """Panels of a row share their axis, and the second detector's fakes may be the worse ones."""
    worse = {key: history().assign(fid=lambda h: 4 * h["fid"]) if key[0] == "dcgan-plain" else h
             for key, h in made.inputs.histories.items()}  # fmt: skip
    with house_style():
        figure = answers_by_epoch(made.metrics["trajectories"]["cells"], worse)
    quality = [axes for axes in figure.axes if axes.get_ylabel().startswith("FID")]
    low, high = quality[0].get_ylim()
    assert low == 0
    assert high >= 4 * 90


def test_without_histories_only_the_shares_are_drawn(made):
    with house_style():
        figure = answers_by_epoch(made.metrics["trajectories"]["cells"], {})
    assert len(figure.axes) == 2 * len(DETECTORS)

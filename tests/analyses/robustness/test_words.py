"""The chapter on processed images: what its sentences claim, and what its figure draws."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gandetect.analyses.robustness.figure import auroc_by_level, in_order, level_words
from gandetect.analyses.robustness.numbers import robustness as evaluate
from gandetect.analyses.robustness.words import robustness
from gandetect.report.document import Picture
from gandetect.report.results import StudyResults
from gandetect.report.style import figure_svg, house_style

DETECTORS = ("cnn-on-dcgan-plain", "dcgan-plain")
OWN = {name: ["generated:dcgan-plain"] for name in DETECTORS}
LEVELS = (("none", 0.0), ("jpeg", 75.0), ("jpeg", 30.0), ("noise", 5.0))
N = 150


def steady(source, kind, level, base):
    return base


def shortcut(source, kind, level, base):
    """Takes what was compressed for generated, whoever made it."""
    return base + (3.0 if (kind, level) == ("jpeg", 30.0) else 0.0)


def lost(source, kind, level, base):
    """Fakes look like reals once they are compressed; reals stay what they are."""
    return base - 3.0 if kind == "jpeg" and source.startswith("generated") else base


def results(effect, seeds=(0,)) -> StudyResults:
    rng = np.random.default_rng(0)
    frames = []
    for detector in DETECTORS:
        for seed in seeds:
            for source in ("generated:dcgan-plain", "generated:dcgan-bn", "real:in-distribution"):
                base = rng.normal(1.5 if source in OWN[detector] else -0.5, 1, N)
                frames += [pd.DataFrame({
                    "detector": detector, "detector_seed": seed, "source": source,
                    "source_seed": seed, "label": source.partition(":")[0], "perturbation": kind,
                    "level": level, "index": np.arange(N),
                    "score": effect(source, kind, level, base),
                }) for kind, level in LEVELS]  # fmt: skip
    cuts = {
        (name, seed): {"native": 0.0, "calibrated": 1.0} for name in DETECTORS for seed in seeds
    }
    kinds = ("classifier", "discriminator")
    metrics = {
        "detectors": [{"detector": name, "kind": kind, "own": OWN[name]}
                      for name, kind in zip(DETECTORS, kinds, strict=True)],
        "cells": [{"detector_seed": seed} for seed in seeds],
        "robustness": evaluate(pd.concat(frames, ignore_index=True), OWN, cuts),
    }  # fmt: skip
    return StudyResults(
        SimpleNamespace(
            facts=SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
        ),
        metrics,
    )


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures out: for tests that read the text."""
    monkeypatch.setattr(
        "gandetect.report.prose.drawn",
        lambda name, draw, alt, caption: Picture(name, b"", alt, caption),
    )


def texts(blocks, style) -> list[str]:
    return [block.text for block in blocks if block.kind == "text" and block.style == style]


@pytest.mark.usefixtures("undrawn")
def test_a_steady_detector_is_charged_with_nothing():
    found = robustness(results(steady))
    assert all("lowers the AUROC beyond chance" in text for text in texts(found, "lead"))
    assert texts(found, "note") == [
        "No sign of a shortcut: processing one side alone moved no AUROC by more than 0.1."
    ]


@pytest.mark.usefixtures("undrawn")
def test_a_detector_that_answers_by_the_compression_is_named():
    found = robustness(results(shortcut))
    note = texts(found, "note")[0]
    assert note.startswith("A sign of a shortcut: the discriminator of dcgan-plain")
    assert "when only the reals are processed it is 0." in note
    assert "with JPEG compression (q 30; with both" in note
    assert "noise" not in note
    assert all("none of the processing" in text for text in texts(found, "lead"))


@pytest.mark.usefixtures("undrawn")
def test_a_loss_of_traces_is_a_cost_and_no_clear_shortcut():
    found = robustness(results(lost))
    assert "JPEG compression, q" in texts(found, "lead")[0]
    assert "costs most" in texts(found, "lead")[0]
    notes = texts(found, "note")
    assert notes[0].startswith("A shortcut or lost traces")
    assert not any(note.startswith("A sign") for note in notes)


@pytest.mark.usefixtures("undrawn")
def test_what_only_some_runs_show_is_no_sign_of_a_shortcut():
    made = results(shortcut, seeds=(0, 1))
    assert any("reals are processed" in note for note in texts(robustness(made), "note"))
    for row in made.metrics["robustness"]["across_seeds"]:
        row["changes"] = [-0.3, 0.1]
    assert texts(robustness(made), "note")[0].startswith("No sign of a shortcut")


@pytest.mark.usefixtures("undrawn")
def test_tables_hold_a_row_for_each_processing_and_the_answers_at_both_cuts():
    made = results(shortcut, seeds=(0, 1))
    ranking, answers = (block for block in robustness(made) if block.kind == "table")
    assert len(ranking.rows) == 2 * 2 * 2  # detectors, generators, perturbations
    assert ranking.rows[0][:3] == ["dcgan-plain", "generated by dcgan-plain (own)",
                                   "JPEG compression, q 30"]  # fmt: skip
    runs = [row for row in made.metrics["robustness"]["runs"]
            if (row["detector"], row["source"], row["applied_to"]) ==
            ("dcgan-plain", "generated:dcgan-plain", "both") and row["level"] == 30]  # fmt: skip
    compressed = next(row for row in answers.rows if row[2] == "JPEG compression, q 30")
    flagged = np.mean([row["flagged"]["calibrated"] for row in runs])
    assert compressed[answers.header.index("Reals flagged, calibrated")] == f"{100 * flagged:.1f} %"


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_the_figure_has_three_lines_a_panel_and_dots_for_several_seeds(seeds):
    found = results(shortcut, seeds).metrics["robustness"]
    rows = [[row for row in found[key] if row["role"] == "own"] for key in ("across_seeds", "runs")]
    with house_style():
        figure = auroc_by_level(*rows)
        figure_svg(figure)
    assert len(figure.axes) == 2 * len(DETECTORS)
    labelled = [line for line in figure.axes[0].lines if not line.get_label().startswith("_")]
    assert len(labelled) == 4  # three sides, and images as they are
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert len(dots) == (3 if len(seeds) > 1 else 0)
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["q 75", "q 30"]


def test_levels_go_from_weak_to_strong_and_have_words():
    assert in_order("jpeg", [30, 95, 50, 30]) == [95, 50, 30]
    assert in_order("blur", [2, 0.5, 1]) == [0.5, 1, 2]
    assert [level_words("resize", 0.75), level_words("blur", 0.5)] == ["to 75 %", "sigma 0.5 px"]
    assert level_words("fog", 2.0) == "2"

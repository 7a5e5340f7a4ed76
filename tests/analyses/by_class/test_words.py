"""The chapter on false alarms by class: what it says, tabulates and draws."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gandetect.analyses.by_class.figure import false_alarms
from gandetect.analyses.by_class.numbers import by_class as evaluate
from gandetect.analyses.by_class.numbers import by_class_across
from gandetect.analyses.by_class.words import by_class
from gandetect.report.document import Picture
from gandetect.report.results import StudyResults
from gandetect.report.style import figure_svg, house_style

DETECTORS = ("cnn-on-dcgan-plain", "dcgan-bn")
# Of 200 images of each class so many score 1, the others -1: (detector, class) to images.
DELAYED = {"Coat": 10, "Dress": 20, "Shirt": 30, "Bag": 120, "Sneaker": 4}
HELD_OUT = ("Bag", "Sneaker")
N = 200


def results(seeds=(0,)) -> StudyResults:
    sources = np.array(["real:held-out" if name in HELD_OUT else "real:in-distribution"
                        for name in DELAYED]).repeat(N)  # fmt: skip
    classes = pd.DataFrame({"source": sources, "class_name": np.repeat(list(DELAYED), N)})
    classes["index"] = classes.groupby("source").cumcount()
    called = np.concatenate([np.arange(N) < count for count in DELAYED.values()])
    scores = pd.concat([
        classes.assign(detector=name, detector_seed=seed, score=np.where(called, 1.0, -1.0))
        for name in DETECTORS for seed in seeds
    ], ignore_index=True).drop(columns="class_name")  # fmt: skip
    cuts = {(name, seed): {"native": 0.0, "calibrated": 0.5 if name == "dcgan-bn" else 2.0}
            for name in DETECTORS for seed in seeds}  # fmt: skip
    kinds = ("classifier", "discriminator")
    metrics = {
        "detectors": [{"detector": name, "kind": kind, "own": []}
                      for name, kind in zip(DETECTORS, kinds, strict=True)],
        "cells": [{"detector_seed": seed, "operating_point": point}
                  for seed in seeds for point in ("native", "calibrated")],
        "by_class": evaluate(scores, classes, cuts),
        "by_class_across_seeds": by_class_across(scores, classes, cuts),
    }  # fmt: skip
    return StudyResults(SimpleNamespace(experiment=SimpleNamespace(data=None), missing={}), metrics)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures out: for tests that read the text."""
    monkeypatch.setattr(
        "gandetect.report.prose.drawn",
        lambda name, draw, alt, caption: Picture(name, b"", alt, caption),
    )


def of_kind(blocks, kind):
    return [block for block in blocks if block.kind == kind]


def test_the_opening_names_the_class_that_pays_most_and_whether_it_was_held_out(undrawn):
    opening = by_class(results())[0].text
    assert "with dcgan-bn 60 (53 to 67) of Bag (held out)" in opening
    assert "2 (1 to 5) of Sneaker (held out)" in opening
    assert "with cnn-on-dcgan-plain 0 (0 to 2) of every class" in opening


def test_tables_hold_every_class_held_out_ones_first(undrawn):
    native, calibrated = of_kind(by_class(results()), "table")
    assert [row[0] for row in native.rows] == ["Bag", "Sneaker", "Coat", "Dress", "Shirt"]
    assert [row[1] for row in native.rows] == ["held out"] * 2 + ["trained on"] * 3
    assert native.header[2:] == ["dcgan-bn", "cnn-on-dcgan-plain", "n"]
    assert native.rows[3][2:] == ["10 (7 to 15)", "10 (7 to 15)", "200"]
    assert calibrated.rows[3][3] == "0 (0 to 2)"  # nothing of it is above that cut


def test_the_caption_says_what_the_bars_cover_and_of_how_many_images(undrawn):
    (single,), (several,) = (
        of_kind(by_class(results(seeds)), "picture") for seeds in ((0,), (0, 1, 2))
    )
    assert "over images. Images of a class: 200 if trained on, 200 if held out." in single.caption
    assert "over runs and images, grey dots: the 3 runs" in several.caption
    assert "the tables below" in single.alt


def test_without_classes_a_sentence_says_why():
    bare = results()
    del bare.metrics["by_class_across_seeds"]
    (block,) = by_class(bare)
    assert block.style == "missing"
    assert "classes.parquet" in block.text


def test_the_most_delayed_class_stands_at_the_top_and_runs_are_drawn_as_dots():
    rows = results((0, 1, 2)).metrics["by_class_across_seeds"]
    with house_style():
        figure = false_alarms(rows, DETECTORS, ["native", "calibrated"])
        figure_svg(figure)
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert (labels[0], labels[-1]) == ("Sneaker", "Bag")
    dots = [len(points.get_offsets()) for points in axes.collections
            if hasattr(points, "get_sizes") and points.get_sizes().tolist() == [9]]  # fmt: skip
    assert dots == [3] * 5

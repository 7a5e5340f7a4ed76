"""The chapter on real images flagged by class: its finding and its tables."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from score_tables import runs_of

from gandetect.analyses.by_class.numbers import by_class as evaluate
from gandetect.analyses.by_class.numbers import by_class_across
from gandetect.analyses.by_class.words import by_class, say
from gandetect.report.results import StudyResults

DETECTORS = ("cnn-on-dcgan-plain", "dcgan-bn")
# Of 200 images of each class so many score 1, the others -1: (detector, class) to images.
FLAGGED = {"Coat": 10, "Dress": 20, "Shirt": 30, "Bag": 120, "Sneaker": 4}
HELD_OUT = ("Bag", "Sneaker")
N = 200


def results(seeds=(0,)) -> StudyResults:
    sources = np.array(["real:held-out" if name in HELD_OUT else "real:in-distribution"
                        for name in FLAGGED]).repeat(N)  # fmt: skip
    classes = pd.DataFrame({"source": sources, "class_name": np.repeat(list(FLAGGED), N)})
    classes["index"] = classes.groupby("source").cumcount()
    called = np.concatenate([np.arange(N) < count for count in FLAGGED.values()])
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
        "by_class_across_seeds": by_class_across(scores, classes, runs_of(scores, cuts)),
    }  # fmt: skip
    return StudyResults(
        SimpleNamespace(
            facts=SimpleNamespace(labelled=False, is_table=False, reals={}, settings={}), missing={}
        ),
        metrics,
    )


def test_the_finding_names_the_class_that_pays_most_and_whether_it_was_held_out():
    found = say.finding(results())
    assert found == (
        "Most flagged: Bag (held out), 60 (53 to 67) of 100 by the discriminator of dcgan-bn "
        "at the calibrated threshold."
    )


def test_tables_hold_every_class_held_out_ones_first():
    native, calibrated = by_class(results())
    assert [name for name, _ in native.rows] == [
        "Bag (held out), n = 200", "Sneaker (held out), n = 200", "Coat (trained on), n = 200",
        "Dress (trained on), n = 200", "Shirt (trained on), n = 200",
    ]  # fmt: skip
    assert native.header[1:] == ["dcgan-bn", "cnn-on-dcgan-plain"]
    coat = native.rows[2][1][0]
    assert (coat.text, coat.small, coat.framed) == ("5.0 %", "2.7 to 9.0", False)
    assert native.rows[0][1][0].framed
    assert calibrated.rows[2][1][1].text == "0.0 %"  # nothing of it is above that cut


def test_the_caption_says_what_the_intervals_cover():
    single, several = (by_class(results(seeds))[0].caption for seeds in ((0,), (0, 1, 2)))
    assert "(95 % interval over test images)" in single
    assert "(95 % interval over runs and test images)" in several


def test_without_classes_a_sentence_says_why():
    bare = results()
    del bare.metrics["by_class_across_seeds"]
    (block,) = by_class(bare)
    assert block.style == "missing"
    assert "classes.parquet" in block.text
    assert say.finding(bare) == "Not measured."

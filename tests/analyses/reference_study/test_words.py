"""What is said beside the reference study's tables, where its mix of images is not ours."""

from types import SimpleNamespace

import pytest

from gandetect.analyses.reference_study.words import finding, reference_tables
from gandetect.report.results import StudyResults


def results(fakes: int, reals: int) -> StudyResults:
    report = {
        label: {"precision": 0.4, "recall": recall, "f1-score": 0.5, "support": support}
        for label, recall, support in (("generated", 0.58, fakes), ("real", 0.84, reals))
    }
    average = {**report["real"], "support": fakes + reals}
    report |= {"accuracy": 0.79, "macro avg": average, "weighted avg": average}
    rows = [{"detector": name, "detector_seed": 0, "operating_point": "native",
             "classification_report": report} for name in ("dcgan-bn", "cnn")]  # fmt: skip
    metrics = {
        "overall": rows,
        "groups": [],
        "detectors": [
            {"detector": row["detector"], "kind": "discriminator", "own": []} for row in rows
        ],
        "cells": [{"detector_seed": 0, "operating_point": "native"}],
    }
    facts = SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
    return StudyResults(SimpleNamespace(facts=facts, missing={}), metrics)


@pytest.mark.parametrize(
    ("fakes", "reals", "said"), [(5000, 22_200, True), (22_200, 22_200, False)]
)
def test_another_mix_of_fakes_and_reals_forbids_comparing_accuracy(fakes, reals, said):
    texts = " ".join(
        getattr(block, "text", "") for block in reference_tables(results(fakes, reals))
    )
    assert ("5,000 own fakes and 22,200 test reals" in texts) == said
    assert ("accuracy, precision, averages and the F1 of the first table cannot" in texts) == said


def test_the_finding_is_of_recalls_which_do_not_depend_on_the_mix():
    assert finding(results(5000, 22_200)) == (
        "Recall at the native point, ours / theirs: "
        "dcgan-bn on own fakes 0.58 / 0.82, on reals 0.84 / 0.44."
    )

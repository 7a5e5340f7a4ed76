"""The three sentences: honest when the numbers are bad, and never without their limits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gandetect.analyses.build import compute_metrics
from gandetect.analyses.summary.answer import answer
from gandetect.report.inputs import read_inputs
from gandetect.report.material import Material
from gandetect.report.words import per_hundred


def sentences(run, change) -> str:
    inputs = read_inputs(run)
    inputs = replace(inputs, scores=change(inputs.scores))
    blocks = answer(Material(inputs, compute_metrics(inputs)))
    return " ".join(block.text for block in blocks if block.kind == "text")


def separated(scores: pd.DataFrame, distance: float) -> pd.DataFrame:
    generated = scores["label"] == "generated"
    return scores.assign(score=np.where(generated, distance, -distance) + scores["score"] / 100)


def test_perfect_detectors_would_do(run):
    text = sentences(run, lambda scores: separated(scores, 5.0))
    assert "dcgan-bn and dcgan-plain would do as a detector" in text


def test_inverted_detectors_would_not(run):
    text = sentences(run, lambda scores: separated(scores, -5.0))
    assert "neither would do as a detector" in text
    assert "dcgan-bn catches 0 (" in text


def test_a_detector_that_delays_unseen_kinds_would_not_do(run):
    def change(scores):
        good = separated(scores, 5.0)
        hit = (good["source"] == "real:held-out") & (good["detector"] == "dcgan-bn")
        return good.assign(score=good["score"].where(~hit, 9.0))

    text = sentences(run, change)
    assert "dcgan-plain would do as a detector of these fakes, dcgan-bn not" in text


def test_numbers_are_those_of_the_metrics(run):
    inputs = read_inputs(run)
    metrics = compute_metrics(inputs)
    cell = next(c for c in metrics["cells"] if c["role"] == "held-out")
    low, high = cell["ci95"]
    delayed = per_hundred(1 - cell["correct"], 1 - high, 1 - low)
    assert f"dcgan-bn's delays {delayed}" in sentences(run, lambda scores: scores)


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0"), (1.0, "100"), (0.996, "99.6"), (0.004, "0.4"), (0.5, "50")]
)
def test_rounding_never_claims_all_or_none(share, words):
    assert per_hundred(share) == words

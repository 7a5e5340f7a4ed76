"""The first screen: yes or no by the yardstick, with figures that are those of the metrics."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from score_tables import quick

from gandetect.analyses.build import compute_metrics
from gandetect.analyses.summary.warnings import notes
from gandetect.analyses.summary.words import answer, opening
from gandetect.report.document import Heat, Switch
from gandetect.report.inputs import read_inputs
from gandetect.report.results import StudyResults
from gandetect.report.words import per_hundred, percent

USABLE, GENERALISES, SPARES = (
    "Usable as a detector?",
    "Does it generalise?",
    "Does it leave new real images alone?",
)


def separated(scores: pd.DataFrame, distance: float) -> pd.DataFrame:
    generated = scores["label"] == "generated"
    return scores.assign(score=np.where(generated, distance, -distance) + scores["score"] / 100)


def results(run, change=lambda scores: scores) -> StudyResults:
    inputs = read_inputs(run)
    inputs = replace(inputs, scores=change(inputs.scores))
    return StudyResults(inputs, compute_metrics(inputs, asked=quick("by_class")))


def shown(made: StudyResults, point: str = "calibrated") -> list:
    """What stands at one operating point."""
    switch = next(block for block in answer(made) if isinstance(block, Switch))
    return next(list(blocks) for name, blocks in switch.options if name.startswith(point))


def answers(made: StudyResults, point: str = "calibrated") -> dict[str, str]:
    return {block.label: block.text for block in shown(made, point) if getattr(block, "label", "")}


@pytest.fixture(autouse=True)
def _blank(blank) -> None:
    """Nothing is drawn here."""


def test_three_questions_are_answered_in_order(run):
    assert list(answers(results(run))) == [USABLE, GENERALISES, SPARES]


@pytest.mark.parametrize(("distance", "verdict"), [(5.0, "Yes. "), (-5.0, "No. ")])
def test_perfect_and_inverted_detectors_are_told_apart(run, distance, verdict):
    found = answers(results(run, lambda scores: separated(scores, distance)), "native")
    assert found[USABLE].startswith(verdict)
    assert found[GENERALISES].startswith(verdict)


def test_one_that_passes_is_named(run):
    def change(scores):
        good = separated(scores, 5.0)
        hit = (good["source"] == "real:held-out") & (good["detector"] == "dcgan-bn")
        return good.assign(score=good["score"].where(~hit, 9.0))

    found = answers(results(run, change), "native")
    assert found[SPARES].startswith("Yes for dcgan-plain, no for dcgan-bn. ")
    assert "dcgan-bn and dcgan-plain flag 100 (" in found[SPARES]


def test_one_that_calls_everything_generated_does_not_generalise(run):
    found = answers(results(run, lambda scores: scores.assign(score=9.0)), "native")
    assert found[GENERALISES].startswith("No. ")
    assert "of 100 in-distribution reals" in found[USABLE]


def test_the_matrix_shows_the_metrics_and_frames_own_fakes(run):
    made = results(run)
    heats = [block for block in shown(made) if isinstance(block, Heat)]
    assert len(heats) == 1
    (name, cells) = heats[0].rows[0]
    assert name == "Discriminator dcgan-bn"
    row = next(
        row
        for row in made.metrics["across_seeds"]
        if (row["detector"], row["role"], row["operating_point"])
        == ("dcgan-bn", "own", "calibrated")
    )
    assert cells[0].text == percent(row["mean"])
    assert [cell.framed for cell in cells] == [True, False, False, False, False]


def test_numbers_are_those_of_the_metrics(run):
    made = results(run)
    row = next(r for r in made.metrics["across_seeds"] if r["role"] == "held-out"
               and r["operating_point"] == "calibrated")  # fmt: skip
    low, high = row["ci95"]
    flagged = per_hundred(1 - row["mean"], 1 - high, 1 - low)
    assert flagged in answers(made)[SPARES]


def test_the_switch_opens_where_detectors_are_compared_and_changes_the_sentences(run):
    made = results(run)
    switch = next(block for block in answer(made) if isinstance(block, Switch))
    assert [name for name, _ in switch.options] == ["native (score 0)", "calibrated"]
    assert switch.shown == 1
    native, calibrated = (answers(made, point) for point in ("native", "calibrated"))
    assert list(native) == list(calibrated) == [USABLE, GENERALISES, SPARES]
    assert "At the native threshold, as training left it" in native[USABLE]
    assert "of 100 in-distribution reals they flag" in native[USABLE]
    assert "At a threshold set to flag 5 of 100 calibration reals" in calibrated[USABLE]
    assert "of 100 in-distribution reals they flag" in calibrated[USABLE]
    assert "in-distribution" not in calibrated[GENERALISES]


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0"), (1.0, "100"), (0.996, "99.6"), (0.004, "0.4"), (0.5, "50")]
)
def test_rounding_never_claims_all_or_none(share, words):
    assert per_hundred(share) == words


@pytest.mark.parametrize(("groups", "told"), [(7, True), (10, False)])
def test_a_study_whose_pictures_form_groups_says_what_intervals_leave_out(run, groups, told):
    made = results(run)
    data = {"counts": {"cat": {"train": 6, "test": 4}}, "groups": groups}
    made = replace(made, inputs=replace(made.inputs, data=data))
    said = " ".join(block.text for block in notes(made))
    assert ("10 images are of 7 groups" in said) == told


def test_what_was_done_counts_the_detectors_and_names_the_unseen(run):
    (said,) = (block.text for block in opening(results(run)))
    assert "2 discriminators" in said
    assert "Sneaker, Bag and Ankle boot" in said


def across(made: StudyResults, **of) -> StudyResults:
    """With other shares over runs: ``name=(mean, low, n)`` of a detector on every source."""
    changed = [
        row | {"mean": of[row["detector"]][0], "ci95": [of[row["detector"]][1], 1.0],
               "n": [of[row["detector"]][2]]}
        for row in made.metrics["across_seeds"]
    ]  # fmt: skip
    return replace(made, metrics={**made.metrics, "across_seeds": changed})


YES, UNSURE, FEW, NO = (0.95, 0.91, 500), (0.95, 0.7, 500), (1.0, 0.99, 19), (0.5, 0.4, 500)


@pytest.fixture(scope="module")
def made(stored_run) -> StudyResults:
    return results(stored_run)


@pytest.mark.parametrize(
    ("bn", "plain", "verdict"),
    [
        (YES, YES, "Yes. "),
        (NO, NO, "No. "),
        (FEW, FEW, "Not known: too few images. "),
        (UNSURE, FEW, "Not known: too few images, or too close to call. "),
        (YES, NO, "Yes for dcgan-bn, no for dcgan-plain. "),
        (YES, FEW, "Yes for dcgan-bn, not known for dcgan-plain (too few images). "),
        (UNSURE, NO, "No for dcgan-plain, not known for dcgan-bn (too close to call). "),
    ],
)
def test_yes_takes_the_worse_end_of_the_interval_and_enough_images(made, bn, plain, verdict):
    made = across(made, **{"dcgan-bn": bn, "dcgan-plain": plain})
    assert answers(made)[USABLE].startswith(verdict)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("external", "The discriminators: no. All other detectors: yes. "),
        ("discriminator", "Yes for dcgan-plain, no for dcgan-bn. "),
    ],
)
def test_no_kind_of_detector_is_hidden_behind_another(made, kind, verdict):
    made = across(made, **{"dcgan-bn": NO, "dcgan-plain": YES})
    kinds = [row | ({"kind": kind} if row["detector"] == "dcgan-plain" else {})
             for row in made.metrics["detectors"]]  # fmt: skip
    made = replace(made, metrics={**made.metrics, "detectors": kinds})
    assert answers(made)[USABLE].startswith(verdict)


def test_a_detector_that_calls_every_image_real_is_not_usable(made):
    """Where it knows no fakes as its own it is judged by all others, and the answer says so."""
    reals = {"in-distribution", "held-out"}
    rows = [
        row
        | ({"role": "other"} if (row["detector"], row["role"]) == ("dcgan-plain", "own") else {})
        | {"mean": float(row["role"] in reals), "ci95": [0.99, 1.0], "n": [500]}
        for row in made.metrics["across_seeds"]
    ]
    made = replace(made, metrics={**made.metrics, "across_seeds": rows})
    answer = answers(made)[USABLE]
    assert answer.startswith("No. ")
    assert "of 100 fakes of another generator, the discriminator of dcgan-plain catches 0" in answer

"""A detector's runs side by side: whose images they share, and in which order they stand."""

import numpy as np
import pandas as pd
import pytest

from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.detector_runs import collect_runs
from gandetect.statistics.scored_detectors import split_by_detector
from gandetect.statistics.scores import latest

KINDS = ("discriminator", "classifier", "post-hoc")


@pytest.fixture
def scores(make_scores) -> pd.DataFrame:
    return make_scores(np.random.default_rng(0), seeds=(4, 2))


def collected(scores, kind, same_fakes):
    facts = {name: {"kind": kind, "own": [f"generated:{name}"]} for name in "ab"}
    subjects = split_by_detector(latest(scores), facts, CalibrationRule(0.05))
    return {runs.detector: runs for runs in collect_runs(scores, subjects, facts, same_fakes)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("same_fakes", [True, False])
def test_runs_share_reals_and_given_fakes_but_not_what_classifiers_drew_to_train_on(
    scores, kind, same_fakes
):
    runs = collected(scores, kind, same_fakes)["a"]
    assert runs.shared("real:in-distribution")
    assert runs.shared("generated:a") == same_fakes
    assert runs.shared("real:training") == (kind != "classifier" or same_fakes)


def test_every_run_has_its_own_scores_in_the_order_of_images(scores):
    shuffled = scores.sample(frac=1, random_state=0)
    for name, runs in collected(shuffled, "discriminator", False).items():
        assert runs.seeds == [2, 4]
        for seed in runs.seeds:
            for source, images in runs.images[seed].items():
                mine = scores[(scores["detector"] == name) & (scores["detector_seed"] == seed)
                              & (scores["source"] == source)]  # fmt: skip
                assert images.index.tolist() == mine["index"].tolist()
                assert images.scores.tolist() == mine["score"].tolist()
            assert runs.thresholds[seed]["native"] == 0.0
    assert runs.with_source("generated:a", "real:held-out") == [2, 4]
    assert runs.with_source("generated:c") == []


def test_only_images_that_were_asked_for_are_left(scores):
    images = collected(scores, "discriminator", False)["b"].images[4]["generated:a"]
    some = images.only(np.array([3, 50, 119]))
    assert some.index.tolist() == [3, 50, 119]
    assert some.scores.tolist() == images.scores[[3, 50, 119]].tolist()


def test_no_images_choose_the_native_threshold_though_one_of_them_scores_just_that(scores):
    reals = scores["source"] == "real:calibration"
    scores.loc[reals & (scores["index"] == scores.loc[reals, "index"].min()), "score"] = 0.0
    runs = collected(scores, "discriminator", False)["a"]
    assert 0.0 in runs.images[2]["real:calibration"].scores
    assert runs.cuts(2, "native") is None
    assert runs.cuts(2, "calibrated") is not None

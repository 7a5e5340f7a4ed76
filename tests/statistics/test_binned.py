"""Counts above every edge are exact: a page that holds them says what `evaluate` says."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from score_tables import evaluate

from gandetect.statistics.binned import ASKED_RATES, STEPS, bin_scores, binned, choosing_sources
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.scored_detectors import discriminator_facts, split_by_detector
from gandetect.statistics.scores import TEST_REALS, latest

FPR = 0.05
ANY_SCORES = arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-(2.0**99), 2.0**99, width=32)
)


@pytest.fixture
def stored(scores):
    """Scores as the file holds them, with images of both kinds to choose a cut on."""
    fakes = scores[scores["source"] == "generated:a"]
    reals = scores[scores["source"] == "real:calibration"]
    more = [fakes.assign(source=f"generated:{split}") for split in ("calibration", "validation")]
    table = pd.concat([scores, *more, reals.assign(source="real:validation")], ignore_index=True)
    return table.assign(score=table["score"].astype(np.float32))


@pytest.fixture
def subjects(stored):
    facts = {name: discriminator_facts(name) for name in ("a", "b")}
    return split_by_detector(latest(stored), facts, CalibrationRule(FPR))


def exceeding(bins, source):
    """How many scores of a source exceed each edge, (K,): what is called generated."""
    return np.append(np.cumsum(bins.counts[source][::-1])[::-1], 0)


def test_every_operating_point_is_an_edge_with_the_counts_of_the_tables(stored, subjects):
    metrics = evaluate(stored, calibrated_fpr=FPR)
    assert {cell["operating_point"] for cell in metrics["cells"]} >= {"calibrated", "youden"}
    for one in subjects:
        bins = binned(one)
        for cell in metrics["cells"]:
            if cell["detector"] != one.detector:
                continue
            called = int(exceeding(bins, cell["source"])[bins.position(cell["threshold"])])
            right = called if cell["label"] == "generated" else cell["n"] - called
            assert right / cell["n"] == cell["correct"]
        for row in metrics["overall"]:
            if row["detector"] == one.detector:
                at = bins.position(one.thresholds[row["operating_point"]])
                flagged = sum(int(exceeding(bins, source)[at]) for source in TEST_REALS)
                caught = sum(int(exceeding(bins, source)[at]) for source in one.own)
                assert [row["confusion"][0][1], row["confusion"][1][1]] == [flagged, caught]


def test_counts_at_every_edge_are_exact(subjects):
    for one in subjects:
        bins = binned(one)
        for source in bins.counts:
            exact = [np.count_nonzero(one.sources[source] > edge) for edge in bins.edges]
            assert exceeding(bins, source).tolist() == exact


@given(fakes=ANY_SCORES, reals=ANY_SCORES, mark=st.floats(-10, 10, width=32), tied=st.booleans())
def test_no_score_is_lost_or_counted_on_the_wrong_side(fakes, reals, mark, tied):
    mark = float(fakes[0]) if tied else mark
    sources = {"generated:a": fakes.astype(float), "real:training": reals.astype(float)}
    bins = bin_scores(sources, [mark])
    edges = np.array(json.loads(json.dumps(bins.edges.tolist())))
    assert (np.diff(edges) > 0).all()
    assert bins.axis[0] <= mark <= bins.axis[1]
    assert mark in edges
    for name, scores in sources.items():
        above = exceeding(bins, name)
        assert above.tolist() == [np.count_nonzero(scores > edge) for edge in edges]
        assert (above[0], above[-1]) == (len(scores), 0)


def test_asked_rates_are_met_as_if_all_scores_were_known(subjects):
    for one in subjects:
        bins = binned(one)
        above = exceeding(bins, "real:calibration")
        reals = one.sources["real:calibration"]
        for rate in ASKED_RATES:
            good = (above + 1) / (len(reals) + 1) <= rate
            assert (bins.edges[np.argmax(good)] if good.any() else None) == calibrate(reals, rate)
        assert calibrate(reals, min(ASKED_RATES)) is None
        assert calibrate(reals, max(ASKED_RATES)) is not None


def test_cuts_are_chosen_on_no_test_group(subjects):
    assert choosing_sources(subjects[0]) == ["real:calibration", "generated:calibration"]
    assert not set(choosing_sources(subjects[0])) & set(subjects[0].reported())


def test_validation_images_stand_in_where_there_are_no_others(stored):
    kept = stored[~stored["source"].str.endswith(":calibration")]
    facts = {name: discriminator_facts(name) for name in ("a", "b")}
    for one in split_by_detector(latest(kept), facts, CalibrationRule(FPR)):
        assert choosing_sources(one) == ["real:validation", "generated:validation"]
        bins = binned(one)
        assert bins.position(one.thresholds["calibrated"]) > 0


def test_edges_are_few_and_short_over_all_but_the_tails():
    rng = np.random.default_rng(0)
    scores = {"real:training": np.append(rng.normal(0, 1, 20_000), 1e6)}
    bins = bin_scores(scores, [0.0])
    assert len(bins.edges) <= STEPS + 4
    assert bins.axis[1] < 5
    assert len(json.dumps(bins.edges.tolist())) < 9 * len(bins.edges)


def test_equal_scores_and_thresholds_beyond_all_scores_are_binned():
    scores = {"generated:a": np.full(5, 2.5), "real:training": np.full(3, 2.5)}
    bins = bin_scores(scores, [0.0, 2.5, 9.0])
    called = [int(exceeding(bins, "generated:a")[bins.position(cut)]) for cut in (0.0, 2.5, 9.0)]
    assert called == [5, 0, 0]
    with pytest.raises(ValueError, match=r"1\.234567 is not an edge"):
        bins.position(1.234567)

from types import SimpleNamespace

import numpy as np
import pytest

from gandetect.analyses.calibration.figure import reliability_diagrams
from gandetect.analyses.calibration.numbers import calibration as calibrate
from gandetect.analyses.calibration.numbers import low_fpr
from gandetect.analyses.calibration.words import calibration, say
from gandetect.analyses.k_shot.numbers import k_shot as few_labels
from gandetect.analyses.k_shot.words import finding, k_shot
from gandetect.report.document import Heat, Picture, Table, Text
from gandetect.report.results import StudyResults
from gandetect.report.words import number_interval
from gandetect.statistics.scored_detectors import ScoredDetector

NAMES = ("dcgan-bn", "cnn-on-dcgan-plain")


def subject(rng, name, seed, other=0.2) -> ScoredDetector:
    own = f"generated:{name}"
    sizes = {
        own: (1.6, 300),
        f"{own}/other-seed": (1.2, 300),
        "generated:new": (other, 400),
        "generated:calibration": (1.6, 300),
        "real:calibration": (0.0, 600),
        "real:in-distribution": (0.0, 300),
        "real:held-out": (0.4, 300),
    }
    sources = {key: np.sort(4 * rng.normal(mean, 1, n) + 3) for key, (mean, n) in sizes.items()}
    return ScoredDetector(name, seed, 3, (own,), sources, {"native": 0.0})


def results(seeds=(0,), drop=(), **facts) -> StudyResults:
    rng = np.random.default_rng(0)
    subjects = [subject(rng, name, seed, **facts) for name in NAMES for seed in seeds]
    for one in subjects:
        for name in drop:
            del one.sources[name]
    metrics = {
        "detectors": [
            {"detector": name, "kind": "discriminator", "own": [f"generated:{name}"]}
            for name in NAMES
        ],
        "cells": [{"detector_seed": seed} for seed in seeds],
        "not_measured": {},
    }
    metrics["calibration"], metrics["reliability"], metrics["not_measured"]["calibration"] = (
        calibrate(subjects)
    )
    metrics["low_fpr"], metrics["not_measured"]["low_fpr"] = low_fpr(subjects)
    metrics["k_shot"], metrics["not_measured"]["k_shot"] = few_labels(
        subjects, shots=(0, 10), draws=20
    )
    return StudyResults(
        SimpleNamespace(
            facts=SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
        ),
        metrics,
    )


@pytest.fixture(scope="module")
def one() -> StudyResults:
    return results()


@pytest.fixture(scope="module")
def two() -> StudyResults:
    return results(seeds=(0, 1))


def words(blocks) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Text))


def tables(blocks) -> list[Table]:
    return [block for block in blocks if isinstance(block, Table)]


def heat(blocks) -> Heat:
    (found,) = (block for block in blocks if isinstance(block, Heat))
    return found


def test_the_chapter_opens_with_what_came_out_before_and_after(one, blank):
    blocks = calibration(one)
    assert blocks[0].style == "lead"
    errors = [
        100 * row["ece"]
        for row in one.metrics["calibration"]
        if (row["role"], row["method"], row["real"]) == ("own", "none", "real:in-distribution")
    ]
    off = f"{min(errors):.1f} to {max(errors):.1f} points of 100 on fakes of the own"
    assert f"off, as they come, by {off}" in blocks[0].text
    assert (
        "On other fakes, 2 of 2 (a detector, a source, a run) are then no better than always"
        in blocks[0].text
    )


def test_nothing_bad_is_said_of_probabilities_that_hold_elsewhere(blank):
    assert "no better than" not in words(calibration(results(other=1.6)))


def test_each_number_of_the_measures_table_is_that_of_its_row(one, blank):
    table = tables(calibration(one))[0]
    found = one.metrics["calibration"][0]
    row = next(
        r
        for r in table.rows
        if r[:3] == ["dcgan-bn", "Fakes of the own generator", "real, in-distribution"]
    )
    assert (found["method"], row[3]) == ("none", number_interval(found["ece"], found["ece_ci95"]))
    assert {len(row) for row in table.rows} == {len(table.header)}


def test_low_cuts_have_an_interval_in_one_run_and_a_span_in_several(one, two, blank):
    low, high = one.metrics["low_fpr"][0]["ci95"]
    assert f"({100 * low:.1f} to {100 * high:.1f})" in tables(calibration(one))[1].rows[2][2]
    mine = [
        row["called"]
        for row in two.metrics["low_fpr"]
        if (row["detector"], row["fpr"], row["role"]) == ("dcgan-bn", 0.01, "own")
    ]
    span = f"({100 * min(mine):.1f} to {100 * max(mine):.1f})"
    assert span in tables(calibration(two))[1].rows[2][2]


def test_tables_list_the_detectors_in_the_order_of_the_report(one, blank):
    for rows in [*(table.rows for table in tables(calibration(one))), heat(k_shot(one)).rows]:
        names = (row[0].partition(" ·")[0] for row in rows)
        assert list(dict.fromkeys(names)) == sorted(NAMES)


def test_k_shot_counts_the_pairs_that_no_cut_helps(one, blank):
    blocks = k_shot(one)
    assert finding(one).startswith("Of 4 pairs of a detector and a source that is new to it, 2 are")
    assert "Of the 2 pairs that are not beyond any threshold" in blocks[0].text
    assert heat(blocks).header[1:] == ["no label", "10 labels", "Best threshold possible"]
    assert len(heat(blocks).rows) == 4


def test_a_cut_counts_as_good_only_within_a_point_of_the_best(blank):
    row = {"detector": NAMES[0], "detector_seed": 0, "source": "generated:new", "role": "other"}
    row |= {"oracle": 0.8, "low": 0.6, "high": 0.8, "draws": 20}
    rows = [row | {"k": k, "balanced_accuracy": b} for k, b in ((0, 0.78), (10, 0.795))]
    metrics = {"detectors": [{"detector": NAMES[0], "kind": "classifier", "own": []}]}
    metrics["cells"] = [{"detector_seed": 0}]
    data = SimpleNamespace(
        facts=SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
    )
    found = StudyResults(data, metrics | {"k_shot": rows})
    assert "none are beyond any threshold" in finding(found)
    assert "in 1 with 10 labels" in words(k_shot(found))
    worse = StudyResults(data, metrics | {"k_shot": rows[:1]})
    assert "in 1 with none of the numbers tried" in words(k_shot(worse))


def test_a_run_without_these_numbers_has_no_chapter():
    nothing = StudyResults(SimpleNamespace(), {})
    assert calibration(nothing) == k_shot(nothing) == []
    assert finding(nothing) == "Not measured."


def test_missing_calibration_fakes_are_named_and_the_rest_is_shown(blank):
    without = results(drop=["generated:calibration"])
    blocks = calibration(without)
    missing = [b for b in blocks if isinstance(b, Text) and b.style == "missing"]
    assert "no images of generated:calibration were scored" in missing[0].text
    assert len(tables(blocks)) == 1  # the cuts that flag few need reals alone
    assert not any(isinstance(block, Picture) for block in blocks)
    assert "no cut before the first new label" in words(k_shot(without))
    assert heat(k_shot(without)).header[1:] == ["10 labels", "Best threshold possible"]


def test_many_gaps_are_counted_and_not_all_listed():
    gaps = [f"detector {i}: nothing" for i in range(5)]
    (block,) = k_shot(StudyResults(SimpleNamespace(), {"not_measured": {"k_shot": gaps}}))
    assert "detector 2" in block.text
    assert "detector 3" not in block.text
    assert "and 2 more" in block.text


def test_reliability_figures_draw_the_stored_bins(one):
    curves = one.metrics["reliability"]
    figure = reliability_diagrams(curves, NAMES, ["none", "platt"])
    shown = [axes for axes in figure.axes if axes.has_data()]
    assert len(shown) == 4
    first = curves[0]
    drawn = [line.get_ydata() for line in shown[0].lines]
    kept = [y for y, mass in zip(first["observed"], first["mass"], strict=True) if mass >= 0.01]
    assert any(len(line) == len(kept) and np.allclose(line, kept) for line in drawn)


def test_a_cell_of_k_shot_is_the_mean_over_runs_with_its_ends(two):
    rows = [
        row
        for row in two.metrics["k_shot"]
        if (row["detector"], row["source"], row["k"]) == ("dcgan-bn", "generated:new", 10)
    ]
    shares = [100 * row["balanced_accuracy"] for row in rows]
    cell = dict(heat(k_shot(two)).rows)["dcgan-bn · generated by new (other)"][1]
    assert cell.text == f"{np.mean(shares):.1f} %"
    assert cell.small == f"{min(shares):.1f} to {max(shares):.1f}"


def test_the_finding_is_of_all_fakes_where_nothing_says_whose_they_are():
    row = {"role": "generated", "real": "real:in-distribution", "method": "none", "ece": 0.042}
    found = say.finding(SimpleNamespace(metrics={"calibration": [row]}, has=lambda role: False))
    assert found == (
        "On fakes and in-distribution reals, stated probabilities are off by 4.2 points of 100."
    )

from types import SimpleNamespace

import numpy as np
import pytest

from gandetect.analyses.costs.figure import cost_chart
from gandetect.analyses.costs.words import costs, saves, say, worth_having
from gandetect.report.document import Table, Text
from gandetect.report.results import StudyResults
from gandetect.statistics.cost_model import CostModel, expected

MARKET = CostModel(prevalence=0.02, cost_miss=20.0, cost_flag=1.0)
NAMES = ("dcgan-bn", "cnn-on-dcgan-plain")


def row(rng, name, role, seed=0, mean=2.0, real="real:in-distribution"):
    found = expected(rng.normal(mean, 1, 900), rng.normal(0, 1, 900), 1.4, MARKET)
    generated = f"generated:{name}" if role == "own" else "generated:new"
    about = {"detector": name, "detector_seed": seed, "generated": generated, "real": real}
    about["fitted_on"] = ["generated:calibration", "real:calibration"]
    return {**about, "role": role, **found}


def results(rows, seeds=(0,), gaps=()) -> StudyResults:
    metrics = {
        "detectors": [
            {"detector": name, "kind": "discriminator", "own": [f"generated:{name}"]}
            for name in NAMES
        ],
        "cells": [{"detector_seed": seed} for seed in seeds],
        "costs": rows,
        "not_measured": {"costs": list(gaps)},
    }
    return StudyResults(
        SimpleNamespace(
            facts=SimpleNamespace(labelled=False, is_table=False, reals={}, settings={})
        ),
        metrics,
    )


def study(seeds=(0,)):
    rng = np.random.default_rng(0)
    return [
        row(rng, name, role, seed, 2.0 if role == "own" else -0.5, real)
        for name in NAMES
        for seed in seeds
        for role in ("own", "other")
        for real in ("real:in-distribution", "real:held-out")
    ]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def words(blocks) -> list[str]:
    return [block.text for block in blocks if isinstance(block, Text)]


def test_the_chapter_opens_with_the_market_and_with_who_is_worth_having(blank):
    lead = costs(results(study()))[0].text
    assert "As an example, of 1,000 uploads 20 are fake." in lead
    assert "letting everything through costs 400 and flagging everything 980" in lead
    assert worth_having(results(study())).endswith(
        "on fakes of the own generator 2 of 2, on fakes of the other generator 0 of 2."
    )


def test_each_row_says_what_it_costs_and_whether_it_saves(blank):
    rows = study()
    (table,) = (block for block in costs(results(rows)) if isinstance(block, Table))
    first = next(row for row in table.rows if row[0] == "dcgan-bn")
    own = dict(zip(table.header, first, strict=True))
    low, high = rows[0]["ci95"]["cost"]
    assert own["Cost"] == f"{rows[0]['cost']:.0f} ({low:.0f} to {high:.0f})"
    assert own["Below doing without"] == "yes"
    assert own["Fakes caught"].startswith(f"{100 * rows[0]['caught']:.1f} %")
    assert [row[4] for row in table.rows[:4]] == ["yes", "yes", "no", "no"]


def test_validation_images_are_named_where_they_chose_the_cut(rng, blank):
    one = row(rng, "dcgan-bn", "own")
    one["fitted_on"] = ["generated:validation", "real:validation"]
    assert "costs least on validation images" in words(costs(results([one])))[1]


def test_a_difference_within_its_interval_is_no_saving(rng):
    one = row(rng, "a", "own")
    at = {"let_through": one["cost"] + 1.0, "flag_all": 1e6}
    assert say.saving([one | at]) == "no"
    assert not saves([one | at])
    assert saves([one])


def test_the_cheaper_of_the_two_policies_is_the_one_to_beat(rng):
    one = row(rng, "a", "own")
    assert not saves([one | {"flag_all": one["cost"] - 50}])


def test_several_runs_and_sources_are_counted(rng):
    good = [row(rng, "a", "own", seed) for seed in range(2)]
    bad = row(rng, "a", "own", 2, mean=-1.0)
    assert say.saving([*good, bad]) == "2 of 3"
    assert say.saving([bad, bad]) == "0 of 2"


def test_a_detector_that_stops_nothing_is_said_so(rng, blank):
    found = expected(rng.normal(0, 1, 50), rng.normal(0, 1, 50), 99.0, MARKET)
    one = {**row(rng, "dcgan-bn", "own"), **found}
    blocks = costs(results([one]))
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert "nothing stopped" in table.rows[0]


def test_a_run_without_costs_names_what_is_missing():
    assert costs(StudyResults(SimpleNamespace(), {})) == []
    (block,) = costs(results([], gaps=["a, seed 0: no images of generated:calibration"]))
    assert block.style == "missing"
    assert "generated:calibration" in block.text


def test_every_cost_is_drawn_with_both_policies():
    rows = study(seeds=(0, 1))
    figure = cost_chart(rows, NAMES)
    known, held_out = figure.axes
    shown = {round(float(x), 6) for line in known.lines for x in line.get_xdata()}
    wanted = [r for r in rows if r["real"] == "real:in-distribution"]
    assert {round(r["cost"], 6) for r in wanted} <= shown
    assert {400.0, 980.0} <= shown
    assert held_out.get_title() == "uploads: real, held-out classes"

"""The numbers of an ablation: groups, the lowest of them, and differences from the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from ablations import ID, N, shares, study

from gandetect.evaluation.ablation import FOUR, Generators, ablate, ablation_table
from gandetect.statistics.bootstrap import holm, over_runs
from gandetect.statistics.intervals import wilson

THREE = [0.5, 0.6, 0.7]
MOST = [0.96, 0.97, 0.98]
GENERATORS = Generators(["a", "b"], ["far", "farther"])
BASELINE = study(
    "baseline",
    {
        "a": (["a"], shares(a=THREE, b=MOST, far=[0.4] * 3, farther=[0.3] * 3, id=MOST, out=THREE)),
        "b": (["b"], shares(a=THREE, b=THREE, far=THREE, farther=MOST, id=MOST, out=MOST)),
    },
)
VARIANT = "a+r1"


def results(*parts, generators: Generators = GENERATORS) -> dict:
    return ablate(parts, generators, 0.05)


def rows_of(found: dict, detector: str, measure: str = "correct") -> dict:
    """Rows by group; those of single generators by their source."""
    return {
        row["source"] if row["group"] == "generator" else row["group"]: row
        for row in found["rows"]
        if (row["detector"], row["measure"]) == (detector, measure)
    }


def variant(**changed) -> dict:
    given = {"id": MOST, "out": MOST, "b": MOST, "a": THREE, "far": MOST, "farther": THREE}
    return {VARIANT: ([VARIANT], {f"generated:{VARIANT}": MOST, **shares(**{**given, **changed})})}


def test_every_source_stands_in_the_group_that_it_is_to_the_detector() -> None:
    found = rows_of(results(BASELINE, study("r1", variant())), VARIANT)
    assert {group: row["source"] for group, row in found.items()} == {
        "own": "generated:a+r1",
        "other": "generated:b",  # and not its own GAN without the ingredient
        "in-distribution": ID,
        "held-out": "real:held-out",
        "further": "generated:farther",
        "generated:a": "generated:a",
        "generated:far": "generated:far",
        "generated:farther": "generated:farther",
    }
    assert found["further"]["mean"] == pytest.approx(0.6)
    assert {row["base"] for row in found.values()} == {"a"}


def test_a_detector_of_several_counts_by_its_own_that_it_answers_worst() -> None:
    joint = {"joint": (["a", "b"], shares(a=MOST, b=THREE, id=MOST, out=MOST, far=MOST))}
    found = results(BASELINE, study("joint", joint))
    rows = rows_of(found, "joint")
    assert (rows["own"]["source"], rows["own"]["base"]) == ("generated:b", "several")
    assert "other" not in rows  # it knows both
    assert all(row["baseline"] is None for row in rows.values())
    (least,) = [one for one in found["least"] if one["detector"] == "joint"]
    assert (least["holds"], least["holds_surely"], least["means"]["other"]) == (None, None, None)


def test_an_ingredient_may_be_compared_with_another_one() -> None:
    first = {"a+x": (["a"], shares(a=[0.8] * 3, b=MOST, id=MOST, out=MOST))}
    second = {"a+y": (["a"], shares(a=[0.9] * 3, b=MOST, id=MOST, out=MOST))}
    parts = [BASELINE, study("x", first), study("y", second)]
    beside = rows_of(ablate(parts, GENERATORS, 0.05, {"y": "x"}), "a+y")["own"]["baseline"]
    assert (beside["ingredient"], beside["mean"]) == ("x", pytest.approx(0.8))
    assert beside["difference"] == pytest.approx(0.1, abs=1e-3)
    usual = rows_of(results(*parts), "a+y")["own"]["baseline"]
    assert (usual["ingredient"], usual["difference"]) == ("baseline", pytest.approx(0.3, abs=1e-3))


def test_a_detector_that_knows_no_fakes_has_no_own_ones() -> None:
    alone = {"pixels": ([], shares(a=MOST, b=THREE, id=MOST, out=MOST))}
    rows = rows_of(results(BASELINE, study("pixels", alone)), "pixels")
    assert set(rows) == {"other", "in-distribution", "held-out"}
    assert (rows["other"]["source"], rows["other"]["base"]) == ("generated:b", None)


def test_differences_from_the_baseline_are_taken_run_by_run() -> None:
    found = rows_of(results(BASELINE, study("r1", variant(out=[0.8, 0.7, 0.9]))), VARIANT)
    moved = found["held-out"]["baseline"]
    np.testing.assert_allclose(moved["differences"], [0.3, 0.1, 0.2], atol=1e-9)
    assert moved["difference"] == pytest.approx(0.2)
    assert moved["covers"] == "runs and images"
    own = found["own"]["baseline"]
    assert own["source"] == "generated:a"
    np.testing.assert_allclose(own["differences"], np.subtract(MOST, THREE), atol=1e-9)


def test_equal_answers_to_the_same_images_differ_by_less_than_to_others() -> None:
    """Reals are the same images in both studies, own fakes of a variant are not."""
    found = rows_of(results(BASELINE, study("r1", variant(out=THREE))), VARIANT)
    paired = found["held-out"]["baseline"]["ci95"]
    same = {VARIANT: ([VARIANT], {f"generated:{VARIANT}": THREE, **shares(id=MOST, out=MOST)})}
    unpaired = rows_of(results(BASELINE, study("r1", same)), VARIANT)["own"]["baseline"]["ci95"]
    assert np.ptp(paired) < 0.5 * np.ptp(unpaired)
    spread = [0.5 * 0.5, 0.6 * 0.4, 0.7 * 0.3]
    variances = [2 * one / (N - 1) for one in spread]
    np.testing.assert_allclose(unpaired, over_runs([0, 0, 0], np.diag(variances), share=False))


def test_detectors_of_the_baseline_s_own_gan_are_paired_on_its_very_fakes() -> None:
    ensemble = {"a+mean": (["a"], shares(a=THREE, b=MOST, id=MOST, out=MOST))}
    own = rows_of(results(BASELINE, study("mean", ensemble)), "a+mean")["own"]["baseline"]
    assert (own["source"], own["difference"]) == ("generated:a", 0)
    independent = [2 * one / (N - 1) for one in (0.25, 0.24, 0.21)]
    assert np.ptp(own["ci95"]) < np.ptp(over_runs([0, 0, 0], np.diag(independent), share=False))


def test_auroc_is_taken_against_both_groups_of_reals() -> None:
    found = results(BASELINE, study("r1", variant(id=[0.9] * 3, out=[0.8] * 3)))
    for measure, passed in (("auroc-in-distribution", 0.9), ("auroc-held-out", 0.8)):
        own = rows_of(found, VARIANT, measure)["own"]
        expected = [caught * passed + 0.5 * (caught * (1 - passed) + (1 - caught) * passed)
                    for caught in MOST]  # fmt: skip
        np.testing.assert_allclose(own["values"], expected)
        twin = rows_of(found, "a", measure)["own"]
        moved = own["baseline"]
        np.testing.assert_allclose(moved["differences"], np.subtract(own["values"], twin["values"]))
        assert set(rows_of(found, VARIANT, measure)) & {"in-distribution", "held-out"} == set()


def test_p_values_of_one_measure_are_corrected_together() -> None:
    parts = [study("r1", variant()), study("sn", {"b+sn": (["b+sn"], shares(a=MOST, id=THREE))})]
    found = results(BASELINE, *parts)
    for measure in ("correct", "auroc-in-distribution"):
        family = [row["baseline"] for row in found["rows"]
                  if row["measure"] == measure and row["baseline"]]  # fmt: skip
        assert len(family) > 1
        assert [one["p_holm"] for one in family] == holm([one["p"] for one in family])


def test_one_seed_has_intervals_over_images_and_says_so() -> None:
    one = study("baseline", {"a": (["a"], shares(a=[0.5], b=[0.9], id=[0.9], out=[0.5]))})
    other = study("mean", {"a+mean": (["a"], shares(a=[0.8], b=[0.9], id=[0.9], out=[0.5]))})
    own = rows_of(results(one, other), "a+mean")["own"]
    assert (own["covers"], own["baseline"]["covers"]) == ("images", "images")
    np.testing.assert_allclose(own["ci95"], wilson(round(0.8 * N), N))


@pytest.mark.parametrize(
    ("worst", "holds", "surely"),
    [([0.94, 0.95, 0.95], False, False), ([0.95, 0.955, 0.96], True, False),
     ([1.0, 1.0, 1.0], True, True)],
)  # fmt: skip
def test_a_detector_holds_where_all_four_groups_do(worst, holds, surely) -> None:
    full = [1.0] * 3
    given = {"a": (["a"], shares(a=full, b=worst, id=full, out=full))}
    (least,) = results(study("baseline", given))["least"]
    assert (least["holds"], least["holds_surely"]) == (holds, surely)
    assert least["least"] == pytest.approx(np.mean(worst))
    assert list(least["means"]) == list(FOUR)


def test_the_table_has_a_row_for_every_figure() -> None:
    found = results(BASELINE, study("r1", variant()))
    table = ablation_table(found["rows"])
    assert len(table) == len(found["rows"])
    (row,) = table[(table["detector"] == VARIANT) & (table["group"] == "held-out")
                   & (table["measure"] == "correct")].to_dict("records")  # fmt: skip
    assert (row["seeds"], row["ingredient"], row["base"]) == (3, "r1", "a")
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert table[table["ingredient"] == "baseline"]["difference"].isna().all()

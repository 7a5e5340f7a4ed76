"""The numbers of variants: groups, the lowest of them, and differences from the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from variant_parts import ID, N, experiment, shares, study

from gandetect.analyses.variants.effects import FOUR, compare_variants, variants_table
from gandetect.statistics.bootstrap import holm, over_runs
from gandetect.statistics.intervals import wilson

THREE = [0.5, 0.6, 0.7]
MOST = [0.96, 0.97, 0.98]
BASELINE = study(
    "baseline",
    {
        "a": (["a"], shares(a=THREE, b=MOST, far=[0.4] * 3, farther=[0.3] * 3, id=MOST, out=THREE)),
        "b": (["b"], shares(a=THREE, b=THREE, far=THREE, farther=MOST, id=MOST, out=MOST)),
    },
)
VARIANT = "a+r1"


def results(*parts, **compared_with: str) -> dict:
    variants = [{"name": part.name} for part in parts[1:]]
    variants = [{**one, "compared_with": compared_with.get(one["name"])} for one in variants]
    return compare_variants(experiment(*variants), parts)


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
        "other": "generated:b",  # and not its own GAN without the variant
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
    assert all(row["compared"] is None for row in rows.values())
    (least,) = [one for one in found["least"] if one["detector"] == "joint"]
    assert (least["holds"], least["holds_surely"], least["means"]["other"]) == (None, None, None)


def test_a_variant_may_be_compared_with_another_one() -> None:
    first = {"a+x": (["a"], shares(a=[0.8] * 3, b=MOST, id=MOST, out=MOST))}
    second = {"a+y": (["a"], shares(a=[0.9] * 3, b=MOST, id=MOST, out=MOST))}
    parts = [BASELINE, study("x", first), study("y", second)]
    beside = rows_of(results(*parts, y="x"), "a+y")["own"]["compared"]
    assert (beside["variant"], beside["mean"]) == ("x", pytest.approx(0.8))
    assert beside["difference"] == pytest.approx(0.1, abs=1e-3)
    usual = rows_of(results(*parts), "a+y")["own"]["compared"]
    assert (usual["variant"], usual["difference"]) == ("baseline", pytest.approx(0.3, abs=1e-3))


def test_a_detector_that_knows_no_fakes_has_no_own_ones() -> None:
    alone = {"pixels": ([], shares(a=MOST, b=THREE, id=MOST, out=MOST))}
    rows = rows_of(results(BASELINE, study("pixels", alone)), "pixels")
    assert set(rows) == {"other", "in-distribution", "held-out"}
    assert (rows["other"]["source"], rows["other"]["base"]) == ("generated:b", None)


def test_differences_from_the_baseline_are_taken_run_by_run() -> None:
    found = rows_of(results(BASELINE, study("r1", variant(out=[0.8, 0.7, 0.9]))), VARIANT)
    moved = found["held-out"]["compared"]
    np.testing.assert_allclose(moved["differences"], [0.3, 0.1, 0.2], atol=1e-9)
    assert moved["difference"] == pytest.approx(0.2)
    assert moved["covers"] == "runs, calibration and test images"
    own = found["own"]["compared"]
    assert own["source"] == "generated:a"
    np.testing.assert_allclose(own["differences"], np.subtract(MOST, THREE), atol=1e-9)


def test_equal_answers_to_the_same_images_differ_by_less_than_to_others() -> None:
    """Reals are the same images in both studies, own fakes of a variant are not."""
    found = rows_of(results(BASELINE, study("r1", variant(out=THREE))), VARIANT)
    paired = found["held-out"]["compared"]["ci95"]
    same = {VARIANT: ([VARIANT], {f"generated:{VARIANT}": THREE, **shares(id=MOST, out=MOST)})}
    unpaired = rows_of(results(BASELINE, study("r1", same)), VARIANT)["own"]["compared"]["ci95"]
    assert np.ptp(paired) < 0.5 * np.ptp(unpaired)
    spread = [0.5 * 0.5, 0.6 * 0.4, 0.7 * 0.3]
    variances = [2 * one / (N - 1) for one in spread]
    np.testing.assert_allclose(unpaired, over_runs([0, 0, 0], np.diag(variances), share=False))


def test_detectors_of_the_baseline_s_own_gan_are_paired_on_its_very_fakes() -> None:
    ensemble = {"a+mean": (["a"], shares(a=THREE, b=MOST, id=MOST, out=MOST))}
    own = rows_of(results(BASELINE, study("mean", ensemble)), "a+mean")["own"]["compared"]
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
        moved = own["compared"]
        np.testing.assert_allclose(moved["differences"], np.subtract(own["values"], twin["values"]))
        assert set(rows_of(found, VARIANT, measure)) & {"in-distribution", "held-out"} == set()


def test_p_values_of_one_measure_are_corrected_together() -> None:
    parts = [study("r1", variant()), study("sn", {"b+sn": (["b+sn"], shares(a=MOST, id=THREE))})]
    found = results(BASELINE, *parts)
    for measure in ("correct", "auroc-in-distribution"):
        family = [row["compared"] for row in found["rows"]
                  if row["measure"] == measure and row["compared"]]  # fmt: skip
        assert len(family) > 1
        assert [one["p_holm"] for one in family] == holm([one["p"] for one in family])


def test_one_seed_has_intervals_over_images_and_says_so() -> None:
    one = study("baseline", {"a": (["a"], shares(a=[0.5], b=[0.9], id=[0.9], out=[0.5]))})
    other = study("mean", {"a+mean": (["a"], shares(a=[0.8], b=[0.9], id=[0.9], out=[0.5]))})
    own = rows_of(results(one, other), "a+mean")["own"]
    assert (own["covers"], own["compared"]["covers"]) == ("calibration and test images",) * 2
    assert own["ci95"][0] < wilson(round(0.8 * N), N)[0]


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
    table = variants_table(found["rows"])
    assert len(table) == len(found["rows"])
    (row,) = table[(table["detector"] == VARIANT) & (table["group"] == "held-out")
                   & (table["measure"] == "correct")].to_dict("records")  # fmt: skip
    assert (row["seeds"], row["variant"], row["base"]) == (3, "r1", "a")
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert table[table["variant"] == "baseline"]["difference"].isna().all()


def test_a_detector_of_the_same_name_comes_before_one_of_the_same_gan() -> None:
    joint = shares(a=MOST, b=MOST, id=MOST)
    both = {"a": (["a"], shares(a=THREE, id=MOST)), "joint": (["a", "b"], joint)}
    changed = {"joint": (["a"], shares(a=THREE, b=THREE, id=MOST))}
    found = results(study("baseline", both), study("alone", changed))
    own = [row for row in found["rows"] if (row["variant"], row["group"]) == ("alone", "own")]
    assert {row["compared"]["detector"] for row in own} == {"joint"}
    (row,) = [row for row in found["left_out"] if row["operating_point"] == "calibrated"]
    assert (row["protocol"], row["left_out"]) == ("joint", ["generated:b"])
    assert row["unknown"]["mean"] == pytest.approx(0.6)
    assert row["trained_on"]["mean"] == pytest.approx(0.97)
    assert row["change"]["mean"] == pytest.approx(0.6 - 0.97)


def test_images_of_other_data_are_not_paired() -> None:
    """The same answers to images of the same name, which are others: the interval is wider."""
    same = {"a": (["a"], shares(a=THREE, b=MOST, id=MOST, out=THREE))}
    other = experiment(data={"held_out": ["Bag"]})
    widths = {}
    for name, of in (("same", None), ("other", other)):
        found = results(BASELINE, study("x", same, of))
        rows = {(row["group"], row["measure"]): row["compared"] for row in found["rows"]
                if row["variant"] == "x" and row["compared"]}  # fmt: skip
        for key, moved in rows.items():
            assert moved["difference"] == pytest.approx(0, abs=1e-9)
            widths.setdefault(key, {})[name] = np.ptp(moved["ci95"])
    for key in (("held-out", "correct"), ("own", "correct"), ("own", "auroc-held-out")):
        assert widths[key]["other"] > 1.5 * widths[key]["same"], key


def test_of_labelled_images_every_unknown_generator_is_another_one() -> None:
    data = {
        "name": "folder",
        "path": "x",
        "classes": {"r": "real", "f": "generated", "g": "generated"},
    }
    plain = experiment({"name": "x"}, data=data, gans=[], classifiers=[{"recipe": "cnn-small"}])
    one = {"cnn": (["f"], shares(f=MOST, g=THREE, id=MOST, out=MOST))}
    two = {"cnn": (["f"], shares(f=MOST, g=MOST, id=MOST, out=MOST))}
    parts = [study("baseline", one, plain), study("x", two, plain)]
    found = compare_variants(plain, parts)
    (row,) = [row for row in found["rows"] if (row["variant"], row["group"], row["measure"])
              == ("x", "other", "correct")]  # fmt: skip
    assert (row["source"], row["compared"]["difference"]) == (
        "generated:g",
        pytest.approx(0.37, abs=2e-3),
    )


def test_classes_are_compared_where_a_variant_holds_out_others() -> None:
    by_class = [{"detector": "a", "operating_point": "native", "class_name": name, "flagged": 0.1,
                 "n": 50, "held_out": name == "Bag"} for name in ("Bag", "Coat")]  # fmt: skip
    BASELINE.metrics["by_class"] = by_class
    other = study("x", {"a": (["a"], shares(a=THREE, id=MOST))})
    other.metrics["by_class"] = [
        {**row, "held_out": not row["held_out"], "flagged": 0.3} for row in by_class
    ]
    found = results(BASELINE, other)
    assert [row["difference"] for row in found["classes"]] == pytest.approx([-0.2, 0.2])
    assert found["classes_on_average"][0]["variants"] == ["baseline", "x"]
    other.metrics["by_class"] = by_class
    assert results(BASELINE, other)["classes"] == []
    del BASELINE.metrics["by_class"]

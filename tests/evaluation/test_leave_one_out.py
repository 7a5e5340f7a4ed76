"""Generators that were kept from their detectors, against those that these know."""

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate, tidy

from gandetect.evaluation.leave_one_out import leave_one_out
from gandetect.statistics.bootstrap import mean_over_images
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.ranking import placements
from gandetect.statistics.weighted_sums import Measure, WeightedSums

GENERATORS = ("a", "b", "c")
SEEDS = (0, 1, 2)
SHIFT = {"a": 0.5, "b": 1.0, "c": 2.0}  # how easily each generator is caught
FACTS = {
    f"cnn-without-{out}": {
        "kind": "classifier",
        "recipe": "cnn-small",
        "own": [f"generated:{one}" for one in GENERATORS if one != out],
        "left_out": f"generated:{out}",
    }
    for out in GENERATORS
}


def table(seeds=SEEDS) -> pd.DataFrame:
    """Each detector is two units worse with the generator that it does not know."""
    rng = np.random.default_rng(5)
    frames = []
    for name, fact in FACTS.items():
        for seed in seeds:
            means = {f"generated:{one}": SHIFT[one] + 1.0 for one in GENERATORS}
            means[fact["left_out"]] -= 2.0
            means |= dict.fromkeys(
                ("real:in-distribution", "real:held-out", "real:calibration"), -1.0
            )
            for source, mean in means.items():
                n = 60 if source == fact["left_out"] else 90
                frame = {"detector": name, "detector_seed": seed, "epoch": 1, "source": source,
                         "source_seed": seed, "label": source.partition(":")[0],
                         "index": np.arange(n), "score": rng.normal(mean, 1.5, n)}  # fmt: skip
                frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def metrics() -> dict:
    return evaluate(table(), calibrated_fpr=0.05, detectors=FACTS)


def rows_of(metrics, **chosen) -> list[dict]:
    rows = metrics["leave_one_out"]
    return [row for row in rows if all(row[key] == value for key, value in chosen.items())]


def test_every_generator_left_out_has_its_rows_and_so_has_their_mean(metrics) -> None:
    found = [(row["detector"], row["left_out"], row["metric"], row["operating_point"], row["real"])
             for row in metrics["leave_one_out"]]  # fmt: skip
    measures = [
        ("caught", "native", None), ("caught", "calibrated", None),
        ("auroc", None, "real:in-distribution"), ("auroc", None, "real:held-out"),
    ]  # fmt: skip
    of = [(name, fact["left_out"]) for name, fact in FACTS.items()] + [(None, None)]
    assert found == [(*one, *measure) for one in of for measure in measures]
    assert {row["protocol"] for row in metrics["leave_one_out"]} == {"cnn"}


def test_the_unknown_is_what_the_tables_over_runs_say(metrics) -> None:
    cells = {(c["detector"], c["source"], c["operating_point"]): c
             for c in metrics["across_seeds"]}  # fmt: skip
    pairs = {(p["detector"], p["generated"], p["real"]): p for p in metrics["pairs_across_seeds"]}
    for row in metrics["leave_one_out"]:
        if row["detector"] is None:
            continue
        unknown, source = row["unknown"], (row["detector"], row["left_out"])
        if row["metric"] == "caught":
            cell = cells[(*source, row["operating_point"])]
            assert unknown["mean"] == pytest.approx(cell["mean"])
            assert unknown["values"] == pytest.approx(cell["correct"])
            assert unknown["ci95"] == cell["ci95"]
        else:
            pair = pairs[(*source, row["real"])]
            assert unknown["values"] == pytest.approx(pair["auroc"])
            assert unknown["ci95"] == pair["ci95"]["auroc"]


def test_means_weigh_every_generator_the_same(metrics) -> None:
    cells = {(c["detector"], c["source"]): c["mean"] for c in metrics["across_seeds"]
             if c["operating_point"] == "calibrated"}  # fmt: skip
    [row] = rows_of(metrics, detector=None, operating_point="calibrated")
    unknown = [cells[name, fact["left_out"]] for name, fact in FACTS.items()]
    known = [cells[name, source] for name, fact in FACTS.items() for source in fact["own"]]
    assert row["unknown"]["mean"] == pytest.approx(np.mean(unknown))
    assert row["known"]["mean"] == pytest.approx(np.mean(known))
    assert row["difference"]["mean"] == pytest.approx(np.mean(unknown) - np.mean(known))


def test_a_generator_that_is_caught_worse_shows_and_intervals_hold_their_means(metrics) -> None:
    for row in metrics["leave_one_out"]:
        assert row["difference"]["ci95"][1] < 0
        for group in ("unknown", "known", "difference"):
            low, high = row[group]["ci95"]
            assert low < row[group]["mean"] < high
        assert (row["seeds"], row["covers"]) == (list(SEEDS), "runs and images")


def test_of_one_run_the_intervals_are_those_of_the_cells_and_cover_images() -> None:
    metrics = evaluate(table(seeds=(4,)), calibrated_fpr=0.05, detectors=FACTS)
    cells = {(c["detector"], c["source"], c["operating_point"]): c for c in metrics["cells"]}
    for row in rows_of(metrics, metric="caught"):
        assert row["covers"] == "images"
        if row["detector"]:
            cell = cells[row["detector"], row["left_out"], row["operating_point"]]
            assert row["unknown"]["ci95"] == cell["ci95"]


def test_what_was_never_scored_gives_no_row_and_nothing_no_key() -> None:
    scores = table(seeds=(0, 1))
    out = FACTS["cnn-without-a"]["left_out"]
    unseen = scores[(scores["detector"] != "cnn-without-a") | (scores["source"] != out)]
    metrics = evaluate(unseen, calibrated_fpr=0.05, detectors=FACTS)
    assert {row["left_out"] for row in metrics["leave_one_out"]} == {
        "generated:b", "generated:c", None
    }  # fmt: skip
    plain = {name: {**fact, "left_out": None} for name, fact in FACTS.items()}
    assert "leave_one_out" not in evaluate(scores, calibrated_fpr=0.05, detectors=plain)


def test_one_generator_left_out_is_its_own_mean() -> None:
    scores = table(seeds=(0,))
    one = {"cnn-without-a": FACTS["cnn-without-a"]}
    rows = scores[scores["detector"] == "cnn-without-a"]
    metrics = evaluate(rows, calibrated_fpr=0.05, detectors=one)
    assert [row["detector"] for row in metrics["leave_one_out"]] == ["cnn-without-a"] * 4


def test_the_csv_holds_every_number(metrics) -> None:
    rows = tidy(metrics)
    rows = rows[rows["kind"] == "leave one out"]
    assert len(rows) == 3 * len(metrics["leave_one_out"])
    [mean] = rows[(rows["detector"] == "cnn") & (rows["metric"] == "caught: unknown")
                  & (rows["operating_point"] == "native")]["value"]  # fmt: skip
    assert mean == rows_of(metrics, detector=None, operating_point="native")[0]["unknown"]["mean"]


# The sums, against what is known of each run.


@pytest.fixture(scope="module")
def runs() -> dict[str, DetectorRuns]:
    rng = np.random.default_rng(2)
    fakes = {seed: rng.normal(size=50) for seed in SEEDS}
    reals = rng.normal(-1, 1, 40)
    found = {}
    for name in ("one", "two"):
        images = {
            seed: {
                "generated:g": ScoredImages(np.arange(50), fakes[seed] + rng.normal(size=50)),
                "real:in-distribution": ScoredImages(np.arange(40), reals + rng.normal(size=40)),
            }
            for seed in SEEDS
        }
        found[name] = DetectorRuns(
            name, (), {seed: {"native": 0.0} for seed in SEEDS}, images, False
        )
    return found


CAUGHT, AREA = Measure("caught", "native"), Measure("auroc", real="real:in-distribution")


def test_one_term_is_the_runs_own_statistic(runs) -> None:
    for measure, expected in (
        (CAUGHT, runs["one"].share_correct(SEEDS, "generated:g", "native")),
        (AREA, runs["one"].auroc(SEEDS, "generated:g", "real:in-distribution")),
    ):
        found = WeightedSums(runs).statistic([(1.0, "one", "generated:g")], SEEDS, measure)
        np.testing.assert_allclose(found.values, expected.values)
        np.testing.assert_allclose(found.image_covariance, expected.image_covariance)


def test_detectors_that_answered_the_same_fakes_are_compared_image_by_image(runs) -> None:
    terms = [(1.0, "one", "generated:g"), (-1.0, "two", "generated:g")]
    found = WeightedSums(runs).statistic(terms, SEEDS, CAUGHT)
    apart = [runs["one"].correct(seed, "generated:g", "native")
             - runs["two"].correct(seed, "generated:g", "native") for seed in SEEDS]  # fmt: skip
    expected = mean_over_images(apart, same_images=False)
    np.testing.assert_allclose(found.values, expected.values)
    np.testing.assert_allclose(found.image_covariance, expected.image_covariance)


def test_reals_that_all_runs_share_bind_them(runs) -> None:
    terms = [(0.5, "one", "generated:g"), (0.5, "two", "generated:g")]
    found = WeightedSums(runs).statistic(terms, SEEDS, AREA).image_covariance
    both = []
    for seed in SEEDS:
        below = [placements(one.images[seed]["generated:g"].scores,
                            one.images[seed]["real:in-distribution"].scores)[1]
                 for one in runs.values()]  # fmt: skip
        both.append(np.mean(below, axis=0))
    expected = np.cov(np.stack(both)) / 40
    apart = ~np.eye(3, dtype=bool)  # on the diagonal the fakes of each run join
    np.testing.assert_allclose(found[apart], expected[apart])
    assert (np.diag(found) > np.diag(expected)).all()


def test_no_detector_without_a_generator_is_no_protocol(runs) -> None:
    facts = {name: {"kind": "classifier", "own": ["generated:g"]} for name in runs}
    assert leave_one_out(facts, runs, [], []) == []

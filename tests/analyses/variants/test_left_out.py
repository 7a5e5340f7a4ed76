"""Generators that were kept from their detectors, against those that these know."""

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate
from variant_parts import experiment

from gandetect.analyses.variants.left_out import left_out_rows
from gandetect.analyses.variants.measured import Part, measure
from gandetect.statistics.bootstrap import mean_over_images
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.ranking import placements
from gandetect.statistics.weighted_sums import Measure, WeightedSums

GENERATORS = ("a", "b", "c")
SEEDS = (0, 1, 2)
SHIFT = {"a": 0.5, "b": 1.0, "c": 2.0}  # how easily each generator is caught
DETECTOR = "cnn"


def table(out: str, seeds=SEEDS) -> pd.DataFrame:
    """A detector that is three units worse with the generator that it does not know."""
    rng = np.random.default_rng(ord(out))
    frames = []
    for seed in seeds:
        means = {f"generated:{one}": SHIFT[one] + 1.0 for one in GENERATORS}
        means[f"generated:{out}"] -= 3.0
        reals = ("real:in-distribution", "real:held-out", "real:calibration")
        for source, mean in {**means, **dict.fromkeys(reals, -1.0)}.items():
            n = 60 if source == f"generated:{out}" else 90
            frame = {"detector": DETECTOR, "detector_seed": seed, "epoch": 1, "source": source,
                     "source_seed": seed, "label": source.partition(":")[0],
                     "index": np.arange(n), "score": rng.normal(mean, 1.5, n)}  # fmt: skip
            frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def part(name: str, known: str, scores: pd.DataFrame) -> Part:
    own = [f"generated:{one}" for one in known]
    facts = {DETECTOR: {"kind": "classifier", "recipe": "cnn-small", "own": own}}
    metrics = evaluate(scores, calibrated_fpr=0.05, detectors=facts)
    return Part(name, experiment(), metrics, scores)


def parts(seeds=SEEDS, left_out=GENERATORS) -> list[Part]:
    """A baseline that knows all generators, and a variant without each."""
    whole = part("baseline", "abc", table("a", seeds))
    without = (
        part(f"without-{out}", "abc".replace(out, ""), table(out, seeds)) for out in left_out
    )
    return [whole, *without]


def left_out(found: list[Part]) -> list[dict]:
    ((whole,), *others) = (measure(one) for one in found)
    return left_out_rows([(one, whole) for (one,) in others])


@pytest.fixture(scope="module")
def studies() -> list[Part]:
    return parts()


@pytest.fixture(scope="module")
def found(studies) -> list[dict]:
    return left_out(studies)


def rows_of(rows, **chosen) -> list[dict]:
    return [row for row in rows if all(row[key] == value for key, value in chosen.items())]


def test_every_generator_left_out_has_its_rows_and_so_has_their_mean(found) -> None:
    keys = ("variant", "left_out", "metric", "operating_point", "real")
    listed = [tuple(row[key] for key in keys) for row in found]
    measures = [
        ("caught", "native", None), ("caught", "calibrated", None),
        ("auroc", None, "real:in-distribution"), ("auroc", None, "real:held-out"),
    ]  # fmt: skip
    of = [(f"without-{out}", [f"generated:{out}"]) for out in GENERATORS] + [(None, None)]
    assert listed == [(*one, *measure) for one in of for measure in measures]
    assert {row["protocol"] for row in found} == {"cnn"}


def of_studies(studies, name: str, key: str) -> dict:
    return {(one.name, *(row[part] for part in key.split())): row
            for one in studies for row in one.metrics[name]}  # fmt: skip


def test_the_unknown_is_what_the_tables_over_runs_hold(studies, found) -> None:
    cells = of_studies(studies, "across_seeds", "source operating_point")
    pairs = of_studies(studies, "pairs_across_seeds", "generated real")
    for row in found:
        if row["variant"] is None:
            continue
        unknown, where = row["unknown"], (row["variant"], *row["left_out"])
        if row["metric"] == "caught":
            cell = cells[(*where, row["operating_point"])]
            assert unknown["mean"] == pytest.approx(cell["mean"])
            assert unknown["values"] == pytest.approx(cell["correct"])
            assert unknown["ci95"] == cell["ci95"]
        else:
            pair = pairs[(*where, row["real"])]
            assert unknown["values"] == pytest.approx(pair["auroc"])
            assert unknown["ci95"] == pair["ci95"]["auroc"]


def test_means_weigh_every_generator_the_same(studies, found) -> None:
    cells = of_studies(studies, "across_seeds", "source operating_point")
    [row] = rows_of(found, variant=None, operating_point="calibrated")
    share = {(out, one): cells[f"without-{out}", f"generated:{one}", "calibrated"]["mean"]
             for out in GENERATORS for one in GENERATORS}  # fmt: skip
    unknown = [share[out, one] for out, one in share if out == one]
    known = [share[out, one] for out, one in share if out != one]
    assert row["unknown"]["mean"] == pytest.approx(np.mean(unknown))
    assert row["known"]["mean"] == pytest.approx(np.mean(known))
    assert row["difference"]["mean"] == pytest.approx(np.mean(unknown) - np.mean(known))


def test_a_generator_that_is_caught_worse_shows_and_intervals_hold_their_means(found) -> None:
    for row in found:
        assert row["difference"]["ci95"][1] < 0
        for group in ("unknown", "known", "difference"):
            low, high = row[group]["ci95"]
            assert low < row[group]["mean"] < high
        chosen = row["operating_point"] == "calibrated"
        covers = f"runs{', calibration' * chosen} and test images"
        assert (row["seeds"], row["covers"]) == (list(SEEDS), covers)


def test_the_change_is_paired_with_the_detector_that_was_trained_on_it(studies, found) -> None:
    """Image by image on the same fakes: narrower than of answers that have nothing in common."""
    same = [*studies]
    same[1] = part("without-a", "bc", same[0].scores)  # the very same answers
    (row,) = rows_of(left_out(same), variant="without-a", operating_point="native")
    assert row["change"]["values"] == [0, 0, 0]
    assert np.ptp(row["change"]["ci95"]) < 0.5 * np.ptp(row["unknown"]["ci95"])
    other = [*studies]
    data = experiment(data={"held_out": ["Bag"]})
    other[1] = Part("without-a", data, other[1].metrics, other[1].scores)
    (row,) = rows_of(left_out(other), variant="without-a", operating_point="native")
    assert (row["trained_on"], row["change"]) == (None, None)


def test_of_one_run_the_intervals_are_those_of_the_cells_and_cover_images() -> None:
    alone = parts(seeds=(4,))
    cells = of_studies(alone, "cells", "source operating_point")
    for row in rows_of(left_out(alone), metric="caught", operating_point="native"):
        assert row["covers"] == "test images"
        if row["variant"]:
            cell = cells[row["variant"], *row["left_out"], row["operating_point"]]
            assert row["unknown"]["ci95"] == cell["ci95"]


def test_what_was_never_scored_gives_no_row() -> None:
    found = parts(seeds=(4,))
    scores = found[1].scores
    found[1] = part("without-a", "bc", scores[scores["source"] != "generated:a"])
    left = {str(row["left_out"]) for row in left_out(found)}
    assert left == {"['generated:b']", "['generated:c']", "None"}


def test_one_generator_left_out_is_its_own_mean_and_none_gives_no_row() -> None:
    alone = parts(seeds=(0,), left_out=("a",))
    assert [row["variant"] for row in left_out(alone)] == ["without-a"] * 4
    assert left_out([alone[0], alone[0]]) == []


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
    for measured, expected in (
        (CAUGHT, runs["one"].share_correct(SEEDS, "generated:g", "native")),
        (AREA, runs["one"].auroc(SEEDS, "generated:g", "real:in-distribution")),
    ):
        found = WeightedSums(runs).statistic([(1.0, "one", "generated:g")], SEEDS, measured)
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

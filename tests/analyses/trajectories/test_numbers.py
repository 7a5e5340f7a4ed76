from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gandetect.analyses.trajectories.numbers import trajectories
from gandetect.errors import DataError
from gandetect.statistics.calibrated import CalibrationRule

RULE = CalibrationRule(0.05)
REALS = ("real:in-distribution", "real:held-out", "real:calibration")
OWN = {"a": ["generated:a"], "b": ["generated:b"]}


def trajectory_table(seeds=(0, 1), epochs=(1, 2, 3), n=60, shift=None) -> pd.DataFrame:
    """Scores of `a` and `b` over epochs; `shift` moves every score of (seed, epoch)."""
    rng = np.random.default_rng(0)
    move = shift or (lambda seed, epoch: 0.0)
    frames = []
    for detector in "ab":
        for seed in seeds:
            for epoch in epochs:
                sources = [(f"generated:{detector}", j) for j in epochs]
                sources += [(f"generated:{'b' if detector == 'a' else 'a'}", 0)]
                for source, j in [*sources, *((real, 0) for real in REALS)]:
                    fake = source.startswith("generated")
                    scores = rng.normal(1.0 if fake else -0.5, 1.5, n) + move(seed, epoch)
                    frames.append(pd.DataFrame({
                        "detector": detector, "detector_seed": seed, "epoch": epoch,
                        "source": source, "source_seed": seed, "source_epoch": j,
                        "label": source.partition(":")[0], "index": np.arange(n),
                        "score": scores,
                    }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return trajectory_table()


@pytest.fixture(scope="module")
def found(table):
    return trajectories(table, OWN, RULE)


def picked(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_the_matrix_is_every_epoch_against_every_epoch_of_its_own_generator(table, found):
    rows = found["matrix"]
    assert len(rows) == 2 * 2 * 3 * 3 * 2
    one = table[(table.detector == "b") & (table.detector_seed == 1) & (table.epoch == 3)]
    fakes = one[(one.source == "generated:b") & (one.source_epoch == 1)]
    reals = one[one.source == "real:held-out"]
    (row,) = picked(rows, detector="b", seed=1, i=3, j=1, real="real:held-out")
    expected = roc_auc_score([1] * 60 + [0] * 60, [*fakes.score, *reals.score])
    assert row["auroc"] == pytest.approx(expected, abs=1e-12)
    assert (row["n_generated"], row["n_real"]) == (60, 60)


def test_own_cells_hold_only_what_the_generator_made_at_that_epoch(table, found):
    (cell,) = picked(found["cells"], detector="a", seed=0, epoch=2, role="own",
                     operating_point="native")  # fmt: skip
    own = table[(table.detector == "a") & (table.detector_seed == 0) & (table.epoch == 2)
                & (table.source == "generated:a") & (table.source_epoch == 2)]  # fmt: skip
    assert cell["correct"] == (own.score > 0).mean()
    assert cell["n"] == 60


def test_each_epoch_is_calibrated_on_its_own_scores():
    table = trajectory_table(seeds=(0,), shift=lambda seed, epoch: 10.0 * epoch)
    cells = picked(trajectories(table, OWN, RULE)["cells"], detector="a", role="in-distribution")
    cuts = [row["threshold"] for row in picked(cells, operating_point="calibrated")]
    assert all(later - earlier > 5 for earlier, later in pairwise(cuts))
    assert all(row["correct"] > 0.8 for row in picked(cells, operating_point="calibrated"))
    assert all(row["correct"] < 0.05 for row in picked(cells, operating_point="native"))


def test_calibration_images_are_no_group_of_their_own(found):
    roles = {row["role"] for row in (*found["cells"], *found["areas"])}
    assert roles == {"own", "other", "in-distribution", "held-out"}


def test_without_reals_to_calibrate_on_only_the_native_point_is_left(table):
    gone = ["real:calibration", "real:in-distribution"]
    rest = table[~table.source.isin(gone) & (table.detector_seed == 0)]
    cells = trajectories(rest, OWN, RULE)["cells"]
    assert {row["operating_point"] for row in cells} == {"native"}


def test_a_moving_threshold_is_luck_of_the_native_share_and_not_of_the_auroc():
    table = trajectory_table(shift=lambda seed, epoch: 3.0 * (epoch == 2), n=200)
    luck = trajectories(table[table.detector == "a"], OWN, RULE)["luck"]
    (share,) = picked(luck, detector="a", role="in-distribution", statistic="correct",
                      operating_point="native")  # fmt: skip
    (calibrated,) = picked(luck, detector="a", role="in-distribution", statistic="correct",
                           operating_point="calibrated")  # fmt: skip
    (area,) = picked(luck, detector="a", role="own", statistic="auroc",
                     real="real:in-distribution")  # fmt: skip
    assert share["range_over_epochs"] > 0.4
    assert calibrated["range_over_epochs"] < 0.15
    assert area["range_over_epochs"] < 0.15


def test_luck_is_the_spread_of_the_cells():
    four = trajectory_table(epochs=(1, 2, 3, 4))
    found = trajectories(four[four.detector == "b"], OWN, RULE)
    (luck,) = picked(found["luck"], detector="b", role="other", statistic="correct",
                     operating_point="calibrated")  # fmt: skip
    cells = picked(found["cells"], detector="b", role="other", operating_point="calibrated")
    runs = np.array([[c["correct"] for c in picked(cells, seed=seed)] for seed in (0, 1)])
    assert luck["range_over_epochs"] == pytest.approx(np.ptp(runs, axis=1).mean())
    assert luck["sd_over_epochs"] == pytest.approx(runs.std(axis=1, ddof=1).mean())
    assert luck["sd_over_seeds"] == pytest.approx(runs[:, -1].std(ddof=1))
    assert luck["late_epochs"] == [2, 3, 4]
    assert luck["late_range"] == pytest.approx(np.ptp(runs[:, 1:], axis=1).mean())
    assert (luck["lowest"], luck["highest"]) == (runs.min(), runs.max())


def test_one_seed_has_no_spread_over_seeds():
    luck = trajectories(trajectory_table(seeds=(0,)), OWN, RULE)["luck"]
    assert {row["sd_over_seeds"] for row in luck} == {None}


def test_the_order_of_the_rows_does_not_matter(table, found):
    assert trajectories(table.sample(frac=1, random_state=0), OWN, RULE) == found


def test_an_epoch_without_fakes_of_its_own_has_no_own_cell():
    table = trajectory_table(seeds=(0,))
    gone = (table.source_epoch == 2) & (table.epoch == 2)
    cells = trajectories(table[~gone], OWN, RULE)["cells"]
    assert not picked(cells, epoch=2, role="own")
    assert picked(cells, epoch=2, role="other")


def test_a_missing_column_no_rows_and_a_score_that_is_no_number_are_refused(table):
    with pytest.raises(DataError, match="no column source_epoch"):
        trajectories(table.drop(columns="source_epoch"), OWN, RULE)
    with pytest.raises(DataError, match="no rows"):
        trajectories(table.iloc[:0], OWN, RULE)
    damaged = table.assign(score=table["score"].where(table.index != 5))
    with pytest.raises(DataError, match=f"1 of {len(table)} scores over epochs are not finite"):
        trajectories(damaged, OWN, RULE)

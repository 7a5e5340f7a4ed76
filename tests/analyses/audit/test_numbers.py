"""Planted faults are caught by the probes, and clean splits of real images raise no alarm."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from gandetect.analyses.audit.numbers import ProbeResult, audit, audit_arrays, rows, warnings_of
from gandetect.analyses.audit.probes import BETWEEN, LOOKS_AT, as_levels, probe_features
from gandetect.data.fashion_mnist import load
from gandetect.errors import DataError, UsageError

FASHION = Path("/usr/share/datasets/fashion-mnist")
N = 120
Pixels = NDArray[np.uint8]


@cache
def fashion() -> Pixels:
    if not FASHION.exists():
        pytest.skip(f"Fashion-MNIST is not in {FASHION}")
    return load(FASHION, download=False).train_images[:20_000]


@cache
def halves(n: int, draw: int = 0) -> tuple[Pixels, Pixels]:
    """Two disjoint draws of real images."""
    order = np.random.default_rng([17, draw]).permutation(len(fashion()))
    return fashion()[order[:n]], fashion()[order[n : 2 * n]]


def saved_as_jpeg(images: Pixels) -> Pixels:
    read = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image[0]).save(file, "JPEG", quality=90)
        read.append(np.asarray(Image.open(file)))
    return np.stack(read)[:, None]


def without_level(level: int, instead: int) -> Callable[[Pixels], Pixels]:
    return lambda images: np.where(images == level, instead, images).astype(np.uint8)


def with_border(value: int) -> Callable[[Pixels], Pixels]:
    def paint(images: Pixels) -> Pixels:
        painted = np.full_like(images, value)
        painted[..., 1:-1, 1:-1] = images[..., 1:-1, 1:-1]
        return painted

    return paint


def unquantised(images: Pixels) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).normal(0, 0.1, images.shape)
    return ((images + noise).clip(0, 255) / 255).astype(np.float32)


FAULTS = {
    "JPEG": (saved_as_jpeg, {"histogram", "8 x 8 grid"}),
    "level 1 missing": (without_level(1, 2), {"histogram"}),
    "level 137 missing": (without_level(137, 138), {"histogram"}),
    "level 255 missing": (without_level(255, 254), {"histogram", "distinct values"}),
    "black border": (with_border(0), {"border pixels"}),
    "border of 3": (with_border(3), {"border pixels"}),
    "floats": (unquantised, {BETWEEN}),
}


def warned(results: list[ProbeResult]) -> set[str]:
    return {result.probe for result in results if result.warning}


def features_of(images: NDArray[np.generic], probes: set[str]) -> dict[str, NDArray[np.float64]]:
    levels, between = as_levels(images)
    features = probe_features(levels) | {BETWEEN: between}
    return {name: features[name] for name in sorted(probes)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_by_the_probe_made_for_it(fault: str) -> None:
    plant, expected = FAULTS[fault]
    real, others = halves(N)
    # The other probes are left out for speed; "mean" is blind to every one of these faults.
    one, other = (features_of(images, {"mean", *expected}) for images in (real, plant(others)))
    assert warned(audit(one, other)) == expected


def test_a_clean_split_of_reals_raises_no_alarm() -> None:
    results = audit_arrays(*halves(100))
    assert not warned(results)
    assert {result.probe for result in results} == set(LOOKS_AT) - {BETWEEN}
    assert all(result.ci95[0] <= result.auroc <= result.ci95[1] for result in results)


def test_floats_on_one_side_are_caught_by_their_own_probe() -> None:
    real, others = (images[:60] for images in halves(N))
    results = audit_arrays(real, unquantised(others))
    assert {result.probe for result in results} == set(LOOKS_AT)
    assert BETWEEN in warned(results)


def draws_with_an_alarm(n: int, draws: int) -> int:
    features = probe_features(fashion())
    alarms = 0
    for draw in range(draws):
        order = np.random.default_rng([23, draw]).permutation(len(fashion()))
        one = {name: values[order[:n]] for name, values in features.items()}
        other = {name: values[order[n : 2 * n]] for name, values in features.items()}
        alarms += bool(warned(audit(one, other, seed=draw)))
    return alarms


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 500])
def test_of_100_clean_splits_at_least_95_raise_no_alarm(n: int) -> None:
    assert draws_with_an_alarm(n, 100) <= 5


@pytest.mark.slow
def test_an_audit_of_2000_images_each_takes_less_than_15_seconds() -> None:
    real, others = halves(2000)
    began = process_time()
    audit_arrays(real, others)
    assert process_time() - began < 15


def test_the_same_seed_gives_the_same_results() -> None:
    one, other = (features_of(images, {"border pixels"}) for images in halves(60))
    assert audit(one, other, seed=3) == audit(one, other, seed=3)
    assert audit(one, other, seed=3) != audit(one, other, seed=4)


def test_floats_that_are_grey_levels_are_no_fault() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16).repeat(3, axis=0)
    for floats in (levels / 255, levels / 127.5 - 1, levels.astype(np.float64)):
        found, between = as_levels(floats.astype(np.float32))
        np.testing.assert_array_equal(found, levels)
        assert between.max() == 0


def test_features_do_not_depend_on_the_batch_nor_their_number_on_the_size() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 40), dtype=np.uint8)
    together = probe_features(images)
    larger = probe_features(np.pad(images, ((0, 0), (0, 0), (3, 290), (5, 290))))
    for name, values in together.items():
        apart = np.concatenate([probe_features(image[None])[name] for image in images])
        np.testing.assert_allclose(values, apart)
        assert values.dtype == np.float64
        assert larger[name].shape == values.shape


def test_features_say_what_they_are_named_for() -> None:
    checks = np.indices((32, 32)).sum(axis=0) % 2 * 200
    flat, board = (np.broadcast_to(x, (1, 1, 32, 32)).astype(np.uint8) for x in (7, checks))
    calm, busy = probe_features(flat), probe_features(board)
    assert calm["mean"].item() == 7
    assert calm["histogram"][0, 7] == 1
    assert busy["distinct values"].tolist() == [[2, 0, 200]]
    assert busy["checkerboard"][0, 0] > calm["checkerboard"][0, 0] + 5
    assert busy["high frequencies"][0, 0] > 0.99
    assert calm["least significant bits"][0, :4].tolist() == [0, 0, 0, 1]
    assert calm["border pixels"][0].tolist() == [7, 0, 0, 0, 0]
    framed = probe_features(with_border(255)(flat))["border pixels"][0]
    assert framed.tolist() == [255, 0, 248, 0, 1]


def test_of_a_large_image_the_centre_is_cut_on_the_grid_of_jpeg() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 1, 600, 610), dtype=np.uint8)
    centre = image[:, :, 168 : 168 + 256, 176 : 176 + 256]
    of_all, of_centre = probe_features(image), probe_features(centre)
    for name in set(of_all) - {"border pixels"}:
        np.testing.assert_array_equal(of_all[name], of_centre[name])


def test_an_area_without_variance_has_an_interval_that_is_no_point() -> None:
    same = {"constant": np.zeros((40, 1))}
    apart = {"constant": np.ones((40, 1))}
    (nothing,), (everything,) = audit(same, same), audit(same, apart)
    assert nothing.auroc == 0.5
    assert not nothing.warning
    assert everything.auroc == 1
    assert everything.warning
    assert everything.ci95[0] < 0.95


def test_an_interval_is_delongs_of_each_fold_enlarged_for_what_models_share() -> None:
    rng = np.random.default_rng(0)
    real, fakes = rng.normal(0, 1, (70, 2)), rng.normal(0.7, 1, (50, 2))
    (found,) = audit({"a": real}, {"a": fakes}, folds=3, seed=5)
    both, labels = np.concatenate([fakes, real]), np.repeat([1, 0], [50, 70])
    areas, variances = [], []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=5).split(both, labels):
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=6, learning_rate=0.15, early_stopping=False
        ).fit(both[train], labels[train])
        scores = model.decision_function(both[test])
        high, low = scores[labels[test] == 1], scores[labels[test] == 0]
        wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
        areas.append(roc_auc_score(labels[test], scores))
        variances.append(wins.mean(1).var(ddof=1) / len(high) + wins.mean(0).var(ddof=1) / len(low))
    area = np.mean(areas)
    error = np.sqrt((1 + 3 / 2) * np.mean(variances) / 3)  # one fold tests, two are fitted to
    reach = 1.959964 * error / (area * (1 - area))
    assert found.auroc == pytest.approx(area)
    assert found.ci95 == pytest.approx(expit(logit(area) + np.array([-reach, reach])))
    assert (found.n_real, found.n_generated) == (70, 50)


def test_a_warning_must_be_sure_in_the_face_of_all_probes_of_an_audit() -> None:
    rng = np.random.default_rng(0)
    others = {f"noise {number}": rng.normal(size=(60, 1)) for number in range(3)}
    told = []
    for shift in np.linspace(0.3, 1.5, 9):
        real, fakes = rng.normal(0, 1, (60, 1)), rng.normal(shift, 1, (60, 1))
        for beside in ({}, others):
            found = audit({"a": real, **beside}, {"a": fakes, **beside}, folds=2)[0]
            level = norm.ppf(1 - 0.05 / (1 + len(beside))) / norm.ppf(0.975)
            reach = logit(found.ci95[1]) - logit(found.auroc)
            low = expit(logit(found.auroc) - level * reach)
            assert found.warning == (found.auroc > 0.6 and low > 0.55)
            told.append(found.warning)
    assert set(told) == {True, False}
    assert any(alone and not beside for alone, beside in zip(told[::2], told[1::2], strict=True))


def test_each_warning_is_one_sentence_that_counts_its_seeds() -> None:
    hit = ProbeResult("histogram", 0.9, [0.88, 0.92], 100, 100, warning=True)
    miss = ProbeResult("mean", 0.55, [0.5, 0.6], 100, 100, warning=False)
    table = [
        row
        for seed in (0, 1)
        for row in rows([hit if seed else miss, hit], "generated:dcgan-bn", seed)
    ]
    (sentence,) = warnings_of(table)
    assert "“histogram” alone tells fakes of dcgan-bn" in sentence
    assert "0.900 (mean of 3 runs; a warning in 3)" in sentence
    assert table[0] == {
        "probe": "mean", "auroc": 0.55, "ci95": [0.5, 0.6], "n_real": 100, "n_generated": 100,
        "warning": False, "source": "generated:dcgan-bn", "seed": 0,
    }  # fmt: skip


def test_what_cannot_be_audited_is_refused_with_a_reason() -> None:
    grey = np.zeros((30, 1, 28, 28), np.uint8)
    with pytest.raises(DataError, match="at least 25 of each"):
        audit_arrays(grey, grey[:24])
    with pytest.raises(DataError, match="equally many channels"):
        audit_arrays(grey, grey.repeat(3, axis=1))
    with pytest.raises(DataError, match="at least 16 x 16 px"):
        audit_arrays(grey, grey[..., :12])
    with pytest.raises(DataError, match="expected 0 to 1"):
        audit_arrays(grey, np.full(grey.shape, 300.0))
    with pytest.raises(DataError, match="from nan to nan"):
        audit_arrays(grey, np.full(grey.shape, np.nan))
    with pytest.raises(DataError, match="int64"):
        audit_arrays(grey, grey.astype(np.int64))
    with pytest.raises(DataError, match="not finite"):
        audit({"a": np.zeros((30, 1))}, {"a": np.full((30, 1), np.nan)})
    with pytest.raises(UsageError, match="at least 2"):
        audit({"a": np.zeros((30, 1))}, {"a": np.zeros((30, 1))}, folds=1)
    with pytest.raises(DataError, match="expected the same ones"):
        audit({"a": np.zeros((30, 1))}, {"b": np.zeros((30, 1))})

"""Whole audits: planted faults and copies are caught, and clean splits raise no alarm."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gandetect.analyses.audit.judging import audit
from gandetect.analyses.audit.probes import (
    BETWEEN,
    LOOKS_AT,
    PIXELS,
    POSITION,
    as_levels,
    probe_features,
)
from gandetect.analyses.audit.sides import Audited, audit_arrays, joined, side_of
from gandetect.data.fashion_mnist import load
from gandetect.errors import DataError

FASHION = Path("/usr/share/datasets/fashion-mnist")
N = 120
Pixels = NDArray[np.uint8]


@cache
def loaded() -> tuple[Pixels, NDArray[np.integer]]:
    if not FASHION.exists():
        pytest.skip(f"Fashion-MNIST is not in {FASHION}")
    everything = load(FASHION, download=False)
    return everything.train_images[:20_000], everything.train_labels[:20_000]


def fashion() -> Pixels:
    return loaded()[0]


@cache
def halves(n: int, draw: int = 0) -> tuple[Pixels, Pixels]:
    """Two disjoint draws of real images."""
    order = np.random.default_rng([17, draw]).permutation(len(fashion()))
    return fashion()[order[:n]], fashion()[order[n : 2 * n]]


def saved_as_jpeg(images: Pixels, quality: int = 90) -> Pixels:
    read = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image[0]).save(file, "JPEG", quality=quality)
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


def with_pixel(value: int, share: float = 1.0) -> Callable[[Pixels], Pixels]:
    def paint(images: Pixels) -> Pixels:
        painted = images.copy()
        painted[np.random.default_rng(0).random(len(images)) < share, :, 13, 9] = value
        return painted

    return paint


def with_corner(more: int) -> Callable[[Pixels], Pixels]:
    def paint(images: Pixels) -> Pixels:
        painted = images.copy()
        painted[..., :4, :4] = np.minimum(painted[..., :4, :4].astype(int) + more, 255)
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
    "a pixel bright in 9 of 10": (with_pixel(255, 0.9), {PIXELS}),
    "a pixel that is constant": (with_pixel(110), {PIXELS}),
    "a corner a little brighter": (with_corner(4), {POSITION}),
}


def warned(audited: Audited) -> set[str]:
    checks = {f"{one.check}, {one.side}" for one in audited.checks if one.warning}
    return checks | {one.probe for one in audited.probes if one.warning}


def features_of(images: NDArray[np.generic], probes: set[str]) -> dict[str, NDArray[Any]]:
    levels, between = as_levels(images)
    features = probe_features(levels) | {BETWEEN: between}
    features[PIXELS] = levels.reshape(len(levels), -1)
    return {name: features[name] for name in sorted(probes)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_by_the_probe_made_for_it(fault: str) -> None:
    plant, expected = FAULTS[fault]
    real, others = halves(N)
    # The other probes are left out for speed; "mean" is blind to every one of these faults.
    one, other = (features_of(images, {"mean", *expected}) for images in (real, plant(others)))
    assert {result.probe for result in audit(one, other) if result.warning} == expected


def test_a_clean_split_of_reals_raises_no_alarm() -> None:
    audited = audit_arrays(*halves(100), folds=3)
    assert not warned(audited)
    assert {one.probe for one in audited.probes} == set(LOOKS_AT) - {BETWEEN}
    assert all(one.ci95[0] <= one.auroc <= one.ci95[1] for one in audited.probes)
    assert [(one.check, one.side) for one in audited.checks] == [
        ("copies", "real"), ("copies", "generated"), ("copies of real images", "generated"),
        ("order", "real"), ("order", "generated"),
    ]  # fmt: skip


def test_floats_on_one_side_are_caught_by_their_own_probe() -> None:
    real, others = (images[:60] for images in halves(N))
    audited = audit_arrays(real, unquantised(others), folds=2)
    assert {one.probe for one in audited.probes} == set(LOOKS_AT)
    assert BETWEEN in warned(audited)


def test_a_bright_pixel_is_named_and_shown() -> None:
    real, others = halves(100)
    audited = audit_arrays(with_pixel(255)(real), others, folds=2)
    assert PIXELS in warned(audited)
    (where,) = (one.where for one in audited.probes if one.where)
    assert where.startswith("row 13, column 9 of the 28 x 28 px looked at: mean 255 ± 0 in real")
    block = np.asarray(audited.difference["mean"])
    assert np.unravel_index(np.abs(block).argmax(), block.shape) == (7, 5)  # of 16 x 16


def test_a_pixel_is_found_in_large_pictures_too() -> None:
    rng = np.random.default_rng(0)
    real, others = rng.integers(0, 256, (2, 60, 1, 512, 512), dtype=np.uint8)
    real[:, 0, 40, 470] = 120
    (found,) = audit({PIXELS: real.reshape(60, -1)}, {PIXELS: others.reshape(60, -1)}, folds=3)
    assert found.warning


def test_a_collapsed_generator_is_told_by_its_copies_alone() -> None:
    real, others = halves(150)
    audited = audit_arrays(real, np.tile(others[:75], (4, 1, 1, 1)), folds=2)
    assert warned(audited) == {"copies, generated"}
    (copies,) = (one for one in audited.checks if one.warning)
    assert (copies.value, copies.n, copies.exact) == (225, 300, 225)
    assert {(one.n_real, one.n_generated) for one in audited.probes} == {(150, 75)}


def test_copies_of_real_images_are_told_exact_and_near() -> None:
    real, others = halves(60)
    fakes = np.concatenate([real[:5], saved_as_jpeg(real[5:12]), others[:48]])
    audited = audit_arrays(real, fakes, folds=2)
    (across,) = (one for one in audited.checks if one.check == "copies of real images")
    assert (across.value, across.exact, across.warning) == (12, 5, True)


def test_reals_sorted_by_class_and_a_drift_are_told_and_shuffled_ones_not() -> None:
    images, classes = loaded()
    chosen = np.flatnonzero(classes < 8)[:200]
    by_class = images[chosen[np.argsort(classes[chosen], kind="stable")]]
    drift = np.linspace(1, 0.4, 200)[:, None, None, None]
    drifting = (images[1000:1200] * drift).astype(np.uint8)
    told = {one.side: one.warning for one in audit_arrays(by_class, images[500:700], folds=2).checks
            if one.check == "order"}  # fmt: skip
    assert told == {"real": True, "generated": False}
    assert "order, generated" in warned(audit_arrays(images[:60], drifting, folds=2))


@pytest.mark.slow
@pytest.mark.parametrize("plant", [
    lambda x: saved_as_jpeg(x, 95),
    lambda x: np.clip(x + 3 * np.sin(np.arange(28) * 1.3), 0, 255).astype(np.uint8),
    lambda x: np.clip(x + np.random.default_rng(0).choice([-1, 1], (28, 28)), 0, 255).astype("u1"),
    lambda x: np.rint(255 * (x / 255) ** 0.97).astype(np.uint8),
    lambda x: np.roll(x, 1, axis=3),
    lambda x: x[..., ::-1],
    lambda x: x * (np.arange(len(x)) % 5 > 0).astype(np.uint8)[:, None, None, None],
    lambda x: x // 2 * 2,
    lambda x: np.where(np.arange(28)[:, None] == 27, 3, x).astype(np.uint8),
    lambda x: np.stack([resized(resized(image, 40), 28) for image in x]),
    with_pixel(255, 0.9),
], ids=["JPEG 95", "faint waves", "pattern of 1", "gamma", "shift", "mirror", "blank fifths",
        "even levels", "border row", "up and down", "bright pixel"])  # fmt: skip
def test_the_kinds_of_faults_that_are_caught(plant: Callable[[Pixels], Pixels]) -> None:
    real, others = halves(1500)
    assert warned(audit_arrays(plant(real), others))


def resized(image: Pixels, side: int) -> Pixels:
    picture = Image.fromarray(image[0]).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(picture)[None]


@pytest.mark.slow
def test_an_audit_of_2000_images_each_takes_less_than_15_seconds() -> None:
    real, others = halves(2000)
    began = process_time()
    audit_arrays(real, others)
    assert process_time() - began < 15


def test_pictures_of_several_sizes_are_compared_where_all_have_pixels() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (30, 1, 40, 60), dtype=np.uint8)
    sides = [side_of(image[None, :, : 30 + place % 3], 512) for place, image in enumerate(noise)]
    side = joined(sides)
    assert side.pixels.shape == (30, 1, 30, 60)
    assert len(side.marks.digests) == len(side.features[POSITION]) == 30


def test_where_too_few_differ_copies_are_told_all_the_same() -> None:
    images = fashion()[:60]
    equal = np.repeat(images[:1], 60, axis=0)
    for fakes, differ in ((images[:24], 24), (images[:1], 1), (equal, 1)):
        audited = audit_arrays(images, fakes)
        assert f"60 different real and {differ} different generated" in audited.refused
        assert audited.probes == []
        assert len(audited.checks) == 3
    assert "copies, generated" in warned(audited)


def test_what_cannot_be_audited_is_refused_with_a_reason() -> None:
    grey = fashion()[:30]
    assert "equally many channels" in audit_arrays(grey, grey.repeat(3, axis=1)).refused
    with pytest.raises(DataError, match="no images"):
        audit_arrays(grey, grey[:0])
    with pytest.raises(DataError, match="at least 16 x 16 px"):
        audit_arrays(grey, grey[..., :12])
    with pytest.raises(DataError, match="expected 0 to 1"):
        audit_arrays(grey, np.full(grey.shape, 300.0))
    with pytest.raises(DataError, match="from nan to nan"):
        audit_arrays(grey, np.full(grey.shape, np.nan))
    with pytest.raises(DataError, match="int64"):
        audit_arrays(grey, grey.astype(np.int64))

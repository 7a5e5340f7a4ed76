"""Spectra have their peaks where they must, and intervals cover what they claim to."""

from __future__ import annotations

import numpy as np
import pytest

from gandetect.analyses.image_statistics import numbers
from gandetect.analyses.study import ScoredStudy

RNG = np.random.default_rng


def wave(across: float, down: float, side: int = 32, amplitude: float = 100) -> np.ndarray:
    """One image with a plane wave of so many periods along each side."""
    y, x = np.mgrid[:side, :side] / side
    values = 127.5 + amplitude * np.cos(2 * np.pi * (across * x + down * y) + 0.3)
    return np.rint(values).astype(np.uint8)[None, None]


@pytest.mark.parametrize(("across", "down"), [(8, 0), (0, 5), (6, 9)])
def test_a_wave_has_its_peak_at_its_frequency_and_with_its_power(across, down) -> None:
    spectrum = numbers.summarise(np.repeat(wave(across, down), 3, axis=0))["spectrum"]
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    assert sorted([(row - 16, column - 16), (16 - row, 16 - column)])[1] == (down, across)
    window = np.outer(*[np.hanning(34)[1:-1]] * 2)
    power = (50 * window.sum()) ** 2 / (window**2).sum()
    assert spectrum.max() == pytest.approx(10 * np.log10(power), abs=0.05)


def test_white_noise_has_its_variance_as_power_at_every_frequency() -> None:
    noise = np.clip(np.rint(RNG(0).normal(128, 20, (400, 1, 32, 32))), 0, 255).astype(np.uint8)
    kept = numbers.summarise(noise)
    # The logarithm of an exponential variable is lower in the mean by Euler's constant.
    expected = 10 * np.log10(20**2) - 10 * np.log10(np.exp(np.euler_gamma))
    np.testing.assert_allclose(kept["profile"][1:], expected, atol=0.3)
    assert kept["high"] == pytest.approx(expected, abs=0.1)


def test_rings_hold_one_frequency_each_up_to_nyquist() -> None:
    along = np.fft.fftfreq(20) * 20
    radius, profiles = numbers.radial_profiles(np.hypot(along[:, None], along)[None])
    np.testing.assert_allclose(radius, np.arange(1, 11) / 10)
    np.testing.assert_allclose(profiles[0], np.arange(1, 11), atol=0.25)


def test_a_flat_image_has_the_power_of_rounding_alone() -> None:
    black = np.zeros((2, 3, 16, 16), np.uint8)
    np.testing.assert_allclose(numbers.log_power(black), 10 * np.log10(1 / 12))


def test_of_large_images_the_centre_is_looked_at_and_the_mean_is_made_small() -> None:
    images = RNG(1).integers(0, 256, (2, 3, 260, 300), dtype=np.uint8)
    kept = numbers.summarise(images)
    assert kept["spectrum"].shape == (128, 128)
    centre = numbers.log_power(images[:, :, 66 : 66 + 128, 86 : 86 + 128])
    np.testing.assert_allclose(kept["spectrum"], np.fft.fftshift(centre.mean(0)), rtol=1e-6)
    assert kept["mean"].shape == (3, 52, 60)
    assert kept["mean"][1, 0, 2] == pytest.approx(images[:, 1, :5, 10:15].mean(), rel=1e-6)


def test_parts_at_a_time_are_the_same_as_all_at_once(monkeypatch) -> None:
    images = RNG(2).integers(0, 256, (7, 1, 16, 16), dtype=np.uint8)
    whole = numbers.summarise(images)
    monkeypatch.setattr(numbers, "CHUNK", 2 * 256)
    for name, values in numbers.summarise(images).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-6, err_msg=name)


def test_the_interval_covers_the_true_difference_nineteen_times_of_twenty() -> None:
    rng, covered = RNG(3), 0
    for _ in range(400):
        groups = [rng.normal(mean, sd, n) for mean, sd, n in ((0, 2, 80), (1.5, 4, 50))]
        reals, fakes = (
            {"high": one.mean(), "high_se": one.std(ddof=1) / np.sqrt(len(one))} for one in groups
        )
        _, (low, high) = numbers.against(reals, fakes, "high")
        covered += low <= 1.5 <= high
    assert 0.92 < covered / 400 < 0.98


def stored(**sources: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of ``source@seed`` as the stage writes them; names stand for ``real:`` and so on."""
    return {
        f"{source.replace('__', ':').replace('_', '-')}@0/{name}": values
        for source, images in sources.items()
        for name, values in numbers.summarise(images).items()
    }


def measured(arrays) -> dict[str, dict]:
    study = ScoredStudy.__new__(ScoredStudy)
    object.__setattr__(study, "image_statistics", arrays)
    return {row["source"]: row for row in numbers.numbers(study).get("image_statistics", [])}


def test_distances_are_none_for_equal_images_and_all_for_those_with_no_level_in_common() -> None:
    dark = RNG(4).integers(0, 100, (30, 1, 16, 16), dtype=np.uint8)
    found = measured(stored(real__in_distribution=dark, generated__a=dark, generated__b=dark + 100))
    assert found["real:in-distribution"].keys() == {"source", "source_seed", "n", "mean_level"}
    assert found["real:in-distribution"]["mean_level"] == pytest.approx(dark.mean())
    same, lighter = found["generated:a"], found["generated:b"]
    assert (same["histogram_distance"], same["mean_distance"], same["high_db"]) == (0, 0, 0)
    assert lighter["histogram_distance"] == pytest.approx(1)
    assert lighter["mean_distance"] == pytest.approx(100, rel=1e-5)
    low, high = same["high_db_ci95"]
    assert low == -high < 0


def test_a_repeated_pattern_shows_in_the_high_frequencies() -> None:
    smooth = np.repeat(wave(1, 1), 20, axis=0)
    checks = np.clip(smooth + 20 * (np.indices((32, 32)).sum(0) % 2), 0, 255).astype(np.uint8)
    stripes = np.clip(smooth + 20 * (np.arange(32) % 2), 0, 255).astype(np.uint8)
    found = measured(
        stored(real__in_distribution=smooth, generated__a=checks, generated__b=stripes)
    )
    assert found["generated:b"]["high_db"] > 1
    # Checks of one pixel are a corner of the spectrum, beyond all rings: the 2-D figure shows them.
    assert abs(found["generated:a"]["high_db"]) < 1


def test_without_reals_or_without_anything_there_are_no_numbers() -> None:
    images = np.zeros((2, 1, 16, 16), np.uint8)
    assert measured(stored(generated__a=images)) == measured({}) == {}


def test_every_number_is_a_row_with_its_interval() -> None:
    images = RNG(5).integers(0, 100, (30, 1, 16, 16), dtype=np.uint8)
    arrays = stored(real__in_distribution=images, generated__a=images[::2])
    rows = list(numbers.rows({"image_statistics": list(measured(arrays).values())}))
    assert [row["metric"] for row in rows] == ["mean_level"] * 2 + [
        "high_frequency_db", "histogram_distance", "mean_distance",
    ]  # fmt: skip
    assert rows[2]["low"] < rows[2]["value"] < rows[2]["high"]
    assert {row["n"] for row in rows} == {15, 30}

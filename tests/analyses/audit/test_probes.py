"""What probes look at, on images made to have it."""

import numpy as np
from scipy.fft import idctn

from gandetect.analyses.audit.probes import WHOLE, as_levels, probe_features


def grid_of(images: np.ndarray) -> np.ndarray:
    """Seams across and down, and shares of fine coefficients near zero: on the grid, beside it."""
    return probe_features(images.astype(np.uint8))["8 x 8 grid"]


def test_seams_are_steps_at_multiples_of_eight_alone() -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (5, 1, 6, 6)).repeat(8, 2).repeat(8, 3)
    on_grid, shifted = grid_of(blocks), grid_of(np.roll(blocks, 3, axis=(2, 3)))
    assert (on_grid[:, :2] > 5).all()
    assert (shifted[:, :2] < 0).all()


def test_a_coefficient_is_near_zero_below_one() -> None:
    rng = np.random.default_rng(0)

    def images(size: float) -> np.ndarray:
        coefficients = rng.choice([-size, size], (4, 1, 5, 5, 8, 8))
        blocks = 128 + idctn(coefficients, axes=(4, 5), norm="ortho")
        return np.rint(blocks.transpose(0, 1, 2, 4, 3, 5).reshape(4, 1, 40, 40))

    assert (grid_of(images(0.5))[:, 2] > 0.8).all()
    assert (grid_of(images(1.6))[:, 2] < 0.2).all()


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
    framed = probe_features(
        np.pad(flat[..., 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    )["border pixels"][0]
    assert framed.tolist() == [255, 0, 248, 0, 1]


def test_of_a_large_image_the_centre_is_cut_on_the_grid_of_jpeg() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 1, 600, 610), dtype=np.uint8)
    centre = image[:, :, 168 : 168 + 256, 176 : 176 + 256]
    of_all, of_centre = probe_features(image), probe_features(centre)
    for name in set(of_all) - set(WHOLE):
        np.testing.assert_array_equal(of_all[name], of_centre[name])

"""What the probe of JPEG's grid looks at, on images made to have it."""

import numpy as np
from scipy.fft import idctn

from gandetect.analyses.audit.probes import probe_features


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

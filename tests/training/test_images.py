"""Sample grids and their animation, in grey and in colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandetect.training.images import sample_grid, write_animation


def test_a_grid_puts_images_in_rows_with_a_grey_line_between_and_enlarges_pixels() -> None:
    images = np.arange(5, dtype=np.uint8).repeat(4).reshape(5, 1, 2, 2) * 50
    grid = np.asarray(sample_grid(images, columns=3, scale=2).convert("L"))
    assert grid.shape == (2 * (2 * 3 + 1), 2 * (3 * 3 + 1))
    assert np.array_equal(grid, grid[::2, ::2].repeat(2, 0).repeat(2, 1))
    small = grid[::2, ::2]
    for number in range(5):
        top, left = 1 + 3 * (number // 3), 1 + 3 * (number % 3)
        assert (small[top : top + 2, left : left + 2] == 50 * number).all()
    assert (small[0] == 128).all()
    assert (small[:, 0] == 128).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_shows_every_frame_in_its_own_colours_and_the_last_one_longest(
    channels: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    frames = []
    for number in range(3):
        levels = rng.integers(0, 256, (16, 16), dtype=np.uint8)
        pixels = np.stack([levels, 255 - levels, levels // 2], 2) if channels == 3 else levels
        frames.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(frames[-1])
    write_animation(frames, tmp_path / "all.gif")
    with Image.open(tmp_path / "all.gif") as made:
        assert made.n_frames == 3
        assert made.info["loop"] == 0
        for number, frame in enumerate(frames):
            made.seek(number)
            assert made.info["duration"] == (2000 if number == 2 else 500)
            shown = np.asarray(made.convert("RGB")).astype(int)
            expected = np.asarray(Image.open(frame).convert("RGB")).astype(int)
            assert np.abs(shown - expected).max() <= (0 if channels == 1 else 8)

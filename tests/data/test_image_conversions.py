"""Any image file becomes ``(C, size, size) uint8``: its mode, its shape and its orientation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import Pixels, flat, grey_picture, save
from PIL import Image

from gandetect.data.images import read_image


@pytest.fixture
def grey() -> Pixels:
    return grey_picture()


def test_a_grey_png_of_the_right_size_is_kept_bit_for_bit(tmp_path: Path, grey: Pixels) -> None:
    path = save(Image.fromarray(grey), tmp_path / "a.png")
    for fit in ("pad", "crop", "stretch"):
        image = read_image(path, fit=fit)
        assert image.shape == (1, 28, 28)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert np.array_equal(image[0], grey)


def test_a_colour_png_of_the_right_size_is_kept_bit_for_bit(tmp_path: Path, grey: Pixels) -> None:
    pixels = np.stack([grey, grey.T, 255 - grey], axis=-1)
    image = read_image(save(Image.fromarray(pixels), tmp_path / "a.png"), channels=3)
    assert image.flags.c_contiguous
    assert np.array_equal(image, pixels.transpose(2, 0, 1))


def test_grey_in_three_channels_is_the_same_in_each(tmp_path: Path, grey: Pixels) -> None:
    image = read_image(save(Image.fromarray(grey), tmp_path / "a.png"), channels=3)
    assert np.array_equal(image, np.stack([grey] * 3))


def test_colour_becomes_luminance(tmp_path: Path) -> None:
    image = read_image(save(flat("RGB", (255, 0, 0)), tmp_path / "a.png"))
    assert (image == 76).all()  # 0.299 * 255


@pytest.mark.parametrize(("background", "expected"), [(0, 0), (255, 255), (80, 80)])
def test_transparency_is_laid_over_the_background(
    tmp_path: Path, background: int, expected: int
) -> None:
    picture = flat("RGBA", (200, 200, 200, 0))
    picture.paste((200, 200, 200, 255), (0, 0, 14, 28))
    image = read_image(save(picture, tmp_path / "a.png"), background=background)
    assert (image[0, :, :14] == 200).all()
    assert (image[0, :, 14:] == expected).all()


def test_half_transparency_mixes(tmp_path: Path) -> None:
    for mode, color in (("RGBA", (200, 200, 200, 128)), ("LA", (200, 128))):
        image = read_image(save(flat(mode, color), tmp_path / f"{mode}.png"), background=100)
        assert np.abs(image.astype(int) - 150).max() <= 1


def test_a_palette_with_transparency_is_laid_over_the_background(tmp_path: Path) -> None:
    picture = Image.new("P", (28, 28), 0)
    picture.putpalette([10, 10, 10, 240, 240, 240])
    picture.paste(1, (0, 0, 28, 14))
    path = save(picture, tmp_path / "a.png", transparency=0)
    image = read_image(path, background=77)
    assert (image[0, :14] == 240).all()
    assert (image[0, 14:] == 77).all()


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    picture = flat("1", 0)
    picture.paste(1, (0, 0, 14, 28))
    image = read_image(save(picture, tmp_path / "a.png"))
    assert sorted(np.unique(image)) == [0, 255]


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, grey: Pixels, suffix: str) -> None:
    path = save(Image.fromarray(grey.astype(np.uint16) * 257), tmp_path / f"a.{suffix}")
    assert np.array_equal(read_image(path)[0], grey)


def test_a_dark_sixteen_bit_png_stays_dark(tmp_path: Path) -> None:
    pixels = np.full((28, 28), 200, np.uint16)  # 200 of 65,535 is nearly black
    for suffix in ("png", "tiff", "pgm"):
        image = read_image(save(Image.fromarray(pixels), tmp_path / f"a.{suffix}"))
        assert (image == 1).all()


def test_cmyk_becomes_what_it_looks_like(tmp_path: Path) -> None:
    picture = flat("RGB", (200, 60, 60)).convert("CMYK")
    image = read_image(save(picture, tmp_path / "a.jpg", quality=95), channels=3)
    assert np.abs(image.astype(int) - np.array([200, 60, 60])[:, None, None]).max() <= 4


def test_of_an_animation_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [flat("L", value) for value in (30, 200, 120)]
    for suffix in ("gif", "png", "webp", "tiff"):
        path = tmp_path / f"a.{suffix}"
        options = {"lossless": True} if suffix == "webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert (read_image(path) == 30).all(), suffix


def test_the_orientation_in_exif_is_obeyed(tmp_path: Path, grey: Pixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to look at it
    path = save(Image.fromarray(grey), tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(path)[0], np.rot90(grey, -1))


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """White, twice as wide as high, with a black left quarter."""
    picture = flat("L", 255, (112, 56))
    picture.paste(0, (0, 0, 28, 56))
    return save(picture, tmp_path / "wide.png")


def test_pad_keeps_the_shape_and_fills_with_the_background(wide: Path) -> None:
    image = read_image(wide, fit="pad", background=90)[0]
    assert (image[:7] == 90).all()
    assert (image[21:] == 90).all()
    assert (image[7:21, :6] < 5).all()
    assert (image[7:21, 9:] > 250).all()


def test_crop_takes_the_centre(wide: Path) -> None:
    assert (read_image(wide, fit="crop") == 255).all()


def test_stretch_ignores_the_shape(wide: Path) -> None:
    image = read_image(wide, fit="stretch", background=90)[0]
    assert (image[:, :6] < 5).all()
    assert (image[:, 9:] > 250).all()


def test_an_image_with_one_right_side_is_padded_without_resampling(
    tmp_path: Path, grey: Pixels
) -> None:
    path = save(Image.fromarray(grey[:20]), tmp_path / "a.png")
    image = read_image(path, fit="pad", background=5)[0]
    assert np.array_equal(image[4:24], grey[:20])
    assert (image[:4] == 5).all()
    assert (image[24:] == 5).all()


def test_colour_is_padded_with_the_background_too(tmp_path: Path) -> None:
    path = save(flat("RGB", (1, 2, 3), (10, 40)), tmp_path / "a.png")
    image = read_image(path, channels=3, size=32, background=9)
    assert (image[:, :, :12] == 9).all()
    assert (image[:, :, 12:20] == np.array([1, 2, 3])[:, None, None]).all()


def test_shrinking_averages_rather_than_picks(tmp_path: Path) -> None:
    checks = (np.indices((280, 280)).sum(0) % 2 * 255).astype(np.uint8)
    image = read_image(save(Image.fromarray(checks), tmp_path / "a.png"))
    assert np.abs(image.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("size", [(200_000, 1), (1, 200_000)])
def test_a_very_long_strip_does_not_fill_the_memory(tmp_path: Path, size: tuple[int, int]) -> None:
    path = save(flat("L", 255, size), tmp_path / "strip.png")
    for fit in ("pad", "crop", "stretch"):
        assert read_image(path, fit=fit).max() == 255

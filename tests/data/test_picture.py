"""What is said of a file that is not as a detector takes it, and when nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from skimage import data

from gandetect.data.class_images import ClassImages
from gandetect.data.images import read_image
from gandetect.data.streaming import DecodeOptions, decode

GREY = DecodeOptions(channels=1, size=28, fit="pad", background=0)
COLOUR = DecodeOptions(channels=3, size=28, fit="crop", background=9)
PHOTO = Image.fromarray(data.astronaut())


@pytest.fixture(scope="module")
def shoe(fashion_mnist: ClassImages) -> Image.Image:
    return Image.fromarray(fashion_mnist.train_images[0].reshape(28, 28))


def converted(
    picture: Image.Image | np.ndarray, path: Path, options: DecodeOptions = GREY, **keys: Any
) -> str:
    """Save a picture, decode it, and see that it is decoded as ever; returns what is said."""
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(path, **keys)
    decoded = decode(path, options)
    assert decoded.error is None
    expected = read_image(
        path,
        channels=options.channels,
        size=options.size,
        fit=options.fit,
        background=options.background,
    )
    assert np.array_equal(decoded.pixels, expected)
    content = decode(Path("elsewhere.png"), options, path.read_bytes())
    assert np.array_equal(content.pixels, expected)
    assert content.conversion == decoded.conversion
    return decoded.conversion


def test_a_picture_as_the_detector_takes_it_is_not_converted(shoe, tmp_path) -> None:
    assert converted(shoe, tmp_path / "a.png") == ""
    assert converted(shoe.convert("1"), tmp_path / "a.png") == ""
    assert converted(shoe, tmp_path / "a.jpg") == ""
    assert converted(PHOTO.resize((28, 28)), tmp_path / "a.png", COLOUR) == ""
    assert converted(PHOTO.resize((28, 28)).quantize(), tmp_path / "a.png", COLOUR) == ""


def test_three_equal_channels_are_grey_and_a_single_coloured_pixel_is_not(shoe, tmp_path) -> None:
    assert converted(shoe.convert("RGB"), tmp_path / "a.png") == ""
    assert converted(shoe.convert("P"), tmp_path / "a.png") == ""
    large = shoe.resize((500, 500)).convert("RGB")
    assert converted(large, tmp_path / "a.png") == "grey 500x500 to grey 28x28"
    large.putpixel((3, 1), (9, 10, 9))  # between the few pixels that are looked at first
    assert converted(large, tmp_path / "a.png") == "RGB 500x500 to grey 28x28"


def test_grey_for_a_colour_detector_is_said(shoe, tmp_path) -> None:
    assert converted(shoe, tmp_path / "a.png", COLOUR) == "grey 28x28 to RGB 28x28"


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_sizes_are_said_and_of_oblong_pictures_how_they_become_square(
    fit: Literal["pad", "crop", "stretch"], tmp_path
) -> None:
    options = DecodeOptions(1, 28, fit, 0)
    said = converted(PHOTO.resize((640, 480)), tmp_path / "a.jpg", options)
    assert said == f"RGB 640x480 to grey 28x28, {fit}"
    assert converted(PHOTO, tmp_path / "a.jpg", options) == "RGB 512x512 to grey 28x28"


def test_transparency_is_said_only_where_something_shows_through(shoe, tmp_path) -> None:
    picture = PHOTO.resize((28, 28)).convert("RGBA")
    assert converted(picture, tmp_path / "a.png", COLOUR) == ""
    picture.putpixel((0, 0), (1, 2, 3, 254))
    said = "RGB 28x28 to RGB 28x28, transparency over 9"
    assert converted(picture, tmp_path / "a.png", COLOUR) == said
    black = shoe.tobytes()[0]
    said = "grey 28x28 to grey 28x28, transparency over 0"
    assert converted(shoe, tmp_path / "a.png", transparency=black) == said


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bits_of_grey_are_said(shoe, suffix: str, tmp_path) -> None:
    deep = np.asarray(shoe).astype(np.uint16) * 257
    said = converted(deep, tmp_path / f"a.{suffix}")
    assert said == "16-bit grey 28x28 to grey 28x28"


def test_sixteen_bits_of_colour_are_said(tmp_path) -> None:
    """Pillow cuts them to 8 as it decodes, and writes none itself."""
    deep = np.asarray(PHOTO.resize((28, 28))).astype(">u2") * 257
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P6 28 28 65535\n" + deep.tobytes())
    assert decode(path, COLOUR).conversion == "16-bit RGB 28x28 to RGB 28x28"
    path.write_bytes(b"P6 28 28 255\n" + (deep >> 8).astype(np.uint8).tobytes())
    assert decode(path, COLOUR).conversion == ""


def test_other_colours_are_said(tmp_path) -> None:
    picture = PHOTO.resize((28, 28)).convert("CMYK")
    assert converted(picture, tmp_path / "a.jpg", COLOUR) == "CMYK 28x28 to RGB 28x28"


def test_an_exif_orientation_is_said_and_sizes_are_upright(shoe, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    said = "RGB 200x300 to grey 28x28, pad, EXIF orientation"
    assert converted(PHOTO.resize((300, 200)), tmp_path / "a.jpg", exif=exif) == said
    said = "RGB 200x300 to grey 28x28, pad, TIFF orientation"
    path = tmp_path / "a.tif"
    assert converted(PHOTO.resize((300, 200)), path, tiffinfo={0x0112: 6}) == said
    exif[0x0112] = 1
    assert converted(shoe, tmp_path / "a.jpg", exif=exif) == ""


@pytest.mark.parametrize("suffix", ["gif", "webp", "tif", "png"])
def test_frames_that_nobody_looks_at_are_said(shoe, suffix: str, tmp_path) -> None:
    path, lossless = tmp_path / f"a.{suffix}", {"lossless": True} if suffix == "webp" else {}
    shoe.save(path, save_all=True, append_images=[shoe.rotate(90)], **lossless)
    assert decode(path, GREY).conversion == "grey 28x28 to grey 28x28, first frame"
    assert np.array_equal(decode(path, GREY).pixels, read_image(path))
    shoe.save(path, **lossless)
    assert decode(path, GREY).conversion == ""


def test_strict_refuses_with_what_it_is_what_is_expected_and_what_to_do(shoe, tmp_path) -> None:
    strict = DecodeOptions(channels=1, size=28, fit="pad", background=0, strict=True)
    PHOTO.save(tmp_path / "a.jpg")
    refused = decode(tmp_path / "a.jpg", strict)
    assert refused.pixels is None
    assert refused.conversion == ""
    assert "a.jpg' would have to be converted (RGB 512x512 to grey 28x28)" in str(refused.error)
    assert "save it as 8-bit grey of 28x28 pixels" in str(refused.error)
    shoe.save(tmp_path / "b.png")
    assert decode(tmp_path / "b.png", strict).error is None

"""One picture has one set of pixels, however it is stored; or the file is refused.

The picture is written in every way that Pillow, tifffile and PNG itself know. What a reader had to
do is in the conversion; nothing is guessed from pixel values.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from one_picture import (
    ALPHA,
    COLOUR,
    DEEP,
    DEEP_COLOUR,
    GREY,
    NAME,
    TO_COLOUR,
    eight,
    over,
    read,
    saved,
)
from PIL import Image
from raw_images import COLOUR as RGB_PNG
from raw_images import COLOUR_ALPHA, GREY_ALPHA, chunk, png, tiff
from raw_images import GREY as GREY_PNG

from gandetect.data import decoding
from gandetect.data.depth import highest_sample
from gandetect.data.streaming import DecodeOptions, decode

EIGHT_BIT = {
    "PNG": {}, "BMP": {}, "DIB": {}, "GIF": {}, "PPM": {}, "TIFF": {},
    "WEBP": {"lossless": True, "exact": True}, "JPEG2000": {"irreversible": False},
}  # fmt: skip
PACKINGS = ["tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"]


@pytest.mark.parametrize("form", EIGHT_BIT)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1"])
def test_pillows_lossless_formats_hold_the_same_pixels(form: str, mode: str) -> None:
    picture = Image.fromarray(GREY).convert("RGB" if mode == "P" else mode)
    try:
        content = saved(picture.quantize(256) if mode == "P" else picture, form, **EIGHT_BIT[form])
    except OSError:
        pytest.skip(f"Pillow writes no {mode} as {form}")
    if (form, mode) == ("GIF", "RGBA"):
        pytest.skip("Pillow's own palette has other colours")
    expected = np.asarray(picture.convert("L"))
    answer = read(content)
    assert answer.error is None
    assert np.array_equal(answer.pixels[0], expected)
    assert answer.conversion == ""


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("samples", [GREY, COLOUR, DEEP], ids=["grey", "colour", "16-bit"])
def test_pillows_packed_tiffs_hold_the_same_pixels(packing: str, samples: NDArray[Any]) -> None:
    answer = read(saved(samples, "TIFF", compression=packing), TO_COLOUR)
    grey = eight(samples) if samples is DEEP else samples
    expected = grey.transpose(2, 0, 1) if grey.ndim == 3 else np.stack([grey] * 3)
    assert np.array_equal(answer.pixels, expected)


@pytest.mark.parametrize("form", ["JPEG", "AVIF", "WEBP"])
def test_lossy_formats_stay_within_two_grey_levels(form: str) -> None:
    options = {"JPEG": {"quality": 100}, "AVIF": {"quality": 100}, "WEBP": {"quality": 100}}
    answer = read(saved(GREY, form, **options[form]))
    assert np.abs(answer.pixels[0].astype(int) - GREY).max() <= 2
    assert answer.conversion == ("RGB 28x28 to grey 28x28" if form == "WEBP" else "")


# Sixteen bits


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_of_grey_are_rounded_to_eight(form: str) -> None:
    answer = read(saved(DEEP, form))
    assert np.array_equal(answer.pixels[0], eight(DEEP))
    assert answer.conversion == "16-bit grey 28x28 to grey 28x28"


@pytest.mark.parametrize("interlaced", [False, True])
def test_sixteen_bits_are_the_same_in_every_colour_type_of_png(interlaced: bool) -> None:
    grey = png(DEEP, GREY_PNG, 16, interlaced=interlaced)
    assert np.array_equal(read(grey).pixels[0], eight(DEEP))
    opaque = np.full_like(DEEP, 65535)
    with_alpha = png(np.stack([DEEP, opaque], -1), GREY_ALPHA, 16, interlaced=interlaced)
    assert np.array_equal(read(with_alpha).pixels[0], eight(DEEP))
    expected = eight(DEEP_COLOUR).transpose(2, 0, 1)
    colour = png(DEEP_COLOUR, RGB_PNG, 16, interlaced=interlaced)
    assert np.array_equal(read(colour, TO_COLOUR).pixels, expected)
    assert read(colour, TO_COLOUR).conversion == "16-bit RGB 28x28 to RGB 28x28"
    colour = png(np.dstack([DEEP_COLOUR, opaque]), COLOUR_ALPHA, 16, interlaced=interlaced)
    assert np.array_equal(read(colour, TO_COLOUR).pixels, expected)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
def test_the_transparent_grey_of_a_png_is_transparent_at_every_depth(
    depth: int, interlaced: bool
) -> None:
    highest = (1 << depth) - 1
    samples = (DEEP.astype(np.int64) * highest // 65535).astype(np.uint16)
    key = int(samples[3, 3])
    mark = chunk(b"tRNS", struct.pack(">H", key))
    answer = read(png(samples, GREY_PNG, depth, before=[mark], interlaced=interlaced), TO_COLOUR)
    expected = np.where(samples == key, 200, eight(samples, highest))
    assert np.array_equal(answer.pixels, np.stack([expected] * 3))
    assert answer.conversion.endswith("transparency over 200")


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_of_a_png_is_transparent_at_both_depths(depth: int) -> None:
    samples = DEEP_COLOUR if depth == 16 else COLOUR
    key = samples[3, 3]
    near = samples.copy()
    near[5, 5] = key ^ 1  # another colour, if only by its lowest bit
    mark = chunk(b"tRNS", key.astype(">u2").tobytes())
    answer = read(png(near, RGB_PNG, depth, before=[mark]), TO_COLOUR)
    assert (answer.pixels[:, 3, 3] == 200).all()
    plain = eight(near) if depth == 16 else near
    assert np.array_equal(answer.pixels[:, 5, 5], plain[5, 5])


def test_sixteen_bits_of_alpha_are_laid_over_the_background() -> None:
    deep_alpha = ALPHA.astype(np.uint16) * 257
    expected = over(200, eight(DEEP), ALPHA)
    answer = read(png(np.stack([DEEP, deep_alpha], -1), GREY_ALPHA, 16), TO_COLOUR)
    assert np.abs(answer.pixels - expected).max() <= 1
    assert "16-bit grey" in answer.conversion
    assert "transparency over 200" in answer.conversion


@pytest.mark.parametrize(("highest", "said"), [(1023, "10-bit "), (4095, "12-bit "), (100, "")])
def test_a_pgm_is_scaled_by_its_own_highest_value(highest: int, said: str) -> None:
    samples = (DEEP.astype(np.int64) * highest // 65535).astype(">u2" if highest > 255 else "u1")
    head = f"P5 28 28 {highest}\n".encode()
    answer = read(head + samples.tobytes())
    assert np.array_equal(answer.pixels[0], eight(samples, highest))
    assert answer.conversion == (f"{said}grey 28x28 to grey 28x28" if said else "")
    plain = head.replace(b"P5", b"P2") + " ".join(map(str, samples.ravel())).encode()
    assert np.array_equal(read(plain).pixels, answer.pixels)


def test_a_dark_picture_of_twelve_bits_stays_as_dark_as_its_header_says() -> None:
    dark = np.full((28, 28), 200, np.uint16)  # of 4,095; no pixel tells the depth
    answer = read(tiff(dark, 12))
    assert (answer.pixels == round(200 * 255 / 4095)).all()
    assert answer.conversion == "12-bit grey 28x28 to grey 28x28"


# Orientation


TURNED = {n: Image.fromarray(GREY).transpose(how) for n, how in [
    (2, Image.Transpose.FLIP_LEFT_RIGHT), (3, Image.Transpose.ROTATE_180),
    (4, Image.Transpose.FLIP_TOP_BOTTOM), (5, Image.Transpose.TRANSPOSE),
    (6, Image.Transpose.ROTATE_90), (7, Image.Transpose.TRANSVERSE),
    (8, Image.Transpose.ROTATE_270)]}  # fmt: skip


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "AVIF", "JPEG", "16-bit PNG"])
@pytest.mark.parametrize("orientation", TURNED)
def test_every_orientation_is_obeyed_and_told(form: str, orientation: int) -> None:
    stored, exif = TURNED[orientation], Image.Exif()
    exif[0x0112] = orientation
    if form == "TIFF":
        content = saved(stored, form, tiffinfo={0x0112: orientation})
    elif form == "16-bit PNG":
        body = exif.tobytes().removeprefix(b"Exif\0\0")
        deep = np.asarray(stored).astype(np.uint16) * 257
        content = png(deep, GREY_PNG, 16, before=[chunk(b"eXIf", body)])
    else:
        keys = {"WEBP": {"lossless": True}}.get(form, {} if form == "PNG" else {"quality": 100})
        content = saved(stored, form, exif=exif, **keys)
    answer = read(content)
    assert np.abs(answer.pixels[0].astype(int) - GREY).max() <= 2
    said = "TIFF" if form == "TIFF" else "EXIF"
    assert answer.conversion.endswith(f"{said} orientation")
    strict = decode(NAME, DecodeOptions(1, 28, "pad", 0, strict=True), content)
    assert strict.pixels is None
    assert "orientation" in str(strict.error)


# Other formats that are deeper than 8 bits


def test_ten_bits_of_avif_and_sixteen_of_jpeg_2000_are_told() -> None:
    content = bytearray(saved(COLOUR, "AVIF"))
    assert read(bytes(content), TO_COLOUR).conversion == ""
    for flags, bits in ((0x40, 10), (0x60, 12)):  # Pillow writes 8 bits alone
        content[content.index(b"av1C") + 6] |= flags
        opened = Image.open(io.BytesIO(saved(COLOUR, "AVIF")))
        assert highest_sample(io.BytesIO(content), opened) == (1 << bits) - 1
    deep = read(saved(DEEP, "JPEG2000", irreversible=False))
    assert deep.conversion == "16-bit grey 28x28 to grey 28x28"
    assert np.array_equal(deep.pixels[0], eight(DEEP))


def test_twelve_bits_of_jpeg_2000_are_scaled_by_their_own_highest_value() -> None:
    """Pillow shifts them to 16 bits; it writes none itself."""
    samples = DEEP >> 4
    decoded = Image.fromarray(samples << 4)
    decoded.format = "JPEG2000"
    assert np.array_equal(np.asarray(decoding._scaled(decoded, 4095)), eight(samples, 4095))


def test_a_float_pfm_is_refused_by_name() -> None:
    content = b"Pf\n28 28\n-1.0\n" + (GREY / 255).astype("<f4").tobytes()
    assert "is a PFM image" in str(read(content).error)


def test_text_that_tells_an_orientation_is_obeyed_as_exif_is() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    answer = read(png(np.asarray(TURNED[6]), before=[text]))
    assert np.array_equal(answer.pixels[0], GREY)
    packed = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp * 99_999))
    assert np.array_equal(read(png(GREY, before=[packed])).pixels[0], GREY)


@pytest.mark.parametrize("highest", [100, 254, 1000, 40000])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("plain", [False, True])
def test_a_pgm_or_ppm_with_a_sample_above_its_highest_value_is_refused(
    plain: bool, colours: int, highest: int
) -> None:
    samples = (GREY.astype(int) * highest // 255).repeat(colours)
    kind = {(1, False): 5, (3, False): 6, (1, True): 2, (3, True): 3}[colours, plain]
    head = b"P%d\n# a comment that is long%s\n28 28\n%d\n" % (kind, b"!" * 200, highest)

    def content() -> bytes:
        if plain:
            return head + b"# 99999\n" + " ".join(map(str, samples)).encode() + b"\n"
        return head + samples.astype(">u2" if highest > 255 else np.uint8).tobytes()

    whole = read(content())
    assert whole.error is None
    samples[-1] = highest + 1
    assert f"samples above the {highest:,} that it states" in str(read(content()).error)
    assert "damaged" not in str(read(content()).error)

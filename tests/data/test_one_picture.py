"""One picture has one set of pixels, however it is stored; or the file is refused.

The picture is written in every way that Pillow, tifffile and PNG itself know. What a reader had to
do is in the conversion; nothing is guessed from pixel values.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from raw_images import COLOUR as RGB_PNG
from raw_images import COLOUR_ALPHA, GREY_ALPHA, chunk, png, tiff
from raw_images import GREY as GREY_PNG

from gandetect.data import decoding
from gandetect.data.streaming import Decoded, DecodeOptions, decode

ROWS, COLUMNS = np.mgrid[:28, :28]
GREY = (ROWS * 9 + COLUMNS).astype(np.uint8)  # all values, no symmetry
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
ALPHA = (255 - GREY // 3).astype(np.uint8)
DEEP = (np.random.default_rng(0).permutation(28 * 28) * 83).astype(np.uint16).reshape(28, 28)
DEEP_COLOUR = np.stack([DEEP, 65535 - DEEP, DEEP // 2], axis=-1)
TO_GREY = DecodeOptions(channels=1, size=28, fit="pad", background=0)
TO_COLOUR = DecodeOptions(channels=3, size=28, fit="pad", background=200)
NAME = Path("a")


def read(content: bytes, options: DecodeOptions = TO_GREY) -> Decoded:
    return decode(NAME, options, content)


def saved(picture: NDArray[Any] | Image.Image, form: str, **options: Any) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def eight(samples: NDArray[Any], highest: int = 65535) -> NDArray[np.uint8]:
    return np.rint(samples.astype(float) * 255 / highest).astype(np.uint8)


def over(background: int, colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.float64]:
    """Colours laid over a background; both are ``(..., )`` of 0 to 255."""
    return background + (colours.astype(float) - background) * alpha / 255


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


# TIFF


YCBCR = np.asarray(Image.frombytes("YCbCr", (28, 28), COLOUR.tobytes()).convert("RGB"))
LAYOUTS: list[dict[str, Any]] = [{}, {"tile": (16, 16)}, {"rowsperstrip": 5}]
KINDS: dict[str, tuple[NDArray[Any], NDArray[Any], dict[str, Any]]] = {
    "grey": (GREY, GREY, {"photometric": "minisblack"}),
    "white is zero": (255 - GREY, GREY, {"photometric": "miniswhite"}),
    "16-bit": (DEEP, eight(DEEP), {"photometric": "minisblack"}),
    "16-bit, white is zero": (65535 - DEEP, eight(DEEP), {"photometric": "miniswhite"}),
    "one bit": (GREY > 99, (GREY > 99) * np.uint8(255), {"photometric": "minisblack"}),
    "one bit, white is zero": (
        GREY <= 99, (GREY > 99) * np.uint8(255), {"photometric": "miniswhite"}
    ),
    "colour": (COLOUR, COLOUR, {"photometric": "rgb"}),
    "16-bit colour": (DEEP_COLOUR, eight(DEEP_COLOUR), {"photometric": "rgb"}),
    "palette": (
        GREY, GREY, {"photometric": "palette",
                     "colormap": np.stack([np.arange(256) * 257] * 3).astype(np.uint16)}
    ),
    "apart": (
        COLOUR.transpose(2, 0, 1), COLOUR, {"photometric": "rgb", "planarconfig": "separate"}
    ),
    "16-bit, apart": (
        DEEP_COLOUR.transpose(2, 0, 1), eight(DEEP_COLOUR),
        {"photometric": "rgb", "planarconfig": "separate"},
    ),
    "extra channel": (
        np.dstack([COLOUR, ALPHA]), COLOUR, {"photometric": "rgb", "extrasamples": [0]}
    ),
    "signed": (GREY.astype(np.int8), GREY, {"photometric": "minisblack"}),
    "16-bit signed": (DEEP.astype(np.int16), eight(DEEP), {"photometric": "minisblack"}),
    "32-bit": (GREY.astype(np.uint32) * 257, GREY, {"photometric": "minisblack"}),
    "float": (GREY.astype(np.float32) / 255, GREY, {"photometric": "minisblack"}),
    "half": (GREY.astype(np.float16) / 255, GREY, {"photometric": "minisblack"}),
    "YCbCr": (COLOUR, YCBCR, {"photometric": "ycbcr"}),
}  # fmt: skip
REFUSED = {"signed", "16-bit signed", "32-bit", "float", "half", "16-bit, apart"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiff_of_tifffile_has_its_pixels_or_is_refused_in_every_layout(kind: str) -> None:
    samples, expected, options = KINDS[kind]
    wanted = expected.transpose(2, 0, 1) if expected.ndim == 3 else np.stack([expected] * 3)
    read_well = 0
    for order, packing, layout in itertools.product("<>", [None, "zlib", "lzma"], LAYOUTS):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream, byteorder=order) as writer:
            writer.write(samples, compression=packing, **options, **layout)
        answer = read(stream.getvalue(), TO_COLOUR)
        if answer.pixels is None:
            assert "TIFF" in str(answer.error), (order, packing, layout)
            assert "damaged" not in str(answer.error)
            continue
        read_well += 1
        assert np.array_equal(answer.pixels, wanted), (order, packing, layout)
        assert ("16-bit" in answer.conversion) == ("16-bit" in kind)
        assert ("extra channel left out" in answer.conversion) == (kind == "extra channel")
    assert (read_well == 0) == (kind in REFUSED)
    assert read_well in (0, 6 if kind == "YCbCr" else 9, 18)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_a_grey_tiffs_alpha_is_what_its_tag_says(kind: str) -> None:
    stored = GREY * (ALPHA / 255) if kind == "assocalpha" else GREY
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(
            np.rint(np.dstack([stored, ALPHA])).astype(np.uint8),
            photometric="minisblack", planarconfig="contig", extrasamples=[kind],
        )  # fmt: skip
    answer = read(stream.getvalue(), TO_COLOUR)
    assert np.abs(answer.pixels - over(200, GREY, ALPHA)).max() <= 2
    assert "transparency over 200" in answer.conversion


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_a_tiffs_alpha_is_what_its_tag_says(deep: bool, kind: str) -> None:
    colours = COLOUR.astype(float)
    stored = colours * ALPHA[..., None] / 255 if kind == "assocalpha" else colours
    samples = np.rint(np.dstack([stored, ALPHA]) * (257 if deep else 1))
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        kept = samples.astype(np.uint16 if deep else np.uint8)
        writer.write(kept, photometric="rgb", extrasamples=[kind])
    answer = read(stream.getvalue(), TO_COLOUR)
    expected = over(200, colours, ALPHA[..., None]).transpose(2, 0, 1)
    assert np.abs(answer.pixels - expected).max() <= 2
    assert "transparency over 200" in answer.conversion


@pytest.mark.parametrize(
    ("samples", "bits", "tags", "missing"),
    [
        (GREY, 8, {"t262": None}, "PhotometricInterpretation"),
        (np.dstack([COLOUR, ALPHA]), 8, {"t262": 2}, "ExtraSamples"),
        (np.dstack([GREY, ALPHA]), 8, {}, "ExtraSamples"),
        (GREY, 8, {"t339": 4}, "SampleFormat"),
        (GREY, 8, {"t339": 2}, "SMinSampleValue"),
        (GREY, 32, {}, "SMaxSampleValue"),
        (GREY, 32, {"t339": 3}, "SMinSampleValue"),
        (GREY, 32, {"t339": 3, "t340": 5, "t341": 5}, "impossible range 5 to 5"),
        (GREY, 8, {"t254": 1}, "small copy of another"),
        (GREY, 8, {"t262": 32803}, "PhotometricInterpretation 32803"),
        (GREY, 8, {"t32997": 2}, "volume"),
        (np.dstack([GREY, ALPHA]), 8, {"t262": 0, "t338": 2}, "8-bit white-is-zero grey and extra"),
    ],
)
def test_what_a_tiff_does_not_say_is_refused_with_its_name(
    samples: NDArray[Any], bits: int, tags: dict[str, Any], missing: str
) -> None:
    answer = read(tiff(samples, bits, **tags))
    assert answer.pixels is None
    assert missing in str(answer.error)
    assert "\n" not in str(answer.error)


@pytest.mark.parametrize("top", [1.0, 255.0, 40.0])
def test_floats_are_scaled_by_the_range_that_the_file_states(top: float) -> None:
    values = (GREY / 255 * top).astype(np.float32)
    content = saved(values, "TIFF", tiffinfo={340: 0.0, 341: top})
    answer = read(content)
    assert np.array_equal(answer.pixels[0], GREY)
    assert answer.conversion == f"float grey 28x28 to grey 28x28, range 0 to {top:g}"


@pytest.mark.parametrize("odd", [1.01, -0.01, np.nan, np.inf])
def test_a_float_outside_of_the_stated_range_is_refused(odd: float) -> None:
    values = (GREY / 255).astype(np.float32)
    values[3, 3] = odd
    answer = read(saved(values, "TIFF", tiffinfo={340: 0.0, 341: 1.0}))
    assert "outside of the range 0 to 1" in str(answer.error)


@pytest.mark.parametrize("value", [0.5, 1.0, 1.5, 255.0, 256.0])
def test_floats_without_a_stated_range_are_refused_whatever_their_values(value: float) -> None:
    answer = read(saved(np.full((28, 28), value, np.float32), "TIFF"))
    assert "SMinSampleValue" in str(answer.error)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", [None, "zlib"])
def test_floats_of_either_byte_order_are_right_or_refused(order: str, packing: str) -> None:
    stream = io.BytesIO()
    stated = [(340, "d", 1, 0.0, True), (341, "d", 1, 1.0, True)]
    with tifffile.TiffWriter(stream, byteorder=order) as writer:
        values = (GREY / 255).astype(np.float32)
        writer.write(values, photometric="minisblack", compression=packing, extratags=stated)
    answer = read(stream.getvalue())
    if order == ">" and packing:  # Pillow takes the bytes for those of the other order
        assert "is a compressed big-endian TIFF of float samples" in str(answer.error)
    else:
        assert np.array_equal(answer.pixels[0], GREY)


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
    deep = read(saved(DEEP, "JPEG2000", irreversible=False))
    assert deep.conversion == "16-bit grey 28x28 to grey 28x28"
    assert np.array_equal(deep.pixels[0], eight(DEEP))


def test_twelve_bits_of_jpeg_2000_are_scaled_by_their_own_highest_value() -> None:
    """Pillow shifts them to 16 bits; it writes none itself."""
    samples = DEEP >> 4
    decoded = Image.fromarray(samples << 4)
    decoded.format = "JPEG2000"
    picture = decoding._scaled(decoded, 4095)
    assert picture.depth == "12-bit "
    assert np.array_equal(np.asarray(picture.image), eight(samples, 4095))


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

"""A TIFF is the picture that its tags say, or it is refused with what they do not say."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from one_picture import (
    ALPHA,
    COLOUR,
    DEEP,
    DEEP_COLOUR,
    GREY,
    TO_COLOUR,
    eight,
    over,
    read,
    saved,
)
from raw_images import tiff

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
    "YCbCr": (COLOUR, COLOUR, {"photometric": "ycbcr"}),
}  # fmt: skip
REFUSED = {"signed", "16-bit signed", "32-bit", "float", "half", "16-bit, apart", "YCbCr"}


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
    assert read_well in (0, 9, 18)


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
        (GREY, 8, {"t339": 2}, "8-bit signed samples, and none but unsigned"),
        (GREY, 32, {}, "32-bit samples, and none but unsigned integers of at most 16 bits"),
        (GREY, 32, {"t339": 3, "t340": 0, "t341": 255}, "32-bit float samples"),
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


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_grey_and_alpha_stored_apart_are_refused_and_not_called_damaged(
    photometric: str, kind: str
) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, np.stack([GREY, ALPHA]), photometric=photometric, planarconfig="separate",
        extrasamples=[kind],
    )  # fmt: skip
    answer = read(stream.getvalue())
    assert "is a" in str(answer.error)
    assert "not read" in str(answer.error)
    assert "damaged" not in str(answer.error)


@pytest.mark.parametrize(
    ("tag", "kind", "values", "missing"),
    [
        (332, "H", [2], "InkSet 2"),
        (336, "B", [255, 0], "DotRange 255 0"),
        (336, "B", [0, 255, 0, 255, 10, 255, 0, 255], "DotRange 0 255 0 255 10 255 0 255"),
        (332, "H", [1], None),
        (336, "B", [0, 255], None),
        (336, "H", [0, 255] * 4, None),
    ],
)
def test_inks_other_than_full_cmyk_are_refused_with_the_tag(
    tag: int, kind: str, values: list[int], missing: str | None
) -> None:
    stream = io.BytesIO()
    samples = np.dstack([COLOUR, GREY])
    stated = [(tag, kind, len(values), values if len(values) > 1 else values[0], True)]
    with tifffile.TiffWriter(stream) as writer:
        writer.write(samples, photometric="separated", extratags=stated)
    answer = read(stream.getvalue())
    assert (answer.error is None) == (missing is None)
    assert (missing or "") in str(answer.error)
    assert "damaged" not in str(answer.error)


@pytest.mark.parametrize("top", [0.5, 1.0, 1.5, 255.0, np.nan])
def test_floats_are_refused_whatever_their_values_and_whatever_range_they_state(top: float) -> None:
    values = np.full((28, 28), top, np.float32)
    for tags in ({}, {340: 0.0, 341: 255.0}):
        answer = read(saved(values, "TIFF", tiffinfo=tags))
        assert "32-bit float samples" in str(answer.error)
        assert "damaged" not in str(answer.error)


def test_a_big_endian_bigtiff_is_refused_and_not_called_damaged() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, GREY, byteorder=">", bigtiff=True)
    assert "is a big-endian BigTIFF, which is not read" in str(read(stream.getvalue()).error)

"""TIFF files: what their tags say of the samples, and pictures of 8 bits made by that.

TIFF holds samples of many kinds, and a decoder that is not told which of them makes another
picture without a word. So what a tag does not say is refused, with the tag's name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from gandetect.data.depth import (
    eight_bits,
    eight_bits_of_range,
    picture_of,
    sixteen_bit_channels,
)
from gandetect.data.faults import damaged, unsupported
from gandetect.data.picture import FIRST_FRAME, Picture
from gandetect.data.tiff_damage import check_jpegs, check_sums, libtiff_heard
from gandetect.data.tiff_parts import HEIGHT, WIDTH, parts_of

SUBFILE, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 254, 258, 259, 262, 274
SAMPLES, PLANAR, EXTRA, FORMAT, LOWEST, HIGHEST = 277, 284, 338, 339, 340, 341
SUBSAMPLING, REFERENCE, DEPTH = 530, 532, 32997
INK_SET, DOT_RANGE = 332, 336
_PNG, _RGB = "save it as PNG", "save it as RGB"
_FURTHER = (330, 34665, 34853, 40965)  # directories of metadata, which Pillow would read
_KINDS = {1: "", 2: "signed ", 3: "float ", 4: "undefined "}
_OLD_JPEG = 6
_JPEG = (_OLD_JPEG, 7)
_WHITE_IS_ZERO, _CMYK, _YCBCR = 0, 5, 6
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 4: 1, 5: 4, 6: 3, 8: 3}  # samples a pixel, without extra ones
_NAMES = {
    0: "white-is-zero grey",
    1: "grey",
    2: "RGB",
    3: "palette",
    5: "CMYK",
    6: "YCbCr",
    8: "LAB",
}


@dataclass(frozen=True)
class TiffSamples:
    """What tags say: the samples' kind, their range where it is stated, and what is special."""

    bits: int
    kind: str  # "" for unsigned, "signed ", "float "
    photometric: int
    extra: tuple[int, ...]
    range: tuple[float, float] | None = None

    @property
    def depth(self) -> str:
        """The depth as a conversion names it; empty for up to 8 bits."""
        if self.kind:
            return self.kind if self.kind == "float " else f"{self.bits}-bit {self.kind}"
        return f"{self.bits}-bit " if self.bits > 8 else ""


def read_tiff(file: BinaryIO) -> Picture:
    """Decode the first picture of a TIFF to 8 bits a sample, upright.

    Raises `Refusal` when a tag that is needed is missing, and for samples of another kind than
    this or Pillow knows.
    """
    with _opened(file) as opened:
        if not {WIDTH, HEIGHT} <= set(opened.tag_v2):
            raise damaged("TIFF without whole tags")
        samples = samples_of(opened.tag_v2)
        _refuse_unread(opened, samples)
        parts = parts_of(opened, file)
        check_sums(opened, parts, file)
        check_jpegs(opened, parts, file)
        notes = _notes(opened, samples)
        mode = opened.mode
        image = _eight_bits(opened, samples, file)
    return Picture(image, "TIFF", mode, samples.depth, notes)


def _notes(opened: TiffImageFile, samples: TiffSamples) -> tuple[str, ...]:
    """What is done beside scaling; asked before the pixels are decoded, which turns them."""
    notes = []
    if samples.range is not None:
        notes.append("range {:g} to {:g}".format(*samples.range))
    if 0 in samples.extra:
        notes.append("extra channel left out")
    if opened.tag_v2.get(ORIENTATION, 1) in range(2, 9):
        notes.append("TIFF orientation")
    if opened.is_animated:
        notes.append(FIRST_FRAME)
    return tuple(notes)


def samples_of(tags: Mapping[int, Any]) -> TiffSamples:
    """Read from a picture's tags what its samples mean; `Refusal` for what they do not say."""
    if int(tags.get(SUBFILE, 0)) & 1:
        raise unsupported(
            "is a TIFF whose first picture is a small copy of another, as of a camera's raw file",
            "export the picture as PNG or TIFF",
        )
    if int(tags.get(DEPTH, 1)) > 1:
        raise unsupported("is a TIFF of a volume, not of a picture", "save one slice of it")
    jpeg = tags.get(COMPRESSION, 1) in _JPEG
    if PHOTOMETRIC not in tags and not jpeg:
        raise unsupported(
            "is a TIFF that does not say what is black or white (tag PhotometricInterpretation)"
        )
    photometric = tags.get(PHOTOMETRIC, _YCBCR)
    count = int(tags.get(SAMPLES, 1))
    bits, formats = set(tags.get(BITS, (1,))), set(tags.get(FORMAT, (1,)))
    extra = tuple(tags.get(EXTRA, ()))
    if len(bits) > 1 or len(formats) > 1:
        raise unsupported("is a TIFF with samples of several kinds")
    if photometric not in _COLOURS:
        raise unsupported(f"is a TIFF of colours (PhotometricInterpretation {photometric}) that "
                          "are not read", "save it as RGB or grey")  # fmt: skip
    if not jpeg and count != _COLOURS[photometric] + len(extra):
        raise unsupported(
            f"is a TIFF with {count} samples a pixel that does not say what those beyond "
            f"{_NAMES.get(photometric, 'the first')} are (tag ExtraSamples)"
        )
    if any(one not in (0, 1, 2) for one in extra):
        raise unsupported(f"is a TIFF with an unknown kind of extra samples {extra}")
    kind = _KINDS.get(formats.pop())
    depth = bits.pop()
    if kind is None or kind == "undefined ":
        raise unsupported("is a TIFF that does not say what its samples are (tag SampleFormat)")
    stated = _stated_range(tags, f"{depth}-bit {kind}") if kind or depth > 16 else None
    return TiffSamples(depth, kind, photometric, extra, stated)


def _stated_range(tags: Mapping[int, Any], what: str) -> tuple[float, float]:
    """The range of floats and of integers that are no plain 0 to 2^bits - 1."""
    ends = []
    for name in (LOWEST, HIGHEST):
        value = tags.get(name)
        # A tag of the kind BYTE is given as bytes.
        values: set[Any] = set(value) if isinstance(value, (tuple, bytes)) else {value}
        if values == {None} or len(values) != 1:
            raise unsupported(
                f"is a TIFF of {what}samples that does not say which of them are black and white "
                "(tags SMinSampleValue and SMaxSampleValue)"
            )
        ends.append(float(values.pop()))
    low, high = ends
    if not np.isfinite([low, high]).all() or low >= high:
        raise unsupported(
            f"is a TIFF of {what}samples with the impossible range {low:g} to {high:g}"
        )
    return low, high


def _refuse_unread(opened: TiffImageFile, samples: TiffSamples) -> None:
    """Refuse what Pillow decodes otherwise than the tags say."""
    tags = opened.tag_v2
    packed = tags.get(COMPRESSION, 1) != 1
    if tags.get(COMPRESSION, 1) == _OLD_JPEG:
        raise unsupported("is a TIFF of old JPEG data (Compression 6)", _PNG)
    if samples.photometric == _YCBCR and tags.get(COMPRESSION, 1) not in _JPEG:
        plain = tags.get(SUBSAMPLING, (2, 2)) == (1, 1) and not packed
        usual = tags.get(REFERENCE, (0, 255, 128, 255, 128, 255)) == (0, 255, 128, 255, 128, 255)
        if not (plain and usual):
            raise unsupported("is a TIFF of YCbCr samples in an unusual form", "save it as RGB")
    if samples.photometric == _CMYK:
        _refuse_other_inks(tags, (1 << samples.bits) - 1)
    apart = tags.get(PLANAR, 1) == 2 and int(tags.get(SAMPLES, 1)) > 1
    grey_alpha = samples.extra and _COLOURS[samples.photometric] == 1
    if apart and (samples.bits != 8 or 1 in samples.extra or grey_alpha):
        how = "stored apart (PlanarConfiguration 2) in a form that is not read"
        raise unsupported(f"is a TIFF whose channels are {how}", _PNG)
    if samples.range is not None and packed and tags.prefix == b"MM" and sys.byteorder == "little":
        raise unsupported(f"is a compressed big-endian TIFF of {samples.depth}samples, which is "
                          "not read")  # fmt: skip


def _refuse_other_inks(tags: Any, highest: int) -> None:
    """Refuse samples of inks that are not CMYK, or not from 0 to the highest value."""
    if tags.get(INK_SET, 1) != 1:
        raise unsupported(
            f"is a TIFF of inks that are not said to be CMYK (tag InkSet {tags[INK_SET]})", _RGB
        )
    dots = tuple(tags.get(DOT_RANGE, (0, highest)))
    if dots != (0, highest) * (len(dots) // 2):
        shown = " ".join(map(str, dots))
        raise unsupported(f"is a TIFF of inks with the unusual range {shown} (tag DotRange)", _RGB)


def _eight_bits(opened: TiffImageFile, samples: TiffSamples, file: BinaryIO) -> Image.Image:
    if samples.bits == 16 and opened.mode in ("RGB", "RGBA", "CMYK"):
        mode = opened.mode
        with libtiff_heard():
            channels = sixteen_bit_channels(partial(_opened, file))
        if 1 in samples.extra:
            channels = _divided_by_alpha(channels)
        return picture_of(eight_bits(channels, 65535), mode)
    with libtiff_heard():
        opened.load()
    if opened.mode == "La":  # grey that is multiplied by alpha, which Pillow converts to LA only
        return opened.convert("LA")
    if opened.mode[0] not in "IF" and samples.range is None:
        return opened
    values = np.asarray(opened)
    if samples.range is not None:
        if values.ndim > 2:
            raise unsupported(f"is a TIFF of {samples.depth}colours, which are not read", _PNG)
        if samples.bits == 32 and not samples.kind:
            values = values.view(np.uint32)
        if samples.bits == 8:  # signed ones, which Pillow takes for others
            values = values.view(np.int8)
        grey = eight_bits_of_range(values, *samples.range)
    else:
        grey = eight_bits(values, (1 << samples.bits) - 1)
    return picture_of(255 - grey if samples.photometric == _WHITE_IS_ZERO else grey, "L")


def _divided_by_alpha(channels: Any) -> Any:
    """Undo the multiplication of colours by alpha ("associated" alpha, ExtraSamples 1)."""
    wide = channels.astype(np.uint64)
    alpha = np.maximum(wide[..., 3:], 1)
    colours = np.minimum((wide[..., :3] * 65535 + alpha // 2) // alpha, 65535)
    return np.concatenate([colours, wide[..., 3:]], axis=-1).astype(np.uint16)


def _opened(file: BinaryIO) -> TiffImageFile:
    """Open a TIFF without its further directories of metadata, which may be broken."""
    file.seek(0)
    try:
        opened = Image.open(file, formats=["TIFF"])
    except UnidentifiedImageError:
        raise _not_known(file) from None
    assert isinstance(opened, TiffImageFile)
    exif = opened.getexif()
    for directory in _FURTHER:
        if directory in exif:
            del exif[directory]
    return opened


def _not_known(file: BinaryIO) -> Exception:
    """Say of a TIFF that Pillow does not open what it holds, or that it is broken."""
    file.seek(0)
    try:
        header = file.read(8)
        if header[:4] == b"MM\0+":
            return unsupported("is a big-endian BigTIFF, which is not read", _PNG)
        header += file.read(8) if header[2:3] == b"+" else b""
        tags = ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        if not {WIDTH, HEIGHT} <= set(tags):
            raise SyntaxError("its size is missing")
        samples = samples_of(tags)
    except (SyntaxError, OSError, TypeError, KeyError, OverflowError) as error:
        return damaged(f"TIFF without whole tags: {error}" if str(error) else "TIFF without tags")
    what = f"{samples.bits}-bit {samples.kind}{_NAMES.get(samples.photometric, 'mask')}"
    order = "big-endian" if header[:1] == b"M" else "little-endian"
    extra = " and extra" if samples.extra else ""
    return unsupported(f"is a {order} TIFF of {what}{extra} samples, which is not read", _PNG)

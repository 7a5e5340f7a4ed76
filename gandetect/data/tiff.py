"""TIFF files: what their tags say of the samples, and pictures of 8 bits made by that.

TIFF holds samples of many kinds, and a decoder that is not told which of them makes another
picture without a word. So what a tag does not say is refused, with the tag's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from gandetect.data.depth import eight_bits, picture_of, sixteen_bit_channels
from gandetect.data.faults import damaged, unsupported
from gandetect.data.picture import FIRST_FRAME, DecodedPicture
from gandetect.data.tiff_parts import (
    BITS,
    COMPRESSION,
    HEIGHT,
    PLANAR,
    SAMPLES,
    WIDTH,
    check_parts,
    libtiff_heard,
)

SUBFILE, PHOTOMETRIC, ORIENTATION, EXTRA, FORMAT, DEPTH = 254, 262, 274, 338, 339, 32997
INK_SET, DOT_RANGE = 332, 336
_PNG, _RGB = "save it as PNG", "save it as RGB"
_FURTHER = (330, 34665, 34853, 40965)  # directories of metadata, which Pillow would read
_KINDS = {2: "signed ", 3: "float "}
_OLD_JPEG, _JPEG = 6, 7
_WHITE_IS_ZERO, _CMYK, _YCBCR = 0, 5, 6
_COLOURS = {  # by PhotometricInterpretation: samples a pixel, without extra ones, and a name
    0: (1, "white-is-zero grey"),
    1: (1, "grey"),
    2: (3, "RGB"),
    3: (1, "palette"),
    4: (1, "mask"),
    5: (4, "CMYK"),
    6: (3, "YCbCr"),
    8: (3, "LAB"),
}
_ASSOCIATED = 1  # a kind of ExtraSamples: alpha that colours are multiplied by


@dataclass(frozen=True)
class TiffSamples:
    """What tags say: bits a sample, what its values mean, and the kinds of extra samples."""

    bits: int
    photometric: int
    extra: tuple[int, ...]

    @property
    def highest(self) -> int:
        """The highest value of a sample."""
        return (1 << self.bits) - 1


def read_tiff(file: BinaryIO) -> DecodedPicture:
    """Decode the first picture of a TIFF to 8 bits a sample, upright.

    Raises `Refusal` when a tag that is needed is missing, and for samples of another kind than
    this or Pillow knows.
    """
    with _opened(file) as opened:
        if not {WIDTH, HEIGHT} <= set(opened.tag_v2):
            raise damaged("TIFF without whole tags")
        samples = samples_of(opened.tag_v2)
        _refuse_unread(opened.tag_v2, samples)
        check_parts(opened, file)
        notes = _notes(opened, samples)
        mode = opened.mode
        image = _eight_bits(opened, samples, file)
    depth = f"{samples.bits}-bit " if samples.bits > 8 else ""
    return DecodedPicture(image, "TIFF", mode, depth, notes)


def _notes(opened: TiffImageFile, samples: TiffSamples) -> tuple[str, ...]:
    """What is done beside scaling; asked before the pixels are decoded, which turns them."""
    turned = opened.tag_v2.get(ORIENTATION, 1) in range(2, 9)
    notes = {
        "extra channel left out": 0 in samples.extra,
        "TIFF orientation": turned,
        FIRST_FRAME: opened.is_animated,
    }
    return tuple(note for note, done in notes.items() if done)


def samples_of(tags: Mapping[int, Any]) -> TiffSamples:
    """Read from a picture's tags what its samples mean; `Refusal` for what they do not say."""
    if int(tags.get(SUBFILE, 0)) & 1:
        raise unsupported(
            "is a TIFF whose first picture is a small copy of another, as of a camera's raw file",
            "export the picture as PNG or TIFF",
        )
    if int(tags.get(DEPTH, 1)) > 1:
        raise unsupported("is a TIFF of a volume, not of a picture", "save one slice of it")
    jpeg = tags.get(COMPRESSION, 1) in (_OLD_JPEG, _JPEG)
    if PHOTOMETRIC not in tags and not jpeg:
        raise unsupported(
            "is a TIFF that does not say what is black or white (tag PhotometricInterpretation)"
        )
    photometric, count = tags.get(PHOTOMETRIC, _YCBCR), int(tags.get(SAMPLES, 1))
    if photometric not in _COLOURS:
        raise unsupported(f"is a TIFF of colours (PhotometricInterpretation {photometric}) that "
                          "are not read", "save it as RGB or grey")  # fmt: skip
    colours, name = _COLOURS[photometric]
    extra = tuple(tags.get(EXTRA, ()))
    if not jpeg and count != colours + len(extra):
        raise unsupported(
            f"is a TIFF with {count} samples a pixel that does not say what those beyond {name} "
            "are (tag ExtraSamples)"
        )
    if any(one not in (0, _ASSOCIATED, 2) for one in extra):
        raise unsupported(f"is a TIFF with an unknown kind of extra samples {extra}")
    return TiffSamples(_bits_of(tags), photometric, extra)


def _bits_of(tags: Mapping[int, Any]) -> int:
    """Bits of each sample, which must all be unsigned integers of 16 bits at most."""
    bits, kinds = set(tags.get(BITS, (1,))), set(tags.get(FORMAT, (1,)))
    if len(bits) > 1 or len(kinds) > 1:
        raise unsupported("is a TIFF with samples of several kinds")
    depth, kind = int(bits.pop()), kinds.pop()
    if kind not in (1, *_KINDS):
        raise unsupported("is a TIFF that does not say what its samples are (tag SampleFormat)")
    if kind != 1 or depth > 16:  # nothing tells which of their values are black and white
        what = f"{depth}-bit {_KINDS.get(kind, '')}"
        raise unsupported(f"is a TIFF of {what}samples, and none but unsigned integers of at most "
                          "16 bits are read")  # fmt: skip
    return depth


def _refuse_unread(tags: Any, samples: TiffSamples) -> None:
    """Refuse what Pillow decodes otherwise than the tags say."""
    packing = tags.get(COMPRESSION, 1)
    if packing == _OLD_JPEG:
        raise unsupported("is a TIFF of old JPEG data (Compression 6)", _PNG)
    if samples.photometric == _YCBCR and packing != _JPEG:
        raise unsupported("is a TIFF of YCbCr samples that are no JPEG", _RGB)
    dots = tuple(tags.get(DOT_RANGE, (0, samples.highest)))
    full = dots == (0, samples.highest) * (len(dots) // 2)
    if samples.photometric == _CMYK and not (full and tags.get(INK_SET, 1) == 1):
        stated = f"InkSet {tags.get(INK_SET, 1)}, DotRange {' '.join(map(str, dots))}"
        raise unsupported(f"is a TIFF of inks other than CMYK from 0 to full (tags {stated})", _RGB)
    apart = tags.get(PLANAR, 1) == 2 and int(tags.get(SAMPLES, 1)) > 1
    grey_alpha = samples.extra and _COLOURS[samples.photometric][0] == 1
    if apart and (samples.bits != 8 or _ASSOCIATED in samples.extra or grey_alpha):
        how = "stored apart (PlanarConfiguration 2) in a form that is not read"
        raise unsupported(f"is a TIFF whose channels are {how}", _PNG)


def _eight_bits(opened: TiffImageFile, samples: TiffSamples, file: BinaryIO) -> Image.Image:
    if samples.bits == 16 and opened.mode in ("RGB", "RGBA", "CMYK"):
        mode = opened.mode
        with libtiff_heard():
            channels = sixteen_bit_channels(partial(_opened, file))
        if _ASSOCIATED in samples.extra:
            channels = _divided_by_alpha(channels)
        return picture_of(eight_bits(channels, samples.highest), mode)
    with libtiff_heard():
        opened.load()
    if opened.mode == "La":  # grey that is multiplied by alpha, which Pillow converts to LA only
        return opened.convert("LA")
    if opened.mode[0] not in "IF":
        return opened
    grey = eight_bits(np.asarray(opened), samples.highest)
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
    extra = " and extra" if samples.extra else ""
    what = f"{samples.bits}-bit {_COLOURS[samples.photometric][1]}{extra}"
    return unsupported(f"is a TIFF of {what} samples, which is not read", _PNG)

"""Files of every format that is read, decoded to pictures of 8 bits a channel, upright.

What a sample means (bit depth, black and white, alpha, orientation) is read from the file's own
header; docs/images.md has the rules.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandetect.data.depth import (
    eight_bits,
    grey_and_alpha_of_16_bits,
    highest_sample,
    picture_of,
    sixteen_bit_channels,
)
from gandetect.data.faults import unsupported
from gandetect.data.jpeg import check_jpeg, without_broken_headers
from gandetect.data.picture import FIRST_FRAME, DecodedPicture
from gandetect.data.png import PngParts, check_rows, png_parts
from gandetect.data.signatures import FORMATS, START, picture_format
from gandetect.data.tiff import read_tiff

ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_EXIF = re.compile(rb"(Exif\0\0)*(\0*\Z|II|MM)")
_GREY, _COLOUR, _GREY_ALPHA = 0, 2, 4  # PNG's codes
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def decoded_picture(file: BinaryIO) -> DecodedPicture:
    """Decode what a file holds; of an animation the first frame.

    Raises `Refusal` for damage and for what cannot be known, and whatever decoders raise.
    """
    form = picture_format(file.read(START))
    file.seek(0)
    if form == "PNG":
        return _png(file.read())
    if form == "TIFF":
        return read_tiff(file)
    if form == "JPEG":
        content = without_broken_headers(file.read())
        with _opened(BytesIO(content), form) as opened:  # which refuses what is too large
            check_jpeg(content)
            return _upright(opened, _plain(opened))
    with _opened(file, form) as opened:
        highest = highest_sample(file, opened)
        deep = opened.mode[0] in "IF"
        picture = _scaled(opened, highest) if deep else _plain(opened)
        depth = f"{highest.bit_length()}-bit " if highest > 255 or deep else ""
        return _upright(opened, picture, depth)


def _opened(file: BinaryIO, form: str | None) -> Image.Image:
    if form not in FORMATS:
        raise UnidentifiedImageError
    Image.init()
    if form not in Image.OPEN:
        raise unsupported(f"is a {form} image, which this Pillow does not read", "save it as PNG")
    file.seek(0)
    return Image.open(file, formats=[form])


def _plain(opened: Image.Image) -> Image.Image:
    """Take a picture whose decoder gives 8 bits a channel."""
    opened.load()
    # To look for further frames may load another one.
    return opened.copy() if opened.format == "GIF" else opened


def _scaled(opened: Image.Image, highest: int) -> Image.Image:
    """Take grey samples that a decoder gives as 16 bits, which it has scaled them to."""
    if opened.mode == "F" or not highest:
        raise unsupported(f"is a {opened.format} image of samples whose range it does not say")
    opened.load()
    samples: NDArray[Any] = np.asarray(opened).astype(np.uint32)
    if opened.format == "JPEG2000":  # shifted, where a PGM is multiplied
        samples = samples >> (16 - highest.bit_length())
    else:
        samples = (samples * highest + 32767) // 65535
    return picture_of(eight_bits(samples, highest), "L")


def _png(content: bytes) -> DecodedPicture:
    parts = png_parts(content)
    opened = _opened(BytesIO(parts.stream), "PNG")  # which refuses what is too large
    check_rows(parts)
    mode, image, deep = opened.mode, opened, parts.depth == 16
    if deep:
        channels = _sixteen_bit_png(parts, opened)
        image = picture_of(eight_bits(channels, 65535), _MODES[channels.shape[2]])
    else:
        opened.load()
        _correct_transparency(parts, opened)
    picture = _upright(opened, image, "16-bit " if deep else "")
    notes = (*picture.notes, *[FIRST_FRAME] * parts.animated)
    return replace(picture, mode=mode, notes=notes, remarks=(*picture.remarks, *parts.remarks))


def _sixteen_bit_png(parts: PngParts, opened: Image.Image) -> NDArray[np.uint16]:
    """All channels ``(H, W, C)``, with alpha last where there is any."""
    if parts.colour == _GREY_ALPHA:
        return grey_and_alpha_of_16_bits(opened)
    if parts.colour == _GREY:
        opened.load()
        channels = np.asarray(opened).astype(np.uint16)[..., None]
    else:
        channels = sixteen_bit_channels(lambda: _opened(BytesIO(parts.stream), "PNG"))
    if parts.transparency and parts.colour in (_GREY, _COLOUR):
        key = np.frombuffer(parts.transparency[: 2 * channels.shape[2]], ">u2")
        alpha = np.where((channels == key).all(axis=2, keepdims=True), 0, 65535)
        channels = np.concatenate([channels, alpha.astype(np.uint16)], axis=2)
    return channels


def _correct_transparency(parts: PngParts, opened: Image.Image) -> None:
    """Give the transparent grey or colour of up to 8 bits as it is once decoded."""
    highest = (1 << parts.depth) - 1
    given = np.frombuffer(parts.transparency, np.uint8)[1::2] & highest
    if parts.colour == _GREY and len(given):
        opened.info["transparency"] = int(given[0]) * (255 // highest)
    elif parts.colour == _COLOUR and len(given) >= 3:
        opened.info["transparency"] = tuple(int(one) for one in given[:3])


def _upright(opened: Image.Image, image: Image.Image, depth: str = "") -> DecodedPicture:
    """Turn a picture as its EXIF says, and note further frames; broken EXIF does no harm."""
    mode = opened.mode
    try:
        turn = _TURNS.get(opened.getexif().get(ORIENTATION, 1))
        unread = not _EXIF.match(opened.info.get("exif", b""))
    except Exception:  # its readers die of as much as decoders do
        turn, unread = None, True
    try:
        more = opened.format != "PNG" and bool(getattr(opened, "is_animated", False))
    except Exception:  # a damaged second frame is none, and no reason to refuse the first
        more = False
    upright = image if turn is None else image.transpose(turn)
    notes = ("EXIF orientation",) * (turn is not None) + (FIRST_FRAME,) * more
    remarks = ("EXIF cannot be read",) * unread
    return DecodedPicture(upright, str(opened.format), mode, depth, notes, remarks)

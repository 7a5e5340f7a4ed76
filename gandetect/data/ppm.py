"""PGM and PPM files: whether their samples keep to the highest value that the header states."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.faults import unsupported

_COMMENT = re.compile(rb"#[^\r\n]*")


def refuse_overshoot(file: BinaryIO, opened: Image.Image, highest: int) -> None:
    """Raise `Refusal` for a PGM or PPM with a sample above ``highest``, which Pillow would cut.

    Call it before the pixels are decoded; the file stands afterwards where it stood.
    """
    if opened.format != "PPM" or opened.mode in ("1", "F"):
        return
    place = file.tell()
    tile: Any = opened.tile[0]  # type: ignore[attr-defined]
    file.seek(tile.offset)
    count = opened.width * opened.height * len(opened.getbands())
    if _samples(file, tile.codec_name == "ppm_plain", highest, count).max(initial=0) > highest:
        raise unsupported(f"has samples above the {highest:,} that it states as the highest value")
    file.seek(place)


def _samples(file: BinaryIO, plain: bool, highest: int, count: int) -> NDArray[Any]:
    """At most ``count`` samples; words that are no numbers are left to the decoder."""
    if plain:
        words = _COMMENT.sub(b" ", file.read()).split()[:count]
        return np.array([int(word) for word in words if word.isdigit() and len(word) < 11])
    wide = 1 + (highest > 255)
    data = file.read(count * wide)
    return np.frombuffer(data[: len(data) // wide * wide], ">u2" if wide == 2 else np.uint8)

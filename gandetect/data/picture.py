"""A decoded image file, as readers of every format give it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

FIRST_FRAME = "first frame"


@dataclass(frozen=True)
class Picture:
    """A decoded file.

    ``image`` has 8 bits a channel and is upright. ``format`` and ``mode`` are Pillow's names of
    what the file holds. ``depth`` says what was scaled to 8 bits, as in "16-bit "; ``notes`` what
    else was done, such as an orientation that was obeyed. ``remarks`` are on metadata that are
    broken or large, which changes no pixel.
    """

    image: Image.Image
    format: str
    mode: str
    depth: str = ""
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

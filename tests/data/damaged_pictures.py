"""Pictures to be damaged, and what reading them says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from gandetect.data.streaming import Decoded, DecodeOptions, decode

ROWS, COLUMNS = np.mgrid[:28, :28]
GREY = (ROWS * 9 + COLUMNS).astype(np.uint8)
OPTIONS = DecodeOptions(channels=1, size=28, fit="pad", background=0)


def read(content: bytes) -> Decoded:
    return decode(Path("a.png"), OPTIONS, content)


def refused(content: bytes) -> str:
    answer = read(content)
    assert answer.pixels is None
    assert "damaged" in str(answer.error)
    assert "\n" not in str(answer.error)
    return str(answer.error)


def intact(content: bytes) -> str:
    """See that the picture is read, and nothing else is; returns the remark."""
    answer = read(content)
    assert answer.error is None
    assert np.array_equal(answer.pixels[0], GREY)
    assert answer.conversion == ""
    return answer.remark


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


PHOTO = Image.fromarray(data.astronaut()[:256, :256])
SCANS = {"baseline": {}, "progressive": {"progressive": True}, "grey": {},
         "restarts": {"restart_marker_rows": 2}}  # fmt: skip


def jpeg(kind: str) -> bytes:
    return saved(PHOTO.convert("L") if kind == "grey" else PHOTO, "JPEG", **SCANS[kind])

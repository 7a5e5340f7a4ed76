"""What a conversion obeys or drops, planted in files of one side, is caught by the probe of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gandetect.analyses.audit.judging import audit
from gandetect.data.file_facts import file_facts, file_features

N = 45


def picture(place: int) -> Image.Image:
    levels = np.random.default_rng(place).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def features(folder: Path, save: Callable[[Path, int], None]) -> dict[str, Any]:
    folder.mkdir()
    for place in range(N):
        save(folder / str(place), place)
    return file_features([file_facts(folder / str(place)) for place in range(N)])


def turned(path: Path, place: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1 + 5 * (place % 3 > 0)
    picture(place).save(path, "JPEG", exif=exif)


def straight(path: Path, place: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    picture(place).save(path, "JPEG", exif=exif)


def with_profile(path: Path, place: int) -> None:
    picture(place).save(path, "JPEG", icc_profile=bytes(400))


def with_another_profile(path: Path, place: int) -> None:
    picture(place).save(path, "JPEG", icc_profile=bytes(500))


def clear(path: Path, place: int) -> None:
    with_alpha = picture(place)
    with_alpha.putalpha(99)
    with_alpha.save(path, "PNG")


def grey(path: Path, place: int) -> None:
    picture(place).convert("L").save(path, "PNG")


def deep(path: Path, place: int) -> None:
    levels = np.asarray(picture(place).convert("L")).astype(np.uint16)
    Image.fromarray(levels * 257).save(path, "PNG")


def colour(path: Path, place: int) -> None:
    picture(place).save(path, "PNG")


def larger(path: Path, place: int) -> None:
    picture(place).resize((30, 20)).save(path, "PNG")


def webp(path: Path, place: int) -> None:
    picture(place).save(path, "WEBP", lossless=True)


KINDS = {
    "orientation": (turned, straight, "metadata"),
    "profile": (with_profile, straight, "metadata"),
    "another profile": (with_profile, with_another_profile, "metadata"),
    "transparency": (clear, colour, "file format"),
    "bit depth": (deep, grey, "file format"),
    "format": (webp, colour, "file format"),
    "original size": (larger, colour, "dimensions"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_files_betray_is_caught(kind: str, tmp_path: Path) -> None:
    one, other, probe = KINDS[kind]
    sides = [features(tmp_path / name, save) for name, save in (("a", one), ("b", other))]
    (result,) = audit(*({probe: side[probe]} for side in sides), others=20)
    assert result.warning


def test_files_saved_alike_raise_no_alarm(tmp_path: Path) -> None:
    sides = [features(tmp_path / name, turned) for name in "ab"]
    names = ("metadata", "file format", "dimensions")
    results = audit(*({name: side[name] for name in names} for side in sides))
    assert not [one.probe for one in results if one.warning]

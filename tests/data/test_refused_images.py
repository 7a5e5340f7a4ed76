"""What cannot be read as an image is refused with one clear sentence."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from image_files import flat, refusal, save
from PIL import Image

from gandetect.data.images import find_images, read_image
from gandetect.data.reading import examine
from gandetect.data.streaming import DecodeOptions, decode
from gandetect.errors import DataError


def _encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(buffer, form)
    return buffer.getvalue()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png").startswith("does not exist")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "is a folder, not an image"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert refusal(tmp_path / "a.png").startswith("is empty (0 bytes)")


def test_a_text_file_is_refused_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("Dear moderator, this is not a picture.\n")
    assert refusal(tmp_path / "a.png").startswith("is not an image")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_a_truncated_image_is_refused(tmp_path: Path, form: str) -> None:
    content = _encoded(form)
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(content[: len(content) // 2])
    assert "truncated" in refusal(path) or "damaged" in refusal(path)


@pytest.mark.parametrize("limit", [100, 400], ids=["error range", "warning range"])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    path = save(flat("L", 0, (28, 28)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert refusal(path).startswith(f"has more than {limit} pixels")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 784)
    assert read_image(path).shape == (1, 28, 28)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png").startswith("is not a regular file")


def test_a_name_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".png")
    assert "too long" in refusal(path)
    with pytest.raises(DataError, match="does not exist"):
        list(find_images([path]))


def test_what_may_not_be_read_is_refused(
    tmp_path: Path, without_privileges: Callable[[], AbstractContextManager[None]]
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    path = save(flat("L", 0), secret / "a.png")
    read_image(path)
    secret.chmod(0)
    try:
        with without_privileges():
            assert refusal(path) == "cannot be read: permission denied"
    finally:
        secret.chmod(0o700)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_whatever_bytes_are_damaged_there_is_an_image_or_one_sentence(
    tmp_path: Path, form: str
) -> None:
    generator = np.random.default_rng(0)
    content = _encoded(form)
    path = tmp_path / "a.png"
    for _ in range(60):
        damaged = bytearray(content)
        for position in generator.integers(0, min(len(damaged), 400), 4):
            damaged[position] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            assert read_image(path).shape == (1, 28, 28)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_whatever_a_decoder_dies_of_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: object, **__: object) -> Image.Image:
        return struct.unpack("<I", b"")  # type: ignore[return-value]

    path = save(flat("L", 0), tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", dying)
    assert refusal(path).startswith("is damaged and cannot be decoded (unpack requires")


def test_whatever_a_conversion_dies_of_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(flat("RGBA", 0), tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: {}["nothing"])
    assert refusal(path).startswith("is damaged and cannot be decoded")
    assert "cannot be decoded" in str(decode(path, DecodeOptions(1, 28, "pad", 0)).error)
    assert "cannot be decoded" in str(examine(path).error)

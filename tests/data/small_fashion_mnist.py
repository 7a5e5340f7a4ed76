"""Small files in the form of Fashion-MNIST, and routes that bring them or fail."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gandetect.data import fashion_mnist as source

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = source.SHA256
Files = dict[str, bytes]


def small_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Files:
    """A small data set in the real format that counts as the published one; no route leads to it.

    Six training and three test images; a test that wants a route opens it again.
    """
    generator = np.random.default_rng(0)

    def images(count: int) -> bytes:
        header = np.array([2051, count, 28, 28], ">i4").tobytes()
        return header + generator.integers(0, 256, count * 784, np.uint8).tobytes()

    def labels(count: int) -> bytes:
        return np.array([2049, count], ">i4").tobytes() + bytes(range(count))

    contents = (images(6), labels(6), images(3), labels(3))
    small = dict(zip(source.SHA256, contents, strict=True))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in small.items()}
    monkeypatch.setattr(source, "SHA256", digests)
    monkeypatch.setattr(source, "DEBIAN_FOLDER", tmp_path / "not-installed")
    monkeypatch.setattr(source, "_torchvision", failing("the network is unreachable"))
    monkeypatch.setattr(source, "_apt", failing("not on this system"))
    return small


def failing(reason: str) -> Callable[[Path], Path]:
    def bring(_: Path) -> Path:
        raise RuntimeError(reason)

    return bring


def bringing(files: Files, called: list[str], route: str) -> Callable[[Path], Path]:
    def bring(temporary: Path) -> Path:
        called.append(route)
        return put(files, temporary / "unpacked")

    return bring


def put(files: Files, folder: Path, *, zipped: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder

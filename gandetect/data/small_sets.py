"""Data sets of small images by name: torchvision's, and the digits that scikit-learn bundles."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.config import SmallSetConfig
from gandetect.data.class_images import ClassImages, Labels
from gandetect.errors import DataError

Notify = Callable[[str], None]
Pixels = NDArray[np.uint8]
PATIENCE = 20  # seconds that a silent network may take
CIFAR_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
CIFAR_BATCH, RECORD = 10_000, 1 + 3 * 32 * 32  # images in a file; bytes of a label and an image

_DIGITS = tuple("0123456789")
CLASSES: dict[str, tuple[str, ...]] = {
    "digits": _DIGITS,
    "mnist": _DIGITS,
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "emnist": tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),  # its balanced split
    "cifar-10": (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    "svhn": _DIGITS,
}


def load_small_set(config: SmallSetConfig, data_dir: Path, notify: Notify) -> ClassImages:
    """Load a set in the shape that ``config`` asks for, from the data folder or by download.

    Images are converted and resized (Lanczos) only where the set's own shape is another. Raises
    `DataError` when the set is not there and cannot be had.
    """
    if config.name == "digits":
        images, labels = _digits()
        train, test = (images, labels), (images[:0], labels[:0])
    else:
        train, test = _torchvision(config.name, data_dir, notify)
    parts = [(_shaped(images, *config.shape), labels) for images, labels in (train, test)]
    digest = hashlib.sha256()
    for images, labels in parts:
        digest.update(repr(images.shape).encode() + images.tobytes() + labels.tobytes())
    return ClassImages(*parts[0], *parts[1], CLASSES[config.name], digest.hexdigest())


def _digits() -> tuple[Pixels, Labels]:
    """1,797 digits, 8 x 8 grey, of 17 levels (Alpaydin and Kaynak 1998; UCI, CC BY 4.0)."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    images = np.round(bundled.images * (255 / 16)).astype(np.uint8)
    return images[:, None], bundled.target.astype(np.int64)


def _torchvision(
    name: str, data_dir: Path, notify: Notify
) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels]]:
    """The training and the test file of a set, downloaded where it does not lie on the disk."""
    try:
        parts = [_part(name, data_dir, split, download=False) for split in ("train", "test")]
    except DataError:
        raise
    except (RuntimeError, OSError) as missing:
        notify(f"Getting {name} by torchvision's download")
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PATIENCE)
        try:
            parts = [_part(name, data_dir, split, download=True) for split in ("train", "test")]
        except Exception as error:  # whatever a download dies of
            raise DataError(
                f"data set {name!r} is not in {str(data_dir)!r} ({_line(missing)}) and could not "
                f"be downloaded ({_line(error)}); put torchvision's files of it there, or give "
                "--data-dir"
            ) from None
        finally:
            socket.setdefaulttimeout(before)
    return parts[0], parts[1]


def _part(name: str, root: Path, split: str, *, download: bool) -> tuple[Pixels, Labels]:
    from torchvision import datasets

    given: dict[str, Any] = {"root": root, "download": download}
    if name == "svhn":
        found = datasets.SVHN(split=split, **given)
        return np.asarray(found.data), np.asarray(found.labels, dtype=np.int64)
    given["train"] = split == "train"
    if name == "cifar-10":
        return _cifar(root, split, download=download)
    if name == "emnist":
        found = datasets.EMNIST(split="balanced", **given)
        upright = found.data.numpy().transpose(0, 2, 1)  # its files hold them on their side
        return upright[:, None], found.targets.numpy().astype(np.int64)
    kind = {"mnist": datasets.MNIST, "kmnist": datasets.KMNIST}[name]
    found = kind(**given)
    return found.data.numpy()[:, None], found.targets.numpy().astype(np.int64)


def _cifar(root: Path, split: str, *, download: bool) -> tuple[Pixels, Labels]:
    """CIFAR-10's binary version: torchvision reads the one in Python's pickles."""
    folder = root / "cifar-10-batches-bin"
    if download and not folder.is_dir():
        from torchvision.datasets.utils import download_and_extract_archive

        download_and_extract_archive(CIFAR_URL, str(root), md5=CIFAR_MD5, remove_finished=True)
    batches = ["test_batch"] if split == "test" else [f"data_batch_{n}" for n in range(1, 6)]
    files = [(folder / f"{batch}.bin").read_bytes() for batch in batches]
    for batch, content in zip(batches, files, strict=True):
        if len(content) != CIFAR_BATCH * RECORD:
            raise DataError(
                f"{str(folder / batch)!r}.bin has {len(content):,} bytes, and CIFAR-10's has "
                f"{CIFAR_BATCH * RECORD:,}; remove the folder and get it again"
            )
    records = np.frombuffer(b"".join(files), np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def _shaped(images: Pixels, channels: int, side: int) -> Pixels:
    """Images ``(N, C, H, W)`` as ``(N, channels, side, side)``."""
    if images.shape[1:] == (channels, side, side):
        return np.ascontiguousarray(images)
    mode = "L" if channels == 1 else "RGB"
    shaped = np.empty((len(images), channels, side, side), np.uint8)
    for place, image in enumerate(images):
        pixels = image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0)
        picture = Image.fromarray(pixels).convert(mode)
        if picture.size != (side, side):
            picture = picture.resize((side, side), Image.Resampling.LANCZOS)
        drawn = np.asarray(picture)
        shaped[place] = drawn[None] if channels == 1 else drawn.transpose(2, 0, 1)
    return shaped


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

"""CIFAR-10's binary version, 32 x 32 RGB: torchvision reads the one in Python's pickles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gandetect.config.data_set import DataSet, Notify, Part, Parts
from gandetect.data.sets.downloads import had_or_downloaded
from gandetect.errors import DataError

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
BATCH, RECORD = 10_000, 1 + 3 * 32 * 32  # images in a file; bytes of a label and an image
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def _part(root: Path, split: str, download: bool) -> Part:
    folder = root / "cifar-10-batches-bin"
    if download and not folder.is_dir():
        from torchvision.datasets.utils import download_and_extract_archive

        download_and_extract_archive(URL, str(root), md5=MD5, remove_finished=True)
    batches = ["test_batch"] if split == "test" else [f"data_batch_{n}" for n in range(1, 6)]
    files = [(folder / f"{batch}.bin").read_bytes() for batch in batches]
    for batch, content in zip(batches, files, strict=True):
        if len(content) != BATCH * RECORD:
            raise DataError(
                f"{str(folder / batch)!r}.bin has {len(content):,} bytes, and CIFAR-10's has "
                f"{BATCH * RECORD:,}; remove the folder and get it again"
            )
    records = np.frombuffer(b"".join(files), np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def _read(data_dir: Path, notify: Notify) -> Parts:
    return had_or_downloaded("cifar-10", _part, data_dir, notify)


CIFAR_10 = DataSet((3, 32), CLASSES, _read, at_least=25_000)

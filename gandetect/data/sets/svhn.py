"""The Street View House Numbers, cropped to a digit each, 32 x 32 RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gandetect.config.data_set import DataSet, Notify, Part, Parts
from gandetect.data.sets.downloads import had_or_downloaded


def _part(root: Path, split: str, download: bool) -> Part:
    from torchvision.datasets import SVHN as Files

    read = Files(root=root, split=split, download=download)
    return np.asarray(read.data), np.asarray(read.labels, dtype=np.int64)


def _read(data_dir: Path, notify: Notify) -> Parts:
    return had_or_downloaded("svhn", _part, data_dir, notify)


SVHN = DataSet((3, 32), tuple("0123456789"), _read, at_least=35_000)

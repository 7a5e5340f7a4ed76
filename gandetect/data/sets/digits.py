"""The digits that scikit-learn bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gandetect.config.data_set import DataSet, Notify, Parts


def _read(data_dir: Path, notify: Notify) -> Parts:
    """1,797 digits, 8 x 8 grey, of 17 levels (Alpaydin and Kaynak 1998; UCI, CC BY 4.0)."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    images = np.round(bundled.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bundled.target.astype(np.int64)
    return (images, labels), (images[:0], labels[:0])


DIGITS = DataSet((1, 28), tuple("0123456789"), _read, at_least=800)

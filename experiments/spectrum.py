"""A detector that sees nothing but an image's mean power at each spatial frequency.

Enlarging leaves its trace there, whatever is on the image (Durall, Keuper and Keuper, CVPR 2020).
`super-resolution.toml` fits it in seconds, beside a network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


class Spectrum:
    """A support vector machine on the logarithm of the radial power spectrum.

    ``kernel`` is that of scikit-learn's `SVC`: "linear" asks for more or less power at each
    frequency, "rbf" for a likeness to spectra that it has seen.
    """

    def __init__(self, kernel: str = "rbf") -> None:
        machine = SVC(C=3.0, kernel=kernel, class_weight="balanced")
        self.pipeline: Any = make_pipeline(StandardScaler(), machine)

    def fit(self, images: NDArray[np.uint8], y: NDArray[np.int64]) -> Spectrum:
        """Learn from images ``(N, C, H, W)`` and y, 1 for generated."""
        self.pipeline.fit(radial_spectrum(images), y)
        return self

    def decision_function(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Distance from the boundary ``(N,)``, above 0 for generated."""
        return np.asarray(self.pipeline.decision_function(radial_spectrum(images)))


def radial_spectrum(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Log of the mean power at 1, 2, … H / 2 periods a side, ``(N, H // 2)``, of squares."""
    size = images.shape[-1]
    plain = images - images.mean(axis=(2, 3), keepdims=True)
    window = np.hanning(size)
    power = (np.abs(np.fft.fft2(plain * window * window[:, None])) ** 2).mean(axis=1)
    frequency = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(frequency[:, None], frequency).astype(int)
    rings = [power[:, radius == ring].mean(axis=1) for ring in range(1, size // 2 + 1)]
    return np.log1p(np.stack(rings, axis=1))

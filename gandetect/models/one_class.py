"""What reals look like, learnt from reals alone by one of scikit-learn's estimators.

The network holds the features that the estimator is fitted on, and fits it again whenever they
are loaded: same features, same estimator, and nothing is ever pickled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from gandetect.models.features import Features

DIMENSIONS = 50  # that features are projected to, at most
OUTSIDE = 0.05  # the share of the fitted reals that lies at 0 or below

Floats = NDArray[np.float64]
Normality = Callable[[Floats], Floats]  # features (N, D) to (N,), higher = more normal


class OneClass(nn.Module):
    """Answers like a discriminator: images ``(N, C, H, W)`` in [-1, 1] to ``(N,)``, high = real.

    The answer counts in standard deviations of the fitted reals' own answers, from where a
    twentieth of them lies below; it is no log-odds, for no fake was looked at.
    """

    fitted: Tensor

    def __init__(
        self, method: str, features: Features, *, images: int = 0, neighbours: int = 5
    ) -> None:
        super().__init__()
        if method not in METHODS:
            raise ValueError(f"method is {method!r}; it must be one of: {', '.join(METHODS)}")
        self.method, self.neighbours = method, neighbours
        self.features = features
        self.register_buffer("fitted", torch.zeros(images, len(features.components)))
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            lambda module, _: module.fit()
        )

    def learn(self, raw: NDArray[np.float32]) -> None:
        """Choose the projection by PCA of raw features ``(N, F)`` of reals, and fit on them."""
        dimensions = min(DIMENSIONS, *raw.shape)
        # Randomised (Halko et al. 2011, SIAM Review 53): exact takes minutes with many features.
        pca = PCA(dimensions, svd_solver="randomized", random_state=0).fit(raw)
        mean, components = (
            torch.from_numpy(np.asarray(one, np.float32)).to(self.fitted.device)
            for one in (pca.mean_, pca.components_)
        )
        self.features.mean, self.features.components = mean, components
        self.fitted = (torch.from_numpy(raw).to(mean.device) - mean) @ components.T
        self.fit()

    def fit(self) -> None:
        """Fit the estimator on the stored features; always the same one for the same features."""
        stored = self.fitted.cpu().numpy().astype(np.float64)
        with threadpool_limits(1):  # scikit-learn knows nothing of the threads it is allowed
            self._normality, own = METHODS[self.method](stored, self.neighbours)
        self._centre = float(np.quantile(own, OUTSIDE))
        self._unit = float(own.std()) or 1.0

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to normality ``(N,)`` float64, high = real."""
        features = self.features(images).float().cpu().numpy().astype(np.float64)
        with threadpool_limits(1):
            normality = (self._normality(features) - self._centre) / self._unit
        return torch.from_numpy(normality).to(images.device)


def _isolation_forest(fitted: Floats, neighbours: int) -> tuple[Normality, Floats]:
    """Liu et al. 2008, ICDM: few random cuts part what is not normal from the rest."""
    forest = IsolationForest(random_state=0).fit(fitted)
    return forest.score_samples, forest.score_samples(fitted)


def _one_class_svm(fitted: Floats, neighbours: int) -> tuple[Normality, Floats]:
    """Schölkopf et al. 2001, Neural Computation 13: the smallest region that holds the most."""
    machine = make_pipeline(StandardScaler(), OneClassSVM(kernel="rbf", nu=OUTSIDE)).fit(fitted)
    return machine.decision_function, machine.decision_function(fitted)


def _nearest_neighbours(fitted: Floats, neighbours: int) -> tuple[Normality, Floats]:
    """Ramaswamy et al. 2000, SIGMOD, with the mean distance to the k nearest of the fitted."""
    neighbours = min(neighbours, len(fitted) - 1)
    index = NearestNeighbors(n_neighbors=neighbours).fit(fitted)

    def normality(features: Floats | None) -> Floats:
        # Given nothing, scikit-learn asks for the fitted ones, none of them its own neighbour.
        return np.asarray(-index.kneighbors(features)[0].mean(axis=1), np.float64)

    return normality, normality(None)


METHODS: dict[str, Callable[[Floats, int], tuple[Normality, Floats]]] = {
    "isolation-forest": _isolation_forest,
    "one-class-svm": _one_class_svm,
    "nearest-neighbours": _nearest_neighbours,
}


def sizes_of(network: OneClass) -> dict[str, Any]:
    """What its `Features` (features, dimensions) and itself are built with, beside a network."""
    dimensions, features = network.features.components.shape
    return {
        "method": network.method,
        "features": features,
        "dimensions": dimensions,
        "images": len(network.fitted),
        "neighbours": network.neighbours,
    }

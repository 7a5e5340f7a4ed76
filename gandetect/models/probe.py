"""An estimator on what frozen networks' layers answer: statistics over space at chosen depths."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from gandetect.models.classifiers import ImageClassifier
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.scaling import quantise

Depths = Literal["all", "last"] | Sequence[int]
Floats = NDArray[np.float32]

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.SiLU, nn.GELU)
CHANNELS = 32  # that covariances are taken of, at most
DIMENSIONS = 50  # that nearest neighbours are looked for in, at most
HELD_BACK = 5  # every fifth image is none of the neighbours, and says what distances mean
ITERATIONS = 1000
ROWS = 1000  # handled at once, so that memory stays bounded
LEAST_SPREAD = 1e-5  # of a feature, as a share of its size: less is what rounding leaves


class ProbeError(ValueError):
    """A network does not have what was requested, such as a depth."""


class LayerStatistics(nn.Module):
    """Maps images ``(N, C, H, W)`` in [-1, 1] to statistics ``(N, F)`` of a network's layers.

    The layers are the network's convolutions, numbered from 1 in the order of use. Of each the
    output of the activation is taken that follows before the next convolution, as in all
    discriminators, or else its own. A network without convolutions has its dense layers but the
    last instead, and values in place of statistics; an `ImagenetNetwork` has its four `depths`.
    The network is frozen.
    """

    def __init__(self, network: nn.Module, depths: Depths, statistics: Sequence[str]) -> None:
        super().__init__()
        count = len(layers_of(network))
        if not isinstance(depths, str) and max(depths) > count:
            raise ProbeError(
                f"depths has {max(depths)}, and the network has {count} layers to look at"
            )
        self.network = network.requires_grad_(False)
        self.depths, self.statistics = depths, statistics

    def forward(self, images: Tensor) -> Tensor:
        """Statistics of the chosen depths, ``(N, F)``."""
        if isinstance(self.network, ImageClassifier):
            images = self.network.prepare(quantise(images))  # it prepares stored images itself
        outputs = layer_outputs(self.network, images, self._summary)
        if isinstance(self.depths, str):
            return torch.cat(outputs if self.depths == "all" else outputs[-1:], 1)
        return torch.cat([outputs[depth - 1] for depth in self.depths], 1)

    def _summary(self, answer: Tensor) -> Tensor:
        answer = answer.float()
        if answer.ndim == 2:
            return answer
        return torch.cat([STATISTICS[name](answer) for name in self.statistics], 1)


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The layers that `LayerStatistics` looks at; `ProbeError` where there is none."""
    if isinstance(network, ImagenetNetwork):
        return network.depths
    modules = list(network.modules())
    layers: list[nn.Module] = [module for module in modules if isinstance(module, nn.Conv2d)]
    layers = layers or [*[module for module in modules if isinstance(module, nn.Linear)][:-1]]
    if not layers:
        raise ProbeError(f"{type(network).__name__} has no layers to look at")
    return layers


def layer_outputs(
    network: nn.Module, images: Tensor, summary: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Outputs of a network's layers, each summarised at once, in the order of use.

    `LayerStatistics` says which layers, and where in the network.
    """
    activations = [module for module in network.modules() if isinstance(module, ACTIVATIONS)]
    if isinstance(network, ImagenetNetwork):
        activations = []  # its depths are whole blocks
    outputs: list[Tensor] = []
    waiting: list[Tensor] = []  # the answer of a layer that no activation has followed yet

    def settle() -> None:
        outputs.extend(map(summary, waiting))
        waiting.clear()

    def of_layer(_: nn.Module, __: Any, answer: Tensor) -> None:
        settle()
        waiting.append(answer)

    def of_activation(_: nn.Module, __: Any, answer: Tensor) -> None:
        if waiting:
            waiting[:] = [answer]
            settle()

    hooks = [module.register_forward_hook(of_layer) for module in layers_of(network)]
    hooks += [module.register_forward_hook(of_activation) for module in activations]
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    settle()
    return outputs


def _centred(maps: Tensor) -> Tensor:
    return maps - maps.mean((2, 3), keepdim=True)


def _deviation(maps: Tensor) -> Tensor:
    return (_centred(maps).square().mean((2, 3)) + 1e-12).sqrt()  # slopes stay finite at 0


def _skewness(maps: Tensor) -> Tensor:
    centred = _centred(maps)
    variance = centred.square().mean((2, 3))
    return centred.pow(3).mean((2, 3)) / (variance + 1e-5).pow(1.5)  # 0 where nothing varies


def _covariance(maps: Tensor) -> Tensor:
    count = min(CHANNELS, maps.shape[1])
    chosen = torch.linspace(0, maps.shape[1] - 1, count).round().long().to(maps.device)
    centred = _centred(maps[:, chosen]).flatten(2)
    pairs = torch.triu_indices(count, count, 1, device=maps.device)
    return (centred @ centred.mT / centred.shape[2])[:, pairs[0], pairs[1]]


# Each maps (N, C, H, W) to (N, C), covariance to the pairs of channels, evenly spaced ones.
STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda maps: maps.mean((2, 3)),
    "deviation": _deviation,
    "skewness": _skewness,
    "covariance": _covariance,
}


class Probe(nn.Module):
    """Answers like a discriminator: images ``(N, C, H, W)`` in [-1, 1] to ``(N,)``, high = real.

    The features of all ``networks`` are joined and standardised, and projected by ``components``
    ``(D, F)``. Without ``reference`` images there is one component, whose value is the answer but
    for the intercept. With ``reference`` ones, as many reals as fakes, it is a linear function of
    log(mean distance to the ``neighbours`` nearest fakes) - log(that to the nearest reals).
    Answers are log-odds, in float64.
    """

    mean: Tensor
    scale: Tensor
    components: Tensor
    reference: Tensor
    slope: Tensor
    intercept: Tensor

    def __init__(
        self,
        networks: Sequence[nn.Module],
        depths: Depths,
        statistics: Sequence[str],
        *,
        features: int = 0,
        dimensions: int = 0,
        reference: int = 0,
        neighbours: int = 5,
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            LayerStatistics(network, depths, statistics) for network in networks
        )
        self.neighbours = neighbours
        # Where features of images are kept: called with what computes them, and the images.
        self.recall: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor] | None = None
        shapes = {
            "mean": (features,),
            "scale": (features,),
            "components": (dimensions, features),
            "reference": (2, reference, dimensions if reference else 0),  # reals, fakes
            "slope": (),
            "intercept": (),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to log-odds ``(N,)``, high = real."""
        projected = (self.raw(images).double() - self.mean) / self.scale @ self.components.T
        if self.reference.shape[1]:
            return self.slope * self._nearness(projected) + self.intercept
        return projected[:, 0] + self.intercept

    def raw(self, images: Tensor) -> Tensor:
        """The features ``(N, F)`` of images ``(N, C, H, W)`` in [-1, 1], before anything."""
        return self.recall(self._computed, images) if self.recall else self._computed(images)

    def _computed(self, images: Tensor) -> Tensor:
        return torch.cat([network(images) for network in self.networks], 1)

    def sizes(self) -> dict[str, int]:
        """What it is built with, beside its networks and what is looked at in them."""
        dimensions, features = self.components.shape
        return {
            "features": features,
            "dimensions": dimensions,
            "reference": self.reference.shape[1],
            "neighbours": self.neighbours,
        }

    def learn(self, features: Floats, estimator: str, regularisation: float = 1.0) -> bool:
        """Fit to features ``(copies, 2, N, F)`` of N reals and N fakes, which are standardised.

        A copy is another state of the same images. Returns whether the fit has converged.
        """
        flat = features.reshape(-1, features.shape[-1])
        mean, scale = _standardise(flat)
        real = np.tile(np.repeat([1, 0], features.shape[2]), len(features))
        self._keep(mean=mean, scale=scale)
        with threadpool_limits(1):  # scikit-learn knows nothing of the threads it is allowed
            if estimator == "nearest-neighbours":
                self._learn_distances(features)
                return True
            fitted, converged = LINEAR[estimator](flat, real, regularisation)
        self._keep(components=fitted.coef_, slope=1.0, intercept=fitted.intercept_[0])
        return converged

    def _learn_distances(self, features: Floats) -> None:
        """Keep four fifths of the images as neighbours, and learn from the rest."""
        held = np.arange(features.shape[2]) % HELD_BACK == HELD_BACK - 1
        reference, rest = (
            features[:, :, chosen].swapaxes(0, 1).reshape(2, -1, features.shape[-1])
            for chosen in (~held, held)
        )
        flat = reference.reshape(-1, reference.shape[-1])
        # Randomised (Halko et al. 2011, SIAM Review 53): exact takes minutes with many features.
        dimensions = min(DIMENSIONS, *flat.shape)
        components = PCA(dimensions, svd_solver="randomized", random_state=0).fit(flat).components_
        self._keep(components=components, reference=reference @ components.T)
        seen = torch.from_numpy(rest.reshape(-1, rest.shape[-1]) @ components.T).double()
        parts = seen.to(self.mean.device).split(ROWS)
        nearness = torch.cat([self._nearness(part) for part in parts]).cpu().numpy()
        fitted = LogisticRegression().fit(nearness[:, None], np.repeat([1, 0], rest.shape[1]))
        self._keep(slope=fitted.coef_[0, 0], intercept=fitted.intercept_[0])

    def _nearness(self, projected: Tensor) -> Tensor:
        """How much nearer reals are than fakes, ``(N,)``, of projected features ``(N, D)``."""
        to_reals, to_fakes = (
            torch.cdist(projected, group, compute_mode="use_mm_for_euclid_dist")
            .topk(min(self.neighbours, len(group)), largest=False)
            .values.mean(1)
            .clamp(min=1e-9)
            .log()
            for group in self.reference
        )
        return to_fakes - to_reals

    def _keep(self, **values: Any) -> None:
        for name, value in values.items():
            tensor = torch.as_tensor(
                np.array(value, np.float64, order="C"), device=self.mean.device
            )
            setattr(self, name, tensor)


def _standardise(features: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standardise features ``(M, F)`` in place; returns what to subtract and to divide by.

    What does not vary becomes 0.
    """
    scaler = StandardScaler()
    for start in range(0, len(features), ROWS):
        scaler.partial_fit(features[start : start + ROWS])
    mean = scaler.mean_
    scale = np.sqrt(scaler.var_)
    scale[scale <= LEAST_SPREAD * np.maximum(np.abs(mean), LEAST_SPREAD)] = np.inf
    features -= mean
    features /= scale
    return mean, scale


def _logistic_regression(
    features: Floats, real: NDArray[np.int64], regularisation: float
) -> tuple[Any, bool]:
    """Likelihood plus ``regularisation`` times half the sum of squared coefficients."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted = LogisticRegression(C=1 / regularisation, max_iter=ITERATIONS).fit(features, real)
    return fitted, not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def _linear_discriminant(
    features: Floats, real: NDArray[np.int64], regularisation: float
) -> tuple[Any, bool]:
    """Two normal distributions of one covariance, shrunk after Ledoit and Wolf 2004.

    Journal of Multivariate Analysis 88.
    """
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, real), True


LINEAR: dict[str, Callable[[Floats, NDArray[np.int64], float], tuple[Any, bool]]] = {
    "logistic-regression": _logistic_regression,
    "linear-discriminant": _linear_discriminant,
}

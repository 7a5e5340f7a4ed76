"""How good are the fakes? FID and KID, while training in the features of a small classifier.

Detection rates mean little without sample quality, so FID and KID stand beside them. The classifier
is trained on labelled reals (the training split and the held-out classes), never on the
in-distribution test images that generated images are compared with, and no detector sees it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gandetect.data.stored import Images
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import integer_seed, stream
from gandetect.training.reals import on_device, tensor_of

BATCH = 128


@dataclass(frozen=True)
class Quality:
    """How near generated images are to real ones; lower FID and KID are better.

    Distances live in the feature space of this run's classifier: comparable within a run, not
    with distances in Inception's features.
    """

    n: int
    fid: float
    kid: float
    kid_std: float
    confidence: float
    class_shares: tuple[float, ...]


class QualityEvaluator:
    """Compares generated images with one fixed set of real ones.

    FID follows Heusel et al. 2017 (arXiv 1706.08500), KID Binkowski et al. 2018 (arXiv
    1801.01401: cubic polynomial kernel, here the mean over 50 subsets), both through torchmetrics.
    """

    def __init__(self, classifier: FeatureClassifier, reals: Images, device: torch.device) -> None:
        self.classifier = classifier.to(device).eval()
        self.device = device
        self._subset_size = min(1000, len(reals))
        metrics = _fid_and_kid(_Features(self.classifier), self._subset_size)
        self._fid, self._kid = (metric.to(device) for metric in metrics)
        for batch in _batches(reals, device):
            self._fid.update(batch, real=True)
            self._kid.update(batch, real=True)

    @torch.no_grad()
    def assess(self, generated: NDArray[np.uint8], seed: int) -> Quality:
        """Evaluate generated images ``(N, C, H, W) uint8``; the seed draws KID's subsets."""
        self._fid.reset()
        self._kid.reset()
        self._kid.subset_size = min(self._subset_size, len(generated))
        probabilities = []
        for batch in _batches(generated, self.device):
            self._fid.update(batch, real=False)
            self._kid.update(batch, real=False)
            probabilities.append(self.classifier(to_unit_range(batch)).softmax(1).cpu())
        answers = torch.cat(probabilities)
        distances = _distances(self._fid, self._kid, seed)
        shares = torch.bincount(answers.argmax(1), minlength=answers.shape[1]) / len(answers)
        return Quality(
            n=len(generated),
            **distances,
            confidence=float(answers.max(1).values.mean()),
            class_shares=tuple(round(float(share), 6) for share in shares),
        )


def train_feature_classifier(
    images: Images,
    labels: NDArray[np.integer[Any]],
    *,
    classes: int,
    epochs: int,
    seed: int,
    device: torch.device,
) -> FeatureClassifier:
    """Train the feature network on ``(N, C, H, W) uint8`` images with their class numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(integer_seed(seed, "feature classifier weights"))
        classifier = FeatureClassifier(images.shape[2], images.shape[1], classes)
    classifier.to(device).train()
    optimizer = torch.optim.Adam(classifier.parameters(), 2e-3)
    pixels = on_device(images, device)
    targets = torch.from_numpy(np.asarray(labels, dtype=np.int64)).to(device)
    for epoch in range(epochs):
        order = stream(seed, "feature classifier order", epoch).permutation(len(images))
        for chosen in torch.from_numpy(order).to(device).split(BATCH):
            optimizer.zero_grad()
            logits = classifier(to_unit_range(pixels[chosen]))
            functional.cross_entropy(logits, targets[chosen]).backward()
            optimizer.step()
    return classifier.eval()


def distances_of_features(
    reals: NDArray[np.float32], generated: NDArray[np.float32], seed: int
) -> dict[str, float]:
    """FID and KID, as above, of images whose features ``(N, D)`` are known."""
    subset_size = min(1000, len(reals), len(generated))
    fid, kid = _fid_and_kid(_Known(reals.shape[1]), subset_size)
    for metric in (fid, kid):
        metric.update(torch.from_numpy(reals), real=True)
        metric.update(torch.from_numpy(generated), real=False)
    return _distances(fid, kid, seed)


def _distances(fid: Any, kid: Any, seed: int) -> dict[str, float]:
    with torch.random.fork_rng(devices=[]):  # torchmetrics draws from the global stream
        torch.manual_seed(integer_seed(seed, "kid subsets"))
        mean, std = map(float, kid.compute())
    return {"fid": float(fid.compute()), "kid": mean, "kid_std": std}


def _fid_and_kid(extractor: nn.Module, subset_size: int) -> tuple[Any, Any]:
    """Both metrics, which keep the features of reals when they are reset."""
    # They take seconds to import, torchvision with them.
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    fid = FrechetInceptionDistance(extractor, reset_real_features=False)
    with warnings.catch_warnings():  # it keeps all features: few numbers an image
        warnings.filterwarnings("ignore", message=".*will save all extracted features")
        kid = KernelInceptionDistance(
            extractor, subsets=50, subset_size=subset_size, reset_real_features=False
        )
    return fid, kid


@torch.no_grad()
def accuracy(
    classifier: FeatureClassifier,
    images: Images,
    labels: NDArray[np.integer[Any]],
    device: torch.device,
) -> float:
    """Share of images whose class the classifier names correctly."""
    answers = [
        classifier(to_unit_range(batch)).argmax(1).cpu().numpy()
        for batch in _batches(images, device)
    ]
    return float(np.mean(np.concatenate(answers) == labels))


class _Features(nn.Module):
    """The classifier up to its features, as torchmetrics asks for it: uint8 in, vectors out."""

    num_features = FeatureClassifier.num_features

    def __init__(self, classifier: FeatureClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.classifier.features(to_unit_range(images))
        return features


class _Known(nn.Identity):
    """Features as they are, in the place of images."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.num_features = dimensions


def _batches(images: Images, device: torch.device) -> Iterator[Tensor]:
    size = max(1, 500 * 28 * 28 // max(28 * 28, images.shape[2] * images.shape[3]))
    for start in range(0, len(images), size):
        yield tensor_of(images[start : start + size]).to(device)

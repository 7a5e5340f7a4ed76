"""Map how much each part of an image moves one detector's score, by occlusion."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from gandetect.analyses.saliency.numbers import KINDS, Images, occluded, starts_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Detector, Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.randomness import stream
from gandetect.sources import ImageSet, Source
from gandetect.stages.score import ImageStage, ScoreDetector
from gandetect.stages.scoring import score_images, ticker
from gandetect.stages.trained import Trained
from gandetect.statistics.scores import IN_DISTRIBUTION

SALIENCY = "saliency.npz"
AVERAGED = 500  # reals whose mean stands in for what is covered


@dataclass(frozen=True)
class MapSaliency(Stage):
    """Occlusion maps of ``most`` images of each source, and of ``shown`` that are kept to look at.

    These are the first of the surest right answers and of the mistakes that the scoring has kept.
    The network with its weights shuffled maps the same images, for comparison. `saliency.npz` holds
    ``<source>/<name>`` of each source: ``maps``, ``shuffled`` and ``pixels``, how much the covered
    pixels changed, and the maps of the ``surest`` and the ``mistakes``; all ``(N, K, K) float32``.
    """

    trained: Trained
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]
    preprocessing: Preprocessing
    scores: ScoreDetector
    most: int
    shown: int

    PLACE: ClassVar = "saliency/{self.trained.config.name}/seed-{self.trained.seed}"
    TITLE: ClassVar = "Mapping what moves the scores of {self.trained.subject}"
    WEIGHT: ClassVar[float] = 2.0

    def run(self, context: Context) -> Facts:
        detector = self.trained.detector(context, self.preprocessing)
        shuffled = with_shuffled_weights(detector)
        opened = {one.name: one.open(context.run, context.cache) for one in self.sources}
        mean = mean_image(opened.get(IN_DISTRIBUTION) or next(iter(opened.values())))
        shown_images = {kind: np.load(context.of(self.scores) / f"{kind}.npz") for kind in KINDS}
        scored = len(starts_of(mean.shape[-1])) ** 2 + 1
        each = self.most * (2 if shuffled else 1) + self.shown * len(KINDS)
        tick = ticker(scored * each * len(opened), context.notify)
        arrays: dict[str, Any] = {}
        for name, images in opened.items():
            if not len(images):
                continue
            pixels = images.sample(self.most).pixels()
            arrays[f"{name}/maps"] = occlusion_maps(detector, pixels, mean, tick)
            arrays[f"{name}/pixels"] = pixel_changes(pixels, mean)
            if shuffled is not None:
                arrays[f"{name}/shuffled"] = occlusion_maps(shuffled, pixels, mean, tick)
            for kind, stored in shown_images.items():
                some = stored[f"{name}/images"][: self.shown]
                arrays[f"{name}/{kind}"] = occlusion_maps(detector, some, mean, tick)
        np.savez_compressed(context.folder / SALIENCY, **arrays)
        return {}


def occlusion_maps(
    detector: Detector, images: Images, mean: Images, tick: Callable[[int], None] = lambda _: None
) -> NDArray[np.float32]:
    """How much of an image's score each window carries, ``(N, K, K)`` in log-odds.

    The score of the image, less its score with the window replaced by that of ``mean``
    ``(C, H, W)``: above 0 the window speaks for "generated", below 0 for "real".
    """
    side = len(starts_of(mean.shape[-1]))
    maps = np.empty((len(images), side, side), np.float32)
    for one, image in enumerate(images):
        # Together, so that the last bit of a difference depends on no other image.
        both = np.concatenate([image[None], occluded(image, mean)])
        scores = score_images(detector, ImageSet(both), tick)
        maps[one] = (scores[0] - scores[1:]).reshape(side, side)
    return maps


def pixel_changes(images: Images, mean: Images) -> NDArray[np.float32]:
    """How much covering each window changes an image, ``(N, K, K)``: mean change of its values."""
    side = len(starts_of(mean.shape[-1]))
    changes = [
        np.abs(occluded(image, mean).astype(np.int16) - image).mean(axis=(1, 2, 3))
        for image in images
    ]
    return np.array(changes, np.float32).reshape(len(images), side, side)


def mean_image(images: ImageSet) -> Images:
    """The mean of at most `AVERAGED` images, ``(C, H, W) uint8``."""
    mean = images.sample(AVERAGED).pixels().mean(axis=0)
    rounded: Images = np.rint(mean).astype(np.uint8)
    return rounded


def with_shuffled_weights(detector: Detector) -> Detector | None:
    """The same network, the values of each of its parameters in another order.

    None where it has no parameters, as a one-class detector on pixels, or is no network of ours. A
    copy: the detector itself stays as it is.
    """
    if not isinstance(detector, NetworkDetector):
        return None
    network = copy.deepcopy(detector.network)
    parameters = list(network.named_parameters())
    with torch.no_grad():
        for name, parameter in parameters:
            order = stream(0, f"shuffled weights of {name}").permutation(parameter.numel())
            values = parameter.flatten()[torch.from_numpy(order).to(parameter.device)]
            parameter.copy_(values.reshape(parameter.shape))
    return replace(detector, network=network) if parameters else None

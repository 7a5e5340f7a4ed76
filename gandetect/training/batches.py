"""The batches of a supervised training: which examples, in which order, changed how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandetect.config.classifier import ClassifierConfig
from gandetect.data.perturbations import process_each
from gandetect.randomness import stream
from gandetect.training.augmentation import augment, changes_anything, fixed_copies, to_stored_size
from gandetect.training.examples import Examples

Batch = tuple[Tensor, Tensor]  # images (B, C, H, W) uint8, labels (B,) int64


@dataclass(frozen=True)
class Share:
    """What one of ``size`` processes that train together takes of every batch: all, if alone.

    A batch of less than two examples a process is not shared but computed by all, for BatchNorm
    wants two.
    """

    rank: int = 0
    size: int = 1

    def of(self, part: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process' examples of a batch ``(B,)``, in order."""
        return part if self._too_few(len(part)) else np.array_split(part, self.size)[self.rank]

    def weight(self, batch: int) -> float:
        """By what the mean loss here is weighted, so that the processes' mean is the batch's."""
        if self._too_few(batch):
            return 1.0
        mine = batch // self.size + (self.rank < batch % self.size)
        return self.size * mine / batch

    def counts(self, batch: int) -> bool:
        """Whether this process' figures of a batch count: those of all, or one where all agree."""
        return self.rank == 0 or not self._too_few(batch)

    def _too_few(self, batch: int) -> bool:
        return batch < 2 * self.size


ALONE = Share()


@dataclass(frozen=True)
class Batches:
    """One epoch's batches of examples, in the order of ``rows`` ``(M,)``.

    Only this process' ``share`` of each is made. With ``seeds`` ``(M,)``, one an example, images
    are augmented and cut to the network's size; without, they are as stored, or the fixed copies
    that the examples say, and not yet cut. With ``processed`` ``(M,)``, one an example, seeds too,
    stored images first go through the configuration's ``processing``.
    """

    examples: Examples
    config: ClassifierConfig
    rows: NDArray[np.int64]
    seeds: NDArray[np.int64] | None = None
    share: Share = ALONE
    processed: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Batch]:
        for whole in self._parts():
            part = self.share.of(whole)
            chosen = self.examples.take(part)
            yield self._images(chosen, part), torch.from_numpy(chosen.label)

    def _images(self, chosen: Examples, part: NDArray[np.int64]) -> Tensor:
        config = self.config
        pixels = chosen.pixels()
        if self.processed is not None:
            pixels = process_each(pixels, config.processing, self.processed[part])
        if self.seeds is not None:
            return augment(
                pixels,
                config.augmentation,
                image_size=config.image_size,
                stored_size=config.stored_size,
                seeds=self.seeds[part],
            )
        if not chosen.copy.any():
            return torch.from_numpy(pixels)
        images = to_stored_size(pixels, config.stored_size).numpy()
        arguments = images, chosen.copy, chosen.index, config.augmentation, config.image_size
        return torch.from_numpy(fixed_copies(*arguments))

    def sizes(self) -> list[int]:
        """The examples of each batch, those of all processes together."""
        return [len(part) for part in self._parts()]

    def labels(self) -> list[NDArray[np.int64]]:
        """The labels ``(B,)`` of each batch, without reading an image."""
        return [self.examples.label[part] for part in self._parts()]

    def _parts(self) -> list[NDArray[np.int64]]:
        size = self.config.batch_size
        parts = [self.rows[start : start + size] for start in range(0, len(self.rows), size)]
        if len(parts) > 1 and self._too_few(parts[-1]):
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def _too_few(self, part: NDArray[np.int64]) -> bool:
        """Whether the rest can be no batch: BatchNorm wants two examples, pairs two labels."""
        one_label = bool(np.ptp(self.examples.label[part]) == 0)
        return len(part) == 1 or (self.config.contrastive is not None and one_label)


def training_batches(
    config: ClassifierConfig, examples: Examples, *, seed: int, epoch: int, share: Share = ALONE
) -> Batches:
    """An epoch's training batches: in random order, augmented afresh unless copies were made.

    With ``processing`` every image, copies too, is processed afresh.
    """
    order = stream(seed, "order", epoch).permutation(len(examples))

    def seeds(purpose: str) -> NDArray[np.int64]:
        return stream(seed, purpose, epoch).integers(2**63, size=len(examples))

    augmented = seeds("augmentation") if augmented_afresh(config, examples) else None
    processed = seeds("processing") if config.processing else None
    return Batches(examples, config, order, augmented, share, processed)


def augmented_afresh(config: ClassifierConfig, examples: Examples) -> bool:
    """Whether training images change from epoch to epoch, and come cut to the network's size."""
    return changes_anything(config.augmentation) and not examples.copy.any()

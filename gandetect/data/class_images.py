"""Real images by class, as a GAN study takes them, before they are split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gandetect.data.stored import Images

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ClassImages:
    """Images ``(N, C, H, W) uint8`` with labels ``(N,) int64``, numbers into ``classes``.

    With an official test file thresholds are chosen on that; without one ``test_images`` has no
    rows, and a share of the others takes its place. ``groups`` ``(N,)``, of the training file, are
    numbers of what must not stand on two sides of a split, such as patches of one photograph.
    ``hashes`` ``(N,)``, of the training file, are what `content_hashes` gave when it was written.
    ``facts`` are what else `data.json` tells.
    """

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]
    digest: str
    route: str = ""
    groups: Labels | None = None
    hashes: Sequence[str] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def one_file(self) -> bool:
        """Whether there is no official test file."""
        return not len(self.test_labels)

"""No test image may stand where detectors are trained: looked for before any training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gandetect import runs
from gandetect.data.overlap import find_duplicates, overlap_facts, refuse_overlap
from gandetect.engine import Context, Facts, Stage
from gandetect.sources.splits import CALIBRATION, HELD_OUT, IN_DISTRIBUTION, TRAINING, VALIDATION
from gandetect.stages.class_data import ClassData

OVERLAP = "overlap.json"


@dataclass(frozen=True)
class CheckOverlap(Stage):
    """Look for test images among the others, and keep what was found.

    Raises `DataError` when there are such images and ``policy`` is "refuse".
    """

    policy: str
    data: ClassData

    COMPUTES: ClassVar[bool] = False
    PLACE: ClassVar = "overlap"
    TITLE: ClassVar = "Looking for test images among the training images"

    def run(self, context: Context) -> Facts:
        opened = self.data.splits(context)
        names = [TRAINING, CALIBRATION, IN_DISTRIBUTION, HELD_OUT]
        names += [VALIDATION] * bool(self.data.config.validation)
        splits = {name: opened.images(name) for name in names}
        sizes = {name: len(images) for name, images in splits.items()}
        duplicates = find_duplicates(splits, (IN_DISTRIBUTION, HELD_OUT))
        if self.policy == "refuse":
            refuse_overlap(duplicates, sizes)
        runs.write_json(context.folder / OVERLAP, overlap_facts(duplicates, sizes, self.policy))
        return {}

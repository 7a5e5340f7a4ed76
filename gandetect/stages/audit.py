"""Let trivial probes try to tell real images from generated ones, before detectors are trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gandetect import runs
from gandetect.analyses.audit.numbers import rows, warnings_of
from gandetect.analyses.audit.positions import window_side
from gandetect.analyses.audit.probes import Features
from gandetect.analyses.audit.sides import Audited, audit_sides, side_of
from gandetect.data.file_facts import file_facts, file_features
from gandetect.engine import Context, Facts, Stage
from gandetect.errors import DataError
from gandetect.randomness import stream
from gandetect.sources import ImageSet, Indices, Source
from gandetect.sources.labelled import read_table
from gandetect.stages.labelled_data import LabelledData
from gandetect.stages.score import ImageStage

AUDIT = "audit.json"
AUDIT_KEYS = ("checks", "rows", "differences", "gaps")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class AuditSource(Stage):
    """Audit at most ``most`` generated images of one source beside as many real ones.

    Where the images came as the files of a labelled data set, those are probed as well, and what
    probes can tell is a warning.
    """

    called: str  # as a folder may be; a class may be called anything
    real: Source
    generated: Source
    most: int
    images: tuple[ImageStage, ...]
    labelled: LabelledData | None = None

    VERSION: ClassVar[int] = 2
    COMPUTES: ClassVar[bool] = False
    PLACE: ClassVar = "audits/{self.called}/seed-{self.generated.seed}"
    TITLE: ClassVar = "Auditing {self.generated.name} for shortcuts, seed {self.generated.seed}"
    WEIGHT: ClassVar[float] = 4.0

    def reads(self, context: Context) -> list[Path]:
        files = [context.data_dir / self.labelled.config.path] if self.labelled else []
        return [*super().reads(context), *files]

    def run(self, context: Context) -> Facts:
        """Draw images of both sides by a fixed seed, count copies, and let the probes try."""
        drawn = [self._drawn(context, source) for source in (self.real, self.generated)]
        window = window_side(sum(len(pixels) for pixels, _ in drawn), drawn[0][0].shape[1])
        try:
            sides = [side_of(pixels, window, features) for pixels, features in drawn]
            # The toolkit draws labelled images at random, and their files come sorted by class.
            audited = audit_sides(*sides, ordered=self.labelled is None)
        except DataError as error:
            audited = Audited([], [], {}, str(error))
        name, seed = self.generated.name, self.generated.seed if self.labelled is None else None
        audit: dict[str, list[Any]] = {
            "checks": rows(audited.checks, name, seed),
            "rows": rows(audited.probes, name, seed),
            "differences": [{"source": name, **audited.difference}] if audited.difference else [],
            # Too few images for probes: the study itself goes on.
            "gaps": [f"{name} was not audited: {audited.refused}"] if audited.refused else [],
        }
        runs.write_json(context.folder / AUDIT, audit)
        if self.labelled is not None:
            for sentence in warnings_of(audit["checks"], audit["rows"]):
                context.warn(sentence)
        return {}

    def _drawn(self, context: Context, source: Source) -> tuple[Pixels, Features]:
        """At most ``most`` images in the order of their files, and what the files betray."""
        images = source.open(context.run, context.cache)
        chosen = np.sort(stream(0, "audit").permutation(len(images))[: self.most])
        features: Features = {}
        if self.labelled is not None:
            paths = self._paths(context, images, chosen)
            features = file_features([file_facts(path) for path in paths])
        return images.pixels(chosen), features

    def _paths(self, context: Context, images: ImageSet, chosen: Indices) -> list[Path]:
        assert self.labelled is not None
        root = context.data_dir / self.labelled.config.path
        names = read_table(context.run).loc[images.indices()[chosen], "path"]
        return [root / name for name in names]

"""Let trivial probes try to tell real images from generated ones, before detectors are trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gandetect import runs
from gandetect.analyses.audit.numbers import audit, rows, warnings_of
from gandetect.analyses.audit.probes import Features, probe_features
from gandetect.data.file_facts import file_facts, file_features
from gandetect.engine import Context, Facts, Stage
from gandetect.errors import DataError
from gandetect.randomness import stream
from gandetect.sources import ImageSet, Indices, Source
from gandetect.sources.labelled import read_table
from gandetect.stages.labelled_data import LabelledData
from gandetect.stages.score import ImageStage

AUDIT = "audit.json"


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

    COMPUTES: ClassVar[bool] = False
    PLACE: ClassVar = "audits/{self.called}/seed-{self.generated.seed}"
    TITLE: ClassVar = "Auditing {self.generated.name} for shortcuts, seed {self.generated.seed}"
    WEIGHT: ClassVar[float] = 15.0

    def reads(self, context: Context) -> list[Path]:
        """The files, too."""
        files = [context.data_dir / self.labelled.config.path] if self.labelled else []
        return [*super().reads(context), *files]

    def run(self, context: Context) -> Facts:
        """Draw images of both sides by a fixed seed, and let the probes try."""
        sides: list[Features] = []
        for source in (self.real, self.generated):
            images = source.open(context.run, context.cache)
            chosen = np.sort(stream(0, "audit").permutation(len(images))[: self.most])
            features = probe_features(np.asarray(images.array()[images.all_rows()[chosen]]))
            if self.labelled is not None:
                paths = self._paths(context, images, chosen)
                features |= file_features([file_facts(path) for path in paths])
            sides.append(features)
        audit_results: dict[str, Any] = {"rows": [], "gaps": []}
        name = self.generated.name
        try:
            seed = None if self.labelled is not None else self.generated.seed
            audit_results["rows"] = rows(audit(*sides), name, seed)
        except DataError as error:  # too few images for probes: the study itself goes on
            audit_results["gaps"] = [f"{name} was not audited: {error}"]
        runs.write_json(context.folder / AUDIT, audit_results)
        if self.labelled is not None:
            for sentence in warnings_of(audit_results["rows"]):
                context.warn(sentence)
        return {}

    def _paths(self, context: Context, images: ImageSet, chosen: Indices) -> list[Path]:
        assert self.labelled is not None
        root = context.data_dir / self.labelled.config.path
        names = read_table(context.run).loc[images.indices()[chosen], "path"]
        return [root / name for name in names]

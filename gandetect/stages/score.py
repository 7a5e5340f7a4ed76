"""Score every source with one detector, and choose its operating points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import digest_of
from gandetect.config.processing import Processing
from gandetect.data.folders import PassedOver
from gandetect.data.images import find_images
from gandetect.data.perturbations import process
from gandetect.detectors.folder import save_detector
from gandetect.detectors.protocol import Detector, Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.machine import own_version
from gandetect.randomness import stream
from gandetect.scoring import score_paths, write_scores
from gandetect.sources import ImageSet, Source
from gandetect.sources.splits import TRAINING
from gandetect.stages.class_data import CLASSES, ClassData
from gandetect.stages.feature_files import shared_features
from gandetect.stages.gan import DrawImages, TrainGan
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.look import DISTANCES, NEIGHBOURS, images_to_look_at, neighbours
from gandetect.stages.scoring import SCORES, score_images, ticker, tidy_scores
from gandetect.stages.source_images import SourceImages
from gandetect.stages.speeds import SCORED, least_images, seconds
from gandetect.stages.trained import Trained
from gandetect.statistics.calibrated import CalibrationRule, calibrated
from gandetect.statistics.operating_points import cuts_by_rate
from gandetect.statistics.scored_detectors import calibration_source, thresholds_from
from gandetect.statistics.scores import CALIBRATION, GENERATED_CALIBRATION, by_source

ANSWERS = "unlabelled.csv"
ImageStage = ClassData | LabelledData | DecodedImages | DrawImages | SourceImages


@dataclass(frozen=True)
class ScoreDetector(Stage):
    """Turn a trained network into a detector, and score every source with it.

    What the training has scored already (the images that a classifier was trained with and chosen
    by) is taken over. Operating points are chosen on calibration and validation images alone. What
    of the images is worth looking at is kept beside the scores; of a discriminator also the
    training images that its generator's fakes are nearest to. Calibration images are scored as
    they are or, with ``calibration_processing``, each after a random chain. Image files in
    ``unlabelled``, below the data folder, are answered in ``unlabelled.csv``.
    """

    trained: Trained
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]  # what the sources are opened from
    preprocessing: Preprocessing
    rule: CalibrationRule
    kept_mistakes: int
    experiment: str
    held_out: tuple[str, ...]
    unlabelled: str | None = None
    calibration_processing: Processing = ()

    VERSION: ClassVar[int] = 8
    PLACE: ClassVar = "detectors/{self.trained.config.name}/seed-{self.trained.seed}"
    TITLE: ClassVar = "Scoring every source with {self.trained.subject}"

    @property
    def weight(self) -> float:
        counts = [
            stage.count if isinstance(stage, DrawImages) else least_images(stage.config)
            for stage in self.images
            if isinstance(stage, DrawImages | ClassData | LabelledData)
        ]
        return seconds(SCORED * self.trained.speed, sum(counts), self.preprocessing.image_size)

    def settings(self) -> Mapping[str, object]:
        """Not where the files without labels stand."""
        return {**super().settings(), "unlabelled": self.unlabelled is not None}

    def outside(self, context: Context) -> object:
        """The names and sizes of the files without labels."""
        if self.unlabelled is None:
            return None
        folder, passed = context.data_dir / self.unlabelled, PassedOver()
        sizes = [[path.name, path.lstat().st_size] for path in find_images([folder], passed.add)]
        for sentence in passed.sentences():
            context.warn(f"{str(folder)!r}: {sentence}")
        return digest_of(sizes)

    def reads(self, context: Context) -> list[Path]:
        unlabelled = [] if self.unlabelled is None else [context.data_dir / self.unlabelled]
        return [*super().reads(context), *unlabelled]

    def run(self, context: Context) -> Facts:
        detector = self.trained.detector(context, self.preprocessing)
        opened = [(source, source.open(context.run, context.cache)) for source in self.sources]
        opened = [(source, images) for source, images in opened if len(images)]
        tick = ticker(sum(len(images) for _, images in opened), context.notify)
        with shared_features(detector, context.cache):
            scored = [
                (source, images, self._scores(detector, source, images, tick))
                for source, images in opened
            ]
        tables = [
            tidy_scores(self.trained, source.name, source.seed, images, scores)
            for source, images, scores in scored
        ]
        trained = context.of(self.trained)
        if (trained / SCORES).is_file():
            tables.append(pd.read_parquet(trained / SCORES))
        table = pd.concat(tables, ignore_index=True).assign(epoch=self.trained.epoch(trained))
        table.to_parquet(context.folder / SCORES, index=False)
        seed = self.trained.seed
        pictures = images_to_look_at(scored, seed, self.kept_mistakes)
        if isinstance(self.trained, TrainGan):
            training = self.trained.data.splits(context).images(TRAINING)
            own = f"generated:{self.trained.config.name}"
            pictures[NEIGHBOURS], distances = neighbours(scored, own, seed, training)
            runs.write_json(context.folder / DISTANCES, distances)
        for name, arrays in pictures.items():
            np.savez_compressed(context.folder / name, **arrays)
        self._finish(detector, table, context)
        return {"n": len(table)}

    def _scores(
        self, detector: Detector, source: Source, images: ImageSet, tick: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """The scores of a source ``(M,)``; of calibration images, after processing if asked for."""
        if self.calibration_processing and source.name in (CALIBRATION, GENERATED_CALIBRATION):
            rng = stream(self.trained.seed, f"processing of {source.name}")
            pixels = images.pixels()
            images = ImageSet(process(pixels, self.calibration_processing, rng))
        return score_images(detector, images, tick, self.trained.augmented)

    def _classes(self, context: Context) -> pd.DataFrame | None:
        """The class of every real image, where thresholds are chosen by class."""
        if not self.rule.by_class:
            return None
        data = next(one for one in self.images if isinstance(one, ClassData))
        return pd.read_parquet(context.of(data) / CLASSES)

    def _finish(self, detector: Detector, table: pd.DataFrame, context: Context) -> None:
        cut = calibrated(table[table["label"] == "real"], self.rule, self._classes(context))
        sources = by_source(table)
        reals = calibration_source(sources)
        absent, promises = {}, {}
        if cut is not None and cut.threshold is not None:
            promises["calibrated"] = cut.facts
        elif cut is not None:
            absent["calibrated"] = cut.why_not
            name = self.trained.config.name
            context.warn(f"detector {name!r} has no calibrated threshold: {cut.why_not}")
        provenance = {
            **detector.description.provenance,
            "experiment": self.experiment,
            "digest": str(runs.read_json(context.of(self.trained) / runs.RECORD)["digest"]),
            "held_out": list(self.held_out),
            "calibrated_fpr": self.rule.fpr,
            "gandetect": own_version(),
        }
        finished = detector.with_description(
            operating_points=thresholds_from(sources, cut),
            absent=absent,
            promises=promises,
            provenance=provenance,
            # By false positive rate; none where no calibration reals were scored.
            cuts={} if reals is None else cuts_by_rate(sources[reals]),
        )
        save_detector(context.folder, finished)
        if self.unlabelled is not None:
            with (context.folder / ANSWERS).open("w", encoding="utf-8") as file:
                paths = [context.data_dir / self.unlabelled]
                write_scores(score_paths(finished, paths), file, "csv")

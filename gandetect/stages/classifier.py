"""Train one supervised classifier: on fakes of GANs, on labelled images, or without a fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import ClassifierConfig
from gandetect.config.epochs import chosen_epochs
from gandetect.data.groups import folds_by_group, split_by_group
from gandetect.data.stored import Images
from gandetect.detectors.classifier import as_classifier, classifier_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Context, Facts, prepare_process
from gandetect.events import silent
from gandetect.randomness import stream
from gandetect.sources import ImageSet
from gandetect.sources.foreign import TRAIN, VALIDATION
from gandetect.sources.image_sets import Indices, joined
from gandetect.sources.labelled import image_set, read_table
from gandetect.sources.splits import IN_DISTRIBUTION, TRAINING
from gandetect.stages.class_data import ClassData
from gandetect.stages.gan import TrainGan
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.scoring import SCORES, score_images, tidy_scores
from gandetect.stages.source_images import SourceImages
from gandetect.stages.speeds import CLASSIFIER, least_images, seconds
from gandetect.stages.trained import Trained
from gandetect.statistics.decisions import binary_figures, confusion
from gandetect.statistics.operating_points import youden
from gandetect.statistics.ranking import auroc
from gandetect.training.augmentation import fixed_copies
from gandetect.training.data_parallel import call, own_device
from gandetect.training.epoch_fakes import even_shares, fakes_of_epochs
from gandetect.training.examples import Examples
from gandetect.training.supervised import check_classifier, train_classifier

SCORED_TRAINING = 5000  # at most so many training images of each label are scored for comparison


@dataclass(frozen=True)
class Loaded:
    """What a training needs: examples to train on and to choose the epoch by.

    ``scored`` are the images of both by the names of their sources, scored while they are at hand.
    """

    training: Examples
    validation: Examples
    scored: Mapping[str, ImageSet]


@dataclass(frozen=True)
class GanExamples:
    """Real training images against fakes of GANs and of sources, as many of each label.

    GANs' are fresh, drawn by the generators of ``fakes_epochs``, as many of each; those of
    ``sources`` are of its training part. A share of the reals, and as many further fakes, are split
    off to choose the epoch by; of sources those are the validation part.
    """

    gans: tuple[TrainGan, ...]
    data: ClassData
    sources: tuple[SourceImages, ...] = ()

    def load(self, config: ClassifierConfig, seed: int, context: Context) -> Loaded:
        splits = self.data.splits(context)
        reals = splits.images(TRAINING)
        order = stream(seed, f"validation of {config.name}").permutation(len(reals))
        held_back = max(2, round(config.validation_fraction * len(reals)))
        chosen = {
            "training": np.sort(order[held_back:][: config.max_images]),
            "validation": np.sort(order[:held_back]),
        }
        examples, scored = {}, {}
        makers: list[TrainGan | SourceImages] = [*self.gans, *self.sources]
        for split, rows in chosen.items():
            side = TRAIN if split == "training" else VALIDATION
            fakes = [
                maker.drawn(part, f"classifier {split} of {config.name}", context, seed, side)
                if isinstance(maker, SourceImages)
                else _fakes(config, maker, part, f"classifier {split}", context)
                for maker, part in zip(makers, even_shares(len(rows), len(makers)), strict=True)
            ]
            both = reals[rows], np.concatenate(fakes)
            examples[split] = _joined(*both)
            most = splits.count(IN_DISTRIBUTION) if split == "training" else None
            for label, images in zip(("real", "generated"), both, strict=True):
                scored[f"{label}:{split}"] = ImageSet(images[:most])
        return Loaded(examples["training"], examples["validation"], scored)


@dataclass(frozen=True)
class LabelledExamples:
    """The training and validation images of a labelled data set, at the classifier's size.

    Beside them are those of ``sources``, all of them fakes.
    """

    images: DecodedImages
    data: LabelledData
    sources: tuple[SourceImages, ...] = ()

    def load(self, config: ClassifierConfig, seed: int, context: Context) -> Loaded:
        table = read_table(context.run)
        parts = {split: table[table["split"] == split] for split in (TRAIN, VALIDATION)}
        scored = {
            f"{label}:{name}": self._of_label(context, parts[split], label, split, most)
            for split, name, most in (
                (TRAIN, "training", SCORED_TRAINING),
                (VALIDATION, "validation", None),
            )
            for label in ("real", "generated")
        }
        training, validation = (
            self.examples(context, rows, split) for split, rows in parts.items()
        )
        return Loaded(training, validation, scored)

    def examples(self, context: Context, rows: pd.DataFrame, split: str) -> Examples:
        """Rows of the labelled images, and the sources' images of a split."""
        own, others = image_set(context.run, self.images.size, rows), self._others(context, split)
        images = joined([own, *others])
        of_rows = (rows["label"] == "generated").to_numpy(np.int64)
        labels = np.concatenate([of_rows, *(np.ones(len(one), np.int64) for one in others)])
        assert images.copies is not None
        return Examples(images.array(), images.all_rows(), labels, images.copies)

    def _of_label(
        self, context: Context, rows: pd.DataFrame, label: str, split: str, most: int | None
    ) -> ImageSet:
        """The same of one label; of a source as many as of the labelled images at most."""
        own = _of_label(context.run, self.images.size, rows, label, most)
        others = self._others(context, split) if label == "generated" else []
        return joined([own, *(one.first(most or len(one)) for one in others)])

    def _others(self, context: Context, split: str) -> list[ImageSet]:
        return [one.source(0, split).open(context.run, context.cache) for one in self.sources]


@dataclass(frozen=True)
class _ClassifierTraining(Trained):
    """What trainings of classifiers have in common."""

    config: ClassifierConfig
    preprocessing: Preprocessing
    examples: GanExamples | LabelledExamples

    VERSION: ClassVar[int] = 2
    WRITES: ClassVar = "resumes"

    @property
    def weight(self) -> float:
        config = self.config
        there = least_images(self.examples.data.config)
        images = min(config.max_images or there, there)
        seen = images * config.epochs * max(1, config.copies)
        return seconds(CLASSIFIER, seen, config.image_size)  # networks differ too much for more

    def settings(self) -> Mapping[str, object]:
        """Not what others have published of such a network."""
        # The content of a file of weights counts, wherever it stands.
        weights = {"weights"} if _weights_file(self.config) else set()
        config = self.config.model_dump(mode="json", exclude={"published", *weights})
        return {**super().settings(), "config": config}

    def check(self, context: Context) -> None:
        """Refuse a network that cannot be built, or phases that cannot be combined."""
        check_classifier(self.config, self.preprocessing.channels)

    def detector(self, context: Context, preprocessing: Preprocessing) -> NetworkDetector:
        folder, device = context.of(self), torch.device(context.device)
        epoch = self.epoch(folder)
        return classifier_of(self.config, self.seed, folder, preprocessing, device, epoch)

    def epoch(self, folder: Path) -> int:
        return int(runs.read_json(folder / "training.json")["best_epoch"])

    def augmented(
        self, pixels: NDArray[np.uint8], copies: Indices, rows: Indices
    ) -> NDArray[np.uint8]:
        config = self.config
        return fixed_copies(pixels, copies, rows, config.augmentation, config.image_size)

    def outside(self, context: Context) -> object:
        """The content of a file of weights that training starts from."""
        return [runs.file_digest(file) for file in _weights_file(self.config)]

    def reads(self, context: Context) -> list[Path]:
        return [*super().reads(context), *_weights_file(self.config)]

    def assist(self, context: Context) -> None:
        """Take part in the training in a process that does not lead."""
        context = replace(context, device=own_device(context.device))
        prepare_process(context.threads)
        self._trained(context, *self._examples(context))

    def _examples(self, context: Context) -> tuple[Examples, Examples]:
        """The examples to train on, and those to choose the epoch by."""
        loaded = self.examples.load(self.config, self.seed, context)
        return loaded.training, loaded.validation

    def _trained(
        self, context: Context, training: Examples, validation: Examples
    ) -> NetworkDetector:
        device = torch.device(context.device)
        arguments = self.config, training, validation, context.folder
        network = train_classifier(*arguments, seed=self.seed, device=device, notify=context.notify)
        return as_classifier(self.config, network, self.preprocessing, device)

    def _call_others(self, context: Context) -> None:
        """Let processes that train together with this one begin, too."""
        call(partial(self.assist, replace(context, notify=silent)))


@dataclass(frozen=True)
class TrainClassifier(_ClassifierTraining):
    """Train, the epoch chosen on validation images alone, then score the images at hand."""

    PLACE: ClassVar = "classifiers/{self.config.name}/seed-{self.seed}"

    def run(self, context: Context) -> Facts:
        self._call_others(context)
        loaded = self.examples.load(self.config, self.seed, context)
        detector = self._trained(context, loaded.training, loaded.validation)
        tables = []
        for name, images in loaded.scored.items():
            scores = score_images(detector, images, augment=self.augmented)
            source_seed = self.seed if name.startswith("generated:") else 0
            tables.append(tidy_scores(self, name, source_seed, images, scores))
        with runs.atomic_file(context.folder / SCORES) as temporary:
            pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
        return {"n": len(loaded.training)}


@dataclass(frozen=True)
class CrossValidationFold(_ClassifierTraining):
    """Train without one fold and test the network on it, at the validation images' best cut."""

    examples: LabelledExamples
    fold: int
    folds: int

    PLACE: ClassVar = "folds/{self.config.name}/seed-{self.seed}/fold-{self.fold:02d}"

    @property
    def subject(self) -> str:
        return f"{self.config.name} seed {self.seed} fold {self.fold}"

    def run(self, context: Context) -> Facts:
        self._call_others(context)
        _, validation, held_back = self._rows(context.run)
        detector = self._trained(context, *self._examples(context))

        def scored(rows: pd.DataFrame, label: str) -> NDArray[np.float64]:
            images = _of_label(context.run, self.examples.images.size, rows, label)
            return score_images(detector, images, augment=self.augmented)

        cut = youden(scored(validation, "generated"), scored(validation, "real"))
        fakes, reals = scored(held_back, "generated"), scored(held_back, "real")
        figures = {
            "detector": self.config.name,
            "detector_seed": self.seed,
            "fold": self.fold,
            "n": len(fakes) + len(reals),
            "threshold": cut,
            "auroc": auroc(fakes, reals)[0],
            **binary_figures(confusion(fakes, reals, cut)),
        }
        return {"figures": figures}

    def _examples(self, context: Context) -> tuple[Examples, Examples]:
        training, validation, _ = self._rows(context.run)
        examples = self.examples.examples
        return examples(context, training, TRAIN), examples(context, validation, VALIDATION)

    def _rows(self, run: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Training and validation images, and those of the fold; no test image is among them."""
        data, table = self.examples.data.config, read_table(run)
        rows = table[table["split"].isin(["train", "validation"])]
        folds = folds_by_group(rows["class_name"], rows["group"], self.folds, data.split_seed)
        rest = rows[folds != self.fold - 1]
        inner = split_by_group(
            rest["class_name"],
            rest["group"],
            validation_fraction=data.validation_fraction,
            test_fraction=0.0,
            seed=data.split_seed,
        )
        held_back = rows[folds == self.fold - 1]
        return rest[inner == "train"], rest[inner == "validation"], held_back


def _weights_file(config: ClassifierConfig) -> list[Path]:
    file = Path(config.weights)
    return [file] if config.weights not in ("none", "imagenet") and file.is_file() else []


def _fakes(
    config: ClassifierConfig, gan: TrainGan, count: int, purpose: str, context: Context
) -> NDArray[np.uint8]:
    """Fresh fakes ``(count, C, H, W)`` of one GAN's last generator, or of several epochs'."""
    if config.fakes_epochs == "last":
        return gan.drawn(count, purpose, context)
    channels, size = gan.data.config.shape
    return fakes_of_epochs(
        gan.config,
        context.of(gan),
        chosen_epochs(config.fakes_epochs, gan.config.epochs),
        count,
        image_size=size,
        channels=channels,
        seed=gan.seed,
        purpose=purpose,
        device=torch.device(context.device),
    )


def _of_label(
    run: Path, size: int, rows: pd.DataFrame, label: str, most: int | None = None
) -> ImageSet:
    return image_set(run, size, rows[rows["label"] == label][:most])


def _joined(reals: Images, fakes: Images) -> Examples:
    labels = np.repeat(np.array([0, 1], np.int64), [len(reals), len(fakes)])
    rows = np.arange(len(labels))
    return Examples(np.concatenate([reals, fakes]), rows, labels, np.zeros_like(rows))

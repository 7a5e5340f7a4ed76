"""A whole study as written in an experiment file, and its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gandetect.config.canonical import digest_of
from gandetect.config.changes import VariantConfig
from gandetect.config.class_images import ClassImagesConfig, FashionMnistConfig, PicturesConfig
from gandetect.config.classifier import ClassifierConfig, at_size_of_data
from gandetect.config.data import DataConfig, LabelledDataConfig, data_table
from gandetect.config.detector import AnyDetectorTable, DetectorTable
from gandetect.config.epochs import Epochs, chosen_epochs
from gandetect.config.features import OWN, Features
from gandetect.config.gan import GanConfig
from gandetect.config.generator import AnyGenerator, GeneratorConfig
from gandetect.config.processing import Processing
from gandetect.config.section import (
    ConfigSection,
    EpochCount,
    ImageCount,
    Name,
    Once,
    OpenProbability,
    SplitSeed,
)
from gandetect.config.source import AnySourceTable, SourceTable
from gandetect.errors import unknown_name

# Names of groups of images in the scores; a generator of that name could not be told from them.
RESERVED = ("in-distribution", "held-out", "training", "validation", "calibration")


class QualityConfig(ConfigSection):
    """How good the fakes are: the ten-class feature network and the images it evaluates.

    ``features`` are what FID and KID are measured in. "own" is that network, by which every epoch
    is judged; the last epoch's images may be judged in further ones: a network trained on ImageNet,
    such as "efficientnet-lite0", or the path of a TorchScript file beside the experiment file.
    """

    classifier_epochs: EpochCount = 2
    generated: Annotated[ImageCount, Field(ge=100)] = 4200
    features: Features = (OWN,)

    def training_identity(self) -> dict[str, Any]:
        """What of this table changes a training; what is judged after it does not."""
        return self.model_dump(mode="json", exclude={"features"})


class EvaluationConfig(ConfigSection):
    """How many images of each source are scored, how operating points are chosen, and what more.

    ``trajectory`` says which epochs' discriminators meet which epochs' generators: "all",
    "every 5" (the 5th, 10th, … and the last), "last 3", or "last" (none but the final ones).
    ``calibrated_fpr`` is how many new reals may be flagged on average, or, with
    ``calibrated_confidence``, that surely at most; with ``calibrated_by`` "class" in each class.
    ``calibration_processing`` sends calibration images through a random chain before thresholds are
    chosen on them, for detectors of images that have travelled. ``perturbations`` are ways of
    processing images under which detectors are scored again: "jpeg"
    at its usual levels, "jpeg 75" at that one.
    ``overlap`` says what is done with test images that also stand in another split.
    """

    own_generated: Annotated[ImageCount, Field(ge=20)] | None = None
    other_generated: Annotated[ImageCount, Field(ge=20)] = 10000
    training_reals: Annotated[ImageCount, Field(ge=20)] | None = None
    calibrated_fpr: OpenProbability = 0.05
    calibrated_confidence: Annotated[float, Field(ge=0.5, lt=1.0)] | None = None
    calibrated_by: Literal["class"] | None = None
    calibration_processing: Processing = ()
    kept_mistakes: Annotated[int, Field(ge=1, le=400)] = 25
    trajectory: Epochs = "last"
    trajectory_images: Annotated[ImageCount, Field(ge=20)] = 1000
    perturbations: Once[str] = ()
    perturbed_images: Annotated[ImageCount, Field(ge=20)] = 1000
    overlap: Literal["refuse", "exclude", "allow"] = "refuse"

    def kept_epochs(self, epochs: int) -> list[int]:
        """Epochs, counted from 1, that the trajectory is made of; none for "last".

        >>> EvaluationConfig(trajectory="every 2").kept_epochs(5)
        [2, 4, 5]
        """
        return [] if self.trajectory == "last" else chosen_epochs(self.trajectory, epochs)


class Experiment(ConfigSection):
    """A whole study, as written in an experiment file."""

    name: Name
    question: str = ""
    seeds: Annotated[Once[SplitSeed], Field(min_length=1, max_length=1000)] = (0,)
    data: DataConfig = FashionMnistConfig()
    gans: tuple[AnyGenerator, ...] = ()
    classifiers: tuple[ClassifierConfig, ...] = ()
    detectors: tuple[AnyDetectorTable, ...] = ()
    sources: tuple[AnySourceTable, ...] = ()
    quality: QualityConfig = QualityConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    variants: tuple[VariantConfig, ...] = ()

    @property
    def discriminators(self) -> tuple[GanConfig, ...]:
        """The GANs whose discriminators are detectors."""
        gans = (gan for gan in self.gans if isinstance(gan, GanConfig))
        return tuple(gan for gan in gans if gan.role != "source")

    @property
    def makers(self) -> tuple[GeneratorConfig | SourceTable, ...]:
        """Whose images detectors may be trained on: its GANs, and sources with ``train``."""
        return (*self.gans, *(source for source in self.sources if source.train))

    @property
    def not_of_gans(self) -> tuple[ClassifierConfig | DetectorTable, ...]:
        """All detectors that are no GAN's discriminator."""
        return (*self.classifiers, *self.detectors)

    def known_to(self, name: str) -> tuple[str, ...]:
        """Names of the GANs and sources whose images the detector of that name was trained on."""
        if any(maker.name == name for maker in self.makers):
            return (name,)
        for classifier in self.classifiers:
            if classifier.name == name:
                return classifier.fakes_from
        for detector in self.detectors:
            if detector.name == name:
                return detector.known(self.known_to)
        raise KeyError(name)

    @model_validator(mode="before")
    @classmethod
    def _fakes_from_somewhere(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("gans") or given.get("sources"):
            return given
        data = given.get("data")
        if isinstance(data, Mapping) and data_table(data) is PicturesConfig:
            raise ValueError(
                "the pictures of a folder are all real, and there are no [[gans]] to make fakes; "
                "add some, or say in [data] which classes are generated, as in "
                'classes = { photos = "real", fakes = "generated" }'
            )
        return given

    @field_validator("classifiers", mode="before")
    @classmethod
    def _small_networks_see_the_size_of_the_data(cls, given: Any, info: ValidationInfo) -> Any:
        """Give the CNNs of a GAN study that say no ``image_size`` that of the data."""
        data = info.data.get("data")
        if not isinstance(data, ClassImagesConfig) or not isinstance(given, list | tuple):
            return given
        return tuple(at_size_of_data(table, data.shape[1]) for table in given)

    @model_validator(mode="after")
    def _distinct_names(self) -> Experiment:
        names = [entry.name for entry in (*self.gans, *self.not_of_gans, *self.sources)]
        if not self.gans and not self.not_of_gans:
            raise ValueError("there is nothing to train; give at least one [[gans]] table, or "
                             "[[classifiers]] on labelled images")  # fmt: skip
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            others = {entry.name for entry in self.not_of_gans}
            kind = "detectors" if twice[0] in others else "GANs"
            if twice[0] in {source.name for source in self.sources}:
                kind = "entries, of which one is of [[sources]],"
            raise ValueError(
                f'two {kind} are named {twice[0]!r}; give one of them another name = "…"'
            )
        taken = [name for name in names if name in RESERVED]
        if taken:
            raise ValueError(f"the name {taken[0]!r} is that of a group of images; give another")
        return self

    @model_validator(mode="after")
    def _fakes_exist(self) -> Experiment:
        if isinstance(self.data, LabelledDataConfig):
            self._bring_their_own_fakes(self.data)
            return self
        makers = [maker.name for maker in self.makers]
        for classifier in self.classifiers:
            if not classifier.fakes_from:
                raise ValueError(
                    f"classifier {classifier.name!r} has no fakes to train on; name the GANs "
                    f'that make them, as in fakes_from = ["{next(iter(makers), "dcgan-bn")}"]'
                )
        self._require_makers()
        for detector in self.detectors:
            detector.check(self.makers, self.classifiers)
        return self

    @model_validator(mode="after")
    def _features_compare_images_of_gans(self) -> Experiment:
        if not self.gans and set(self.quality.features) != {OWN}:
            raise ValueError(
                f"quality.features = {list(self.quality.features)} was given, and there are no "
                "[[gans]] whose images could be compared in them; leave it out, or add some"
            )
        return self

    def _require_makers(self) -> None:
        """Refuse fakes of what makes none, or of a source that nothing is trained on."""
        makers = [maker.name for maker in self.makers]
        untrained = [source.name for source in self.sources if not source.train]
        for one in self.not_of_gans:
            for name in getattr(one, "fakes_from", ()):
                if name in untrained:
                    raise ValueError(
                        f"{one.name!r} has fakes_from = {name!r}, a source that is only answered; "
                        'give that source train = true and label = "generated"'
                    )
                if name not in makers and isinstance(one, ClassifierConfig):
                    raise unknown_name("fakes_from", name, makers)

    def _bring_their_own_fakes(self, data: LabelledDataConfig) -> None:
        """Refuse what makes fakes, or needs those of a GAN, or splits by class."""
        if self.evaluation.calibrated_by:
            raise ValueError(
                'calibrated_by = "class" was given with images that bring their own labels, whose '
                "classes say what is real and not what it shows; leave it out"
            )
        if self.gans:
            raise ValueError(
                "[[gans]] make the fakes of a study, and these data bring their own "
                f'(name = "{data.name}", with a label for every image); for GANs give a '
                "folder whose sub-folders are all classes of real images, without labels: classes "
                "left out, or a list of sub-folders"
            )
        for source in self.sources:
            if source.name in data.classes:
                raise ValueError(
                    f"source {source.name!r} is named as a class of the data; give it another name"
                )
        named = any(classifier.fakes_from for classifier in self.classifiers)
        if self.makers:
            self._require_makers()
        of_generators = {
            "[[detectors]]": any(detector.OF_GANS for detector in self.detectors),
            "fakes_from": named and not self.makers,
            "fakes_epochs": any(
                classifier.fakes_epochs != "last" for classifier in self.classifiers
            ),
            "trajectory": self.evaluation.trajectory != "last",
        }
        for key, is_set in of_generators.items():
            if is_set:
                raise ValueError(
                    f'{key} is for studies with [[gans]], and data of name = "{data.name}" with '
                    f"labels bring their own fakes; remove {key}"
                )
        for detector in self.detectors:
            detector.check_labelled(data.trained_fakes)
        copies = {classifier.copies for classifier in self.classifiers}
        if data.leak and (len(copies) != 1 or copies == {0}):
            raise ValueError(
                'leak = "augment-before-split" needs classifiers that all make the same number '
                f"of copies, at least 1; theirs are {sorted(copies)}"
            )

    def with_precision(self, native: Literal["fp32", "bf16"]) -> Experiment:
        """Resolve ``precision = "auto"`` to what this machine computes natively."""
        tables = {
            key: tuple(
                training.model_copy(update={"precision": native})
                if training.precision == "auto"
                else training
                for training in getattr(self, key)
            )
            for key in ("gans", "classifiers")
        }
        return self.model_copy(update=tables)

    def digest(self) -> str:
        """SHA-256 of everything that changes a result, except the lists of seeds and features.

        Those are left out on purpose: the results of each stand in folders of their own, so a
        study with one more seed goes on in the same run folder and costs one seed.
        """
        excluded: Any = {"seeds": True, "question": True, "classifiers": {"__all__": {"published"}}}
        excluded["quality"] = {"features"}
        excluded["detectors"] = {at: {*one.WITHOUT_EFFECT} for at, one in enumerate(self.detectors)}
        identity = self.model_dump(mode="json", exclude=excluded)
        if self.variants:  # each is a study with a digest of its own, so more may join them
            identity["variants"] = True
        return digest_of(identity)

"""A study is a graph of stages: some sources of images, some detectors, every detector on each.

Studies of GANs and of labelled images differ in where images and detectors come from. All that is
asked of them afterwards is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gandetect.config import (
    ClassifierConfig,
    ClassImagesConfig,
    CsvDataConfig,
    DetectorTable,
    Experiment,
    FolderDataConfig,
    PicturesConfig,
)
from gandetect.detectors.external import External
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Stage
from gandetect.sources import Source, splits
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.labelled import LabelledSource
from gandetect.sources.splits import SplitSource
from gandetect.stages.audit import AuditSource
from gandetect.stages.class_data import ClassData
from gandetect.stages.classifier import (
    CrossValidationFold,
    GanExamples,
    LabelledExamples,
    TrainClassifier,
)
from gandetect.stages.external import GanTraining, LabelledTraining, OpenExternal
from gandetect.stages.feature_network import FeatureNetwork
from gandetect.stages.gan import DrawImages, TrainGan
from gandetect.stages.image_statistics import SummariseImages
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.overlap import CheckOverlap
from gandetect.stages.perturbed import ScorePerturbed
from gandetect.stages.post_hoc import MakeDetector
from gandetect.stages.report import Report
from gandetect.stages.saliency import MapSaliency
from gandetect.stages.score import ImageStage, ScoreDetector
from gandetect.stages.trained import Trained
from gandetect.stages.trajectory import ScoreTrajectory
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.scores import (
    GENERATED_CALIBRATION,
    GENERATED_VALIDATION,
    NOT_REPORTED,
    TEST_REALS,
    TRAINING,
    VALIDATION,
)

AUDITED = 2000  # images of each side, and of each source that is summed up
AUDITED_LARGE = 500  # of those above 64 px
LARGE = 64
UNKNOWN_SIZE = 224  # of labelled images, where no detector says what it takes
# Images of each source with a map of what moves the score, and of each kind those that are shown.
MAPPED, MAPPED_SHOWN = 10, 3
MAPPED_LARGE, MAPPED_SHOWN_LARGE = 4, 2


@dataclass(frozen=True)
class Scoring:
    """A detector to be, and the sources that it is scored on with the stages they come from."""

    trained: Trained
    preprocessing: Preprocessing
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]


@dataclass(frozen=True)
class Composed:
    """The graph of a study, by what may be wanted of it."""

    gans: tuple[Stage, ...]
    classifiers: tuple[Stage, ...]
    report: Report

    def targets(self, stop_after: str) -> Sequence[Stage]:
        """The last stages; all others are needed by them."""
        wanted: dict[str, Sequence[Stage]] = {"gans": self.gans, "classifiers": self.classifiers}
        return wanted.get(stop_after, (self.report,))


def compose(experiment: Experiment) -> Composed:
    """All stages of a plain experiment, without reading or writing anything."""
    if isinstance(experiment.data, ClassImagesConfig):
        return _of_gans(experiment, experiment.data)
    assert isinstance(experiment.data, FolderDataConfig | CsvDataConfig)
    return _of_labelled_images(experiment, experiment.data)


def _of_gans(experiment: Experiment, config: ClassImagesConfig) -> Composed:
    data = ClassData(config)
    evaluation = experiment.evaluation
    features = FeatureNetwork(experiment.quality.classifier_epochs, data)
    gans = {
        (gan.name, seed): TrainGan(gan, seed, experiment.quality, data, features)
        for seed in experiment.seeds
        for gan in experiment.gans
    }
    counts = evaluation.own_generated, evaluation.other_generated
    drawn = {
        (*key, purpose): DrawImages(purpose, *counts, gan)
        for key, gan in gans.items()
        for purpose in ("evaluation", "calibration")
    }
    channels, size = config.shape
    fit = (isinstance(config, PicturesConfig) and config.fit) or "pad"
    shape = Preprocessing(image_size=size, channels=1 if channels == 1 else 3, fit=fit)
    classifiers = {
        (one.name, seed): TrainClassifier(
            one, seed, shape, GanExamples(tuple(gans[name, seed] for name in one.fakes_from), data)
        )
        for seed in experiment.seeds
        for one in experiment.classifiers
    }
    trained: dict[tuple[str, int], TrainGan | TrainClassifier] = {**gans, **classifiers}

    def made(one: DetectorTable, seed: int) -> Trained:
        if isinstance(one, External):
            learns = tuple(gans[name, seed] for name in one.trained_on) if one.learns else ()
            return OpenExternal(one, seed, shape, GanTraining(learns, data) if learns else None)
        return MakeDetector(one, seed, shape, tuple(trained[n, seed] for n in one.made_of), data)

    others = [made(one, seed) for seed in experiment.seeds for one in experiment.detectors]

    def scoring(trained: Trained) -> Scoring:
        sources = _gan_sources(experiment, trained)
        used = [one for one in sources if isinstance(one, GeneratedSource)]
        images = dict.fromkeys(drawn[one.gan, one.seed, one.purpose] for one in used)
        return Scoring(trained, shape, sources, (data, *images))

    wanted = [gan for gan in gans.values() if gan.config.role != "source"]
    detectors: list[Trained] = [*wanted, *classifiers.values(), *others]
    scorings = [scoring(one) for seed in experiment.seeds for one in detectors if one.seed == seed]
    trajectories = [
        _trajectory(experiment, one.trained, one)
        for one in scorings
        if isinstance(one.trained, TrainGan) and evaluation.kept_epochs(one.trained.config.epochs)
    ]
    audits = [
        AuditSource(
            name,
            SplitSource(splits.TRAINING),
            GeneratedSource(f"generated:{name}", seed, name, "calibration", part=(0, 1)),
            AUDITED,
            (data, drawn[name, seed, "calibration"]),
        )
        for name, seed in gans
    ]
    report = replace(
        _report(experiment, data, data, scorings, sampled=False),
        overlap=CheckOverlap(evaluation.overlap, data),
        features=features,
        gans=tuple(gans.values()),
        audits=tuple(audits),
        trajectories=tuple(trajectories),
    )
    return Composed((*gans.values(), *drawn.values()), tuple(classifiers.values()), report)


def _of_labelled_images(
    experiment: Experiment, config: FolderDataConfig | CsvDataConfig
) -> Composed:
    copies = experiment.classifiers[0].copies if config.leak else 0
    data = LabelledData(config, copies)
    external = [one for one in experiment.detectors if isinstance(one, External)]
    sizes = {one.stored_size for one in experiment.classifiers}
    sizes |= {one.image_size for one in external if one.image_size}
    default = max(sizes, default=UNKNOWN_SIZE)
    decoded = {size: DecodedImages(size, data) for size in sizes or {default}}

    def shape(one: ClassifierConfig | External) -> Preprocessing:
        size = one.stored_size if isinstance(one, ClassifierConfig) else one.image_size or default
        return Preprocessing(image_size=size, channels=3, fit=config.fit)

    def examples(one: ClassifierConfig) -> LabelledExamples:
        return LabelledExamples(decoded[one.stored_size], data)

    scorings = []
    for seed in experiment.seeds:
        for one in experiment.classifiers:
            trained = TrainClassifier(one, seed, shape(one), examples(one))
            sources = _labelled_sources(config, one.stored_size, seed)
            images = decoded[one.stored_size], data
            scorings.append(Scoring(trained, shape(one), sources, images))
        for table in external:
            size = shape(table).image_size
            training = LabelledTraining(decoded[size], data) if table.learns else None
            opened = OpenExternal(table, seed, shape(table), training)
            sources = _labelled_sources(config, size, seed, validation=True)
            scorings.append(Scoring(opened, shape(table), sources, (decoded[size], data)))
    trainings = [one.trained for one in scorings if isinstance(one.trained, TrainClassifier)]
    folds = tuple(
        CrossValidationFold(one, experiment.seeds[0], shape(one), examples(one), fold, config.folds)
        for one in experiment.classifiers
        if config.folds is not None
        for fold in range(1, config.folds + 1)
    )
    report = replace(
        _report(experiment, data, decoded[min(decoded)], scorings, sampled=True),
        folds=folds,
        audits=tuple(_labelled_audits(config, decoded[max(decoded)], data)),
    )
    return Composed((), (*trainings, *folds), report)


def _report(
    experiment: Experiment,
    data: ClassData | LabelledData,
    samples: ClassData | DecodedImages,
    scorings: Sequence[Scoring],
    *,
    sampled: bool,
) -> Report:
    """The report of what every study has: scores, and scores of processed images if asked for."""
    evaluation, table = experiment.evaluation, experiment.data
    held_out = (isinstance(table, ClassImagesConfig) and table.selection) or table.held_out
    unlabelled = None
    if isinstance(table, FolderDataConfig | CsvDataConfig) and table.unlabelled is not None:
        unlabelled = f"{table.path}/{table.unlabelled}"
    scores = tuple(
        ScoreDetector(
            scoring.trained,
            scoring.sources,
            scoring.images,
            scoring.preprocessing,
            CalibrationRule.of(evaluation),
            evaluation.kept_mistakes,
            experiment.name,
            tuple(map(str, held_out)),
            unlabelled,
            evaluation.calibration_processing,
        )
        for scoring in scorings
    )
    perturbed = tuple(
        ScorePerturbed(
            scoring.trained,
            tuple(
                source for source in scoring.sources if _is_perturbed(source, scoring.trained.seed)
            ),
            scoring.images,
            scoring.preprocessing,
            evaluation.perturbations,
            evaluation.perturbed_images,
            sampled,
        )
        for scoring in scorings
        if evaluation.perturbations
    )
    first = [one for one in scorings if one.trained.seed == experiment.seeds[0]]
    return Report(
        experiment,
        scores,
        data,
        samples,
        perturbed,
        # Labelled fakes are the same for every seed.
        statistics=_image_statistics(first if sampled else scorings),
        saliency=tuple(
            _saliency(*pair)
            for pair in zip(scorings, scores, strict=True)
            if getattr(pair[0].trained.config, "MAPPED", True)
        ),
    )


def _image_statistics(scorings: Sequence[Scoring]) -> SummariseImages:
    """Of every source once, at the smallest size that a detector sees."""
    size = min((one.preprocessing.image_size for one in scorings), default=LARGE)
    of_size = [one for one in scorings if one.preprocessing.image_size == size]
    sources = {
        (source.name, source.seed): source
        for one in of_size
        for source in one.sources
        if _is_shown(source, one.trained.seed)
    }
    images = {stage.place: stage for one in of_size for stage in one.images}
    most = AUDITED_LARGE if size > LARGE else AUDITED
    return SummariseImages(tuple(sources.values()), most, tuple(images.values()))


def _saliency(scoring: Scoring, scores: ScoreDetector) -> MapSaliency:
    large = scoring.preprocessing.image_size > LARGE
    return MapSaliency(
        scoring.trained,
        tuple(one for one in scoring.sources if _is_shown(one, scoring.trained.seed)),
        scoring.images,
        scoring.preprocessing,
        scores,
        MAPPED_LARGE if large else MAPPED,
        MAPPED_SHOWN_LARGE if large else MAPPED_SHOWN,
    )


def _gan_sources(experiment: Experiment, trained: Trained) -> tuple[Source, ...]:
    """All images that one detector of a GAN study is scored on.

    Fakes of every generator of its own seed, fakes of its own generators of the next seed, fresh
    fakes of its own generators for calibration, and every split of the reals.
    """
    evaluation, seed = experiment.evaluation, trained.seed
    known = experiment.known_to(trained.config.name)
    sources: list[Source] = []
    for gan in experiment.gans:
        if gan.role != "detector" or gan.name in known:
            count = evaluation.own_generated if gan.name in known else evaluation.other_generated
            sources.append(_drawn(gan.name, seed, count))
    another = _next_seed(experiment, seed)
    for number, name in enumerate(known):
        if another != seed:
            sources.append(_drawn(name, another, evaluation.other_generated))
        part = (number, len(known))
        sources.append(GeneratedSource(GENERATED_CALIBRATION, seed, name, "calibration", part=part))
    sources += map(SplitSource, (splits.IN_DISTRIBUTION, splits.HELD_OUT, splits.CALIBRATION))
    if not isinstance(trained, TrainClassifier):  # which has scored what it was trained on
        most = evaluation.training_reals
        as_many_as = None if most else splits.IN_DISTRIBUTION
        sources.append(SplitSource(splits.TRAINING, most, as_many_as))
    return tuple(sources)


def _drawn(gan: str, seed: int, count: int | None) -> GeneratedSource:
    return GeneratedSource(f"generated:{gan}", seed, gan, "evaluation", count)


def _next_seed(experiment: Experiment, seed: int) -> int:
    """The seed after this one, in a circle: whose generator stands for another training run.

    Each generator meets one discriminator of another run, so no run counts more than others.
    """
    seeds = experiment.seeds
    return seeds[(seeds.index(seed) + 1) % len(seeds)]


def _trajectory(experiment: Experiment, gan: TrainGan, scoring: Scoring) -> ScoreTrajectory:
    own = f"generated:{gan.config.name}"

    def met_at_every_epoch(source: Source) -> bool:
        if source.name.startswith("real:"):
            return source.name != TRAINING
        return source.name not in (*NOT_REPORTED, own) and source.seed == gan.seed

    evaluation = experiment.evaluation
    return ScoreTrajectory(
        gan,
        tuple(evaluation.kept_epochs(gan.config.epochs)),
        evaluation.trajectory_images,
        tuple(filter(met_at_every_epoch, scoring.sources)),
        scoring.images,
        scoring.preprocessing,
    )


def _is_perturbed(source: Source, seed: int) -> bool:
    if source.name.startswith("real:"):
        return source.name in TEST_REALS
    return source.name not in NOT_REPORTED and source.seed == seed


def _is_shown(one: Source, seed: int) -> bool:
    """Whether images of a source are kept to be looked at, as `images_to_look_at` keeps them."""
    if one.name.startswith("real:"):
        return one.name in TEST_REALS
    return one.name not in NOT_REPORTED and one.seed == seed


def _labelled_sources(
    config: FolderDataConfig | CsvDataConfig, size: int, seed: int, validation: bool = False
) -> tuple[Source, ...]:
    """All images that a detector of a labelled study is scored on, fakes by class.

    Every seed sees the same fakes under its own number, as no other run has made them. A
    classifier's training has scored the ``validation`` images, another detector's has not.
    """
    sources = [
        LabelledSource(f"generated:{name}", seed, size, ("test", "held-out"), "generated", name)
        for name in _classes(config, "generated")
    ]
    sources.append(LabelledSource("real:in-distribution", 0, size, ("test",), "real"))
    sources.append(LabelledSource("real:held-out", 0, size, ("held-out",), "real"))
    if validation:
        for name, of in ((VALIDATION, 0), (GENERATED_VALIDATION, seed)):
            label = name.partition(":")[0]
            sources.append(LabelledSource(name, of, size, ("validation",), label))
    return tuple(sources)


def _labelled_audits(
    config: FolderDataConfig | CsvDataConfig, images: DecodedImages, data: LabelledData
) -> list[AuditSource]:
    """Audits of each class of fakes that is trained on, beside all reals that are."""
    names = [name for name in _classes(config, "generated") if name not in config.held_out]
    most = AUDITED_LARGE if images.size > LARGE else AUDITED

    def source(label: str, name: str | None) -> LabelledSource:
        called = TRAINING if name is None else f"generated:{name}"
        return LabelledSource(called, 0, images.size, ("train",), label, name, originals=True)

    return [
        AuditSource(
            f"class-{number:02d}",
            source("real", None),
            source("generated", name),
            most,
            (images, data),
            data,
        )
        for number, name in enumerate(names, start=1)
    ]


def _classes(config: FolderDataConfig | CsvDataConfig, label: str) -> list[str]:
    return sorted(name for name, given in config.classes.items() if given == label)

"""A study is a graph of stages: some sources of images, some detectors, every detector on each.

Studies of GANs and of labelled images differ in where images and detectors come from. All that is
asked of them afterwards is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gandetect.config import (
    ClassifierConfig,
    ClassImagesConfig,
    CsvDataConfig,
    DetectorTable,
    Experiment,
    FolderDataConfig,
    LabelledDataConfig,
    PicturesConfig,
)
from gandetect.config.features import OWN
from gandetect.detectors.external import External
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Stage
from gandetect.sources import Source
from gandetect.sources.generators import GeneratedSource
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
from gandetect.stages.look import is_shown
from gandetect.stages.overlap import CheckOverlap
from gandetect.stages.perturbed import ScorePerturbed
from gandetect.stages.post_hoc import MakeDetector
from gandetect.stages.pretrained_features import CompareImages, RealFeatures
from gandetect.stages.report import Report
from gandetect.stages.saliency import MapSaliency
from gandetect.stages.score import ImageStage, ScoreDetector
from gandetect.stages.source_images import SourceImages
from gandetect.stages.trained import Trained
from gandetect.stages.trajectory import ScoreTrajectory
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.scores import CALIBRATION, NOT_REPORTED, TEST_REALS
from gandetect.study.audits import LARGE, gan_audits, labelled_audits, most_audited
from gandetect.study.sources import gan_sources, is_perturbed, labelled_sources

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
    foreign = {one.name: SourceImages(one, shape) for one in experiment.sources}

    def examples(one: ClassifierConfig, seed: int) -> GanExamples:
        trainings = tuple(gans[name, seed] for name in one.fakes_from if name not in foreign)
        return GanExamples(trainings, data, _learnt(foreign, one.fakes_from))

    classifiers = {
        (one.name, seed): TrainClassifier(one, seed, shape, examples(one, seed))
        for seed in experiment.seeds
        for one in experiment.classifiers
    }
    trained: dict[tuple[str, int], TrainGan | TrainClassifier] = {**gans, **classifiers}

    def detector(one: DetectorTable, seed: int) -> Trained:
        if isinstance(one, External):
            learns = tuple(gans[n, seed] for n in one.trained_on if n not in foreign)
            training = GanTraining(learns, data, _learnt(foreign, one.trained_on))
            return OpenExternal(one, seed, shape, training if one.learns else None)
        made_of = tuple(trained[name, seed] for name in one.made_of if name not in foreign)
        return MakeDetector(one, seed, shape, made_of, data, _learnt(foreign, one.made_of))

    others = [detector(one, seed) for seed in experiment.seeds for one in experiment.detectors]

    def scoring(trained: Trained) -> Scoring:
        sources = gan_sources(experiment, trained)
        used = [one for one in sources if isinstance(one, GeneratedSource)]
        images = dict.fromkeys(drawn[one.gan, one.seed, one.purpose] for one in used)
        return _with_foreign(Scoring(trained, shape, sources, (data, *images)), foreign)

    wanted = [gan for gan in gans.values() if gan.config.role != "source"]
    detectors: list[Trained] = [*wanted, *classifiers.values(), *others]
    scorings = [scoring(one) for seed in experiment.seeds for one in detectors if one.seed == seed]
    trajectories = [
        _trajectory(experiment, one.trained, one)
        for one in scorings
        if isinstance(one.trained, TrainGan) and evaluation.kept_epochs(one.trained.config.epochs)
    ]
    report = replace(
        _report(experiment, data, data, scorings, tuple(foreign.values()), sampled=False),
        overlap=CheckOverlap(evaluation.overlap, data),
        features=features if gans else None,
        gans=tuple(gans.values()),
        compared=tuple(
            CompareImages(experiment.quality.generated, drawn[*key, "evaluation"], one)
            for one in (RealFeatures(f, data) for f in experiment.quality.features if f != OWN)
            for key in gans
        ),
        audits=gan_audits(gans, drawn, data, foreign.values()),
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

    def shape(size: int) -> Preprocessing:
        return Preprocessing(image_size=size, channels=3, fit=config.fit)

    largest = {one.name: SourceImages(one, shape(max(decoded))) for one in experiment.sources}
    foreign = {
        size: largest
        if size == max(decoded)
        else {name: SourceImages(one.table, shape(size), one) for name, one in largest.items()}
        for size in decoded
    }

    def examples(one: ClassifierConfig) -> LabelledExamples:
        learnt = _learnt(foreign[one.stored_size], one.fakes_from)
        return LabelledExamples(decoded[one.stored_size], data, learnt)

    def scoring(trained: TrainClassifier | OpenExternal) -> Scoring:
        size, validation = trained.preprocessing.image_size, isinstance(trained, OpenExternal)
        sources = labelled_sources(config, size, trained.seed, validation=validation)
        own = Scoring(trained, trained.preprocessing, sources, (decoded[size], data))
        return _with_foreign(own, foreign[size])

    scorings = []
    for seed in experiment.seeds:
        for one in experiment.classifiers:
            training = TrainClassifier(one, seed, shape(one.stored_size), examples(one))
            scorings.append(scoring(training))
        for table in external:
            size = table.image_size or default
            learnt = LabelledTraining(decoded[size], data) if table.learns else None
            scorings.append(scoring(OpenExternal(table, seed, shape(size), learnt)))
    trainings = [one.trained for one in scorings if isinstance(one.trained, TrainClassifier)]
    folds = tuple(
        CrossValidationFold(
            one, experiment.seeds[0], shape(one.stored_size), examples(one), fold, config.folds
        )
        for one in experiment.classifiers
        if config.folds is not None
        for fold in range(1, config.folds + 1)
    )
    report = replace(
        _report(
            experiment,
            data,
            decoded[min(decoded)],
            scorings,
            tuple(foreign[min(decoded)].values()),
            sampled=True,
        ),
        folds=folds,
        audits=labelled_audits(decoded[max(decoded)], data, largest.values()),
    )
    return Composed((), (*trainings, *folds), report)


def _report(
    experiment: Experiment,
    data: ClassData | LabelledData,
    samples: ClassData | DecodedImages,
    scorings: Sequence[Scoring],
    sources: tuple[SourceImages, ...],
    *,
    sampled: bool,
) -> Report:
    """The report of what every study has: scores, and scores of processed images if asked for."""
    evaluation, table = experiment.evaluation, experiment.data
    held_out = (isinstance(table, ClassImagesConfig) and table.selection) or table.held_out
    unlabelled = None
    if isinstance(table, LabelledDataConfig) and table.unlabelled is not None:
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
                source for source in scoring.sources if is_perturbed(source, scoring.trained.seed)
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
        sources=sources,
    )


def _with_foreign(scoring: Scoring, foreign: Mapping[str, SourceImages]) -> Scoring:
    """The same, scored on all images from elsewhere as well."""
    sources = [one.source(scoring.trained.seed) for one in foreign.values()]
    return replace(
        scoring, sources=(*scoring.sources, *sources), images=(*scoring.images, *foreign.values())
    )


def _learnt(foreign: Mapping[str, SourceImages], names: Sequence[str]) -> tuple[SourceImages, ...]:
    return tuple(foreign[name] for name in names if name in foreign)


def _image_statistics(scorings: Sequence[Scoring]) -> SummariseImages:
    """Of every source once, at the smallest size that a detector sees."""
    size = min((one.preprocessing.image_size for one in scorings), default=LARGE)
    of_size = [one for one in scorings if one.preprocessing.image_size == size]
    sources = {
        (source.name, source.seed): source
        for one in of_size
        for source in one.sources
        if is_shown(source, one.trained.seed)
    }
    images = {stage.place: stage for one in of_size for stage in one.images}
    return SummariseImages(tuple(sources.values()), most_audited(size), tuple(images.values()))


def _saliency(scoring: Scoring, scores: ScoreDetector) -> MapSaliency:
    large = scoring.preprocessing.image_size > LARGE
    return MapSaliency(
        scoring.trained,
        tuple(one for one in scoring.sources if is_shown(one, scoring.trained.seed)),
        scoring.images,
        scoring.preprocessing,
        scores,
        MAPPED_LARGE if large else MAPPED,
        MAPPED_SHOWN_LARGE if large else MAPPED_SHOWN,
    )


def _trajectory(experiment: Experiment, gan: TrainGan, scoring: Scoring) -> ScoreTrajectory:
    own = f"generated:{gan.config.name}"

    def met_at_every_epoch(source: Source) -> bool:
        if source.name.startswith("real:"):
            return source.name in (*TEST_REALS, CALIBRATION)
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

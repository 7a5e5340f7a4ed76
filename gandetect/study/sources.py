"""Which images each detector of a study is scored on."""

from __future__ import annotations

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.sources import Source, splits
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.labelled import LabelledSource
from gandetect.sources.splits import SplitSource
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.trained import Trained
from gandetect.statistics.scores import (
    GENERATED_CALIBRATION,
    GENERATED_VALIDATION,
    NOT_REPORTED,
    TEST_REALS,
    VALIDATION,
)


def gan_sources(experiment: Experiment, trained: Trained) -> tuple[Source, ...]:
    """All images that one detector of a GAN study is scored on.

    Fakes of every generator of its own seed, fakes of its own generators of the next seed, fresh
    fakes of its own generators for calibration, and every split of the reals.
    """
    evaluation, seed = experiment.evaluation, trained.seed
    gans = [gan.name for gan in experiment.gans]
    known = [name for name in experiment.known_to(trained.config.name) if name in gans]
    sources: list[Source] = []
    for gan in experiment.gans:
        if gan.role != "detector" or gan.name in known:
            count = evaluation.own_generated if gan.name in known else evaluation.other_generated
            sources.append(_drawn(gan.name, seed, count))
    # The next seed, in a circle, stands for another training run: each generator meets one
    # discriminator of another run, so no run counts more than others.
    seeds = experiment.seeds
    another = seeds[(seeds.index(seed) + 1) % len(seeds)]
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


def is_perturbed(source: Source, seed: int) -> bool:
    """Whether images of a source are scored again, processed."""
    if source.name.startswith("real:"):
        return source.name in TEST_REALS
    return source.name not in NOT_REPORTED and source.seed == seed


def labelled_sources(
    config: LabelledDataConfig, size: int, seed: int, validation: bool = False
) -> tuple[Source, ...]:
    """All images that a detector of a labelled study is scored on, fakes by class.

    Every seed sees the same fakes under its own number, as no other run has made them. A
    classifier's training has scored the ``validation`` images, another detector's has not.
    """
    sources = [
        LabelledSource(f"generated:{name}", seed, size, ("test", "held-out"), label, name)
        for name, label in sorted(config.classes.items())
        if label == "generated"
    ]
    sources.append(LabelledSource("real:in-distribution", 0, size, ("test",), "real"))
    sources.append(LabelledSource("real:held-out", 0, size, ("held-out",), "real"))
    if validation:
        for name, of in ((VALIDATION, 0), (GENERATED_VALIDATION, seed)):
            label = name.partition(":")[0]
            sources.append(LabelledSource(name, of, size, ("validation",), label))
    return tuple(sources)

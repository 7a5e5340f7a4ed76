"""What the detectors of an experiment are, as analyses need to know it."""

from __future__ import annotations

from typing import Any

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.statistics.scored_detectors import discriminator_facts
from gandetect.statistics.scores import SameFakes


def detectors_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What each detector of an experiment is, and the generated sources that it was trained on."""
    facts: dict[str, dict[str, Any]] = {
        gan.name: discriminator_facts(gan.name) for gan in experiment.discriminators
    }
    for classifier in experiment.classifiers:
        known = [*_classes(experiment), *classifier.fakes_from]
        own = [f"generated:{name}" for name in known]
        facts[classifier.name] = {"kind": "classifier", "recipe": classifier.recipe, "own": own}
    for detector in experiment.detectors:
        own = [f"generated:{name}" for name in experiment.known_to(detector.name)]
        facts[detector.name] = {"kind": "post-hoc", "recipe": detector.kind, "own": own}
    return facts


def same_fakes_of(experiment: Experiment) -> SameFakes:
    """The fakes that all seeds answer: those that came with their labels, and from elsewhere."""
    if isinstance(experiment.data, LabelledDataConfig):
        return True
    return frozenset(source.source for source in experiment.sources)


def _classes(experiment: Experiment) -> list[str]:
    data = experiment.data
    if not isinstance(data, LabelledDataConfig):
        return []
    generated = (name for name, label in data.classes.items() if label == "generated")
    return [name for name in generated if name not in data.held_out]

"""What the detectors of an experiment are, as analyses need to know it."""

from __future__ import annotations

from typing import Any

from gandetect.config import ClassifierConfig, DetectorConfig, Experiment, LabelledDataConfig
from gandetect.statistics.scored_detectors import discriminator_facts


def detectors_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What each detector of an experiment is, and the generated sources that it was trained on."""
    facts: dict[str, dict[str, Any]] = {
        gan.name: discriminator_facts(gan.name) for gan in experiment.discriminators
    }
    for classifier in experiment.classifiers:
        own = [f"generated:{name}" for name in classifier.fakes_from or _classes(experiment)]
        facts[classifier.name] = {"kind": "classifier", "recipe": classifier.recipe, "own": own}
        facts[classifier.name] |= _left_out(classifier)
    for detector in experiment.detectors:
        own = [f"generated:{name}" for name in experiment.known_to(detector.name)]
        facts[detector.name] = {"kind": "derived", "recipe": detector.kind, "own": own}
        facts[detector.name] |= _left_out(detector)
    return facts


def _left_out(table: ClassifierConfig | DetectorConfig) -> dict[str, str]:
    """The generated source that a detector was made without, to be tested on it."""
    name = getattr(table, "left_out", None)
    return {} if name is None else {"left_out": f"generated:{name}"}


def _classes(experiment: Experiment) -> list[str]:
    data = experiment.data
    assert isinstance(data, LabelledDataConfig)
    generated = (name for name, label in data.classes.items() if label == "generated")
    return [name for name in generated if name not in data.held_out]

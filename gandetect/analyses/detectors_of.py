"""What the detectors of an experiment are, as analyses need to know it."""

from __future__ import annotations

from typing import Any

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.statistics.scored_detectors import discriminator_facts


def detectors_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What each detector of an experiment is, and the generated sources that it was trained on."""
    facts: dict[str, dict[str, Any]] = {
        gan.name: discriminator_facts(gan.name) for gan in experiment.discriminators
    }
    for classifier in experiment.classifiers:
        own = [f"generated:{name}" for name in classifier.fakes_from or _classes(experiment)]
        facts[classifier.name] = {"kind": "classifier", "recipe": classifier.recipe, "own": own}
    for detector in experiment.detectors:
        own = [f"generated:{name}" for name in experiment.known_to(detector.name)]
        facts[detector.name] = {"kind": detector.GROUP, "recipe": detector.kind, "own": own}
    return facts


def _classes(experiment: Experiment) -> list[str]:
    data = experiment.data
    assert isinstance(data, LabelledDataConfig)
    return data.trained_fakes

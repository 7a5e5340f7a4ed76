"""What a report must know of a study besides its files; a table of scores tells it as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.config.classifier import ClassifierConfig
from gandetect.config.detector import DetectorTable
from gandetect.config.generator import GeneratorConfig
from gandetect.errors import RunError
from gandetect.runs import load_study, read_json, to_toml, write_json
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.scored_detectors import DetectorFacts, discriminator_facts
from gandetect.statistics.scores import SameFakes

TABLE = "table.json"  # in the run folder of a table of scores, in place of `study.json`


@dataclass(frozen=True)
class StudyFacts:
    """What is said of a study whose scores lie before us.

    Args:
        name: what the study is called.
        seeds: of its detectors.
        detectors: what each is, and the generated sources that it was trained on.
        rule: what the calibrated threshold has to promise.
        same_fakes: the sources of which all seeds answered the same fakes, or whether of all.
        settings: the configuration as plain values; ``data`` says at least the ``name`` of the
            data. Of a table, the options that it was read with.
        written: the same as a TOML file.
        digest: SHA-256 of what changes a result.
        labelled: whether the images brought their own fakes, with labels.
        question: what was asked, in the study's own words.
        reals: what the in-distribution and held-out reals are called, where that is known.
        table: of a table of scores what it lacks and what was done with its rows; else nothing.
        gans: what was trained, and how; nothing of a table.
        classifiers: the same.
        post_hoc: the same.
    """

    name: str
    seeds: tuple[int, ...]
    detectors: Mapping[str, DetectorFacts]
    rule: CalibrationRule
    same_fakes: SameFakes
    settings: Mapping[str, Any]
    written: str
    digest: str
    labelled: bool = False
    question: str = ""
    reals: Mapping[str, str] = field(default_factory=dict)
    table: Mapping[str, Any] = field(default_factory=dict)
    gans: tuple[GeneratorConfig, ...] = ()
    classifiers: tuple[ClassifierConfig, ...] = ()
    post_hoc: tuple[DetectorTable, ...] = ()

    @property
    def data(self) -> Mapping[str, Any]:
        """Settings of the data."""
        table: Mapping[str, Any] = self.settings["data"]
        return table

    @property
    def evaluation(self) -> Mapping[str, Any]:
        """What was to be scored and measured."""
        table: Mapping[str, Any] = self.settings["evaluation"]
        return table

    @property
    def is_table(self) -> bool:
        """Whether nothing is known but scores: no training, no images."""
        return bool(self.table)


TRAINED = ("gans", "classifiers", "post_hoc")


def facts_of(experiment: Experiment) -> StudyFacts:
    """What an experiment file says."""
    return StudyFacts(
        experiment.name,
        experiment.seeds,
        detectors_of(experiment),
        CalibrationRule.of(experiment.evaluation),
        same_fakes_of(experiment),
        experiment.model_dump(mode="json"),
        to_toml(experiment),
        experiment.digest(),
        isinstance(experiment.data, LabelledDataConfig),
        experiment.question,
        gans=experiment.gans,
        classifiers=experiment.classifiers,
        post_hoc=experiment.detectors,
    )


def load_facts(folder: Path) -> StudyFacts:
    """The facts of a run folder; `RunError` where it is none, or they are damaged."""
    path = folder / TABLE
    if not path.exists():
        return facts_of(load_study(folder))
    stored = read_json(path)
    try:
        typed = {"seeds": tuple(stored["seeds"]), "rule": CalibrationRule(**stored["rule"])}
        return StudyFacts(**{**stored, **typed})
    except (KeyError, TypeError):
        raise RunError(f"{str(path)!r} is damaged; evaluate the table again to make it") from None


def write_facts(folder: Path, facts: StudyFacts) -> None:
    """Write the facts of a table into its run folder."""
    write_json(folder / TABLE, {k: v for k, v in asdict(facts).items() if k not in TRAINED})


def detectors_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What each detector of an experiment is, and the generated sources that it was trained on."""
    facts: dict[str, dict[str, Any]] = {
        gan.name: discriminator_facts(gan.name) for gan in experiment.discriminators
    }
    data = experiment.data
    classes = data.trained_fakes if isinstance(data, LabelledDataConfig) else []
    for classifier in experiment.classifiers:
        own = [f"generated:{name}" for name in (*classes, *classifier.fakes_from)]
        facts[classifier.name] = {"kind": "classifier", "recipe": classifier.recipe, "own": own}
    for detector in experiment.detectors:
        own = [f"generated:{name}" for name in experiment.known_to(detector.name)]
        facts[detector.name] = {"kind": detector.GROUP, "recipe": detector.kind, "own": own}
    return facts


def same_fakes_of(experiment: Experiment) -> SameFakes:
    """The fakes that all seeds answer: those that came with their labels, and from elsewhere."""
    if isinstance(experiment.data, LabelledDataConfig):
        return True
    return tuple(source.source for source in experiment.sources)

"""``[[detectors]]`` in an experiment file: what all kinds have in common, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

from pydantic import SerializeAsAny

from gandetect.config.classifier import ClassifierConfig
from gandetect.config.gan import GanConfig
from gandetect.config.generator import GeneratorConfig
from gandetect.config.section import ConfigSection, Name, table_chosen
from gandetect.config.source import SourceTable
from gandetect.errors import UsageError, listed, unknown_name
from gandetect.registry import Registry

# What a folder of a detector may hold. Those whose class is a `DetectorTable` can be asked for in
# ``[[detectors]]``; a discriminator comes of ``[[gans]]``, a classifier of ``[[classifiers]]``.
DETECTORS: Registry[type[object]] = Registry(
    "kind of detector",
    {
        "discriminator": "gandetect.detectors.discriminator:Discriminator",
        "classifier": "gandetect.detectors.classifier:Classifier",
        "checkpoint-ensemble": "gandetect.detectors.checkpoint_ensemble:CheckpointEnsemble",
        "fine-tuned": "gandetect.detectors.fine_tuned:FineTuned",
        "one-class": "gandetect.detectors.one_class:OneClassDetector",
        "probe": "gandetect.detectors.probe:FeatureProbe",
        "selected": "gandetect.detectors.selected:Selected",
        "python": "gandetect.detectors.python:PythonDetector",
        "command": "gandetect.detectors.command:CommandDetector",
    },
    "gandetect.detectors",
    lambda thing: isinstance(thing, type) and issubclass(thing, DetectorTable),
)


Makers = Sequence[GeneratorConfig | SourceTable]  # whose images detectors may be trained on


class DetectorTable(ConfigSection):
    """One table of ``[[detectors]]``: a detector made of finished trainings, or an external one.

    A kind is a sub-class in a file of its own, of `gandetect.detectors.protocol.PostHoc` or of
    `gandetect.detectors.external.External`, which adds the keys of its table and how such a
    detector is made.
    """

    GROUP: ClassVar[str] = "post-hoc"  # one of `statistics.scored_detectors.KINDS`
    METHOD: ClassVar[str]  # what reports say of it: "A post-hoc detector was made …"
    EPOCH_CHOSEN: ClassVar[bool] = False  # whether reports say which epoch of its GAN it is
    OF_GANS: ClassVar[bool] = True  # whether it takes a study with GANs
    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset()  # keys that change no result

    kind: str
    name: Name

    @property
    def made_of(self) -> tuple[str, ...]:
        """Names of the GANs and classifiers that it is made of, and of sources that it learns."""
        return ()

    @property
    def images_trained_on(self) -> int | None:
        """How often an image goes through the network of `made_of`'s first GAN in training.

        None where nobody knows how long it takes.
        """
        return None

    def known(self, known_to: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """Names of the GANs and sources whose images it was trained on: those of all its parts.

        ``known_to`` answers for one of those by its name.
        """
        return tuple(dict.fromkeys(gan for name in self.made_of for gan in known_to(name)))

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Raise `UsageError` or `ValueError` where it is made of what the study does not have.

        It may be made of discriminators and classifiers, unless a kind says otherwise.
        """
        there = [gan.name for gan in gans if isinstance(gan, GanConfig)]
        there += [one.name for one in classifiers]
        for name in self.made_of:
            if name not in there:
                key = next((key for key, value in self if value == name), "made of")
                raise unknown_name(key, name, there)

    def check_labelled(self, fakes: Sequence[str]) -> None:
        """Raise `UsageError` for what a labelled study with these classes of fakes lacks."""


def detector_kinds() -> dict[str, type[DetectorTable]]:
    """The tables of all kinds that can be asked for in ``[[detectors]]``."""
    return {name: table for name, table in DETECTORS.items() if issubclass(table, DetectorTable)}


def detector_table(kind: object) -> type[DetectorTable]:
    """The table of a kind of detector; `UsageError` names those that there are."""
    kinds = detector_kinds()
    if kind is None:
        raise UsageError(
            f"a table of [[detectors]] has no key 'kind'; give one of: {listed([*kinds])}"
        )
    if not isinstance(kind, str) or kind not in kinds:
        raise unknown_name("kind of detector", kind, kinds)
    return kinds[kind]


AnyDetectorTable = Annotated[
    SerializeAsAny[DetectorTable], table_chosen(lambda given: detector_table(given.get("kind")))
]

"""Post-hoc detectors in an experiment file: what all kinds have in common, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

from pydantic import SerializeAsAny

from gandetect.config.classifier import ClassifierConfig
from gandetect.config.gan import GanConfig
from gandetect.config.generator import GeneratorConfig
from gandetect.config.section import ConfigSection, Name, table_chosen
from gandetect.config.source import SourceTable
from gandetect.errors import unknown_name
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
    },
)


Makers = Sequence[GeneratorConfig | SourceTable]  # whose images detectors may be trained on


class DetectorTable(ConfigSection):
    """One table of ``[[detectors]]``: a detector that is made of finished trainings.

    A kind is a sub-class in a file of its own (`gandetect.detectors.protocol.PostHoc`), which adds
    the keys of its table and how such a detector is made.
    """

    METHOD: ClassVar[str]  # what reports say of it: "A post-hoc detector was made …"
    EPOCH_CHOSEN: ClassVar[bool] = False  # whether reports say which epoch of its GAN it is

    kind: str
    name: Name

    @property
    def made_of(self) -> tuple[str, ...]:
        """Names of the GANs and classifiers that it is made of, and of sources that it learns."""
        raise NotImplementedError

    @property
    def images_trained_on(self) -> int:
        """How often an image goes through the network of `made_of`'s first GAN in training."""
        return 0

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


def post_hoc_kinds() -> dict[str, type[DetectorTable]]:
    """The tables of all kinds that can be asked for in ``[[detectors]]``."""
    return {name: table for name, table in DETECTORS.items() if issubclass(table, DetectorTable)}


def detector_table(kind: object) -> type[DetectorTable]:
    """The table of a kind of post-hoc detector; `UsageError` names those that there are."""
    kinds = post_hoc_kinds()
    if not isinstance(kind, str) or kind not in kinds:
        raise unknown_name("kind of detector", kind, kinds)
    return kinds[kind]


AnyDetectorTable = Annotated[
    SerializeAsAny[DetectorTable], table_chosen(lambda given: detector_table(given.get("kind")))
]

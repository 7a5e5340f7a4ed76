"""Which images of a study are audited for shortcuts, before detectors are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gandetect.sources import Source, splits
from gandetect.sources.foreign import TEST, TRAIN
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.labelled import LabelledSource
from gandetect.sources.splits import SplitSource
from gandetect.stages.audit import AuditSource
from gandetect.stages.class_data import ClassData
from gandetect.stages.gan import DrawImages
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.score import ImageStage
from gandetect.stages.source_images import SourceImages
from gandetect.statistics.scores import TRAINING

AUDITED = 2000  # images of each side, and of each source that is summed up
AUDITED_LARGE = 500  # of those above 64 px
LARGE = 64


def most_audited(size: int) -> int:
    """How many images of ``size`` pixels are looked at, of each side or source."""
    return AUDITED_LARGE if size > LARGE else AUDITED


def gan_audits(
    gans: Iterable[tuple[str, int]],
    drawn: Mapping[tuple[str, int, str], DrawImages],
    data: ClassData,
    foreign: Iterable[SourceImages],
) -> tuple[AuditSource, ...]:
    """Audits of every GAN by name and seed, and of fakes from elsewhere, beside training reals."""
    reals = SplitSource(splits.TRAINING)
    audits = [
        AuditSource(
            name,
            reals,
            GeneratedSource(f"generated:{name}", seed, name, "calibration", part=(0, 1)),
            AUDITED,
            (data, drawn[name, seed, "calibration"]),
        )
        for name, seed in gans
    ]
    return (*audits, *_foreign_audits(foreign, reals, data))


def labelled_audits(
    images: DecodedImages, data: LabelledData, foreign: Iterable[SourceImages]
) -> tuple[AuditSource, ...]:
    """Audits of each class of fakes that is trained on, and of those from elsewhere.

    Beside them are all reals that are trained on.
    """

    def source(label: str, name: str | None) -> LabelledSource:
        called = TRAINING if name is None else f"generated:{name}"
        return LabelledSource(called, 0, images.size, ("train",), label, name, originals=True)

    audits = [
        AuditSource(
            f"class-{number:02d}",
            source("real", None),
            source("generated", name),
            most_audited(images.size),
            (images, data),
            data,
        )
        for number, name in enumerate(sorted(data.config.trained_fakes), start=1)
    ]
    return (*audits, *_foreign_audits(foreign, source("real", None), images, data))


def _foreign_audits(
    foreign: Iterable[SourceImages], reals: Source, *images: ImageStage
) -> list[AuditSource]:
    """Audits of fakes from elsewhere: of those to train on, or of all."""
    return [
        AuditSource(
            f"sources/{one.table.name}",
            reals,
            one.source(0, TRAIN if one.table.train else TEST),
            most_audited(one.preprocessing.image_size),
            (*images, one),
        )
        for one in foreign
        if one.table.label == "generated"
    ]

"""What a study of labelled images is scored on, and what of it is audited."""

from __future__ import annotations

from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.sources import Source
from gandetect.sources.labelled import LabelledSource
from gandetect.stages.audit import AuditSource
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.statistics.scores import GENERATED_VALIDATION, TRAINING, VALIDATION

AUDITED = 2000  # images of each side, and of each source that is summed up
AUDITED_LARGE = 500  # of those above 64 px
LARGE = 64
UNKNOWN_SIZE = 224  # of labelled images, where no detector says what it takes


def labelled_sources(
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


def labelled_audits(
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

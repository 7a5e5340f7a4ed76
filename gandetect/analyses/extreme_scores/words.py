"""Images to look at as a detector answered them: wrongly and sure, rightly and sure, undecided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report import images as draw
from gandetect.report.document import Block, Fold, Heading, Text, Tiles, slug
from gandetect.report.inputs import Trained
from gandetect.report.material import Material, pasted
from gandetect.report.reading import Images, Kept
from gandetect.report.words import sentence
from gandetect.statistics.scores import ordered

SCORES = "Above 0 it says generated, below 0 real; the further from 0, the surer."
# Photographs weigh hundreds of times what Fashion-MNIST's images do.
LARGE, LARGE_SHOWN, LARGE_WIDTH = 64, 8, 96
Shown = Callable[[Material, str, str, Kept], Block]


def mistakes(material: Material) -> list[Block]:
    """Images that a detector was most sure of and wrong about, by source."""
    return [
        Text(
            "The wrong answers that each detector was most sure of, with its score below each "
            f"image. {SCORES} Fakes that were called real are the best fakes; real images that "
            f"were called generated are false alarms.{_seed(material)}"
        ),
        *_by_detector(material, {"mistakes": (material.inputs.mistakes, _mistakes)}),
    ]


def hardest(material: Material) -> list[Block]:
    """The surest right answers, and the images nearest the threshold, by source."""
    return [
        Text(
            "For comparison with its mistakes: the images that each detector answered rightly and "
            "was surest of, and those that it could hardly decide, with scores nearest 0, the "
            f"native threshold. {SCORES}{_seed(material)}"
        ),
        *_by_detector(
            material,
            {
                "surest": (material.inputs.surest, _surest),
                "hardest": (material.inputs.hardest, _hardest),
            },
        ),
    ]


def tiles(
    caption: str, name: str, images: Images, words: Sequence[str], grid: Image.Image
) -> Tiles:
    """Images ``(K, C, H, W)``, K numbers to stand below them, and ``grid``, which shows all.

    Markdown shows the grid.
    """
    shown = len(images) if images.shape[3] <= LARGE else min(len(images), LARGE_SHOWN)
    small = draw.thumbnails(images[:shown], LARGE_WIDTH)
    pictures = [draw.small_png(image) for image in small]
    low, high = min(words, key=float), max(words, key=float)
    alt = f"{len(images)} images. {caption}: {low} to {high}."
    part = "" if shown == len(images) else f" (the first {shown} of {len(images)})"
    return Tiles(
        caption + part,
        list(zip(pictures, words[:shown], strict=True)),
        pasted(name, grid, alt, caption),
    )


def _by_detector(
    material: Material, kinds: Mapping[str, tuple[Mapping[Trained, Mapping[str, Kept]], Shown]]
) -> list[Block]:
    """Each detector's images by source: the first one's in sight, the others' folded."""
    blocks: list[Block] = []
    first = material.seeds[0]
    for file, (kept, _) in kinds.items():
        missing = [name for name in material.detectors if (name, first) not in kept]
        # Where none has any, saying so once is enough.
        for name in missing[:1] if len(missing) == len(material.detectors) else missing:
            blocks += material.absent(f"detectors/{name}/seed-{first}/{file}.npz")
    for place, detector in enumerate(material.detectors):
        trained = (detector, first)
        sources = {source for kept, _ in kinds.values() for source in kept.get(trained, {})}
        inner = [
            show(material, detector, source, kept[trained][source])
            for source in ordered(sources, material.own(detector))
            for kept, show in kinds.values()
            if source in kept.get(trained, {})
        ]
        name = sentence(material.called(detector))
        name += f", seed {first}" if material.many_seeds else ""
        if inner:
            blocks += [Heading(name), *inner] if place == 0 else [Fold(name, inner)]
    return blocks


def _mistakes(material: Material, detector: str, source: str, kept: Kept) -> Block:
    name = sentence(material.named(source, detector))
    if not len(kept.images):
        return Text(f"{name}: no mistake among the images that were scored.")
    caption = f"{name}: wrongly called {_other(source)}, the surest first"
    return _kept("mistakes", detector, source, kept, caption)


def _surest(material: Material, detector: str, source: str, kept: Kept) -> Block:
    name = sentence(material.named(source, detector))
    if not len(kept.images):
        return Text(f"{name}: no right answer among the images that were scored.")
    caption = f"{name}: rightly called {source.partition(':')[0]}, the surest first"
    return _kept("surest", detector, source, kept, caption)


def _hardest(material: Material, detector: str, source: str, kept: Kept) -> Block:
    caption = f"{sentence(material.named(source, detector))}: nearest the threshold"
    return _kept("hardest", detector, source, kept, caption)


def _kept(kind: str, detector: str, source: str, kept: Kept, caption: str) -> Tiles:
    name = f"{kind}-{slug(detector)}-{slug(source)}"
    return tiles(caption, name, kept.images, draw.score_words(kept), draw.kept_grid(kept))


def _other(source: str) -> str:
    return "real" if source.startswith("generated:") else "generated"


def _seed(material: Material) -> str:
    return f" Seed {material.seeds[0]} only." if material.many_seeds else ""


ANALYSIS = Analysis(
    "extreme_scores",
    chapters=[
        Chapter("Look at the images", "The most confident mistakes", [mistakes]),
        Chapter("Look at the images", "Surest right answers, and the hardest images", [hardest]),
    ],
)

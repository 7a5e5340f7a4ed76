"""Images to look at as a detector answered them: wrongly and sure, rightly and sure, undecided."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report import images as draw
from gandetect.report.document import Block, Fold, Heading, Text, Tiles, slug
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.reading import Images, Kept
from gandetect.report.style import pasted
from gandetect.report.words import sentence
from gandetect.statistics.scores import ordered

# Photographs weigh hundreds of times what Fashion-MNIST's images do.
LARGE, LARGE_SHOWN, LARGE_WIDTH = 64, 8, 96
say = Prose(__file__)


def mistakes(material: Material) -> list[Block]:
    """Images that a detector was most sure of and wrong about, by source."""
    return [Text(say.mistakes(_seed(material))), *_by_detector(material, ("mistakes",))]


def hardest(material: Material) -> list[Block]:
    """The surest right answers, and the images nearest the threshold, by source."""
    return [Text(say.hardest(_seed(material))), *_by_detector(material, ("surest", "hardest"))]


def _seed(material: Material) -> int | None:
    return material.seeds[0] if material.many_seeds else None


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


def _by_detector(material: Material, kinds: Sequence[str]) -> list[Block]:
    """Each detector's images by source: the first one's in sight, the others' folded."""
    blocks: list[Block] = []
    first = material.seeds[0]
    kept = {kind: getattr(material.inputs, kind) for kind in kinds}
    for kind in kinds:
        missing = [name for name in material.detectors if (name, first) not in kept[kind]]
        # Where none has any, saying so once is enough.
        for name in missing[:1] if len(missing) == len(material.detectors) else missing:
            blocks += material.absent(f"detectors/{name}/seed-{first}/{kind}.npz")
    for place, detector in enumerate(material.detectors):
        of_kind = {kind: kept[kind].get((detector, first), {}) for kind in kinds}
        sources = {source for of in of_kind.values() for source in of}
        inner = [
            _tiles(material, kind, detector, source, of[source])
            for source in ordered(sources, material.own(detector))
            for kind, of in of_kind.items()
            if source in of
        ]
        name = sentence(material.called(detector))
        name += f", seed {first}" if material.many_seeds else ""
        if inner:
            blocks += [Heading(name), *inner] if place == 0 else [Fold(name, inner)]
    return blocks


def _tiles(material: Material, kind: str, detector: str, source: str, kept: Kept) -> Block:
    name = material.named(source, detector)
    if not len(kept.images):
        return Text(say.none_kept(kind, name))
    caption = say.caption(kind, name, source.partition(":")[0])
    place = f"{kind}-{slug(detector)}-{slug(source)}"
    return tiles(caption, place, kept.images, draw.score_words(kept), draw.kept_grid(kept))


ANALYSIS = Analysis(
    "extreme_scores",
    chapters=[
        Chapter("Look at the images", "The most confident mistakes", [mistakes]),
        Chapter("Look at the images", "Surest right answers, and the hardest images", [hardest]),
    ],
)

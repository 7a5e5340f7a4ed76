"""Images to look at as a detector answered them: wrongly and sure, rightly and sure, undecided."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report import images as draw
from gandetect.report.document import Block, Fold, Heading, Text, Tiles, slug
from gandetect.report.prose import Prose
from gandetect.report.reading import Images, Kept
from gandetect.report.results import StudyResults
from gandetect.report.style import pasted
from gandetect.report.words import sentence
from gandetect.statistics.scores import ordered

# Photographs weigh hundreds of times what Fashion-MNIST's images do.
LARGE, LARGE_SHOWN, LARGE_WIDTH = 64, 8, 96
say = Prose(__file__)


def mistakes(results: StudyResults) -> list[Block]:
    """Images that a detector was most sure of and wrong about, by source."""
    return [Text(say.mistakes(_seed(results))), *_by_detector(results, ("mistakes",))]


def hardest(results: StudyResults) -> list[Block]:
    """The surest right answers, and the images nearest the threshold, by source."""
    return [Text(say.hardest(_seed(results))), *_by_detector(results, ("surest", "hardest"))]


def _seed(results: StudyResults) -> int | None:
    return results.seeds[0] if results.many_seeds else None


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


def _by_detector(results: StudyResults, kinds: Sequence[str]) -> list[Block]:
    """Each detector's images by source: the first one's in sight, the others' folded."""
    blocks: list[Block] = []
    first = results.seeds[0]
    kept = {kind: getattr(results.inputs, kind) for kind in kinds}
    for kind in kinds:
        missing = [name for name in results.detectors if (name, first) not in kept[kind]]
        # Where none has any, saying so once is enough.
        for name in missing[:1] if len(missing) == len(results.detectors) else missing:
            blocks += results.absent(f"detectors/{name}/seed-{first}/{kind}.npz")
    for place, detector in enumerate(results.detectors):
        of_kind = {kind: kept[kind].get((detector, first), {}) for kind in kinds}
        sources = {source for of in of_kind.values() for source in of}
        inner = [
            _tiles(results, kind, detector, source, of[source])
            for source in ordered(sources, results.own(detector))
            for kind, of in of_kind.items()
            if source in of
        ]
        name = sentence(results.called(detector))
        name += f", seed {first}" if results.many_seeds else ""
        if inner:
            blocks += [Heading(name), *inner] if place == 0 else [Fold(name, inner)]
    return blocks


def _tiles(results: StudyResults, kind: str, detector: str, source: str, kept: Kept) -> Block:
    name = results.named(source, detector)
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

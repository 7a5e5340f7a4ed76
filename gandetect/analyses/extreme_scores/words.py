"""Images to look at as a detector answered them: wrongly and sure, rightly and sure, undecided."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from PIL import Image

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report import images as draw
from gandetect.report.document import Block, Fold, Heading, Text, Tiles, slug
from gandetect.report.prose import Prose
from gandetect.report.reading import Images, Kept
from gandetect.report.results import StudyResults
from gandetect.report.style import pasted
from gandetect.report.words import sentence
from gandetect.statistics.scored_detectors import KINDS
from gandetect.statistics.scores import ordered

# Photographs weigh hundreds of times what Fashion-MNIST's images do.
LARGE, LARGE_SHOWN, LARGE_WIDTH = 64, 8, 96
EXAMPLES = 9  # a row of small images
say = Prose(__file__)


def examples(results: StudyResults) -> list[Block]:
    """The surest mistakes of the first detector of each kind, whatever the source."""
    blocks: list[Block] = []
    firsts = [detector for kind in KINDS for detector in results.of_kind(kind)[:1]]
    for detector, label in product(firsts, ("generated", "real")):
        kept = results.inputs.mistakes.get((detector, results.seeds[0]), {})
        wrong = [one for source, one in kept.items() if source.startswith(label)]
        images = [image for one in wrong for image in one.images]
        scores = np.concatenate([np.empty(0), *(one.scores for one in wrong)])
        if order := np.argsort(-np.abs(scores), kind="stable")[:EXAMPLES].tolist():
            few = Kept(np.stack([images[place] for place in order]), scores[order])
            caption = say.example(results.called(detector), label)
            blocks.append(_kept_tiles(caption, f"examples-{slug(detector)}-{label}", few))
    return blocks


def extremes(results: StudyResults) -> list[Block]:
    """The surest mistakes and right answers, and the images nearest the threshold, by source."""
    seed = results.seeds[0] if results.many_seeds else None
    return [Text(say.meaning(seed)), *_by_detector(results, ("mistakes", "surest", "hardest"))]


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
    return _kept_tiles(caption, place, kept)


def _kept_tiles(caption: str, place: str, kept: Kept) -> Tiles:
    return tiles(caption, place, kept.images, draw.score_words(kept), draw.kept_grid(kept))


CHAPTERS = [
    Chapter("Look at the images", "", [examples]),
    Chapter(
        "Look at the images",
        "Surest mistakes and right answers",
        [extremes],
        say.finding,
        "mistakes",
    ),
]
ANALYSIS = Analysis("extreme_scores", chapters=CHAPTERS, beyond_scores=True)

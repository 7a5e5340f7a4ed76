"""Is the generator copying? Its fakes beside the training images that are nearest to them."""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.extreme_scores.words import tiles
from gandetect.report import images as draw
from gandetect.report.document import Block, Fold, Heading, Table, Text, Tiles, slug
from gandetect.report.inputs import Trained
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.reading import Nearness, Neighbours, Pairs
from gandetect.report.words import count, number, number_interval, percent
from gandetect.statistics.intervals import wilson

HEADER = ("Images", "looked at", "half lie within (95 % interval)", "nearest", "copies",
          "within the cut")  # fmt: skip


say = Prose(__file__)


def neighbours(material: Material) -> list[Block]:
    """How near fakes are to the training images, and real test images for scale."""
    gans = [gan.name for gan in material.inputs.experiment.discriminators]
    if not gans:
        return []
    found = material.inputs.neighbours
    first = material.seeds[0]
    blocks: list[Block] = [Text(say.meaning())]
    missing = [gan for gan in gans if (gan, first) not in found]
    for gan in missing[:1] if len(missing) == len(gans) else missing:
        blocks += material.absent(f"detectors/{gan}/seed-{first}/neighbours.npz")
    if not found:
        return blocks
    blocks += [_verdict(material, trained, near) for trained, near in found.items()]
    blocks.append(_table(material))
    blocks.append(Text(say.cut(), "note"))
    shown = [gan for gan in gans if (gan, first) in found]
    for place, gan in enumerate(shown):
        title = material.title_of((gan, first))
        pairs: list[Block] = [*_fake_tiles(gan, found[gan, first])]
        if place == 0:
            blocks += [Heading(title), *pairs, _real_tiles(found[gan, first])]
        else:
            blocks.append(Fold(title, pairs))
    return blocks


def _verdict(material: Material, trained: Trained, near: Neighbours) -> Block:
    fakes, reals, name = near.of_fakes, near.of_reals, material.title_of(trained)
    (text,) = say.paragraphs("verdict", name, near, fakes, reals, wilson(fakes.below_cut, fakes.n))
    return text


def _table(material: Material) -> Table:
    found = material.inputs.neighbours
    rows = [
        _row(f"fakes of {material.title_of(trained)}", near.of_fakes)
        for trained, near in found.items()
    ]
    some = next(iter(found.values()))
    caption = (
        f"Distance to the nearest of {count(some.training_images)} training images, in grey "
        f"levels; the cut is at {number(some.cut, 1)}"
    )
    return Table(caption, HEADER, [*rows, _row("real test images", some.of_reals)])


def _row(name: str, near: Nearness) -> list[str]:
    return [
        name,
        count(near.n),
        number_interval(near.median, near.ci95, 1),
        number(near.smallest, 1),
        count(near.copies),
        percent(near.below_cut / near.n),
    ]


def _fake_tiles(gan: str, near: Neighbours) -> list[Tiles]:
    return [
        _tiles(f"neighbours-{slug(gan)}-best", near.best,
               f"The fakes of {gan} that its discriminator took for real most confidently"),
        _tiles(f"neighbours-{slug(gan)}-first", near.fakes, f"Any fakes of {gan}: its first ones"),
    ]  # fmt: skip


def _real_tiles(near: Neighbours) -> Tiles:
    return _tiles("neighbours-real", near.reals, "For scale, real test images")


def _tiles(name: str, pairs: Pairs, what: str) -> Tiles:
    caption = f"{what} (above), the training image nearest to each (below it), and their distance"
    words = draw.distance_words(pairs)
    return tiles(caption, name, draw.stacked(pairs), words, draw.pair_grid(pairs))


ANALYSIS = Analysis(
    "neighbours",
    chapters=[Chapter("Look at the images", "Is the generator copying?", [neighbours])],
)

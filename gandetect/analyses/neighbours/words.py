"""Is the generator copying? Its fakes beside the training images that are nearest to them."""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.extreme_scores.words import tiles
from gandetect.report import images as draw
from gandetect.report.document import Block, Columns, Fold, Heading, Table, Text, Tiles, slug, table
from gandetect.report.prose import Prose
from gandetect.report.reading import Pairs
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number, number_interval, percent

say = Prose(__file__)


def neighbours(results: StudyResults) -> list[Block]:
    """How near fakes are to the training images, and real test images for scale."""
    gans = results.discriminators
    if not gans:
        return []
    stored, first = results.inputs.neighbours, results.seeds[0]
    blocks: list[Block] = [Text(say.meaning())]
    missing = [gan for gan in gans if (gan, first) not in stored]
    for gan in missing[:1] if len(missing) == len(gans) else missing:
        blocks += results.absent(f"detectors/{gan}/seed-{first}/neighbours.npz")
    if not stored:
        return blocks
    for trained, near in stored.items():
        about = results.title_of(trained), near, near.of_fakes, near.of_reals, near.within
        blocks += say.paragraphs("verdict", *about)
    blocks += [_table(results), Text(say.cut(), "note")]
    for place, gan in enumerate(gan for gan in gans if (gan, first) in stored):
        title, near = results.title_of((gan, first)), stored[gan, first]
        pairs: list[Block] = [
            _tiles(f"neighbours-{slug(gan)}-best", near.best, say.surest(gan)),
            _tiles(f"neighbours-{slug(gan)}-first", near.fakes, say.first(gan)),
        ]
        if place:
            blocks.append(Fold(title, pairs))
        else:
            reals = _tiles("neighbours-real", near.reals, "For scale, real test images")
            blocks += [Heading(title), *pairs, reals]
    return blocks


def _table(results: StudyResults) -> Table:
    near = results.inputs.neighbours
    some = next(iter(near.values()))
    rows = [(f"fakes of {results.title_of(of)}", one.of_fakes) for of, one in near.items()]
    columns: Columns = {
        "Images": lambda row: row[0],
        "looked at": lambda row: count(row[1].n),
        "half lie within (95 % interval)": lambda row: number_interval(
            row[1].median, row[1].ci95, 1
        ),
        "nearest": lambda row: number(row[1].smallest, 1),
        "copies": lambda row: count(row[1].copies),
        "within the cut": lambda row: percent(row[1].below_cut / row[1].n),
    }
    return table(say.caption(some), [*rows, ("real test images", some.of_reals)], columns)


def _tiles(name: str, pairs: Pairs, what: str) -> Tiles:
    caption = f"{what} (above), the training image nearest to each (below it), and their distance"
    words = draw.distance_words(pairs)
    return tiles(caption, name, draw.stacked(pairs), words, draw.pair_grid(pairs))


CHAPTER = Chapter("Can I trust this?", "Leaks: copied images", [neighbours], say.finding)
ANALYSIS = Analysis("neighbours", chapters=[CHAPTER], beyond_scores=True)

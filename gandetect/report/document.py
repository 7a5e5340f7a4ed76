"""A report as data: sections of blocks. Each kind of block has one template for HTML in
`templates/html/` and one for Markdown in `templates/md/`, named after it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Columns: TypeAlias = dict[str, Callable[[Any], str] | None]  # a table's, by header


@dataclass(frozen=True)
class Block:
    """A piece of a section."""

    @property
    def kind(self) -> str:
        """Its class in small letters, which its templates are named after."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Text(Block):
    """A paragraph; its style says what it is for."""

    text: str
    style: Literal["plain", "lead", "note", "missing", "warning"] = "plain"
    label: str = ""  # stands in bold before it
    chapter: str = ""  # the anchor of one that tells more


@dataclass(frozen=True)
class Heading(Block):
    """A heading inside a section, or a level lower inside a closed chapter."""

    text: str
    level: int = 3


@dataclass(frozen=True)
class Table(Block):
    """A table whose first column names the row; cells are ready to print."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1  # so many columns from the left are words, the others numbers


def table(
    caption: str,
    rows: Iterable[Any],
    columns: Columns,
    text_columns: int = 1,
) -> Table:
    """A table from its columns: each header with the function that makes a cell of a row.

    Columns whose function is None are left out.

    >>> table("Sizes", [3, 4], {"n": str, "square": lambda n: str(n * n), "cube": None}).rows
    [['3', '9'], ['4', '16']]
    """
    shown = {header: cell for header, cell in columns.items() if cell is not None}
    body = [[cell(row) for cell in shown.values()] for row in rows]
    return Table(caption, list(shown), body, text_columns)


@dataclass(frozen=True)
class Picture(Block):
    """An image: where Markdown finds it, and the bytes that HTML embeds."""

    path: str  # relative to the run folder, with forward slashes
    content: bytes
    alt: str
    caption: str
    wide: bool = True

    @property
    def mime(self) -> str:
        """Media type by suffix."""
        return "image/svg+xml" if Path(self.path).suffix == ".svg" else "image/png"


@dataclass(frozen=True)
class Code(Block):
    """Text to print as it is."""

    text: str
    caption: str


@dataclass(frozen=True)
class Items(Block):
    """A list of texts, each with an address or an empty string."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """A cell of a coloured table: the figure, what stands small below it, and how dark it is."""

    text: str
    small: str = ""
    level: float | None = None  # 0 (light) to 1 (dark); none leaves it uncoloured
    framed: bool = False
    hint: str = ""  # shown when one points at the cell; nothing may stand here alone


@dataclass(frozen=True)
class Heat(Block):
    """A table coloured by its numbers: a heatmap whose figures can be read, copied and heard."""

    caption: str
    header: Sequence[str]  # its first names the rows
    rows: Sequence[tuple[str, Sequence[Cell | None]]]
    note: str = ""
    scale: Literal["share", "auroc"] = "share"  # one hue, or two that part at the middle


@dataclass(frozen=True)
class Tiles(Block):
    """Small images side by side, each with a few words; Markdown shows one picture of them."""

    caption: str
    tiles: Sequence[tuple[bytes, str]]  # PNG, words
    picture: Picture


@dataclass(frozen=True)
class Frames(Block):
    """Pictures of the same thing one after the other, with a slider; Markdown shows one picture."""

    caption: str
    frames: Sequence[tuple[bytes, str]]  # PNG, words for that frame
    picture: Picture
    small: bool = False  # as wide as its neighbours leave room for


@dataclass(frozen=True)
class Explorer(Block):
    """What the threshold explorer works on, and what is read in its place."""

    data: Mapping[str, Any]  # ready for JSON; see `gandetect.analyses.thresholds.explorer`
    instead: str  # without JavaScript, and on paper
    chapter: str  # the anchor of the chapter that shows the same in figures


@dataclass(frozen=True)
class Fold(Block):
    """Blocks that open on demand; with an anchor, a chapter that a link can open."""

    summary: str
    blocks: Sequence[Block]
    finding: str = ""  # read while it is closed
    anchor: str = ""


@dataclass(frozen=True)
class Switch(Block):
    """Sets of blocks of which one is shown at a time; it needs no script."""

    label: str
    options: Sequence[tuple[str, Sequence[Block]]]
    shown: int = 0  # the place of the one that is shown first

    @property
    def blocks(self) -> list[Block]:
        """Those of all options, in order."""
        return [block for _, blocks in self.options for block in blocks]


@dataclass(frozen=True)
class Download(Block):
    """A file of the run folder that the page carries along."""

    path: str  # in the run folder, with forward slashes
    content: bytes
    mime: str
    words: str

    @property
    def name(self) -> str:
        """What it is called where it is saved."""
        return self.path.replace("/", "-")


def every_block(blocks: Iterable[Block]) -> Iterator[Block]:
    """All blocks in order, with those that stand within others after their holder."""
    for block in blocks:
        yield block
        if isinstance(block, Fold | Switch):
            yield from every_block(block.blocks)
        elif isinstance(block, Tiles | Frames):
            yield block.picture


@dataclass(frozen=True)
class Section:
    """A part of the report: what is read by all, then the chapters that stay closed."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """Address of the section within the page."""
        return slug(self.title)

    @property
    def chapters(self) -> list[Fold]:
        """Those that stay closed until somebody asks for them."""
        return [block for block in self.blocks if isinstance(block, Fold) and block.anchor]


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    opening: Sequence[Block] = ()  # stands under the title, before the first chapter

    def blocks(self) -> Iterator[Block]:
        """All blocks of all sections, those within others too."""
        yield from every_block(self.opening)
        for section in self.sections:
            yield from every_block(section.blocks)

    def pictures(self) -> Iterator[Picture]:
        """All pictures, so that they can be written beside the Markdown."""
        return (block for block in self.blocks() if isinstance(block, Picture))


def slug(text: str) -> str:
    """Make a name for a file or an anchor from any text, hostile or not.

    Letters of other alphabets are lost, so a digest keeps two such names apart.

    >>> slug("generated:dcgan-bn"), slug("../../<b>"), slug("generated:猫")
    ('generated-dcgan-bn', 'b', 'generated-e91693')
    """
    digest = "" if text.isascii() else f"-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") + digest
    return name.strip("-") or "unnamed"

"""A report as data: sections of blocks, which one template writes as HTML and one as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Text:
    """A paragraph; its style says what it is for."""

    text: str
    style: Literal["plain", "lead", "note", "missing", "warning"] = "plain"
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: str = field(default="heading", init=False)


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row; cells are ready to print."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1  # so many columns from the left are words, the others numbers
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Picture:
    """An image: where Markdown finds it, and the bytes that HTML embeds."""

    path: str  # relative to the run folder, with forward slashes
    content: bytes
    alt: str
    caption: str
    wide: bool = True
    kind: str = field(default="picture", init=False)

    @property
    def mime(self) -> str:
        """Media type by suffix."""
        return "image/gif" if Path(self.path).suffix == ".gif" else "image/png"


@dataclass(frozen=True)
class Code:
    """Text to print as it is."""

    text: str
    caption: str
    kind: str = field(default="code", init=False)


@dataclass(frozen=True)
class Items:
    """A list of texts, each with an address or an empty string."""

    items: Sequence[tuple[str, str]]
    kind: str = field(default="items", init=False)


Block: TypeAlias = Text | Heading | Table | Picture | Code | Items


@dataclass(frozen=True)
class Section:
    """A chapter of the report."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """Address of the section within the page."""
        return slug(self.title)


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    sections: Sequence[Section]


def slug(text: str) -> str:
    """Make a name for a file or an anchor from any text, hostile or not.

    >>> slug("generated:dcgan-bn"), slug("../../<b>")
    ('generated-dcgan-bn', 'b')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"

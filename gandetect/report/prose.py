"""Sentences from templates: the macros of a `words.j2` as functions that return text."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from matplotlib.figure import Figure
from PIL import Image

from gandetect.report import words
from gandetect.report.document import Picture, Text, slug
from gandetect.report.style import drawn, pasted

FILTERS = {  # whatever says a number or a name
    name: function
    for name, function in inspect.getmembers(words, inspect.isfunction)
    if function.__module__ == words.__name__
}
STYLES = ("lead", "note", "missing", "warning")


class Prose:
    """The macros of the template `words.j2` that lies beside a module.

    ``say.price(row)`` is what the macro ``price`` makes of ``row``, on one line;
    ``say.paragraphs("price", row)`` its paragraphs as blocks, which blank lines part. A paragraph
    may open with its style, as in ``note: Lower is better.`` ``say.figure("costs", draw, row)``
    draws a figure whose alternative text and caption are the paragraphs of ``costs_figure``.
    """

    def __init__(self, module: str) -> None:
        self._path = Path(module).with_name("words.j2")

    @cached_property
    def _template(self) -> Template:
        environment = Environment(
            autoescape=False,  # whoever shows a text escapes it
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_without_breaks,
        )
        environment.filters |= FILTERS
        return environment.from_string(self._path.read_text(encoding="utf-8"))

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)
        macro = getattr(self._template.module, name)
        return lambda *values, **more: _one_line(str(macro(*values, **more)))

    def paragraphs(self, name: str, *values: Any, **more: Any) -> list[Text]:
        """What a macro says, a block for each paragraph; nothing where it says nothing."""
        text = str(getattr(self._template.module, name)(*values, **more))
        return [_text(one) for part in text.split("\n\n") if (one := _one_line(part))]

    def figure(self, name: str, draw: Callable[[], Figure], *values: Any, of: str = "") -> Picture:
        """A figure with the two paragraphs of its macro; ``of`` whom, where each has its own."""
        alt, caption = self.paragraphs(f"{name.replace('-', '_')}_figure", *values)
        return drawn(f"{name}-{slug(of)}" if of else name, draw, alt.text, caption.text)

    def image(self, name: str, image: Image.Image, *values: Any, of: str = "") -> Picture:
        """The same of a picture that is made of images."""
        alt, caption = self.paragraphs(f"{name.replace('-', '_')}_image", *values)
        return pasted(f"{name}-{slug(of)}" if of else name, image, alt.text, caption.text)


def _text(paragraph: str) -> Text:
    style, _, text = paragraph.partition(": ")
    return Text(text, style) if style in STYLES else Text(paragraph)  # type: ignore[arg-type]


def _without_breaks(value: Any) -> Any:
    """A name must not part paragraphs."""
    return re.sub(r"\s*\n\s*", " ", value) if isinstance(value, str) else value


def _one_line(text: str) -> str:
    return " ".join(text.split())

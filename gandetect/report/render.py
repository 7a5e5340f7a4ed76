"""A document to HTML and to Markdown, through the two templates in `templates/`."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from gandetect.report.document import Document, Picture


def to_html(document: Document) -> str:
    """One self-contained page: images as data URIs, styles inline, no script, no network."""
    return _environment(autoescape=True).get_template("report.html.j2").render(document=document)


def to_markdown(document: Document) -> str:
    """The same with images by relative path, so that it reads well in a repository."""
    text = _environment(autoescape=False).get_template("report.md.j2").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def data_uri(picture: Picture) -> str:
    """The picture's bytes as an address."""
    return f"data:{picture.mime};base64,{base64.b64encode(picture.content).decode()}"


def plain_markdown(text: str) -> str:
    r"""Escape text so that Markdown shows it as it is, also within a table.

    >>> print(plain_markdown("a|b <i> *c*"))
    a\|b &lt;i> \*c\*
    """
    one_line = " ".join(text.split())
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", one_line.replace("&", "&amp;"))
    return escaped.replace("<", "&lt;")


def fenced(text: str) -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def _environment(autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("gandetect.report"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(data_uri=data_uri, md=plain_markdown, fenced=fenced, url=quote)
    return environment

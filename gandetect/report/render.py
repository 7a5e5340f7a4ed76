"""A document to HTML and to Markdown, through the templates in `templates/`.

The page carries a policy that forbids every request and every script but its own, so that neither
a name out of somebody's files nor a mistake of ours can reach the network.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gandetect.report.document import Block, Document

TEMPLATES = Path(__file__).with_name("templates")
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
POLICY = (
    "default-src 'none'; img-src data:; style-src {style}; script-src {script}; "
    "base-uri 'none'; form-action 'none'"
)


def to_html(document: Document) -> str:
    """One self-contained page: images as data URIs, styles and scripts inline, no network."""
    kinds = {block.kind for block in document.blocks()}
    style = "\n".join(_text(path) for path in sorted((TEMPLATES / "style").glob("*.css")))
    scripts = sorted((TEMPLATES / "script").glob("*.js"))
    # A script is called after the kind of block that it serves; the page's own is always there.
    wanted = [path for path in scripts if path.stem.partition("-")[0] in {"page", *kinds}]
    script = "\n".join(['"use strict";', *(_text(path) for path in wanted)])
    policy = POLICY.format(style=_allowed(style), script=_allowed(script))
    template = _environment("html").get_template("report.html.j2")
    return template.render(
        document=document, style=Markup(style), script=Markup(script), policy=policy
    )


def to_markdown(document: Document) -> str:
    """The same with images by relative path, so that it reads well in a repository."""
    text = _environment("md").get_template("report.md.j2").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def data_uri(content: bytes, mime: str = "image/png") -> Markup:
    """A file's bytes as an address for an attribute in double quotes; text stays text: shorter."""
    if mime.startswith(("text/", "image/svg")):
        # The markup of an SVG is ours; what stands in other texts must not even look like some.
        markup = "<>" if mime == "image/svg+xml" else ""
        return Markup(f"data:{mime}," + quote(content, safe=f" ='/:;,.-_()[]{{}}+*!~@$?|{markup}"))
    return Markup(f"data:{mime};base64,{base64.b64encode(content).decode()}")


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


def _block(folder: str, block: Block) -> Markup:
    """One block through the template that is named after its kind; others may stand within it."""
    template = _environment(folder).get_template(f"{folder}/{block.kind}.j2")
    return Markup(template.render(block=block))


def _undirected(value: Any) -> Any:
    """Text without the marks that would turn the direction of all that follows it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return TURNING.sub("\ufffd", value)
    return value


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() + "\n"


def _allowed(text: str) -> str:
    """What a page's policy calls this very text by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment(folder: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("gandetect.report"),
        autoescape=folder == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_undirected,
    )
    environment.filters.update(data_uri=data_uri, md=plain_markdown, fenced=fenced, url=quote)
    environment.filters["rendered"] = partial(_block, folder)
    return environment

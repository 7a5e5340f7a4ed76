"""The site: `make docs` builds it. The repository is the source folder, so links work on both."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import gandetect  # noqa: E402
from gandetect.config.schema import experiment_schema  # noqa: E402

project = "gandetect"
author = "The gandetect authors"
project_copyright = "MIT licence"
version = release = gandetect.__version__
root_doc = "docs/site/index"
include_patterns = ["*.md", "docs/**.md", "experiments/README.md", "data/README.md"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
html_theme = "furo"
html_title = f"gandetect {version}"
html_extra_path = ["start"]
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_use_type_comments = False
copybutton_exclude = ".linenos, .gp, .go"


def tables(schema: dict[str, Any]) -> Iterator[str]:
    """The tables of an experiment file and their keys, as Markdown."""
    for name, table in {"Experiment": schema, **schema["$defs"]}.items():
        yield f"\n## {name}\n\n{table.get('description', '').replace('``', '`')}\n"
        yield "| key | values | default |\n|---|---|---|"
        for key, value in table["properties"].items():
            default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
            if len(default) > 80 or default in ("`null`", '`""`', "`[]`"):
                default = ""  # another table's, or nothing
            yield f"| `{key}` | {values(value)} | {default} |".replace("|^", "\\|^")


def values(value: dict[str, Any]) -> str:
    """What a key may hold, in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        told = [values(one) for one in value["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(told))
    if "enum" in value or "const" in value:
        return ", ".join(f"`{json.dumps(one)}`" for one in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        items = value.get("items") or {"anyOf": value.get("prefixItems", [{}])}
        return f"list of {values(items)}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {value[limit]:,}" for limit, sign in signs.items() if limit in value]
    if "pattern" in value:
        limits = [f"`{value['pattern']}`".replace("|", "\\|")]
    kind = {"object": "table"}.get(value.get("type", ""), value.get("type", "any value"))
    return f"{kind} {', '.join(limits)}".strip()


def add_keys(app: Sphinx, page: str, source: list[str]) -> None:
    """Write the keys into their page, from the models that read experiment files."""
    if page == "docs/site/keys":
        source[0] += "\n".join(tables(experiment_schema()))


def setup(app: Sphinx) -> None:
    """Tell Sphinx of both."""
    app.connect("source-read", add_keys)
    app.add_lexer("mermaid", TextLexer)  # drawn on a forge, read here

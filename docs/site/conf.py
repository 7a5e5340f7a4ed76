"""The site: `make docs` builds it. The repository is the source folder, so links work on both."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import mmdr
from sphinx.application import Sphinx

import gandetect
from gandetect.config.schema import experiment_schema

ROOT = Path(__file__).parents[2]

project = "gandetect"
author = "The gandetect authors"
project_copyright = "MIT licence"
version = release = gandetect.__version__
root_doc = "docs/site/index"
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
include_patterns = ["*.md", "docs/**.md", "experiments/*.md", "data/*.md", "examples/*.ipynb"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
smartquotes = False  # of --options
html_theme = "furo"
html_title = f"gandetect {version}"
html_extra_path = ["start"]
html_static_path = ["static"]
html_css_files = ["figures.css"]
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True


def tables(schema: dict[str, Any]) -> Iterator[str]:
    """The tables of a JSON Schema and their keys, as Markdown."""
    for name, table in {schema["title"]: schema, **schema["$defs"]}.items():
        about = table.get("description", "").replace("``", "`")
        yield f"\n## {name.removesuffix('Config')}\n\n{about}\n"
        if "properties" not in table:
            continue
        yield "| key | values | default, or meaning |\n|---|---|---|"
        for key, value in table["properties"].items():
            default = json.dumps(value.get("default"))
            nothing = default in ("null", '""', "[]") or len(default) > 80  # another table's
            about = value.get("description") or ("" if nothing else f"`{default}`")
            yield f"| `{key}` | {values(value)} | {about} |"


SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def values(value: dict[str, Any]) -> str:
    """What a key may hold, in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2].removesuffix("Config")
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(
            dict.fromkeys(values(o) for o in value["anyOf"] if o != {"type": "null"})
        )
    if "enum" in value or "const" in value:
        return ", ".join(f"`{json.dumps(one)}`" for one in value.get("enum", [value.get("const")]))
    kind = value.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(values({**value, "type": one}) for one in kind)
    if kind == "array":
        items = value.get("items") or {"anyOf": value.get("prefixItems", [{}])}
        return f"list of {values(items)}"
    limits = [f"{sign} {value[limit]:,}" for limit, sign in SIGNS.items() if limit in value]
    if "pattern" in value:
        limits = [f"`{value['pattern']}`".replace("|", "\\|")]
    return f"{'table' if kind == 'object' else kind} {', '.join(limits)}".strip()


def cells(notebook: str) -> Iterator[str]:
    """The cells of a notebook and what they have printed, as Markdown."""
    for cell in json.loads(notebook)["cells"]:
        source = "".join(cell["source"])
        yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                png = "".join(data["image/png"]).strip()
                yield f"![What the cell above draws](data:image/png;base64,{png})"
            elif "text/html" in data:
                html = "".join(data["text/html"]).replace('"dataframe"', '"docutils"')
                yield f"```{{raw}} html\n{html}\n```"
            else:
                yield f"```text\n{''.join(data['text/plain'])}\n```"


def diagram(block: re.Match[str]) -> str:
    """A picture of a Mermaid block, in the page's own colours; a forge draws the block itself."""
    drawn = re.sub(r"<style>.*?</style>", "", mmdr.render(block[1]).svg(), flags=re.DOTALL)
    name = f"diagram-{sha256(block[1].encode()).hexdigest()[:8]}"  # of marks within the page
    return f"```{{raw}} html\n<div class='diagram'>{drawn.replace('merman', name)}</div>\n```"


def pictures(block: re.Match[str]) -> str:
    """A picture for light and one for dark, chosen by the page's own switch."""
    names = {"only-dark": re.search('srcset="(.*?)"', block[0]),
             "only-light": re.search('src="(.*?)"', block[0])}  # fmt: skip
    alt = re.search('alt="(.*?)"', block[0])
    return "\n\n".join(f"```{{image}} {name[1]}\n:class: {when}\n:alt: {alt[1]}\n```"
                       for when, name in names.items())  # fmt: skip


def made(app: Sphinx, page: str, source: list[str]) -> None:
    """Turn notebooks, diagrams and pictures into what MyST knows; write keys into their pages."""
    source[0] = re.sub(r"^```mermaid\n(.*?)^```", diagram, source[0], flags=re.M | re.S)
    source[0] = re.sub(r"<picture>.*?</picture>", pictures, source[0], flags=re.S)
    if app.env.doc2path(page).suffix == ".ipynb":
        source[0] = "\n\n".join(cells(source[0]))
    elif page == "docs/site/keys":
        source[0] += "\n".join(tables(experiment_schema()))
    elif page == "docs/site/metrics":
        described = (ROOT / "docs" / "metrics.schema.json").read_text(encoding="utf-8")
        source[0] += "\n".join(tables(json.loads(described)))


def setup(app: Sphinx) -> None:
    """Tell Sphinx of what is made here."""
    app.connect("source-read", made)

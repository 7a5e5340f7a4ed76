"""Names and texts out of somebody's files, as hostile as they come: shown as text, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from analyses.classifier_runs import make_labelled_run

from gandetect.analyses.build import build_report

BREAKOUT = "</script></title></style>\"'><img src=x onerror=alert(1)>"
ARABIC = "صور مزيفة & 🙈 {{7*7}} ${7*7} ]]> --> <!--"
MARKDOWN = "[x](javascript:alert(1)) `y` | *z*\n# ![w](https://example.com/w.png)"
LONG = "W" * 300
SCRIPT = "<script>alert(1)</script>"
FORMULA = r"$\frac{$"  # what matplotlib would take for a formula, and stumble over
OVERRIDE = "\u202e"  # never ended: what follows would run from right to left
CLASSES = {
    "photos": ARABIC,
    "inpainted": f"{SCRIPT} {FORMULA} {OVERRIDE}",
    "screenshots": MARKDOWN,
    "paintings": LONG,
    "cloned": BREAKOUT,
}
SHOWN = ["<script>alert(1)</script>", "onerror=alert(1)", "{{7*7}}", "مزيفة", "W" * 300]
# What a page of ours consists of; `on…` attributes and addresses of scripts are never among it.
INJECTED = """() => {
  const bad = [];
  for (const element of document.querySelectorAll('*')) {
    for (const { name, value } of element.attributes)
      if (name.startsWith('on') || /^\\s*javascript:/i.test(value)) bad.push(element.outerHTML);
    if (element.matches('img:not([src^="data:image/"]), iframe, object, embed, base, form'))
      bad.push(element.outerHTML);
  }
  return bad;
}"""


def renamed(value: Any) -> Any:
    """The same JSON with every class under its hostile name, also within a source's name."""
    if isinstance(value, dict):
        return {renamed(key): renamed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner) for inner in value]
    if isinstance(value, str):
        label, separator, name = value.rpartition(":")
        return f"{label}{separator}{CLASSES.get(name, name)}"
    return value


def rename_files(run: Path) -> None:
    """Give every class of a run its hostile name, wherever a file names it."""
    for path in run.rglob("*.json"):
        path.write_text(json.dumps(renamed(json.loads(path.read_text()))))
    scores = pd.read_parquet(run / "scores.parquet")
    scores.assign(source=scores["source"].map(renamed)).to_parquet(run / "scores.parquet")
    for path in run.rglob("*.npz"):
        with np.load(path) as stored:
            arrays = {key: stored[key] for key in stored.files}
        np.savez(path, **{"/".join(map(renamed, key.rsplit("/", 1))): arrays[key]
                          for key in arrays})  # fmt: skip


# No font of matplotlib's has all letters of the world, and a name may be wider than a figure.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Glyph"),
    pytest.mark.filterwarnings("ignore:constrained_layout not applied"),
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose names, question, notes and machine do all that the schema lets them."""
    run = make_labelled_run(tmp_path_factory.mktemp("hostile") / "run")
    rename_files(run)
    study = json.loads((run / "study.json").read_text())
    study |= {"name": "N" * 64, "question": f"{SCRIPT} {BREAKOUT} {ARABIC} {MARKDOWN} {LONG}?"}
    for figure in study["classifiers"][0]["published"]:
        figure["note"] = BREAKOUT
    (run / "study.json").write_text(json.dumps(study))
    anything = {BREAKOUT: {MARKDOWN: SCRIPT, LONG: ARABIC}}
    (run / "manifest.json").write_text(json.dumps({"versions": anything, "device": SCRIPT,
                                                   "command": BREAKOUT, **anything}))  # fmt: skip
    build_report(run)
    return run


@pytest.mark.parametrize("width", [375, 1280])
def test_hostile_names_do_nothing_and_break_no_layout(open_page, hostile, width):
    page = open_page(hostile / "report.html", width=width)  # dialogs and requests are looked for
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate(INJECTED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_shown_as_text(open_page, hostile):
    text = open_page(hostile / "report.html").locator("body").text_content()
    assert [name for name in SHOWN if name not in text] == []


@pytest.mark.parametrize("file", ["report.html", "report.md"])
def test_no_name_costs_a_chapter_or_turns_the_text_round(hostile, file):
    text = (hostile / file).read_text()
    assert re.findall("Not shown[^<]*could not be made[^<]*", text) == []
    assert re.findall("[\u202a-\u202e\u2066-\u2069]", text) == []


def test_hostile_names_are_text_in_markdown_too(hostile):
    text = (hostile / "report.md").read_text()
    prose = re.sub("```.*?```", "", text, flags=re.DOTALL)
    assert not re.search(r"<(script|img|/)", prose)
    assert not re.search(r"(?<!\\)\]\((javascript:|https://example)", prose)
    assert not re.search(r"^# !", text, flags=re.MULTILINE)


def test_hostile_names_stay_text_in_figures(hostile):
    for path in (hostile / "figures").glob("*.svg"):
        for element in ElementTree.parse(path).iter():
            assert element.tag.rpartition("}")[2] not in ("script", "a", "foreignObject"), path.name
            for key, value in element.attrib.items():
                name = key.rpartition("}")[2]
                assert not name.startswith("on"), path.name
                assert name != "href" or value.startswith(("#", "data:image/")), path.name

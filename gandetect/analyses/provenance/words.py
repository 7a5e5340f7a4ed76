"""What was run, what the words mean, how to make the report again, and whom to cite."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.report.document import Block, Code, Download, Fold, Items, Table, Text
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import flatten
from gandetect.statistics.cost_model import EXAMPLE_COSTS

say = Prose(__file__)


def what_was_run(results: StudyResults) -> list[Block]:
    """Versions, machine, times and digests, and the configuration in full."""
    known = _facts(results) if results.inputs.manifest else results.absent("manifest.json")
    written = Code(results.facts.written, f"Configuration, digest {results.facts.digest}")
    return [*known, Fold("The configuration in full", [written])]


def _facts(results: StudyResults) -> list[Block]:
    """What one asks first as a table, all the rest on demand."""
    manifest = {k: v for k, v in results.inputs.manifest.items() if k != "stages"}
    rows = [[key, _printed(value)] for key, value in manifest.items()
            if not isinstance(value, Mapping)]  # fmt: skip
    for name in ("machine", "versions", "plugins"):
        if isinstance(manifest.get(name), Mapping):
            rows.append([name, ", ".join(f"{key} {one}" for key, one in manifest[name].items())])
    every = [[key, _printed(value)] for key, value in flatten(manifest, joint=" · ")]
    return [
        Table("In short", ["What", "Value"], rows, text_columns=2),
        Table("Every version and digest", ["What", "Value"], every, text_columns=2),
    ]


def downloads(results: StudyResults) -> list[Block]:
    """The tables that stand behind this page, within the page."""
    tables = {run: history.to_csv(index=False, lineterminator="\n").encode()
              for run, history in results.inputs.histories.items()}  # fmt: skip
    return [
        Download("metrics.csv", results.metrics_csv, "text/csv",
                 "every figure of this report, one a row"),
        *([] if results.facts.is_table else [Download(
            "study.toml", results.facts.written.encode(), "application/toml",
            "the configuration; run it again with “gandetect run study.toml”")]),
        *(Download(f"gans/{name}/seed-{seed}/history.csv", table, "text/csv",
                   f"training of {name}, seed {seed}, epoch by epoch")
          for (name, seed), table in tables.items()),
    ]  # fmt: skip


def citation(results: StudyResults) -> list[Block]:
    """How to cite the figures of this report."""
    version = results.inputs.manifest.get("versions", {}).get("gandetect", "")
    text = (
        "@software{gandetect,\n"
        "  author  = {{The gandetect authors}},\n"
        "  title   = {gandetect: does a GAN's discriminator make a detector?},\n"
        f"  version = {{{version}}},\n"
        f"  note    = {{Study {results.facts.name}, digest {results.facts.digest}}}\n"
        "}"
    )
    return [Code(text, "To cite these figures")]


def glossary(_: StudyResults) -> list[Block]:
    """The words, in plain language."""
    return [Items([(one.text, "") for one in say.paragraphs("glossary")])]


def rebuild(results: StudyResults) -> list[Block]:
    """How to make this report again."""
    folder = shlex.quote(results.inputs.run.resolve().name)
    return [
        Text(say.rebuild(results.facts.is_table)),
        Code(f"gandetect report {folder}{_market(results)}", "From the folder of runs"),
    ]


def _market(results: StudyResults) -> str:
    """Options of the command for a market that is not the example."""
    market = results.metrics["cost_model"]
    if market == EXAMPLE_COSTS.as_dict():
        return ""
    return "".join(f" --{name.replace('_', '-')} {value:g}" for name, value in market.items())


def sources(results: StudyResults) -> list[Block]:
    """What this rests on."""
    fashion = results.facts.data["name"] == "fashion-mnist"
    listed = [one.text.partition(" | ") for one in say.paragraphs("sources")]
    shown = [(text, url) for text, _, url in listed if fashion or "Fashion-MNIST" not in text]
    return [Items(shown)]


def _printed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "–" if value is None else str(value)


CHAPTERS = [
    Chapter("Where it comes from", "What was run", [what_was_run], say.ran, "run"),
    Chapter(
        "Where it comes from",
        "Take it with you",
        [downloads, rebuild, citation],
        say.taken,
        "downloads",
    ),
    Chapter(
        "Where it comes from", "Words and sources", [glossary, sources], say.explained, "words"
    ),
]
ANALYSIS = Analysis("provenance", chapters=CHAPTERS)

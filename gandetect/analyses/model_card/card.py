"""Writes `README.md` into a detector's folder: a model card as the Hugging Face Hub reads it.

The front matter is YAML, of which JSON is a part: a key a line, its value as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gandetect.errors import RunError
from gandetect.report.document import Block, Code, Columns, Document, Section, Text, table
from gandetect.report.prose import Prose
from gandetect.report.render import to_markdown
from gandetect.report.results import StudyResults
from gandetect.report.words import GROUPS, number_interval, percent_interval
from gandetect.runs import read_json, write_text
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scores import IN_DISTRIBUTION

CARD = "README.md"
# What the Hub calls data sets.
HUB = {
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "mnist": "ylecun/mnist",
    "cifar-10": "uoft-cs/cifar10",
    "svhn": "ufldl-stanford/svhn",
}
LOADING = """import gandetect

detector = gandetect.load_detector("PATH/TO/THIS/FOLDER")
detector.decision_function(images)  # (N, C, H, W) uint8 -> log-odds (N,)
detector.predict(images, "native")  # "real" or "generated" """

say = Prose(__file__)


def write_cards(results: StudyResults) -> list[Path]:
    """Write the card of every detector whose folder lies in the run; returns where.

    A folder's record does not hold its card, so a card can be written again, or edited.
    """
    written = []
    for name in results.detectors:
        for seed in results.seeds:
            folder = results.inputs.run / "detectors" / name / f"seed-{seed}"
            try:
                description = read_json(folder / "detector.json")
            except RunError:  # whoever loads that detector is told
                continue
            write_text(folder / CARD, model_card(results, name, seed, description))
            written.append(folder / CARD)
    return written


def model_card(results: StudyResults, name: str, seed: int, description: Mapping[str, Any]) -> str:
    """The card of one detector, whose ``detector.json`` is given."""
    groups = list(_groups(results, name, seed))
    front = _front_matter(results.facts.data["name"], name, groups)
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    return "\n".join(["---", *lines, "---", "", to_markdown(
        _document(results, name, seed, description, groups)
    )])  # fmt: skip


def _groups(results: StudyResults, name: str, seed: int) -> Iterator[dict[str, Any]]:
    """Each source in the four groups: what it is to the detector, the share at each point, AUROC.

    The share is of images that are called generated.
    """
    cells = chosen(results.metrics["cells"], detector=name, detector_seed=seed)
    pairs = chosen(results.metrics["pairs"], detector=name, detector_seed=seed)
    against = chosen(pairs, real=IN_DISTRIBUTION)
    for role in GROUPS:
        of_role = chosen(cells, role=role)
        for source in dict.fromkeys(row["source"] for row in of_role):
            rows = chosen(of_role, source=source)
            yield {
                "source": source,
                "role": role,
                "label": rows[0]["label"],
                "n": rows[0]["n"],
                "called": {row["operating_point"]: _called(row) for row in rows},
                "auroc": next(iter(chosen(against, generated=source)), None),
            }


def _called(row: Row) -> tuple[float, Sequence[float]]:
    """The share that is called generated, with its interval."""
    share, (low, high) = row["correct"], row["ci95"]
    return (share, (low, high)) if row["label"] == "generated" else (1 - share, (1 - high, 1 - low))


def _front_matter(data: str, name: str, groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    task = {"type": "image-classification", "name": "detection of generated images"}
    return {
        "license": "unknown",
        "library_name": "gandetect",
        "pipeline_tag": "image-classification",
        "tags": ["gandetect", "generated-image-detection", "image-forensics", "gan"],
        **({"datasets": [HUB[data]]} if data in HUB else {}),
        "model-index": [{"name": name, "results": [
            {
                "task": task,
                "dataset": {"type": HUB.get(data, data), "name": f"{data}, {one['source']}",
                            "split": "test"},
                "metrics": list(_metrics(one)),
            }
            for one in groups
        ]}],
    }  # fmt: skip


def _metrics(group: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind = "true" if group["label"] == "generated" else "false"
    for point, (share, _) in group["called"].items():
        name = f"{kind} positive rate, {point} threshold"
        yield {"type": f"{kind}_positive_rate", "name": name, "value": round(share, 4)}
    if group["auroc"] is not None:
        against = "AUROC against in-distribution reals"
        yield {"type": "roc_auc", "name": against, "value": round(group["auroc"]["auroc"], 4)}


def _document(
    results: StudyResults,
    name: str,
    seed: int,
    description: Mapping[str, Any],
    groups: Sequence[Mapping[str, Any]],
) -> Document:
    held_out = description["provenance"].get("held_out", [])
    classes = [one for one in results.inputs.data.get("classes", []) if one not in held_out]
    parts: dict[str, list[Block]] = {
        "What it is": [*say.paragraphs("what", description, description["preprocessing"])],
        "What it was trained on": [*say.paragraphs("trained", results, name, classes, held_out)],
        "How well it detects": _table(results, description, groups),
        "What it must not be used for": [*say.paragraphs("limits", classes, held_out)],
        "How to load it": [Code(LOADING, "Python")],
    }
    sections = [Section(title, blocks) for title, blocks in parts.items()]
    return Document(say.title(name), sections, say.subtitle(results, name, seed))


def _table(
    results: StudyResults, description: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]
) -> list[Block]:
    points = description["operating_points"]

    def area(one: Mapping[str, Any]) -> str:
        pair = one["auroc"]
        return "–" if pair is None else number_interval(pair["auroc"], pair["ci95"]["auroc"])

    shares: Columns = {
        point: lambda one, point=point: percent_interval(*one["called"][point])  # type: ignore[misc]
        for point in points
        if all(point in one["called"] for one in groups)
    }
    columns: Columns = {
        "Group": lambda one: GROUPS[one["role"]],
        "Source": lambda one: results.named(one["source"]),
        "Images": lambda one: f"{one['n']:,}",
        **shares,
        "AUROC": area,
    }
    text: list[Text] = say.paragraphs("measured", points)
    more = say.paragraphs("several", results) if results.many_seeds else []
    caption = "Images called generated, by group"
    return [*text, table(caption, groups, columns, text_columns=2), *more]

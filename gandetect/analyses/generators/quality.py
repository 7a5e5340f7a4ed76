"""How good the fakes are: FID, KID, confidence and the spread over classes."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.generators.figure import class_spread
from gandetect.report.document import Block, Table
from gandetect.report.material import Material, drawn
from gandetect.report.prose import Prose
from gandetect.report.words import count, number, percent


def quality(material: Material) -> list[Block]:
    """FID, KID, confidence and class spread of every generator."""
    if material.labelled:
        return []
    rows = material.inputs.quality
    opening = [*say.paragraphs("quality", material.inputs.classifier if rows else {})]
    if not rows:
        return [*opening, *material.absent("quality.json")]
    return [*opening, _quality_table(material, rows), *_spread(material, rows)]


def _quality_table(material: Material, rows: list[dict[str, Any]]) -> Table:
    header = ["Generator", "Epoch", "FID", "KID (sd)", "Confidence", "Most common class", "n"]
    body = []
    for row in rows:
        shares = row.get("class_shares") or []
        names = class_names(material, len(shares))
        top = max(range(len(shares)), key=shares.__getitem__, default=None)
        kid = number(row.get("kid"), 1)
        if row.get("kid_std") is not None:
            kid += f" ({number(row['kid_std'], 1)})"
        body.append(
            [
                material.title_of((row["gan"], row.get("seed", 0))),
                str(row.get("epoch", "–")),
                number(row.get("fid"), 1),
                kid,
                number(row.get("confidence"), 2),
                "–" if top is None else f"{names[top]}, {percent(shares[top], 0)}",
                count(row["n"]) if "n" in row else "–",
            ]
        )
    return Table("How good the fakes are", header, body)


def _spread(material: Material, rows: list[dict[str, Any]]) -> list[Block]:
    spreads = {
        material.title_of((row["gan"], row.get("seed", 0))): row["class_shares"]
        for row in rows
        if row.get("class_shares")
    }
    if not spreads:
        return material.absent("quality.json")
    classes = class_names(material, len(next(iter(spreads.values()))))
    return [
        drawn(
            "class-spread",
            lambda: class_spread(spreads, classes),
            "Share of each generator's images by class.",
            "A generator that serves one class only has collapsed. Held-out classes were not in "
            "its training images, so it should hardly make any.",
        )
    ]


def class_names(material: Material, n: int) -> list[str]:
    """Names of the classes as the data set gives them, or their numbers."""
    names = list(material.inputs.data.get("classes") or FASHION)
    return [str(names[i]) if i < len(names) else str(i) for i in range(n)]


say = Prose(__file__)
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

"""What must be known before any figure is believed: leaks, shortcuts, and files left out."""

from __future__ import annotations

from gandetect.report.document import Block, Text
from gandetect.report.material import Material
from gandetect.report.words import count

LEAK = (
    "This study leaks on purpose. Its images were augmented before they were split, so copies of "
    "one picture stand on the training side and on the test side. The network can know the test "
    "pictures by heart: its test figures are far too high and mean nothing. They are here to show "
    "what a leak does."
)
SHOWN = 3


def alarms(material: Material) -> list[Block]:
    """What makes the figures worthless, before any of them."""
    leak = material.inputs.data.get("leak")
    return [Text(LEAK, "warning")] if leak else []


def notes(material: Material) -> list[Block]:
    """What a detector may have learnt instead, and what was not used."""
    blocks: list[Block] = [
        Text(
            f"A shortcut that a detector could take: {sentence}. Save real and generated images "
            "through one pipeline, or read the figures as those of the shortcut.",
            "missing",
        )
        for sentence in material.inputs.data.get("shortcuts", [])
    ]
    left_out = material.inputs.data.get("left_out", [])
    if left_out:
        named = "; ".join(f"{entry['path']}: {entry['reason']}" for entry in left_out[:SHOWN])
        rest = len(left_out) - SHOWN
        more = f"; and {count(rest)} more (under “The data at a glance”)" if rest > 0 else ""
        blocks.append(
            Text(f"Left out, and used nowhere: {count(len(left_out))} file(s). {named}{more}.",
                 "missing")
        )  # fmt: skip
    return blocks

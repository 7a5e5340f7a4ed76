"""What must be known before any figure is believed: leaks, shortcuts, and files left out."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from gandetect.report.document import Block, Text
from gandetect.report.material import Material
from gandetect.report.words import count, listing, per_hundred

LEAK = (
    "This study leaks on purpose. Its images were augmented before they were split, so copies of "
    "one picture stand on the training side and on the test side. The network can know the test "
    "pictures by heart: its test figures are far too high and mean nothing. They are here to show "
    "what a leak does."
)
SHOWN = 3


def warnings(material: Material) -> list[Block]:
    """What makes the figures worthless, before any of them."""
    leak = material.inputs.data.get("leak")
    blocks: list[Block] = [Text(LEAK, "warning")] if leak else []
    overlap = material.inputs.overlap
    if overlap.get("policy") == "allow" and overlap.get("images"):
        blocks.append(Text(_overlapping(overlap), "warning"))
    if found := material.inputs.data.get("contradictions"):
        blocks.append(Text(_contradicting(len(found)), "warning"))
    return blocks + _audited(material) + _shortcuts(material)


def _shared(overlap: dict[str, Any]) -> str:
    return "; ".join(
        f"{count(row['n'])} of {count(overlap['sizes'][row['split']])} {row['split']} images stand "
        f"in {row['other']} too ({'exactly' if row['kind'] == 'exact' else 'nearly'})"
        for row in overlap["counts"]
    )


def _twins(overlap: dict[str, Any]) -> str:
    done = (
        "they were left out of every figure"
        if overlap["policy"] == "exclude"
        else "so few that they move no share by more than a point"
    )
    return f"The splits overlap: {_shared(overlap)}; {done}."


def _overlapping(overlap: dict[str, Any]) -> str:
    shared = _shared(overlap)
    return (
        f"The splits of this study overlap, and it was told to go on all the same: {shared}. "
        "A detector may know these images by heart, so figures are too good."
    )


def _contradicting(pictures: int) -> str:
    return (
        f"{count(pictures)} picture(s) stand under both labels, real and generated, as "
        "allow_contradictions = true allows. No detector can be right about both files of such a "
        "picture, so the figures are worse than the data without them would give."
    )


def _audited(material: Material) -> list[Block]:
    """The strongest probe of each generated source, where any is a warning."""
    rows = material.metrics.get("audit", [])
    found = []
    for source in dict.fromkeys(row["source"] for row in rows if row["warning"]):
        warned = {row["probe"] for row in rows if row["source"] == source and row["warning"]}
        areas = {
            probe: fmean(row["auroc"] for row in rows
                         if (row["source"], row["probe"]) == (source, probe))
            for probe in warned
        }  # fmt: skip
        best = max(sorted(areas), key=lambda probe: areas[probe])
        found.append(
            f"images {material.named(source)} rank above real ones in "
            f"{per_hundred(areas[best])} of 100 pairs ({best})"
        )
    if not found:
        return []
    return [
        Text(
            "The fakes can be told from real images by trivial numbers alone, without looking at "
            f"the picture: {listing(found)}. So no detector here has shown that it looks at "
            "anything else; see the chapter “Shortcuts”.",
            "warning",
        )
    ]


def _shortcuts(material: Material) -> list[Block]:
    return [
        Text(
            f"A shortcut that a detector could take: {sentence}. Save real and generated images "
            "through one pipeline, or read the figures as those of the shortcut.",
            "warning",
        )
        for sentence in material.inputs.data.get("shortcuts", [])
    ]


def notes(material: Material) -> list[Block]:
    """What a detector may have learnt instead, and what was not used."""
    blocks: list[Block] = [Text(f"{gap}.", "missing") for gap in material.inputs.gaps]
    overlap = material.inputs.overlap
    if overlap.get("policy") in ("exclude", "refuse") and overlap.get("images"):
        blocks.append(Text(_twins(overlap), "missing"))
    blocks += [Text(sentence, "missing") for sentence in material.inputs.audit.get("gaps", [])]
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

"""What the data chapter says of classes and splits."""

from __future__ import annotations

from types import SimpleNamespace

from gandetect.analyses.data.words import _counts


def test_files_that_their_groups_rule_out_are_counted_by_class() -> None:
    facts = {"classes": {"real": "real", "old": "real"}, "held_out": ["old"],
             "counts": {"real": {"train": 28, "test": 8}, "old": {"held-out": 8}}}  # fmt: skip

    def columns(**more: object) -> dict[str, list[str]]:
        inputs = SimpleNamespace(data={**facts, **more})
        _, table = _counts(SimpleNamespace(inputs=inputs, labelled=True))
        return {head: [row[place] for row in table.rows] for place, head in enumerate(table.header)}

    assert columns(ruled_out={"old": 32})["ruled out by group"] == ["0", "32", "32"]
    assert "ruled out by group" not in columns(ruled_out={})

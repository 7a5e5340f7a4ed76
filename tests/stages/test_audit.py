"""The audit's stage: copies, probes and gaps that it writes, and what it warns of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from shortcuts import context_in

from gandetect.analyses.audit.sides import audit_sides
from gandetect.sources import ImageSet
from gandetect.stages.audit import AuditSource


@dataclass(frozen=True)
class Given:
    """A source of images in memory."""

    images: Any
    name: str = "generated:a"
    seed: int = 3

    def open(self, *_: object) -> ImageSet:
        return ImageSet(self.images)


def noise(n: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 1, 20, 20), dtype=np.uint8)


def audited(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fakes: NDArray[np.uint8],
    files: list[Path] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """What the stage writes of 60 reals beside such fakes, and its warnings."""
    monkeypatch.setattr("gandetect.stages.audit.audit_sides", partial(audit_sides, folds=2))
    labelled: Any = None
    if files:
        labelled = object()
        monkeypatch.setattr(AuditSource, "_paths", lambda self, *_: files)
    stage = AuditSource("a", Given(noise(60, 0)), Given(fakes), 100, (), labelled)
    told: list[str] = []
    context = context_in(folder)
    monkeypatch.setattr(type(context), "warn", lambda self, sentence: told.append(sentence))
    stage.run(context)
    return json.loads((folder / "audit.json").read_text()), told


def test_of_a_generator_order_is_looked_at_and_nothing_is_said_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, told = audited(tmp_path, monkeypatch, np.tile(noise(60, 1), (2, 1, 1, 1))[:100])
    assert [(row["check"], row["value"]) for row in found["checks"]][:3] == [
        ("copies", 0), ("copies", 40), ("copies of real images", 0),
    ]  # fmt: skip
    assert [row["side"] for row in found["checks"] if row["check"] == "order"] == [
        "real", "generated",
    ]  # fmt: skip
    assert {(row["seed"], row["source"]) for row in found["rows"]} == {(3, "generated:a")}
    assert [one["source"] for one in found["differences"]] == ["generated:a"]
    assert found["gaps"] == told == []


def test_of_labelled_files_headers_are_probed_and_warnings_said_and_order_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{number}.png" for number in range(60)]
    for path in files:
        Image.new("L", (20, 20)).save(path)
    found, told = audited(tmp_path, monkeypatch, noise(60, 0), files)
    assert "metadata" in {row["probe"] for row in found["rows"]}
    assert "order" not in {row["check"] for row in found["checks"]}
    assert "seed" not in found["rows"][0]
    assert told == ["60 of 60 generated images of a are copies of real images, 60 of them to the "
                    "pixel."]  # fmt: skip


@pytest.mark.parametrize(("n", "why"), [(24, "24 different generated"), (0, "no images")])
def test_too_few_images_are_a_gap_and_the_study_goes_on(
    n: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = audited(tmp_path, monkeypatch, noise(n, 1))
    assert found["rows"] == found["differences"] == []
    assert "generated:a was not audited: " in found["gaps"][0]
    assert why in found["gaps"][0]
    assert bool(found["checks"]) == (n > 0)

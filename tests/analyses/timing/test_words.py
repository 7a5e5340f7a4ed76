"""The chapter on times: a sentence that adds up, pauses, and a manifest that says nothing."""

from __future__ import annotations

import pytest

from gandetect.analyses.timing.words import ANALYSIS, timing
from gandetect.report.document import Fold, Picture, Table, Text
from gandetect.report.inputs import Inputs
from gandetect.report.results import StudyResults

STAGES = (("data", "09:00:00", 60.0), ("gans/a", "09:01:00", 120.0), ("gans/b", "09:01:00", 60.0))


@pytest.fixture(autouse=True)
def undrawn(blank) -> None:
    """Compose figures, and draw none."""


def blocks(*stages: tuple[str, str, float], jobs: int | None = 2) -> list:
    inputs = Inputs.__new__(Inputs)
    times = [
        {"stage": name, "started": f"2026-01-01T{started}+00:00", "seconds": seconds}
        for name, started, seconds in stages
    ]
    inputs.manifest = {"jobs": jobs, "stages": times}
    return timing(StudyResults(inputs, {}))


def test_the_sentence_adds_up() -> None:
    text, picture, fold = blocks(*STAGES)
    assert isinstance(text, Text)
    assert isinstance(picture, Picture)
    assert isinstance(fold, Fold)
    assert text.text.startswith(
        "The 3 stages took 3.0 min from the first start to the last end, and 4.0 min one after the "
        "other: with room for 2 at a time, 67 % of it was used. Writing this report is not among"
    )
    assert "data and gans. 3.0 min in all" in picture.alt
    assert "how many could" in picture.caption
    assert "Dashed" not in picture.caption
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.rows[1] == ["gans/a", "2026-01-01T09:01:00+00:00", "120.0"]


def test_a_pause_is_left_out_and_said() -> None:
    text, picture, _ = blocks(*STAGES, ("detectors/a", "14:03:00", 60.0))
    assert "The 4 stages took 4.0 min" in text.text
    assert "1 pause of more than 5 minutes in which nothing ran is left out (5.0 h tog" in text.text
    assert "Dashed: a pause" in picture.caption


def test_where_room_is_not_known_nothing_is_said_of_it() -> None:
    text, picture, _ = blocks(*STAGES, jobs=None)
    assert "with room for" not in text.text
    assert "how many could" not in picture.caption


def test_a_manifest_without_times_is_said_to_have_none() -> None:
    (text,) = blocks()
    assert text.style == "missing"
    assert "does not say when the stages ran" in text.text


def test_times_are_no_numbers_of_the_study() -> None:
    assert ANALYSIS.numbers(None) == {}  # so two runs of one study have equal metrics

"""The report says of groups no more than is known, and lists pictures under both labels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gandetect.analyses.data.files import files
from gandetect.analyses.summary.warnings import warnings
from gandetect.report.document import Table

FITS = {
    "pattern": "^(a)",
    "files": 48,
    "fits": 48,
    "classes": {"real": {"files": 24, "fits": 24}, "fake": {"files": 24, "fits": 24}},
}
HALF = {**FITS, "fits": 24, "classes": {**FITS["classes"], "fake": {"files": 24, "fits": 0}}}
SURE = "No group stands on two sides of a split."


def said(labelled: bool = True, **facts: Any) -> str:
    """All sentences of the chapter."""
    results: Any = SimpleNamespace(labelled=labelled, inputs=SimpleNamespace(data=facts))
    return " ".join(getattr(block, "text", "") for block in files(results))


def test_where_every_file_has_a_group_the_sides_are_sure() -> None:
    assert SURE in said(groups=3)
    assert SURE in said(groups=3, group_pattern=FITS)
    assert SURE in said(groups=3, group_column={"column": "scene", "files": 9, "told": 9})


def test_where_some_files_have_none_the_report_does_not_claim_it() -> None:
    text = said(groups=3, group_pattern=HALF)
    assert SURE not in text
    assert "of 24 file(s) only identical copies are known" in text
    assert "fits 24 of 48 file names ('real': 24 of 24, 'fake': 0 of 24)" in text
    text = said(groups=3, group_column={"column": "scene", "files": 9, "told": 2})
    assert SURE not in text
    assert "of 7 file(s)" in text
    assert "Column 'scene' says a group of 2 of 9 files." in text


def test_a_gan_study_tells_how_its_pattern_fits_too() -> None:
    assert "fits 24 of 48 file names" in said(labelled=False, group_pattern=HALF)
    assert said(labelled=False) == ""


def test_pictures_under_both_labels_are_a_warning_and_a_list() -> None:
    found = [{"a/1.png": "real", "b/2.png": "generated"}]
    results: Any = SimpleNamespace(
        labelled=True, inputs=SimpleNamespace(data={"groups": 1, "contradictions": found})
    )
    results.inputs.overlap, results.metrics = {}, {}
    (warning,) = warnings(results)
    assert "1 picture(s) stand under both labels" in warning.text
    assert warning.style == "warning"
    table, *_ = files(results)
    assert isinstance(table, Table)
    assert table.rows == [["a/1.png (real), b/2.png (generated)"]]

"""A new analysis is one thing and one entry, and a chapter that fails is never silent."""

import json

import pandas as pd
import pytest
from gandetect_example.largest import LARGEST

from gandetect.analyses.analysis import OPENING, PARTS, Analysis, Chapter
from gandetect.analyses.build import STRICT, build_report, compose, compute_metrics
from gandetect.analyses.registry import NAMES, analyses
from gandetect.report.document import Text
from gandetect.report.inputs import read_inputs
from gandetect.report.results import StudyResults


def broken(results):
    raise KeyError("no such figure")


BROKEN = Analysis("broken", chapters=[Chapter("The training", "A chapter that fails", [broken])])


def test_a_new_analysis_has_its_numbers_its_rows_and_its_chapter(run, blank):
    paths = build_report(run, asked=[*analyses(), LARGEST])
    metrics = json.loads(paths.metrics_json.read_text())
    largest = [row["largest"] for row in metrics["largest"]]
    scores = pd.read_parquet(run / "scores.parquet")
    assert max(largest) == pytest.approx(scores["score"].max())
    assert metrics["not_measured"]["largest"] == ["nothing is missing"]
    table = pd.read_csv(paths.metrics_csv)
    assert table[table["kind"] == "largest"]["value"].to_list() == pytest.approx(largest)
    page = paths.html.read_text()
    assert page.count("The largest score") == 2  # in the table of contents, and above the chapter
    assert f"{largest[0]:.2f}" in page


def test_a_chapter_that_fails_is_named_and_costs_no_other(run, blank, monkeypatch):
    monkeypatch.delenv(STRICT)
    page = build_report(run, asked=[*analyses(), BROKEN]).markdown.read_text()
    assert "the part “broken” could not be made" in page
    assert "no such figure" in page
    assert "How to read the matrix" in page


def test_a_chapter_that_fails_fails_the_tests(run, blank):
    with pytest.raises(KeyError, match="no such figure"):
        build_report(run, asked=[BROKEN])


def test_every_analysis_is_registered_once_and_its_chapters_have_a_place():
    assert [one.name for one in analyses()] == list(NAMES)
    assert len(set(NAMES)) == len(NAMES)
    chapters = [chapter for one in analyses() for chapter in one.chapters]
    assert {chapter.part for chapter in chapters} == {OPENING, *PARTS}
    titles = [chapter.title for chapter in chapters if chapter.title]
    assert len(set(titles)) == len(titles)


def test_every_closed_chapter_says_what_it_found_and_has_an_address_of_its_own(built):
    inputs = read_inputs(built)
    document = compose(StudyResults(inputs, compute_metrics(inputs), b""), analyses())
    chapters = [one for section in document.sections for one in section.chapters]
    assert len(chapters) > 15
    assert [one.summary for one in chapters if not one.finding] == []
    addresses = [one.anchor for one in (*document.sections, *chapters)]
    assert len(set(addresses)) == len(addresses)
    assert "calibration" in addresses


def test_a_finding_that_fails_is_named_too(run, blank, monkeypatch):
    monkeypatch.delenv(STRICT)
    chapter = Chapter("The training", "Hollow", [lambda _: [Text("Something.")]], broken)
    page = build_report(run, asked=[*analyses(), Analysis("hollow", chapters=[chapter])])
    assert "the part “Hollow” could not be made" in page.markdown.read_text()

"""The threshold explorer in a browser says what `evaluation/` computes, and everybody can use it.

Playwright's `page.keyboard` stands for a person without a mouse.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from analyses.classifier_runs import make_mixed_run

from gandetect.analyses.build import compute_metrics
from gandetect.analyses.thresholds.explorer import explorer
from gandetect.report.document import Document, Section
from gandetect.report.inputs import read_inputs
from gandetect.report.render import to_html
from gandetect.report.results import StudyResults
from gandetect.report.words import count, per_hundred, percent, percent_interval
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.cost_model import CostModel, expected
from gandetect.statistics.decisions import confusion, share_correct
from gandetect.statistics.operating_points import calibrate, least_images
from gandetect.statistics.scored_detectors import split_by_detector
from gandetect.statistics.scores import TEST_REALS, latest

DETECTORS = ("dcgan-bn", "cnn-small-on-dcgan-plain")
HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)> \u202eعربي " + 300 * "W"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A page with nothing but the explorer, and the detectors that it shows."""
    folder = tmp_path_factory.mktemp("explorer")
    inputs = read_inputs(make_mixed_run(folder / "run"))
    metrics = compute_metrics(inputs)
    block = explorer(StudyResults(inputs, metrics))
    page = Document("Explorer", [Section("Threshold", [block])])
    (folder / "page.html").write_text(to_html(page), encoding="utf-8")
    facts = {row["detector"]: row for row in metrics["detectors"]}
    found = split_by_detector(latest(inputs.scores), facts, CalibrationRule(0.05))
    subjects = {one.detector: one for one in found}
    return SimpleNamespace(path=folder / "page.html", block=block, subjects=subjects, facts=facts)


class Widget:
    """The explorer on a page, as a person finds it: by labels."""

    def __init__(self, page, made, detector=DETECTORS[0]):
        page.set_default_timeout(3000)
        self.page, self.subject = page, made.subjects[detector]
        self.facts = made.facts[detector]
        names = [one["name"] for one in made.block.data["detectors"]]
        self.run = made.block.data["detectors"][names.index(detector)]["runs"][0]
        page.get_by_label("Detector", exact=True).select_option(detector)

    @property
    def slider(self):
        return self.page.get_by_role("slider")

    @property
    def threshold(self) -> float:
        return self.run["edges"][int(self.slider.input_value())]

    def rows(self, part) -> list[list[str]]:
        table = f'tbody[data-part="{part}"] tr'
        return self.page.locator(table).evaluate_all(
            "rows => rows.map(row => [...row.cells].map("
            "cell => cell.textContent.replaceAll('\u00a0', ' ')))"
        )

    def says_what_evaluation_computes(self):
        cut, shown = self.threshold, []
        for source in self.subject.reported():
            scores = self.subject.sources[source]
            found = share_correct(scores, source.partition(":")[0], cut)
            words = percent_interval(found["correct"], found["ci95"])
            shown.append([count(found["n"]), words])
        assert [row[1:] for row in self.rows("shares")] == shown
        own, reals = self.subject.joined(self.subject.own), self.subject.joined(TEST_REALS)
        matrix = [
            [f"{count(k)} ({percent(k / sum(row))})" for k in row]
            for row in confusion(own, reals, cut)
        ]
        assert [row[1:] for row in self.rows("confusion")] == matrix


@pytest.mark.parametrize("detector", DETECTORS)
def test_arrow_keys_move_the_threshold_and_every_figure_with_it(open_page, made, detector):
    widget = Widget(open_page(made.path), made, detector)
    widget.slider.focus()
    for key, times in (("ArrowRight", 1), ("ArrowLeft", 7), ("PageUp", 2), ("PageDown", 1)):
        before = widget.threshold
        for _ in range(times):
            widget.page.keyboard.press(key)
        assert (widget.threshold > before) == (key in ("ArrowRight", "PageUp"))
        widget.says_what_evaluation_computes()
    for key, caught in (("Home", "100"), ("End", "0")):
        widget.page.keyboard.press(key)
        widget.says_what_evaluation_computes()
        own = percent(float(caught) / 100)
        assert widget.rows("shares")[0][2].startswith(own)


@pytest.mark.parametrize("detector", DETECTORS)
def test_marked_points_are_those_of_the_study(open_page, made, detector):
    widget = Widget(open_page(made.path), made, detector)
    group = widget.page.get_by_role("group", name="Thresholds of the study")
    for name, cut in widget.subject.thresholds.items():
        group.locator(f'[data-mark="{name}"]').press("Enter")
        assert widget.threshold == cut
        assert group.locator(f'[data-mark="{name}"]').get_attribute("aria-pressed") == "true"
        assert name in widget.slider.get_attribute("aria-valuetext")
        widget.says_what_evaluation_computes()
    names = [mark["name"] for mark in widget.run["marks"]]
    assert ("youden" in names) == (detector != "dcgan-bn")


def test_allowed_false_alarms_are_counted_on_calibration_reals(open_page, made):
    widget = Widget(open_page(made.path), made)
    field = widget.page.get_by_label("Real images that may be flagged, in %")
    assert field.input_value() == "5"
    reals = widget.subject.sources["real:calibration"]
    for percentage in ("5", "1", "20", "2"):
        field.fill(percentage)
        assert widget.threshold == pytest.approx(
            calibrate(reals, float(percentage) / 100), abs=0.05
        )
        assert np.mean(reals > widget.threshold) <= float(percentage) / 100
        widget.says_what_evaluation_computes()
    field.fill("5")
    assert widget.threshold == widget.subject.thresholds["calibrated"]
    field.fill("0.1")  # too few reals for that
    assert field.get_attribute("aria-invalid") == "true"
    said = f"at least {least_images(0.001)} calibration reals, and there are {len(reals)}"
    assert said in widget.page.locator('[data-part="chosen"]').inner_text()
    assert calibrate(reals, 0.001) is None
    assert widget.threshold == widget.subject.thresholds["calibrated"]
    field.fill("")  # what is no number changes nothing
    assert field.get_attribute("aria-invalid") == "true"
    assert widget.threshold == widget.subject.thresholds["calibrated"]


def test_prevalence_changes_precision_as_bayes_says(open_page, made):
    widget = Widget(open_page(made.path), made)
    generated, real = (widget.subject.sources[s] for s in (widget.facts["own"][0], TEST_REALS[0]))
    for percentage in ("2", "0.5", "50", "99"):
        widget.page.get_by_label("Fakes among 100 uploads").fill(percentage)
        market = CostModel(float(percentage) / 100, 20.0, 1.0)
        found = expected(generated, real, widget.threshold, market)
        rows = dict(widget.rows("market"))
        assert rows["Of 100 flagged, really fake"] == per_hundred(found["precision"])
        for name, key in (("Cost", "cost"), ("Cost of flagging everything", "flag_all")):
            assert float(rows[name].replace(",", "")) == pytest.approx(found[key], abs=0.5)
    widget.page.get_by_label("Fakes among 100 uploads").fill("0")
    assert widget.rows("market") == []
    assert "above 0 and below 100" in widget.page.get_by_role("status").inner_text()


def test_the_cheapest_cut_is_chosen_on_calibration_images(open_page, made):
    widget = Widget(open_page(made.path), made)
    button = widget.page.get_by_role("button", name="Use the cheapest threshold for these costs")
    button.press("Enter")
    (wanted,) = (mark["edge"] for mark in widget.run["marks"] if mark["name"] == "cheapest")
    assert int(widget.slider.input_value()) == wanted
    # Misses that cost next to nothing: no calibration real is flagged; and the other way round.
    reals, fakes = (widget.subject.sources[f"{k}:calibration"] for k in ("real", "generated"))
    widget.page.get_by_label("Cost of a missed fake").fill("0.0001")
    assert (reals <= widget.threshold).all()
    assert (fakes > widget.threshold).any()
    widget.page.get_by_label("Cost of a missed fake").fill("1000000")
    assert (fakes > widget.threshold).all()


def test_a_detector_that_follows_keeps_the_rule_and_not_the_number(open_page, made):
    widget = Widget(open_page(made.path), made)
    widget.page.locator('[data-mark="calibrated"]').click()
    other = Widget(widget.page, made, DETECTORS[1])
    assert other.threshold == other.subject.thresholds["calibrated"]


def test_dragging_the_line_moves_the_threshold(open_page, made):
    widget = Widget(open_page(made.path), made)
    drawing = widget.page.locator('[data-part="histograms"] svg')
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    before = widget.threshold
    widget.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    widget.page.mouse.down()
    widget.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60)
    widget.page.mouse.up()
    low, high = widget.run["axis"]
    assert widget.threshold == pytest.approx(low + 0.8 * (high - low), abs=0.1)
    assert widget.threshold != before
    widget.says_what_evaluation_computes()


def test_a_sentence_sums_up_in_plain_words(open_page, made):
    widget = Widget(open_page(made.path), made)
    sentence = widget.page.locator('[aria-live="polite"][data-part="sentence"]')
    sentence.get_by_text("calibrated").wait_for()
    own, familiar = widget.facts["own"][0], TEST_REALS[0]
    caught, flagged = (
        np.mean(widget.subject.sources[s] > widget.threshold) for s in (own, familiar)
    )
    text = sentence.inner_text()
    assert f"catches {per_hundred(caught)} of 100 fakes of the own generator" in text
    assert f"flags {per_hundred(flagged)} of 100 in-distribution reals" in text
    assert "\u2068the discriminator of dcgan-bn\u2069" in text


def test_tab_reaches_every_control_and_each_has_a_label(open_page, made):
    page = open_page(made.path)
    controls = page.locator(".explorer-widget :is(input, select, button):visible")
    wanted = controls.count()
    assert wanted >= 11
    reached = set()
    for _ in range(2 * wanted):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(
            "[...document.querySelectorAll('.explorer-widget :is(input, select, button)')]"
            ".indexOf(document.activeElement)"
        ))  # fmt: skip
    assert len(reached - {-1}) == wanted
    unnamed = "all => all.filter(e => !(e.labels?.length || e.textContent.trim())).length"
    assert controls.evaluate_all(unnamed) == 0


def test_without_javascript_and_on_paper_a_sentence_leads_to_the_figures(open_page, made):
    quiet = open_page(made.path, java_script_enabled=False)
    assert quiet.get_by_text(made.block.instead).is_visible()
    assert quiet.get_by_role("link", name="The same in figures").get_attribute("href") == (
        "#thresholds"
    )
    assert not quiet.locator(".explorer-widget").is_visible()
    page = open_page(made.path)
    assert not page.get_by_text(made.block.instead).is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text(made.block.instead).is_visible()
    assert not page.locator(".explorer-widget").is_visible()


def test_hostile_names_are_text_and_break_no_layout(open_page, made, tmp_path):
    first = made.block.data["detectors"][0]
    sources = [source | {"name": HOSTILE} for source in first["runs"][0]["sources"]]
    bad = first | {"name": HOSTILE, "called": HOSTILE}
    bad |= {"runs": [first["runs"][0] | {"sources": sources}]}
    block = replace(made.block, data=made.block.data | {"detectors": [bad, first]})
    path = tmp_path / "page.html"
    path.write_text(to_html(Document("t", [Section("s", [block])])), encoding="utf-8")
    page = open_page(path, width=375)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.locator(".explorer img, .explorer script:not([type])").count() == 0
    assert page.get_by_role("cell").count() > 10
    assert page.locator('[data-part="shares"] th').first.inner_text() == HOSTILE


def test_a_confusion_matrix_of_large_counts_is_not_cut_off(open_page, made):
    page = open_page(made.path)
    page.set_viewport_size({"width": 1280, "height": 800})
    scroll = page.locator(".explorer-confusion .scroll")
    fits = """box => {
        for (const cell of box.querySelectorAll("tbody td")) cell.textContent = "120,000 (99.99 %)";
        return box.scrollWidth <= box.clientWidth;
    }"""
    assert scroll.evaluate(fits)

"""What is open when a report is opened, and how the rest opens: the switch and the chapters."""

from __future__ import annotations

import pytest

MOST_WORDS, MOST_SCREENS, SCREEN = 2000, 12, 900
SENTENCE = {
    "native": "At the native threshold",
    "calibrated": "set to flag 5 of 100 calibration reals",
}


def chapter(page, anchor):
    return page.locator(f"details.chapter:has(> #{anchor})")


def is_open(page, anchor) -> bool:
    return chapter(page, anchor).evaluate("one => one.open")


def open_chapters(page) -> list[str]:
    return page.locator("details.chapter[open] > .inside").evaluate_all(
        "all => all.map(one => one.id)"
    )


def test_what_is_open_is_short(open_page, report_html):
    page = open_page(report_html, width=1280, height=SCREEN)
    words = page.evaluate("document.body.innerText.split(/\\s+/).filter(Boolean).length")
    assert words <= MOST_WORDS
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height <= MOST_SCREENS * SCREEN


def test_question_answer_and_matrix_stand_on_the_first_screen(open_page, report_html):
    page = open_page(report_html, width=1280, height=SCREEN)
    matrix = page.locator(".switch table:visible")
    assert matrix.count() == 1
    for piece in (page.locator("h1"), page.locator(".warning").first, matrix):
        box = piece.bounding_box()
        assert box["y"] + box["height"] <= SCREEN


@pytest.mark.parametrize("scripts", [True, False])
def test_the_switch_changes_matrix_and_sentences(open_page, report_html, scripts):
    page = open_page(report_html, java_script_enabled=scripts)
    table, sentence = page.locator(".switch table:visible"), page.locator(".switch .lead:visible")
    assert page.get_by_label("calibrated", exact=True).is_checked()
    assert SENTENCE["calibrated"] in sentence.first.inner_text()
    before = table.inner_text()
    page.get_by_label("native (score 0)", exact=True).check()
    assert SENTENCE["native"] in sentence.first.inner_text()
    assert table.count() == 1
    assert table.inner_text() != before
    page.keyboard.press("ArrowRight")  # the arrow keys choose, as in every group of radio buttons
    assert page.get_by_label("calibrated", exact=True).is_checked()
    assert table.inner_text() == before


@pytest.mark.parametrize("scripts", [True, False])
def test_chapters_are_closed_and_open_by_click_and_key(open_page, report_html, scripts):
    page = open_page(report_html, java_script_enabled=scripts)
    chapters = page.locator("details.chapter")
    assert chapters.count() > 15
    assert open_chapters(page) == []
    assert all(text.strip() for text in chapters.locator("> summary > span").all_inner_texts())
    summary = chapter(page, "calibration").locator("> summary")
    summary.click()
    assert is_open(page, "calibration")
    for key in ("Enter", "Space"):
        before = is_open(page, "calibration")
        summary.press(key)
        assert is_open(page, "calibration") != before


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_opens_the_chapter_that_it_leads_to(open_page, report_html, scripts):
    page = open_page(report_html, java_script_enabled=scripts)
    page.locator("nav a[href='#calibration']").click()
    assert open_chapters(page) == ["calibration"]
    page.locator(".warning a").first.click()
    assert open_chapters(page) == ["shortcuts", "calibration"]
    summary = chapter(page, "shortcuts").locator("> summary")
    top = summary.bounding_box()["y"]
    assert 0 <= top < SCREEN / 2
    # An address leads there, too.
    page.goto("about:blank")
    page.goto(f"{report_html.as_uri()}#downloads")
    assert open_chapters(page) == ["downloads"]


def test_the_same_link_opens_a_chapter_that_was_closed_again(open_page, report_html):
    page = open_page(report_html)
    for _ in range(2):
        page.locator("nav a[href='#calibration']").click()
        page.wait_for_function(
            "document.activeElement.parentElement.lastElementChild.id === 'calibration'"
        )
        assert is_open(page, "calibration")
        chapter(page, "calibration").locator("> summary").click()
        assert not is_open(page, "calibration")


def test_one_button_opens_and_closes_all(open_page, report_html):
    page = open_page(report_html)
    page.get_by_role("button", name="Open all chapters").click()
    assert len(open_chapters(page)) == page.locator("details.chapter").count()
    page.get_by_role("button", name="Close all chapters").click()
    assert open_chapters(page) == []


def test_paper_shows_what_is_open_and_both_operating_points(open_page, report_html):
    page = open_page(report_html)
    chapter(page, "calibration").locator("> summary").click()
    page.emulate_media(media="print")
    assert page.pdf().startswith(b"%PDF")
    assert open_chapters(page) == ["calibration"]
    assert page.locator("#calibration table").first.is_visible()
    assert not page.locator("#ranking table").first.is_visible()
    assert chapter(page, "ranking").locator("> summary").is_visible()
    assert page.locator(".switch table:visible").count() == 2
    assert page.get_by_text("Operating point: native (score 0)").is_visible()
    assert not page.locator(".switch input").first.is_visible()

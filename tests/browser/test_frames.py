"""Sample grids epoch by epoch: one at a time with a script, all of them without."""

from __future__ import annotations

import numpy as np
import pytest

from gandetect.report.document import Document, Frames, Picture, Section, Tiles
from gandetect.report.images import small_png
from gandetect.report.render import to_html

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def page_html(tmp_path_factory):
    """Two strips of frames, one of them with a hostile name, a single frame, and tiles."""
    png = [small_png(np.full((1, 60, 60), 40 * k, np.uint8)) for k in range(5)]
    picture = Picture("figures/x.png", png[0], "five", "five")
    frames = [(one, f"epoch {place} of 5") for place, one in enumerate(png, start=1)]
    blocks = [
        Frames("Made by dcgan-bn", frames, picture),
        Frames(HOSTILE, [(png[0], HOSTILE), (png[1], HOSTILE)], picture),
        Frames("Real images", frames[:1], picture),
        Tiles("Mistakes", [(one, "+1.0") for one in png], picture),
    ]
    path = tmp_path_factory.mktemp("frames") / "report.html"
    path.write_text(to_html(Document("Frames", [Section("Look", blocks)])), encoding="utf-8")
    return path


def visible(strip) -> list[str]:
    return [
        image.get_attribute("alt").rpartition(": ")[2]
        for image in strip.locator("img").all()
        if image.is_visible()
    ]


def test_the_keyboard_moves_the_slider_and_the_buttons(open_page, page_html):
    page = open_page(page_html)
    strip = page.get_by_role("group", name="Made by dcgan-bn")
    slider, words = strip.get_by_role("slider", name="Step"), strip.get_by_role("status")
    assert visible(strip) == ["epoch 5 of 5"]
    slider.focus()
    shown = []
    for key in ("ArrowLeft", "ArrowLeft", "Home", "ArrowRight", "End"):
        page.keyboard.press(key)
        assert visible(strip) == [words.inner_text()]
        assert slider.get_attribute("aria-valuetext") == words.inner_text()
        shown.append(words.inner_text()[6])
    assert shown == ["4", "3", "1", "2", "5"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert visible(strip) == ["epoch 3 of 5"]


def test_a_button_at_the_end_keeps_the_focus_and_says_that_it_does_nothing(open_page, page_html):
    page = open_page(page_html)
    strip = page.get_by_role("group", name="Made by dcgan-bn")
    after = strip.get_by_role("button", name="Next")
    assert after.get_attribute("aria-disabled") == "true"
    after.focus()
    page.keyboard.press("Enter")
    assert visible(strip) == ["epoch 5 of 5"]
    assert after.evaluate("button => button === document.activeElement")


def test_without_a_script_all_frames_are_there(open_page, page_html):
    page = open_page(page_html, java_script_enabled=False)
    strip = page.get_by_role("group", name="Made by dcgan-bn")
    assert visible(strip) == [f"epoch {k} of 5" for k in range(1, 6)]
    assert page.locator("input, button").count() == 0


def test_all_frames_are_there_on_paper(open_page, page_html):
    page = open_page(page_html)
    page.emulate_media(media="print")
    strip = page.get_by_role("group", name="Made by dcgan-bn")
    assert visible(strip) == [f"epoch {k} of 5" for k in range(1, 6)]
    assert not strip.get_by_role("slider").is_visible()


def test_a_strip_of_one_has_nothing_to_step_through(open_page, page_html):
    page = open_page(page_html)
    strip = page.get_by_role("group", name="Real images")
    assert visible(strip) == ["epoch 1 of 5"]
    assert strip.locator("input, button").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_and_nothing_is_wider_than_a_phone(
    open_page, page_html, violations, scheme
):
    page = open_page(page_html, width=375, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert violations(page) == []


def test_names_are_words_and_nothing_else(open_page, page_html):
    page = open_page(page_html)  # fails by itself on a dialog or a request
    strip = page.locator("figure.frames").nth(1)
    assert strip.get_by_role("status").inner_text() == HOSTILE
    assert strip.locator("img").count() == 2


def test_small_images_are_enlarged(open_page, page_html):
    page = open_page(page_html)
    assert page.locator("figure.tiles img").first.bounding_box()["width"] == 84
    assert page.locator("figure.frames img:visible").first.bounding_box()["width"] == 466

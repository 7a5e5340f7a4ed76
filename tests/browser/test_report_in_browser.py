"""The report in a real browser: from disk, without a network, for everybody.

What is asked here holds for every page that this project writes, whatever its chapters are.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from .conftest import pages

UNFOLD = "document.querySelectorAll('details').forEach(folded => { folded.open = true; })"

# Elements that Tab should reach, in the page's order; of a group of radio buttons only one.
FOCUSABLE = """() => {
  const chosen = radio => radio === (
    document.querySelector(`input[type=radio][name="${CSS.escape(radio.name)}"]:checked`)
    ?? document.querySelector(`input[type=radio][name="${CSS.escape(radio.name)}"]`));
  window.wanted = [...document.querySelectorAll('body *')].filter(element =>
    element.tabIndex >= 0 && !element.disabled && element.checkVisibility()
    && (element.type !== 'radio' || chosen(element)));
  return window.wanted.map(element => element.outerHTML.slice(0, 120));
}"""
FOCUSED = """() => {
  const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
  const marked = outlineStyle !== 'none' || boxShadow !== 'none';
  return [window.wanted.indexOf(document.activeElement), marked];
}"""


@pytest.fixture(scope="module")
def page(browser, report_html):
    """The page with everything unfolded, for tests that only read."""
    with pages(browser) as opened:
        page = opened(report_html)
        page.evaluate(UNFOLD)
        yield page


def test_opens_from_disk_with_every_picture(page):
    assert page.title()
    empty = "images => images.filter(image => !(image.complete && image.naturalWidth)).length"
    assert page.locator("img").count() > 5
    assert page.locator("img").evaluate_all(empty) == 0


def test_headings_are_in_order_and_start_with_the_only_h1(page):
    headings = page.locator("h1, h2, h3, h4, h5, h6")
    levels = headings.evaluate_all("all => all.map(heading => Number(heading.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(text.strip() for text in headings.all_inner_texts())


def test_every_picture_says_in_words_what_it_shows(page):
    unsaid = "all => all.filter(one => !one.alt.trim()).map(one => one.outerHTML.slice(0, 200))"
    assert page.locator("img").evaluate_all(unsaid) == []
    silent = page.locator(
        "svg:not([aria-hidden=true], [aria-label], [aria-labelledby], :has(> title)),"
        "canvas:not([aria-hidden=true], [aria-label], [aria-labelledby])"
    )
    assert silent.evaluate_all("all => all.map(drawing => drawing.outerHTML.slice(0, 200))") == []


def test_every_table_has_headers_with_a_scope_and_a_caption(page):
    tables = page.locator("table")
    assert tables.count() > 5
    bad = """all => all.filter(table =>
      !table.querySelector('th[scope]') || table.querySelector('th:not([scope])')
      || !(table.caption || table.closest('figure')?.querySelector('figcaption')
           || table.getAttribute('aria-label') || table.getAttribute('aria-labelledby'))
    ).map(table => table.outerHTML.slice(0, 200))"""
    assert tables.evaluate_all(bad) == []


def test_axe_core_finds_nothing_serious(page, violations):
    assert violations(page) == []


def test_axe_core_finds_contrast_enough_in_the_dark(open_page, report_html, violations):
    page = open_page(report_html, color_scheme="dark")
    page.evaluate(UNFOLD)
    assert violations(page, ["color-contrast", "link-in-text-block"]) == []


def test_a_phone_scrolls_the_page_in_one_direction_only(open_page, report_html):
    page = open_page(report_html, width=375, height=812)
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_tab_reaches_everything_in_order_shows_where_it_is_and_leaves(open_page, report_html):
    page = open_page(report_html, width=375, height=812)  # where most regions scroll
    page.evaluate(UNFOLD)
    wanted = page.evaluate(FOCUSABLE)
    reached, unmarked = [], []
    for _ in range(2 * len(wanted)):  # regions that scroll may take a step more
        page.keyboard.press("Tab")
        index, marked = page.evaluate(FOCUSED)
        if index >= 0:
            if index in reached:
                break  # round the page once
            reached.append(index)
            if not marked:
                unmarked.append(wanted[index])
    assert [wanted[index] for index in range(len(wanted)) if index not in reached] == []
    assert reached == sorted(reached)
    assert unmarked == []


def test_without_javascript_every_figure_stands_and_no_control_does_nothing(open_page, report_html):
    page = open_page(report_html, java_script_enabled=False)
    hidden = """all => all.filter(image => !image.checkVisibility() && !image.closest('details'))
      .map(image => image.alt)"""
    assert page.locator("img").count() > 5
    assert page.locator("img").evaluate_all(hidden) == []
    # The switch needs no script.
    visible = """all => all.filter(e => e.checkVisibility() && !e.closest('.switch'))
      .map(e => e.outerHTML.slice(0, 120))"""
    assert page.locator("button, input, select").evaluate_all(visible) == []


def test_the_policy_keeps_out_requests_scripts_and_handlers(browser, report_html):
    context = browser.new_context()  # its own: what is refused here is said in the console
    try:
        page = context.new_page()
        page.goto(report_html.as_uri())
        # An address that a page without a policy could fetch with no network at all.
        fetched = "fetch('data:,hello').then(() => 'fetched', () => 'refused')"
        assert page.evaluate(fetched) == "refused"
        page.evaluate("""() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="ran = true">');
        }""")
        page.wait_for_timeout(100)
        assert page.evaluate("window.ran") is None
    finally:
        context.close()

"""A comparison in a real browser: from disk, at every width, for everybody, whatever the names."""

from __future__ import annotations

from pathlib import Path

import pytest
from analyses.compared_runs import finished_run, shifted

from gandetect.analyses.compare.build import build_comparison

HOSTILE = "<img src=x onerror=alert(1)> '\" \u202e" + "long" * 40


@pytest.fixture(scope="module")
def comparison(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    runs = [finished_run(folder / "quick-0"), finished_run(folder / HOSTILE, scores=shifted)]
    return build_comparison(runs, folder / "out").html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_core_finds_nothing_serious(open_page, comparison, violations, scheme) -> None:
    assert violations(open_page(comparison, color_scheme=scheme)) == []


@pytest.mark.parametrize("width", [375, 800, 1400])
def test_tables_scroll_within_and_the_page_does_not(open_page, comparison, width) -> None:
    page = open_page(comparison, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_difference_opens_and_names_stay_text(open_page, comparison) -> None:
    page = open_page(comparison)
    assert page.locator("img").count() == 0
    fold = page.locator("details", has_text="<img src=x onerror=alert(1)>").filter(
        has_text="All differences, the largest first"
    )
    fold = fold.first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").press("Enter")
    assert fold.locator("tbody tr").count() == 20
    assert fold.locator("table").is_visible()
    assert page.locator("td.framed", has_text="▼").count() > 0

"""Figures in the house style: nothing is cut off, and SVG is small without looking otherwise."""

from __future__ import annotations

import re

import pytest

from gandetect.report.style import figure_svg, house_style, legend_below, new_panels


@pytest.mark.parametrize(("length", "columns"), [(5, 3), (25, 2), (90, 1)])
def test_a_legend_has_as_many_columns_as_fit(length: int, columns: int) -> None:
    with house_style():
        figure, panels = new_panels(7, 3)
        for letter in "abcdef":
            panels[0, 0].plot([0, 1], [0, 1], label=letter * length)
        legend_below(figure, columns=3)
    (legend,) = figure.legends
    extent = legend.get_window_extent()
    assert columns == 1 or extent.width <= figure.bbox.width
    assert legend._ncols == columns


def test_an_svg_keeps_words_references_and_round_markers() -> None:
    with house_style():
        figure, panels = new_panels(3, 2)
        places = [0.123456, 0.2, 0.7, 0.9]
        panels[0, 0].plot(places, places, marker="o", label="a: b;  c <id=“d”>")
        panels[0, 0].legend()
        drawn = figure_svg(figure).decode()
    assert "a: b;  c &lt;id=“d”&gt;" in drawn
    named = set(re.findall(r'\bid="([^"]+)"', drawn))
    assert named == set(re.findall(r'(?:url\(|href=")#([^")]+)', drawn))
    paths = re.findall(r' d="([^"]+)"', drawn)
    assert all(not re.search(r"\.\d\d", path) for path in paths if "C" not in path)
    assert any(re.search(r"\.\d\d", path) for path in paths if "C" in path)
    assert "fill:#" in drawn  # as the rules for dark pages have it

"""The chapter on what moves a score: its sentences, its maps, and what is said without any."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from gandetect.analyses.build import build_report
from gandetect.analyses.registry import analyses
from gandetect.analyses.saliency.figure import Mapped, overlay, saliency_maps
from gandetect.report.reading import Kept
from gandetect.report.style import figure_svg

ASKED = [one for one in analyses() if one.name in ("cross_evaluation", "costs", "saliency")]


def page(run: Path) -> str:
    return build_report(run, asked=ASKED).markdown.read_text()


def test_the_chapter_tells_what_maps_show_and_what_they_do_not_prove(run, blank) -> None:
    text = page(run)
    assert "it speaks for “real”" in text
    assert re.search(r"\d+ %( to \d+ %)? of all change is at the border, where 40 %", text)
    assert "arXiv 1810.03292" in text
    assert "81 parts of each" in text
    metrics = json.loads((run / "metrics.json").read_text())
    assert len(metrics["saliency"]) == 8  # two detectors, four sources
    for name in ("dcgan-bn", "dcgan-plain"):
        assert f"figures/saliency-{name}.svg" in text
    # Maps of noise: about as much at the border as there are windows, and like no other map.
    for row in metrics["saliency"]:
        assert row["border"] == pytest.approx(row["border_windows"], abs=0.06)
        assert abs(row["like_shuffled"]) < 0.15


def test_a_detector_without_shuffled_weights_has_a_dash(run, blank) -> None:
    path = run / "saliency" / "dcgan-bn" / "seed-0" / "saliency.npz"
    with np.load(path) as stored:
        arrays = {key: stored[key] for key in stored.files if "shuffled" not in key}
    np.savez(path, **arrays)
    rows = [line for line in page(run).splitlines() if line.startswith("| discriminator dcgan-bn")]
    assert rows
    assert all(row.rstrip(" |").endswith("–") for row in rows)


def test_without_maps_the_chapter_says_how_to_make_them(run, blank) -> None:
    for path in run.glob("saliency/*/*/saliency.npz"):
        path.write_bytes(b"damaged")
    text = page(run)
    assert "no maps were made; run the study again" in text
    assert (
        "saliency" not in json.loads((run / "metrics.json").read_text())
        or not json.loads((run / "metrics.json").read_text())["saliency"]
    )


def test_where_nothing_moves_the_score_the_image_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), dtype=np.uint8)
    laid = overlay(image, np.zeros((9, 9)))
    np.testing.assert_array_equal(laid, np.repeat(image.transpose(1, 2, 0), 3, axis=2))
    map_ = np.zeros((9, 9))
    map_[0, 0], map_[8, 8] = 1.0, -1.0
    laid = overlay(image, map_).astype(int)
    assert laid[1, 1, 0] > laid[1, 1, 2]  # orange speaks for generated
    assert laid[26, 26, 2] > laid[26, 26, 0]  # blue for real
    np.testing.assert_array_equal(laid[10:18, 10:18, 0], image[0, 10:18, 10:18])


def test_a_source_without_mistakes_is_drawn_and_says_none() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 1, 28, 28), dtype=np.uint8)
    maps = rng.normal(size=(2, 9, 9)).astype(np.float32)
    arrays = {"maps": maps, "surest": maps, "mistakes": maps[:0]}
    kept = {"surest": Kept(images, np.array([3.0, 2.5])), "mistakes": Kept(images[:0], np.empty(0))}
    drawn = figure_svg(saliency_maps([Mapped("real", arrays, kept)])).decode()
    assert "none" in drawn
    assert "+3.0" in drawn
    assert "surest mistakes" not in drawn

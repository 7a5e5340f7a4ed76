"""The table of training on one upscaler and testing on all, on patches whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from labelled_layouts import experiments_module
from PIL import Image

spectrum = experiments_module("spectrum")
script = experiments_module("cross_upscalers")


@pytest.fixture
def patches(tmp_path) -> Path:
    """Noise as real; every upscaler a mean over so many pixels, 2 if resized, 4 if a network."""
    rng = np.random.default_rng(0)
    for number in range(40):
        noise = rng.integers(256, size=(32, 32, 3))
        for label in script.TESTED:
            width = {"real": 1}.get(label, 4 if label in script.NETWORKS else 2)
            mean = noise.reshape(32 // width, width, 32 // width, width, 3).mean(axis=(1, 3))
            pixels = mean.repeat(width, axis=0).repeat(width, axis=1).astype(np.uint8)
            path = tmp_path / label / f"p{number // 2}-{number % 2}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path


def table(*arguments: str) -> list[list[str]]:
    result = CliRunner().invoke(script.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in result.output.splitlines()
    ]


def test_reals_are_kept_and_fakes_found_where_spectra_differ(patches) -> None:
    header, _, *rows = table(str(patches), "--kernel", "linear")
    assert header == ["reals", "fakes", *script.TESTED, "AUROC"]
    assert len(rows) == 12
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        assert cells["AUROC"] == "1.00"
        assert all(cells[label] == "100 (100 to 100)" for label in script.NETWORKS)
        assert cells["real"] == "0 (0 to 0)"
        if "bicubic" in cells["reals"]:
            assert cells["bicubic"] == "0 (0 to 0)"


def test_no_detector_has_seen_the_photograph_that_it_answers(monkeypatch) -> None:
    photographs = np.repeat(np.arange(10), 3)
    found = {label: [np.c_[np.arange(30.0)]] * 2 for label in script.TESTED}

    class Seen:
        pipeline = property(lambda self: self)

        def fit(self, rows, y):
            self.seen = {photographs[int(row)] for row in rows[:, 0]}
            return self

        def decision_function(self, rows):
            assert self.seen.isdisjoint(photographs[rows[:, 0].astype(int)])
            return rows[:, 0]

    monkeypatch.setattr(script, "Spectrum", lambda kernel: Seen())
    scores = script.answers(found, photographs, ("real",), "realcugan", "rbf")
    assert (scores["real"] == np.arange(30.0)).all(), "each patch is answered, in its place"


def test_the_interval_is_over_photographs_and_not_over_patches() -> None:
    rng = np.random.default_rng(0)
    flagged = np.repeat(rng.random(20) < 0.5, 50)[None].astype(float)
    alone = script.share(flagged, [str(n) for n in range(1000)], np.random.default_rng(1))
    grouped = script.share(flagged, list(np.repeat(np.arange(20), 50)), np.random.default_rng(1))
    widths = [
        int(text.split("to ")[1][:-1]) - int(text.split("(")[1].split(" ")[0])
        for text in (alone, grouped)
    ]
    assert widths[1] > 3 * widths[0]


def test_the_spectrum_of_a_wave_is_at_its_frequency_alone() -> None:
    wave = 100 + 50 * np.sin(2 * np.pi * 8 * np.arange(64) / 64)
    image = np.broadcast_to(wave, (1, 3, 64, 64)).round().astype(np.uint8)
    assert int(spectrum.radial_spectrum(image).argmax()) == 8 - 1

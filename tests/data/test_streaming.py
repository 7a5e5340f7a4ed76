"""Files are decoded batch after batch, in order, whoever decodes them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from eager_workers import start_at_once
from PIL import Image

from gandetect.data import streaming
from gandetect.data.images import read_image
from gandetect.data.streaming import BATCH, DecodeOptions, decode_batches
from gandetect.workers import AHEAD

OPTIONS = DecodeOptions(channels=1, size=28, fit="pad", background=0)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Five batches and a bit; every hundredth is damaged, each other has a grey of its own."""
    paths = [tmp_path / f"{number:03}.png" for number in range(5 * BATCH + 3)]
    for number, path in enumerate(paths):
        Image.new("L", (28, 28), number % 256).save(path)
    for path in paths[7::100]:
        path.write_text("no picture")
    return paths


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_order_is_kept_and_errors_stay_at_their_place(
    files: list[Path], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_at_once(monkeypatch)
    batches = list(decode_batches([*files[:3], files[0].parent], OPTIONS, workers))
    assert [len(batch) for batch in batches] == [BATCH] * 5 + [6]
    decoded = [one for batch in batches for one in batch]
    expected = files[:3] + files
    assert [one.path for one in decoded] == expected
    for one in decoded:
        if int(one.path.stem) % 100 == 7:
            assert one.pixels is None
            assert "is not an image" in str(one.error)
        else:
            assert one.error is None
            assert np.array_equal(one.pixels, read_image(one.path))


def test_workers_run_only_a_few_batches_ahead(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def endless() -> Iterator[Path]:
        nonlocal asked
        while True:
            asked += 1
            yield files[0]

    start_at_once(monkeypatch)
    batches = decode_batches(endless(), OPTIONS, workers=2)
    for taken in range(1, 4):
        next(batches)
        assert asked <= (taken + 2 * AHEAD) * BATCH
    batches.close()


def test_few_files_start_no_workers(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "map_ordered", None)
    monkeypatch.setattr(streaming, "PATIENCE", 1e9)
    assert len(list(decode_batches(files, OPTIONS, workers=8))) == 6


def test_what_workers_import_leaves_torch_out() -> None:
    code = "import sys, gandetect.data.streaming as s; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""What comes back is few files of bounded size, whatever a study has left."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

from .packing import MOST_BYTES, MOST_FILES, over_the_limits, pack, pack_scores


@pytest.fixture
def run(tmp_path):
    """A study that was ended in the middle, its pixels and letters random: they do not pack."""
    folder, rng = tmp_path / "run", np.random.default_rng(0)
    for name in ("study.json", "report.html", "gans/a/seed-0/history.csv",
                 "robustness/a/seed-0/perturbed.parquet",
                 "gans/a/seed-0/epochs/0002/generator.safetensors",
                 "gans/a/seed-0/generator.safetensors"):  # fmt: skip
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(rng.bytes(100_000))
    return folder


def names(path) -> list[str]:
    with zipfile.ZipFile(path) as content:
        return content.namelist()


def test_what_a_report_is_made_of_comes_first_and_last_weights_alone(run, tmp_path) -> None:
    assert pack(run, tmp_path) == []
    assert names(tmp_path / "study-1.zip") == [
        "study.json",
        "gans/a/seed-0/history.csv",
        "robustness/a/seed-0/perturbed.parquet",
        "report.html",
        "gans/a/seed-0/generator.safetensors",
    ]


def test_what_has_no_room_goes_into_the_next_part_and_then_is_named(run, tmp_path) -> None:
    for name in ("summary.json", "study.json", "log.txt"):
        (tmp_path / name).touch()
    assert pack(run, tmp_path, most=301_000) == ["gans/a/seed-0/generator.safetensors"]
    parts = sorted(tmp_path.glob("study-*.zip"))
    assert [len(names(part)) for part in parts] == [1] * (MOST_FILES - 4)
    assert all(part.stat().st_size <= 301_000 for part in parts)


def test_scores_come_back_as_they_were_or_not_at_all(tmp_path) -> None:
    scores = pd.DataFrame({"score": np.random.default_rng(0).normal(size=1000).astype(np.float32)})
    scores.to_parquet(tmp_path / "scores.parquet")
    size = pack_scores(tmp_path / "scores.parquet", tmp_path / "packed.parquet")
    assert size == (tmp_path / "packed.parquet").stat().st_size
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "packed.parquet"), scores)
    with pytest.raises(ValueError, match="may come back"):
        pack_scores(tmp_path / "scores.parquet", tmp_path / "other.parquet", most=1000)
    assert not (tmp_path / "other.parquet").exists()


def test_too_many_and_too_large_files_are_told(tmp_path) -> None:
    for number in range(MOST_FILES):
        (tmp_path / f"{number}.json").touch()
    assert over_the_limits(tmp_path) == []
    with (tmp_path / "large.zip").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    assert len(over_the_limits(tmp_path)) == 2

"""A folder as people drop it: whatever reads it, every file is a row or is counted on stderr."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gandetect.cli import main

PICTURES = {
    "a.jpg": "JPEG", "b.JPG": "JPEG", "c.jfif": "JPEG", "d.jpe": "JPEG", "e": "JPEG",
    "f.jpg_large": "JPEG", "g.jpg.1": "JPEG", "h.mpo": "JPEG", "i.apng": "PNG", "j.pnm": "PPM",
    "k.jp2": "JPEG2000", "l.dib": "DIB", "linked/z.png": "PNG",
}  # fmt: skip
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """Thirteen pictures, a HEIC, and what is none."""
    folder, elsewhere = tmp_path / "dropped", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "linked").symlink_to("../elsewhere")
    for number, (name, form) in enumerate(PICTURES.items()):
        samples = np.random.default_rng(number).integers(0, 256, (28, 28), np.uint8)
        Image.fromarray(samples).save(folder / name, form)
    (folder / "o.heic").write_bytes(HEIC)
    (folder / "linked" / "round").symlink_to("../dropped/linked")
    (folder / "Thumbs.db").write_bytes(b"\0" * 99)
    (folder / "readme.txt").write_text("P1 is no picture")
    (folder / ".hidden.jpg").touch()
    return folder


def _gandetect(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)


def _said(result: Result) -> None:
    """See that stderr counts what is no picture, and names the cycle."""
    assert "note: 2 files are no pictures: .db, .txt" in result.stderr
    assert "note: 1 hidden file or folder is passed over: .hidden.jpg" in result.stderr
    assert "linked/round' is a link that leads back" in result.stderr


def test_score_has_a_row_for_every_picture_and_counts_the_rest(
    detector_folder: Path, dropped: Path
) -> None:
    result = _gandetect("score", detector_folder, dropped, "--workers", "0")
    rows = {
        str(Path(row["path"]).relative_to(dropped)): row
        for row in csv.DictReader(io.StringIO(result.stdout))
    }
    assert set(rows) == {*PICTURES, "o.heic"}
    assert "is a HEIC image" in rows["o.heic"]["error"]
    assert [name for name, row in rows.items() if row["error"]] == ["o.heic"]
    assert result.exit_code == 1
    _said(result)


def test_a_folder_scores_as_its_files_do_one_by_one(detector_folder: Path, dropped: Path) -> None:
    folder = _gandetect("score", detector_folder, dropped, "--workers", "0")
    names = [dropped / name for name in (*PICTURES, "o.heic")]
    files = _gandetect("score", detector_folder, *names, "--workers", "0")
    assert sorted(files.stdout.splitlines()) == sorted(folder.stdout.splitlines())


def test_a_collection_has_the_same_rows_and_counts(
    detector_folder: Path, dropped: Path, tmp_path: Path
) -> None:
    result = _gandetect("score", detector_folder, dropped, "--out", tmp_path / "out")
    rows = pd.read_parquet(tmp_path / "out")
    found = {str(Path(path).relative_to(dropped)) for path in rows["path"]}
    assert found == {*PICTURES, "o.heic"}
    assert rows["error"].notna().sum() == 1
    _said(result)


def test_answers_that_lie_in_the_folder_itself_are_not_counted(
    detector_folder: Path, dropped: Path
) -> None:
    for _ in range(2):
        result = _gandetect("score", detector_folder, dropped, "--out", dropped / "out")
        _said(result)
        assert "json" not in result.stderr


def test_a_submission_has_all_that_can_be_scored(detector_folder: Path, dropped: Path) -> None:
    command = ("score", detector_folder, dropped, "--format", "kaggle", "--workers", "0")
    result = _gandetect(*command)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["image"] for row in rows} == {Path(name).name for name in PICTURES}
    assert "o.heic' is a HEIC image" in result.stderr
    _said(result)


def test_data_check_reads_the_same_files_and_tells_the_same(dropped: Path) -> None:
    told = json.loads(_gandetect("data", "check", dropped, "--workers", "1", "--json").stdout)
    assert told["files"] == len(PICTURES) + 1
    assert {one["path"] for one in told["passed_over"]} == {
        ".hidden.jpg", "Thumbs.db", "readme.txt", "linked/round"
    }  # fmt: skip
    assert [one["path"] for one in told["findings"] if one["bad"]] == ["o.heic"]
    text = _gandetect("data", "check", dropped, "--workers", "1").stdout
    assert "2 files are no pictures: .db, .txt" in text
    assert "linked/round' is a link that leads back" in text


def test_nothing_behind_a_link_and_nothing_unsupported_is_deleted(dropped: Path) -> None:
    for name in ("broken.png", "linked/broken.png"):
        (dropped / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    result = _gandetect("data", "check", dropped, "--workers", "1", "--delete", "--yes")
    assert result.exit_code == 1
    assert not (dropped / "broken.png").exists()
    assert (dropped / "linked" / "broken.png").exists()
    assert (dropped / "o.heic").exists()
    assert "linked/broken.png was not deleted: it is behind a link" in result.stderr
    assert "unsupported files are not deleted, as they may be whole: 1" in result.stderr


def test_nothing_behind_a_link_is_moved_away(dropped: Path, tmp_path: Path) -> None:
    (dropped / "linked" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    command = ("data", "check", dropped, "--workers", "1", "--quarantine", tmp_path / "bad")
    result = _gandetect(*command)
    assert (tmp_path / "bad" / "o.heic").exists()
    assert (dropped / "linked" / "broken.png").exists()
    assert "linked/broken.png stays where it is: it is behind a link" in result.stderr


def test_an_audit_of_two_folders_tells_what_it_passes_over(dropped: Path, tmp_path: Path) -> None:
    (dropped / "o.heic").unlink()
    for number in range(25):  # an audit needs so many
        samples = np.random.default_rng(99 + number).integers(0, 256, (28, 28), np.uint8)
        Image.fromarray(samples).save(dropped / f"{number}.png")
    shutil.copytree(dropped, tmp_path / "generated", symlinks=True)
    result = _gandetect("data", "audit", dropped, tmp_path / "generated")
    assert result.exit_code == 0
    assert result.stderr.count("2 files are no pictures: .db, .txt") == 2

"""`gandetect data check FOLDER` and `data restore`: what they print, do and refuse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from photographs import patches, save_two_classes
from PIL import Image

from gandetect.cli import main


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    save_two_classes(tmp_path / "data", 8, splits=("train", "test"))
    return tmp_path / "data"


@pytest.fixture
def faulty(clean: Path) -> Path:
    """Four bad files, one plain copy."""
    (clean / "train/real/empty.jpg").touch()
    (clean / "train/real/[red]text.jpg").write_text("hello")
    path = clean / "test/fake/000.jpg"
    path.write_bytes(path.read_bytes()[:999])
    shutil.copy(clean / "train/fake/001.jpg", clean / "test/fake/one.jpg")
    shutil.copy(clean / "train/fake/002.jpg", clean / "train/fake/two.jpg")
    return clean


BAD = {
    "train/real/empty.jpg",
    "train/real/[red]text.jpg",
    "test/fake/000.jpg",
    "train/fake/001.jpg",
}


def check(*arguments: str | Path, answer: str | None = None) -> Result:
    command = ["data", "check", "--workers", "1", *map(str, arguments)]
    return CliRunner().invoke(main, command, input=answer, catch_exceptions=False)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_clean_data_exits_0(clean: Path) -> None:
    result = check(clean)
    assert result.exit_code == 0
    assert result.stdout.startswith("32 image files were read; 0 of them are bad\n")
    assert result.stderr == ""
    assert json.loads(check(clean, "--json").stdout)["findings"] == []


def test_bad_files_exit_1_and_are_listed(faulty: Path) -> None:
    result = check(faulty)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "36 image files were read; 4 of them are bad"
    for path in BAD:
        assert f"  {path}" in lines
    assert "duplicate: 1 (warning)" in lines
    assert any(line.split() == ["real", "16", "JPEG", "16", "RGB", "16", "all", "96x96"]
               for line in lines)  # fmt: skip
    assert "--quarantine" in result.stderr


def test_warnings_alone_exit_0(clean: Path) -> None:
    shutil.copy(clean / "train/fake/002.jpg", clean / "train/fake/two.jpg")
    for path in [*clean.rglob("real/*.jpg")]:
        with Image.open(path) as picture:
            picture.save(path.with_suffix(".png"))
        path.unlink()
    result = check(clean)
    assert result.exit_code == 0
    assert "duplicate: 1 (warning)" in result.stdout
    assert "format: JPEG is 100% of 'fake' and 0% of 'real'" in result.stdout


def test_json_holds_all_of_it(faulty: Path) -> None:
    result = check(faulty, "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {one["path"] for one in facts["findings"] if one["bad"]} == BAD
    assert facts["bad"] == 4
    assert facts["counts"] == {
        "damaged": 1, "empty": 1, "not an image": 1, "cross-split duplicate": 1, "duplicate": 1,
    }  # fmt: skip
    assert facts["formats"]["fake"] == {"JPEG": 17}


def test_it_reads_in_a_narrow_terminal(faulty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    result = check(faulty)
    table = result.stdout.partition("\nclass")[2].splitlines()
    assert len(table) >= 3
    assert max(map(len, table)) <= 40
    assert "  train/real/[red]text.jpg\n" in result.stdout  # paths are never broken


def test_a_class_may_have_any_name(clean: Path) -> None:
    for split in ("train", "test"):
        (clean / split / "real").rename(clean / split / "[red] [b]")
    lines = check(clean).stdout.splitlines()
    assert any(line.startswith("[red] [b]  16") for line in lines)


def test_many_warnings_are_cut_short_and_counted(clean: Path) -> None:
    for number in range(30):
        shutil.copy(clean / "train/fake/002.jpg", clean / f"train/fake/copy {number:02}.jpg")
    result = check(clean)
    assert "duplicate: 30 (warning)" in result.stdout
    assert "… and 10 more; --json lists all" in result.stdout


def test_near_duplicates_are_warnings(clean: Path) -> None:
    with Image.open(clean / "train/real/003.jpg") as picture:
        picture.save(clean / "train/real/again.jpg", quality=50)
    result = check(clean, "--near-duplicates", "4")
    assert result.exit_code == 0
    assert "near duplicate: 1 (warning)" in result.stdout


def test_quarantine_and_restore_are_a_round_trip(faulty: Path, tmp_path: Path) -> None:
    before, aside = content(faulty), tmp_path / "aside"
    result = check(faulty, "--quarantine", aside)
    assert result.exit_code == 0  # none is left
    assert "4 files moved" in result.stderr
    assert set(content(aside)) == {*BAD, "quarantine.jsonl"}
    assert check(faulty).exit_code == 0

    result = CliRunner().invoke(main, ["data", "restore", str(aside)])
    assert result.exit_code == 0
    assert set(result.stdout.splitlines()) == BAD
    assert content(faulty) == before


def test_restoring_names_what_it_cannot_and_exits_1(faulty: Path, tmp_path: Path) -> None:
    check(faulty, "--quarantine", tmp_path / "aside")
    (faulty / "train/real/empty.jpg").write_text("something else")
    result = CliRunner().invoke(main, ["data", "restore", str(tmp_path / "aside")])
    assert result.exit_code == 1
    assert "error: train/real/empty.jpg stays in quarantine" in result.stderr


def test_what_cannot_be_moved_is_named_and_exits_1(faulty: Path, tmp_path: Path) -> None:
    check(faulty, "--quarantine", tmp_path / "aside")
    (faulty / "train/real/empty.jpg").touch()
    result = check(faulty, "--quarantine", tmp_path / "aside")
    assert result.exit_code == 1
    assert "error: train/real/empty.jpg stays where it is" in result.stderr


def test_deleting_lists_and_asks_first(faulty: Path) -> None:
    before = content(faulty)
    for answer in ("n\n", "\n", ""):
        result = check(faulty, "--delete", answer=answer)
        assert result.exit_code == 1
        assert content(faulty) == before
        for path in BAD:
            assert path in result.stderr
    result = check(faulty, "--delete", answer="y\n")
    assert result.exit_code == 0
    assert set(before) - set(content(faulty)) == BAD


def test_yes_deletes_without_asking(faulty: Path) -> None:
    before = content(faulty)
    result = check(faulty, "--delete", "--yes", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["bad"] == 4
    assert set(before) - set(content(faulty)) == BAD


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["data", "--quarantine", "aside", "--delete"], 2, "exclude each other"),
        (["data", "--quarantine", "data/bad"], 2, "lie inside one another"),
        (["data", "--workers", "0"], 2, "--workers"),
        (["data", "--near-duplicates", "17"], 2, "--near-duplicates"),
        (["data/train/real/000.jpg"], 1, "is not a folder"),
        (["nowhere"], 1, "does not exist"),
        (["--delete"], 2, "need a FOLDER"),
        (["--quarantine", "aside"], 2, "need a FOLDER"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(
    faulty: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(faulty.parent)
    before = content(faulty.parent)
    result = CliRunner().invoke(main, ["data", "check", *arguments], catch_exceptions=False)
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == ""
    assert content(faulty.parent) == before


def test_restoring_what_is_no_quarantine_is_one_sentence(clean: Path) -> None:
    result = CliRunner().invoke(main, ["data", "restore", str(clean)])
    assert result.exit_code == 1
    assert "is not a quarantine" in result.stderr


def children(parent: int) -> int:
    """How many processes a process has started, but for Python's own tracker of resources."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            mother = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            found += mother == str(parent) and b"spawn_main" in (folder / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
    return found


def test_the_program_uses_several_processes_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    Image.fromarray(patches()[0]).resize((2000, 2000)).save(tmp_path / "real" / "0.png")
    for number in range(1, 300):
        (tmp_path / "real" / f"{number}.png").hardlink_to(tmp_path / "real" / "0.png")
    command = [sys.executable, "-m", "gandetect", "data", "check", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--workers", "2"], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while children(process.pid) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert stdout == ""

"""`gandetect score`: its tables, its notes on stderr and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from eager_workers import start_at_once
from PIL import Image

from gandetect.detectors.folder import load_detector, save_detector
from gandetect.scoring import score_paths
from scoring.scored_files import COLUMNS, gandetect, rows_of

CONVERSION = [*COLUMNS, "conversion"]  # of the command


@pytest.mark.parametrize("form", ["csv", "jsonl", "kaggle"])
def test_converted_images_are_told_line_by_line_and_in_one_sentence(
    detector_folder: Path, folder: Path, form: str
) -> None:
    for name in ("a", "b"):
        Image.new("RGB", (40, 20), (255, 0, 0)).save(folder / f"{name}.png")
    result = gandetect("score", detector_folder, folder, "--format", form)
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "note: 2 of 8 images were converted: 2 RGB 40x20 to grey 28x28, pad. "
    )
    assert result.stderr.count("\n") == 1
    said = ["RGB 40x20 to grey 28x28, pad"] * 2
    if form == "csv":
        assert [line["conversion"] for line in rows_of(result.stdout)] == [""] * 6 + said
    elif form == "jsonl":
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert [line["conversion"] for line in lines] == [""] * 6 + said
    else:
        assert len(rows_of(result.stdout)) == 8


def test_strict_scores_only_what_needs_no_conversion(
    detector_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (40, 20), 99).save(folder / "wide.png")
    plain = rows_of(gandetect("score", detector_folder, folder).stdout)
    result = gandetect("score", detector_folder, folder, "--strict")
    assert result.exit_code == 1
    assert result.stderr == "1 of 7 images could not be scored; see column error\n"
    lines = rows_of(result.stdout)
    assert lines[:6] == plain[:6]
    assert lines[6]["score"] == lines[6]["conversion"] == ""
    assert "grey 40x20 to grey 28x28, pad" in lines[6]["error"]
    start_at_once(monkeypatch)
    again = gandetect("score", detector_folder, folder, "--strict", "--workers", "2")
    assert again.stdout == result.stdout


def test_a_submission_of_a_folder(detector_folder: Path, folder: Path) -> None:
    lines = rows_of(gandetect("score", detector_folder, folder).stdout)
    result = gandetect("score", detector_folder, folder, "--format", "kaggle")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert rows_of(result.stdout) == [
        {
            "image": Path(line["path"]).name,
            "label": {"real": "1", "generated": "0"}[line["verdict"]],
        }
        for line in lines
    ]


def test_a_submission_obeys_the_operating_point(detector_folder: Path, folder: Path) -> None:
    given = ["score", detector_folder, folder, "--format", "kaggle", "--at", "calibrated"]
    assert {line["label"] for line in rows_of(gandetect(*given).stdout)} == {"1"}


def test_what_has_no_place_in_a_submission_is_named_on_stderr(
    detector_folder: Path, mixed: Path
) -> None:
    result = gandetect("score", detector_folder, mixed, "--format", "kaggle")
    assert result.exit_code == 1
    names = [line["image"] for line in rows_of(result.stdout)]
    assert names == [f"{number}.png" for number in range(6)]
    errors = result.stderr.splitlines()
    assert [f"{number}b.png" in line for number, line in enumerate(errors[:3])] == [True] * 3
    assert errors[3:] == ["3 of 9 images could not be scored and have no line"]


def test_csv_of_a_good_folder(detector_folder: Path, folder: Path) -> None:
    result = gandetect("score", detector_folder, folder)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = rows_of(result.stdout)
    assert list(lines[0]) == CONVERSION
    assert len(lines) == 6
    assert all(line["error"] == "" and line["verdict"] in ("real", "generated") for line in lines)


@pytest.mark.parametrize("option", [["--json"], ["--format", "jsonl"]])
def test_json_lines_of_a_good_folder(
    detector_folder: Path, folder: Path, option: list[str]
) -> None:
    result = gandetect("score", detector_folder, folder, *option)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [CONVERSION] * 6
    assert all(line["error"] is None and 0 <= line["probability"] <= 1 for line in lines)


def test_bad_files_are_lines_and_the_good_ones_are_scored(
    detector_folder: Path, mixed: Path
) -> None:
    result = gandetect("score", detector_folder, mixed, mixed / "none.png")
    assert result.exit_code == 1
    assert result.stderr == "4 of 10 images could not be scored; see column error\n"
    lines = rows_of(result.stdout)
    assert len(lines) == 10
    assert sum(bool(line["score"]) for line in lines) == 6
    assert all(bool(line["score"]) != bool(line["error"]) for line in lines)


def test_workers_change_no_byte_of_the_answer(
    detector_folder: Path, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["score", detector_folder, mixed, mixed / "none.png", *[mixed] * 15]
    alone = gandetect(*given, "--workers", "1")
    start_at_once(monkeypatch)
    together = gandetect(*given, "--workers", "2")
    assert together.stdout == alone.stdout
    assert (
        together.stderr
        == alone.stderr
        == "49 of 145 images could not be scored; see column error\n"
    )
    assert together.exit_code == 1


def test_a_killed_worker_is_one_sentence(
    detector_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_at_once(monkeypatch, killed=True)
    result = gandetect("score", detector_folder, *[folder] * 500, "--workers", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: a worker process was killed from outside")
    assert result.stderr.count("\n") == 1


def test_names_with_a_leading_dash_go_behind_two_dashes(
    detector_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name in ("-odd.png", "--help.png", "two\nlines.png"):
        Path(name).hardlink_to("0.png")
    result = gandetect("score", detector_folder, "--", "-odd.png", "--help.png", "two\nlines.png")
    assert result.exit_code == 0
    lines = rows_of(result.stdout)
    assert [line["path"] for line in lines] == ["-odd.png", "--help.png", "two\nlines.png"]
    assert len({line["score"] for line in lines}) == 1


def test_names_of_undecodable_bytes_are_told_apart(detector_folder: Path, folder: Path) -> None:
    content = (folder / "0.png").read_bytes()
    shutil.rmtree(folder)
    folder.mkdir()
    try:
        for name in (b"\xe9.png", b"\xe8.png", rb"\xe9.png", rb"\\xe9.png"):
            with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123
                file.write(content)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for form in ("csv", "jsonl"):
        result = gandetect("score", detector_folder, folder, "--format", form)
        assert result.exit_code == 0
        assert "xe9.png" in result.stdout
        assert "xe8.png" in result.stdout
        if form == "csv":
            assert len({line["path"] for line in rows_of(result.stdout)}) == 4


@pytest.mark.slow
def test_the_module_runs_as_a_program(detector_folder: Path, mixed: Path) -> None:
    command = [sys.executable, "-m", "gandetect", "score", str(detector_folder)]
    answer = subprocess.run(
        [*command, str(mixed)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=120,
    )
    assert answer.returncode == 1
    assert answer.stderr == "3 of 9 images could not be scored; see column error\n"
    assert len(rows_of(answer.stdout)) == 9


def test_a_run_folder_instead_of_a_detector_names_those_nearby(
    detector_folder: Path, folder: Path
) -> None:
    result = gandetect("score", detector_folder.parent, folder)
    assert result.exit_code == 1
    assert f"found nearby: {detector_folder}" in result.stderr


def test_an_unknown_operating_point_is_wrong_usage(detector_folder: Path, folder: Path) -> None:
    result = gandetect("score", detector_folder, folder, "--at", "calibratd")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "native, calibrated; did you mean 'calibrated'?" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.fixture
def with_cuts(
    detector_folder: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A detector whose cuts at 0.05 and 0.5 leave two of the six images of ``folder`` between."""
    loaded = load_detector(detector_folder)
    scored = sorted(line.score for line in score_paths(loaded, [folder]))
    cuts = {"0.05": (scored[3] + scored[4]) / 2, "0.5": (scored[1] + scored[2]) / 2}
    copy = tmp_path_factory.mktemp("cuts")
    save_detector(copy, loaded.with_description(cuts=cuts))
    return copy


@pytest.mark.parametrize("points", [("0.05", "0.5"), ("0.50", "0.05")])
def test_between_two_points_the_answer_is_unsure(
    with_cuts: Path, folder: Path, tmp_path: Path, points: tuple[str, str]
) -> None:
    arguments = "score", with_cuts, folder, "--unsure-between", *points
    lines = [json.loads(line) for line in gandetect(*arguments, "--json").stdout.splitlines()]
    verdicts = [line["verdict"] for line in sorted(lines, key=lambda line: line["score"])]
    assert verdicts == ["real"] * 2 + ["unsure"] * 2 + ["generated"] * 2
    table = rows_of(gandetect(*arguments).stdout)
    assert [row["verdict"] for row in table] == [line["verdict"] for line in lines]
    out = tmp_path / "out"
    for _ in range(2):  # the second time it goes on, and finds all done
        assert gandetect(*arguments, "--out", out).exit_code == 0
    stored = pd.concat(pd.read_parquet(part) for part in out.glob("[0-9]*.parquet"))
    assert stored["verdict"].tolist() == [line["verdict"] for line in lines]
    other = gandetect("score", with_cuts, folder, "--out", out)
    assert other.exit_code == 1
    assert "another operating point" in other.stderr


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["0.07", "0.5"],
            "no threshold for a false positive rate of 0.07; its rates are: 0.05, 0.5",
        ),
        (["0.05", "calibratd"], "did you mean 'calibrated'?"),
        (["0.5", "0.50"], "with nothing between"),
        (["0.05", "0.5", "--at", "native"], "give one of them"),
        (["0.05", "0.5", "--format", "kaggle"], "no such label"),
    ],
)
def test_unsure_between_what_are_no_two_points_is_wrong_usage(
    with_cuts: Path, folder: Path, more: list[str], sentence: str
) -> None:
    result = gandetect("score", with_cuts, folder, "--unsure-between", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr

"""`gandetect compare`: what it prints, where it writes, what it opens, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from analyses.compared_runs import finished_run, longer_run
from click.testing import CliRunner, Result

from gandetect.cli import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("runs")
    return [str(finished_run(folder / "quick-0")), str(longer_run(folder / "longer-1"))]


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    addresses: list[str] = []
    monkeypatch.setattr(click, "launch", addresses.append)
    return addresses


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_the_page_lies_here_by_default_and_its_place_is_all_that_is_printed(
    runs, opened, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = compare(*runs)
    assert (result.exit_code, result.stderr) == (0, "")
    page = Path(result.stdout.strip())
    assert page == Path("comparison-quick-0-vs-longer-1/comparison.html")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "comparison.csv", "comparison.html", "comparison.md",
    ]  # fmt: skip
    assert opened == []


def test_open_shows_the_page_that_was_written(runs, opened, tmp_path) -> None:
    result = compare(*runs, "--out", tmp_path / "out", "--open")
    assert result.exit_code == 0
    assert opened == [str(tmp_path / "out" / "comparison.html")] == [result.stdout.strip()]


def test_json_is_the_numbers_and_nothing_else(runs, tmp_path) -> None:
    result = compare(*runs, "--json", "--out", tmp_path)
    numbers = json.loads(result.stdout)
    assert [row["moved"] for row in numbers["summary"] if row["metric"] == "correct"] == [2]
    assert (tmp_path / "comparison.html").exists()


def test_wrong_usage_is_2_and_a_folder_that_cannot_be_compared_is_1(runs, tmp_path) -> None:
    for folders, code, words in (
        ([], 2, "Missing argument"),
        (runs[:1], 2, "error: 1 run folder was given"),
        ([runs[0], runs[0]], 2, "is given twice"),
        ([runs[0], tmp_path], 1, "is not a run folder"),
    ):
        result = compare(*folders, "--out", tmp_path / "out")
        assert (result.exit_code, result.stdout) == (code, "")
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    file = tmp_path / "file"
    file.touch()
    assert compare(*runs, "--out", file / "below").exit_code == 1


def test_help_shows_how_it_is_called() -> None:
    assert "gandetect compare runs/quick-… runs/longer-…" in compare("--help").stdout

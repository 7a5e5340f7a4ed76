"""`gandetect init` writes an experiment file that runs, whatever the folder holds."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from shortcuts import in_this_process, without_audits, without_figures

from gandetect.cli import main
from gandetect.config import load_experiment

HOSTILE = 'a "quoted" \\ name'


def save(folder: Path, *size: int, n: int = 4) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(str(folder)))
    for number in range(n):
        pixels = rng.integers(0, 256, size, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def init(data: Path, *more: str) -> Result:
    arguments = ["init", "mine", "--data", str(data), "--data-dir", str(data.parent)]
    return CliRunner().invoke(main, [*arguments, "--out", str(data.parent / "mine.toml"), *more])


def table(data: Path) -> dict[str, Any]:
    """The file as it stands; it has to be one that `run --dry-run` takes."""
    path = data.parent / "mine.toml"
    arguments = ["run", str(path), "--dry-run", "--data-dir", str(data.parent)]
    planned = CliRunner().invoke(main, arguments)
    assert planned.exit_code == 0, planned.stderr
    assert load_experiment(path).name == "mine"
    return tomllib.loads(path.read_text())


def test_real_classes_become_a_study_with_gans_that_says_what_was_guessed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("roses", "thistles", HOSTILE):
        save(data / name, 28, 28)
    result = init(data)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'mine.toml'}\n")
    made = table(data)
    assert made["data"] == {
        "name": "folder", "path": "data", "classes": sorted(["roses", "thistles", HOSTILE]),
        "held_out": ["thistles"], "image_size": 28, "channels": 1, "test_fraction": 0.15,
        "calibration_fraction": 0.15, "near_duplicates": 4,
    }  # fmt: skip
    assert [gan["architecture"] for gan in made["gans"]] == ["dcgan-bn", "dcgan-plain"]
    assert "chosen as the last of the classes: say which" in (tmp_path / "mine.toml").read_text()


def test_flags_say_what_no_look_can_tell(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("roses", "thistles", "rest"):
        save(data / name, 70, 90, 3)
    flags = "--real roses --real thistles --ignored rest --held-out roses --group-pattern ^([0-9])"
    assert init(data, *flags.split(), "--image-size", "32", "--channels", "1").exit_code == 0
    made = table(data)["data"]
    assert (made["classes"], made["held_out"]) == (["roses", "thistles"], ["roses"])
    assert (made["image_size"], made["channels"], made["fit"]) == (32, 1, "crop")
    assert made["group_pattern"] == "^([0-9])"
    assert "say which" not in (tmp_path / "mine.toml").read_text()
    assert init(data, "--force", "--held-out", "roses").exit_code == 0
    assert "say which" not in (tmp_path / "mine.toml").read_text()


def test_generated_classes_become_a_study_of_labels_and_damage_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    save(data / "photos", 40, 30, 3)
    save(data / "ai_fakes", 64, 64, 3)
    (data / "photos" / "bad.png").write_bytes((data / "photos" / "0.png").read_bytes()[:60])
    assert "9 image files, 1 bad" in init(data).stderr
    made = table(data)
    assert made["data"]["classes"] == {"ai_fakes": "generated", "photos": "real"}
    assert "gans" not in made
    text = (tmp_path / "mine.toml").read_text()
    assert "1 of them are damaged" in text
    assert "Guessed from the names" in text


def test_a_set_that_comes_split_keeps_its_splits(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for split in ("train", "val", "test"):
        for name in ("real", "fake"):
            save(data / split / name, 32, 32, 3)
    assert init(data).exit_code == 0
    made = table(data)["data"]
    assert made["splits"] == {"train": "train", "validation": "val", "test": "test"}


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--real", "rose"], "did you mean 'roses'?"),
        (["--held-out", "roses", "--held-out", "thistles"], "give --held-out CLASS"),
        (["--group-pattern", "("], "is not a regular expression"),
    ],
)
def test_answers_that_make_no_study_write_nothing(
    tmp_path: Path, flags: list[str], sentence: str
) -> None:
    data = tmp_path / "data"
    for name in ("roses", "thistles"):
        save(data / name, 28, 28)
    result = init(data, *flags)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (tmp_path / "mine.toml").exists()


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("roses", "thistles"):
        save(data / name, 28, 28)
    (tmp_path / "mine.toml").write_text("kept")
    assert "is there already" in init(data).stderr
    assert (tmp_path / "mine.toml").read_text() == "kept"
    assert init(data, "--force").exit_code == 0


def test_on_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    for name in ("one", "two", "three"):
        save(data / name, 28, 28)
    monkeypatch.setattr("gandetect.cli.init.on_terminal", lambda: True)
    arguments = ["init", "mine", "--data", str(data), "--data-dir", str(tmp_path)]
    out = ["--out", str(tmp_path / "mine.toml")]
    result = CliRunner().invoke(main, [*arguments, *out], input="\n\nignored\none\n")
    assert result.exit_code == 0, result.stderr
    made = table(data)["data"]
    assert (made["classes"], made["held_out"]) == (["one", "three"], ["one"])


def test_a_big_folder_shows_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Any] = []

    @contextmanager
    def listening(quiet: bool) -> Iterator[Any]:
        yield SimpleNamespace(event=steps.append)

    monkeypatch.setattr("gandetect.progress.terminal_listener", listening)
    data = tmp_path / "data"
    for name in ("roses", "thistles"):
        save(data / name, 28, 28, n=20)
    assert init(data).exit_code == 0
    assert [(one["done"], one["total"]) for one in steps if one["done"] == 40] == [(40, 40)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kinds", "flags", "shorter"),
    [
        (True, ["--held-out", "instrument"],
         ["gans.0.epochs=1", "gans.1.epochs=1", "gans.0.steps_per_epoch=3",
          "gans.1.steps_per_epoch=3", "classifiers.0.epochs=1"]),
        (False, ["--real", "real", "--generated", "edited", "--image-size", "32"],
         ["classifiers.0.epochs=1"]),
    ],
)  # fmt: skip
def test_the_file_is_run_as_it_stands_on_real_photographs(
    tmp_path: Path,
    kinds: bool,
    flags: list[str],
    shorter: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_this_process(monkeypatch)
    without_audits(monkeypatch)
    without_figures(monkeypatch)
    script = Path(__file__).parents[2] / "experiments" / "make_photographs.py"
    data = tmp_path / "data"
    made = [sys.executable, str(script), str(data), "--size", "32", *(["--kinds"] * kinds)]
    subprocess.run(made, check=True, capture_output=True)
    for number, file in enumerate(sorted(data.rglob("*.*g"))):
        if number % 8:
            file.unlink()
    pattern = ["--group-pattern", "^([a-z]+-[0-9]+)"]
    assert init(data, *flags, *pattern).exit_code == 0
    changes = [part for change in shorter for part in ("--set", change)]
    command = ["run", str(tmp_path / "mine.toml"), "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "runs"), *changes])
    assert result.exit_code == 0, result.stderr
    assert Path(result.stdout.strip()).is_file()

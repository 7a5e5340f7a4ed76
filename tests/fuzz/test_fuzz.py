"""A minute of fuzzing, always the same, and that the fuzzer would notice."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from gandetect.data import decoding

from . import __main__ as command
from . import images
from .corpus import corpus
from .mutations import with_right_checksums


def test_broken_images_are_answered_well() -> None:
    assert images.run(600, seed=1, until=math.inf) == []


def test_the_intact_images_are_of_every_format_that_is_read() -> None:
    assert len(corpus()) > 40
    assert sum(len(one.content) for one in corpus()) < 100_000


def test_cases_are_drawn_from_their_number_alone() -> None:
    assert images.case(3, 77) == images.case(3, 77)
    assert images.case(3, 77) != images.case(4, 77)


def test_a_reader_that_passes_over_checksums_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = decoding.png_parts
    monkeypatch.setattr(decoding, "png_parts", lambda content: real(with_right_checksums(content)))
    found = images.run(600, seed=1, until=math.inf)
    assert any("though its intact pixels are scored" in one for one in found)


def test_a_file_that_is_passed_over_in_silence_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gandetect.data.folders.PassedOver.add", lambda *_: None)
    found = images.run(100, seed=1, until=math.inf)
    assert any("100 files are" in one for one in found)


def test_the_command_stops_in_time_and_tells_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = CliRunner()
    done = runner.invoke(command.main, ["--minutes", "0", "--tables", "0", "--configurations", "0"])
    assert (done.exit_code, done.stdout) == (0, "")
    monkeypatch.setattr(images, "run", lambda *_: ["one is wrong"])
    arguments = ["--images", "1", "--tables", "0", "--configurations", "0"]
    failed = runner.invoke(command.main, arguments)
    assert (failed.exit_code, failed.stdout) == (1, "one is wrong\n")


def test_the_intact_images_are_images(tmp_path: Path) -> None:
    for number, one in enumerate(corpus()):
        path = tmp_path / f"{number}{one.suffix}"
        path.write_bytes(one.content)
        with Image.open(path) as opened:
            opened.load()

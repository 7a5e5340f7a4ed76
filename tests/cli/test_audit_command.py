"""`gandetect data audit`: what it catches in folders and arrays, prints and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from gandetect.cli.audit import _as_counted, audit_command

N = 30


def noise(n: int, seed: int, side: int = 24) -> NDArray[np.uint8]:
    """Noise of 16 grey levels, which PNG can compress."""
    levels = np.random.default_rng(seed).integers(0, 16, (n, 1, side, side), dtype=np.uint8)
    return levels * np.uint8(16)


def save(folder: Path, seed: int, form: str = "png", side: int = 24, **how: object) -> Path:
    folder.mkdir()
    for place, image in enumerate(noise(N, seed, side)):
        Image.fromarray(image[0]).save(folder / f"{place}.{form}", **how)
    return folder


def call(*arguments: object, quiet: bool = True) -> Result:
    @click.group()
    @click.pass_context
    def group(context: click.Context) -> None:
        context.obj = {"quiet": quiet}

    group.add_command(audit_command)
    return CliRunner().invoke(group, ["audit", *map(str, arguments)])


def warned(result: Result) -> set[str]:
    assert result.exit_code == 0, result.output
    return {row["probe"] for row in json.loads(result.stdout)["probes"] if row["warning"]}


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return save(tmp_path / "real", 0)


def test_png_against_jpeg_is_caught(real: Path, tmp_path: Path) -> None:
    fake = save(tmp_path / "fake", 1, "jpg")
    assert {"file format", "JPEG tables", "file size"} <= warned(call(real, fake, "--json"))


def test_other_dimensions_and_another_compression_are_caught(real: Path, tmp_path: Path) -> None:
    fake = save(tmp_path / "fake", 1, side=32, compress_level=0)
    found = warned(call(real, fake, "--json"))
    assert {"dimensions", "file size", "bytes a pixel"} <= found
    assert "file format" not in found


def test_folders_made_alike_raise_no_alarm_and_the_table_says_so(
    real: Path, tmp_path: Path
) -> None:
    result = call(real, save(tmp_path / "fake", 1))
    assert result.exit_code == 0
    assert "warnings: none" in result.stdout
    assert "30 real and 30 generated images that differ" in result.stdout
    assert "WARNING" not in result.stdout
    assert "A warning means" in result.stdout


def test_copies_are_told_first_and_where_there_are_too_few_images_for_probes(
    real: Path, tmp_path: Path
) -> None:
    fake = tmp_path / "fake"
    shutil.copytree(real, fake)
    told = call(real, fake).stdout.split()
    assert " ".join(told).startswith(
        "Of 30 real images 30 differ: 0 repeat another one, 0 of them to the pixel. Of 30 "
        "generated images of fake 30 differ: 0 repeat another one, 0 of them to the pixel. "
        "WARNING: 30 of 30 generated images of fake are copies of real images, 30 of them to the"
    )
    few = call(real, fake, "--max-images", 5, "--json")
    assert few.exit_code != 0
    found = json.loads(few.stdout)
    assert found["probes"] == []
    assert [row["value"] for row in found["checks"]] == [0, 0, 5]


def test_files_are_taken_in_the_order_of_their_numbers() -> None:
    names = ["b/10.png", "b/9.png", "a/x.png", "b/9a.png"]
    ordered = sorted(map(Path, names), key=_as_counted)
    assert [path.as_posix() for path in ordered] == ["a/x.png", "b/9.png", "b/9a.png", "b/10.png"]


def test_arrays_are_sampled_audited_and_warned_of(tmp_path: Path) -> None:
    np.save(tmp_path / "real.npy", noise(90, 0))
    np.save(tmp_path / "fake.npy", noise(90, 1) | 1)
    result = call(tmp_path / "real.npy", tmp_path / "fake.npy", "--max-images", 40)
    assert "40 real and 40 generated images that differ" in result.stdout
    (line,) = (line for line in result.stdout.splitlines() if "WARNING" in line and "bits" in line)
    assert line.startswith("least significant bits  1.000")


def test_what_cannot_be_audited_is_refused_with_a_reason(real: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.zeros((40, 28), np.uint8))
    (tmp_path / "text.npy").write_text("hello")
    flat = tmp_path / "flat.npy"
    for arguments, reason in (
        ((real, flat), "a folder and one a file"),
        ((flat, flat), "expected (N, C, H, W)"),
        ((tmp_path / "text.npy", flat), "is no array"),
        ((tmp_path / "missing.npy", flat), "does not exist"),
        ((tmp_path / "a.csv", flat), "neither a folder nor"),
        ((real, real, "--max-images", 5), "needs at least 25 of each"),
    ):
        result = call(*arguments)
        assert reason in str(result.exception), (arguments, result.exception)

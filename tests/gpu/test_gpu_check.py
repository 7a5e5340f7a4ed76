"""The GPU check in small, on the CPU: so that the first minute on a GPU is not spent on a typo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from . import steps
from .options import OPTIONS
from .packing import MOST_FILES, over_the_limits
from .settings import Record, Settings
from .wheels import ROOT


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """What ``python -m gpu --device cpu --tiny`` leaves, and its answer."""
    place = tmp_path_factory.mktemp("gpu")
    command = [sys.executable, "-m", "gpu", "--device", "cpu", "--tiny", "--minutes", "60"]
    command += ["--out", str(place / "out"), "--work", str(place / "work")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    answer = subprocess.run(
        command, env=environment, cwd=place, capture_output=True, text=True, check=False
    )
    return place / "out", answer


def cases_of(out: Path, step: str) -> dict[str, dict]:
    content = json.loads((out / f"{step}.json").read_text())
    assert content["status"] == "done", content
    return {case["name"]: case for case in content["cases"]}


@pytest.mark.slow
def test_all_of_it_runs_on_the_cpu_and_comes_back_in_few_files(tiny) -> None:
    out, answer = tiny
    assert answer.returncode == 0, answer.stdout + (out / "log.txt").read_text()
    summary = json.loads((out / "summary.json").read_text())
    assert {name: one["status"] for name, one in summary["steps"].items()} == dict.fromkeys(
        ("facts", "smoke", "equal", "speed", "study"), "done"
    )
    assert summary["facts"][0]["machine"]["cores"] > 0
    assert over_the_limits(out) == []
    assert len(list(out.iterdir())) == MOST_FILES
    assert len(answer.stdout) < 12_000
    assert "equal: done in" in answer.stdout


@pytest.mark.slow
def test_every_option_is_compared_and_what_is_for_cuda_says_so(tiny) -> None:
    out, _ = tiny
    equal = cases_of(out, "equal")
    assert {f"step: {option}" for option in OPTIONS} <= equal.keys()
    assert all(equal[f"step: {option}"]["difference"] == 0 for option in OPTIONS)
    assert "CUDA" in equal["graphs of every option"]["reason"]
    speed = cases_of(out, "speed")
    assert speed["dcgan-bn: port"]["images/s"] > 0
    assert "CUDA" in speed["dcgan-plain: ours, compiled"]["reason"]


@pytest.mark.slow
def test_a_run_folder_comes_back_with_its_scores_histories_and_weights(tiny) -> None:
    out, _ = tiny
    assert cases_of(out, "study")["study reference"]["status"] == "unfinished"
    with zipfile.ZipFile(out / "study-1.zip") as content:
        names = set(content.namelist())
    gan = "gans/dcgan-bn/seed-0"
    assert {"metrics.json", f"{gan}/history.csv", f"{gan}/generator.safetensors"} <= names
    assert set(pd.read_parquet(out / "scores.parquet")["detector"]) == {"dcgan-bn", "dcgan-plain"}


def test_a_device_that_computes_otherwise_is_found(monkeypatch, tmp_path) -> None:
    """As if the device's generator saw other noise: one step, and the check fails."""
    settings = Settings("cpu", True, tmp_path, tmp_path)
    trained, calls = steps._trained, []

    def wrong(config, settings, device=None):
        calls.append(device)
        if device is None:
            config = config.model_copy(update={"real_label": config.real_label - 0.1})
        return trained(config, settings, device)

    monkeypatch.setattr(steps, "_trained", wrong)
    monkeypatch.setattr(steps, "OPTIONS", {"dcgan-bn": OPTIONS["dcgan-bn"]})
    record = Record(tmp_path / "equal.json", "equal")
    steps.of_every_option(settings, record)
    (case,) = record.cases
    assert case["status"] == "failed"
    assert "other weights" in case["reason"]
    assert not record.finish()

"""What stops a study before anything is trained: a folder in use, and files that cannot be used."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gandetect import runs
from gandetect.config import Experiment, parse_experiment
from gandetect.errors import RunError
from gandetect.study import Options, plan_study, run_study


@pytest.fixture
def experiment() -> Experiment:
    gan = {"architecture": "dcgan-plain", "epochs": 1, "steps_per_epoch": 1, "batch_size": 8}
    return parse_experiment({"name": "x", "gans": [gan], "data": {"max_images": 500}})


def test_a_run_folder_in_use_is_left_alone(experiment, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gandetect.study.run.run_graph", lambda *_: pytest.fail("it was used"))
    options = Options(tmp_path, device="cpu")
    folder = plan_study(experiment, options).folder
    folder.mkdir()
    with runs.locked(folder), pytest.raises(RunError, match="in use by another"):
        run_study(experiment, options)
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("place", "said"),
    [("elsewhere/weights", "elsewhere/weights' cannot be used"), (None, "cannot be written"),
     ("runs/x/weights", "cannot be written")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named_and_where_it_is_ours_the_folder(
    place, said, experiment, tmp_path, monkeypatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", place and str(tmp_path / place))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "run_folder", lambda out, experiment: out / "x")
    monkeypatch.setattr("gandetect.study.run.run_graph", fail)
    with pytest.raises(RunError, match=said) as caught:
        run_study(experiment, Options(Path("runs"), device="cpu"))
    assert "Input/output error" in str(caught.value)


def test_a_run_folder_that_cannot_be_written_is_named(experiment, tmp_path) -> None:
    place = tmp_path / "runs"
    place.write_text("a file, where a folder is wanted")
    with pytest.raises(RunError, match="cannot be written") as caught:
        run_study(experiment, Options(Path(place), device="cpu"))
    assert str(place) in str(caught.value)

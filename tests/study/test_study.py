"""The whole study on real Fashion-MNIST, small: complete, repeatable, resumable, rebuildable."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shortcuts import Kept, in_this_process, without_audits, without_drawing, without_figures

from gandetect import runs
from gandetect.analyses.build import build_report
from gandetect.config import Experiment, parse_experiment
from gandetect.detectors.folder import load_detector
from gandetect.errors import RunError
from gandetect.study import Options, run_study

TABLE = {
    "name": "tiny",
    "data": {"max_images": 800},
    "gans": [
        {"architecture": "dcgan-bn", "epochs": 3, "steps_per_epoch": 3, "batch_size": 16},
        {"architecture": "dcgan-plain", "epochs": 2, "steps_per_epoch": 2},
    ],
    "classifiers": [
        {
            "recipe": "cnn-small",
            "name": "cnn",
            "fakes_from": ["dcgan-bn"],
            "epochs": 2,
            "max_images": 200,
        },
    ],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 120, "other_generated": 60},
}


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return parse_experiment(TABLE)


@pytest.fixture(scope="module")
def run(experiment, tmp_path_factory) -> Path:
    """A finished study; tests that damage it work on a copy of their own."""
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_drawing(patch)  # drawn from scores alone: tests/analyses/test_build.py
        without_audits(patch)
        patch.setattr("gandetect.machine.cores", lambda: 2)
        return run_study(experiment, Options(tmp_path_factory.mktemp("runs"), jobs=2))


def digests(folder: Path, pattern: str) -> dict[str, str]:
    found = sorted(folder.glob(pattern))
    assert found, pattern
    return {str(path.relative_to(folder)): runs.file_digest(path) for path in found}


def test_the_run_folder_is_as_promised(run) -> None:
    assert run.name == f"tiny-{runs.load_study(run).digest()[:12]}"
    for name in ("study.toml", "manifest.json", "scores.parquet", "metrics.json", "metrics.csv"):
        assert (run / name).stat().st_size > 0
    for name in ("report.md", "report.html", "figures/roc-precision-recall.svg"):
        assert (run / name).stat().st_size > 0
    gan = run / "gans" / "dcgan-bn" / "seed-0"
    for name in ("generator.safetensors", "discriminator.safetensors", "history.csv"):
        assert (gan / name).stat().st_size > 0
    assert (gan / "samples" / "0003.png").exists()
    assert (gan / "samples.gif").exists()
    assert len([*(gan / "epochs").iterdir()]) == 3
    detector = run / "detectors" / "dcgan-plain" / "seed-0"
    assert {"detector.json", "weights.safetensors"} <= {path.name for path in detector.iterdir()}
    assert not [*run.rglob("*.tmp")]


def test_scores_hold_every_detector_on_every_source(run) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    keys = ["detector", "detector_seed", "epoch", "source", "source_seed", "label", "index"]
    assert list(scores.columns) == [*keys, "score"]
    counts = pd.crosstab(scores["detector"], scores["source"])
    assert counts.loc["dcgan-bn", "generated:dcgan-bn"] == 120
    assert counts.loc["dcgan-bn", "generated:dcgan-plain"] == 60
    assert counts.loc["dcgan-plain", "generated:dcgan-plain"] == 120
    assert counts.loc["cnn", "generated:dcgan-bn"] == 120
    assert counts.loc["cnn", "generated:dcgan-plain"] == 60
    assert counts["real:held-out"].tolist() == [240] * 3
    assert counts["real:in-distribution"].tolist() == [56] * 3
    assert np.isfinite(scores["score"]).all()


def test_pixels_and_what_moves_each_score_are_kept_small_and_reported(run) -> None:
    with np.load(run / "image-statistics" / "statistics.npz") as stored:
        sources = {key.rpartition("/")[0] for key in stored.files}
        assert stored["generated:dcgan-bn@0/n"] == 120
    fakes = {f"generated:{name}@0" for name in ("dcgan-bn", "dcgan-plain")}
    assert sources == fakes | {"real:in-distribution@0", "real:held-out@0"}
    rows = json.loads((run / "metrics.json").read_text())["saliency"]
    assert {row["detector"] for row in rows} == {"dcgan-bn", "dcgan-plain", "cnn"}
    assert len(rows) == 12  # on four sources
    assert all(row["largest"] > 0 for row in rows)
    kept = [*run.glob("saliency/*/*/*.npz"), *run.glob("image-statistics/*.npz")]
    assert sum(path.stat().st_size for path in kept) < 400_000
    report = (run / "report.md").read_text()
    for name in ("spectra", "mean-images", "saliency-dcgan-plain", "saliency-cnn", "timing"):
        assert f"figures/{name}.svg" in report


def test_maps_are_of_the_images_that_scoring_has_kept(run) -> None:
    folder = run / "detectors" / "dcgan-bn" / "seed-0"
    with (
        np.load(run / "saliency" / "dcgan-bn" / "seed-0" / "saliency.npz") as maps,
        np.load(folder / "surest.npz") as surest,
    ):
        images = surest["generated:dcgan-bn/images"]
        assert maps["generated:dcgan-bn/surest"].shape == (min(3, len(images)), 9, 9)
        assert maps["generated:dcgan-bn/pixels"].shape == (10, 9, 9)


def test_a_classifier_is_a_detector_like_any_other(run) -> None:
    folder = run / "classifiers" / "cnn" / "seed-0"
    for name in ("weights.safetensors", "history.csv", "training.json", "batch.npz"):
        assert (folder / name).stat().st_size > 0
    detector = load_detector(run / "detectors" / "cnn" / "seed-0")
    assert set(detector.operating_points) == {"native", "calibrated", "youden"}
    fakes = np.load(run / "generated" / "dcgan-bn" / "seed-0" / "evaluation" / "images.npy")[:120]
    scores = pd.read_parquet(run / "scores.parquet")
    stored = scores[(scores["detector"] == "cnn") & (scores["source"] == "generated:dcgan-bn")]
    np.testing.assert_allclose(detector.decision_function(fakes), stored["score"], atol=1e-4)
    metrics = json.loads((run / "metrics.json").read_text())
    roles = {c["source"]: c["role"] for c in metrics["cells"] if c["detector"] == "cnn"}
    assert (roles["generated:dcgan-bn"], roles["generated:dcgan-plain"]) == ("own", "other")


def test_a_classifier_never_trains_on_what_it_is_chosen_by_or_tested_on(run) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    counts = scores[scores["detector"] == "cnn"]["source"].value_counts()
    # A tenth of the 504 training reals is held back, and as many further fakes.
    assert counts["real:validation"] == counts["generated:validation"] == 50
    assert counts["real:training"] == counts["generated:training"] == 56


def test_manifest_says_what_was_run_and_no_name_of_place_or_user(run) -> None:
    text = (run / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["versions"]["torch"]
    assert manifest["machine"]["cores"] >= 1
    assert manifest["digests"]["scores.parquet"] == runs.file_digest(run / "scores.parquet")
    assert str(Path.home()) not in text
    assert str(run) not in text


def test_a_second_run_does_nothing_and_says_nothing(run, experiment) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.safetensors")}
    report = (run / "report.html").stat().st_mtime_ns
    listener = Kept()
    assert run_study(experiment, Options(run.parent, jobs=2), listener) == run
    assert listener.said == listener.warnings == []
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.safetensors")}
    assert report == (run / "report.html").stat().st_mtime_ns


@pytest.mark.slow
def test_jobs_side_by_side_or_one_by_one_give_the_same_bytes(run, tmp_path) -> None:
    """The number of threads is the same: one for each process on two cores."""
    other = subprocess.run(
        [sys.executable, "-c", started("local", tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 0, other.stderr
    folder = next(tmp_path.glob("tiny-*"))
    for pattern in ("gans/*/*/*.safetensors", "detectors/*/*/*.parquet", "gans/*/*/samples.gif"):
        assert digests(folder, pattern) == digests(run, pattern)


def started(engine: str, out: Path) -> str:
    """A program that runs the study as on two cores, with one thread for each task."""
    return f"""
from gandetect.config import parse_experiment
from gandetect import machine, study
from gandetect.study.engines import EngineOptions
machine.cores = lambda: 2
if __name__ == "__main__":
    from pathlib import Path
    options = study.Options(Path({str(out)!r}), jobs=2, engine=EngineOptions({engine!r}))
    study.run_study(parse_experiment({TABLE!r}), options)
"""


def kill_when(moment: str, script: Path, out: Path) -> None:
    """Start a study and kill it and its workers as soon as ``moment`` is in its run folder."""
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    deadline = time.monotonic() + 900  # on however busy a machine
    while not [*out.glob(f"tiny-*/{moment}")]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    ("engine", "moments"),
    [
        ("inline", ["gans/dcgan-bn/seed-0/epochs/0002"]),
        pytest.param(
            "local",
            ["gans/dcgan-plain/seed-0/epochs/0001", "classifiers/cnn/seed-0/epochs/0001"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["once", "twice"],
)
def test_killed_at_any_point_and_gone_on_equals_the_undisturbed_run(
    engine, moments, run, experiment, tmp_path, monkeypatch
) -> None:
    script = tmp_path / "killed.py"
    script.write_text(started(engine, tmp_path))
    for moment in moments:
        kill_when(moment, script, tmp_path)
    in_this_process(monkeypatch)
    without_figures(monkeypatch)
    without_audits(monkeypatch)
    monkeypatch.setattr("gandetect.machine.cores", lambda: 2)
    folder = run_study(experiment, Options(tmp_path, jobs=2))
    patterns = ["gans/*/*/*.safetensors", "classifiers/*/*/*.safetensors", "gans/*/*/samples.gif"]
    patterns += ["metrics.json", "scores.parquet"]
    for pattern in patterns:
        assert digests(folder, pattern) == digests(run, pattern)
    assert not [*folder.rglob("*.tmp")]


@pytest.fixture
def copy(run, tmp_path) -> Path:
    return Path(shutil.copytree(run, tmp_path / run.name))


@pytest.fixture
def mend(copy, experiment, monkeypatch) -> Callable[..., Path]:
    """Run the study again on the copy, without workers and without writing the report anew."""
    in_this_process(monkeypatch)
    monkeypatch.setattr("gandetect.machine.cores", lambda: 2)

    def mended(listener: Kept | None = None) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr("gandetect.analyses.build.build_report", lambda run: None)
            return run_study(experiment, Options(copy.parent, jobs=2), listener)

    return mended


@pytest.mark.parametrize(
    "names",
    [
        [
            "gans/dcgan-plain/seed-0/discriminator.safetensors",
            "generated/dcgan-bn/seed-0/evaluation/images.npy",
            "quality-classifier/weights.safetensors",
        ],
        [
            "gans/dcgan-plain/seed-0/epochs/0001/generator.safetensors",
            "detectors/dcgan-bn/seed-0/scores.parquet",
            "classifiers/cnn/seed-0/weights.safetensors",
        ],
    ],
    ids=["stages", "epochs and scores"],
)
def test_tampered_files_are_named_and_made_afresh(names, copy, mend) -> None:
    before = {name: (copy / name).read_bytes() for name in names}
    for name, content in before.items():
        (copy / name).write_bytes(content[:-7] + b"garbage")
    listener = Kept()
    mend(listener)
    for name, content in before.items():
        assert any(Path(name).name in one for one in listener.warnings), (name, listener.warnings)
        assert (copy / name).read_bytes() == content


def test_edited_scores_are_never_silently_reported(copy, mend) -> None:
    before = (copy / "scores.parquet").read_bytes()
    scores = pd.read_parquet(copy / "scores.parquet")
    scores["score"] += 1.0
    scores.to_parquet(copy / "scores.parquet", index=False)
    with pytest.raises(RunError, match=r"scores\.parquet.* was changed"):
        build_report(copy)
    mend()
    assert (copy / "scores.parquet").read_bytes() == before


def test_the_report_is_rebuilt_from_what_the_study_left(copy, monkeypatch) -> None:
    without_figures(monkeypatch)  # what is drawn: tests/report
    names = ("metrics.json", "metrics.csv", "report.md")
    before = {name: (copy / name).read_bytes() for name in names}
    for name in (*names, "report.html"):
        (copy / name).unlink()
    build_report(copy)
    assert {name: (copy / name).read_bytes() for name in names} == before
    assert (copy / "report.html").exists()


def test_an_output_that_cannot_be_written_is_one_sentence(experiment, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        run_study(experiment, Options(tmp_path / "file" / "runs"))


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_what_is_complete_goes_on(
    run, experiment, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("gandetect.machine.cores", lambda: 2)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        with pytest.raises(RunError, match=r"No space left.* free some space"):
            run_study(experiment, Options(disk, jobs=2))
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
        folder = run_study(experiment, Options(disk, jobs=2))
        assert digests(folder, "scores.parquet") == digests(run, "scores.parquet")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_detector_whose_threshold_was_moved_is_refused(copy) -> None:
    import gandetect
    from gandetect.errors import DetectorError

    folder = copy / "detectors" / "dcgan-bn" / "seed-0"
    assert set(gandetect.load_detector(folder).operating_points) == {"native", "calibrated"}
    text = (folder / "detector.json").read_text()
    (folder / "detector.json").write_text(text.replace('"native": 0.0', '"native": -9.0'))
    with pytest.raises(DetectorError, match=r"detector\.json.* was changed"):
        gandetect.load_detector(folder)

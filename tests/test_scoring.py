"""Scoring files with a saved detector, from Python and from the command line."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from eager_workers import start_at_once
from PIL import Image

from gandetect.cli import main
from gandetect.data.images import read_image
from gandetect.data.streaming import BATCH
from gandetect.detectors.folder import load_detector
from gandetect.detectors.network import NetworkDetector as Detector
from gandetect.errors import DetectorError, UsageError
from gandetect.scoring import ConversionTally, ScoredImage, score_paths, write_scores
from gandetect.scoring.conversions import KINDS

COLUMNS = ["path", "score", "probability", "verdict", "error"]
CONVERSION = [*COLUMNS, "conversion"]  # of the command


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return load_detector(detector_folder)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 1, 28, 28), np.uint8)


@pytest.fixture
def folder(tmp_path: Path, images: np.ndarray) -> Path:
    """Six good PNG files, ``0.png`` to ``5.png``."""
    for number, image in enumerate(images):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def mixed(folder: Path) -> Path:
    """Good and bad files by turns."""
    (folder / "0b.png").touch()
    (folder / "1b.png").write_text("no picture")
    (folder / "2b.png").write_bytes((folder / "2.png").read_bytes()[:200])
    return folder


@pytest.fixture
def broken(detector_folder: Path, tmp_path: Path) -> Path:
    """A copy of the detector, to be broken."""
    return Path(shutil.copytree(detector_folder, tmp_path / "detector"))


def _gandetect(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# The detector


def test_the_score_is_minus_the_networks_logit(detector: Detector, images: np.ndarray) -> None:
    with torch.inference_mode():
        logits = detector.network(torch.from_numpy(images).float() / 127.5 - 1)
    np.testing.assert_allclose(detector.decision_function(images), -logits.numpy(), atol=1e-6)


def test_a_better_fake_gets_a_lower_score(detector: Detector, images: np.ndarray) -> None:
    """Move an image towards what the network takes for real: its score must fall."""
    pixels = (torch.from_numpy(images[:1]).float() / 127.5 - 1).requires_grad_()
    (towards_real,) = torch.autograd.grad(detector.network(pixels).sum(), pixels)
    moved = images[:1].astype(float) + 8 * np.sign(towards_real.numpy())
    better = moved.clip(0, 255).astype(np.uint8)
    assert detector.decision_function(better)[0] < detector.decision_function(images[:1])[0]


def test_probabilities_follow_the_score_and_sum_to_one(
    detector: Detector, images: np.ndarray
) -> None:
    probabilities = detector.predict_proba(images)
    assert probabilities.shape == (6, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert detector.classes_.tolist() == ["real", "generated"]
    log_odds = np.log(probabilities[:, 1] / probabilities[:, 0])
    np.testing.assert_allclose(log_odds, detector.decision_function(images), atol=1e-6)


def test_the_verdict_is_generated_above_the_threshold(
    detector: Detector, images: np.ndarray
) -> None:
    scores = detector.decision_function(images)
    assert (scores > 0).any()
    assert (scores <= 0).any()
    assert detector.predict(images).tolist() == np.where(scores > 0, "generated", "real").tolist()
    assert detector.predict(images, "calibrated").tolist() == ["real"] * 6


def test_a_score_does_not_depend_on_the_batch(detector: Detector, images: np.ndarray) -> None:
    many = np.random.default_rng(1).integers(0, 256, (203, 1, 28, 28), np.uint8)
    many[[0, 77, 202]] = images[:3]
    single = np.concatenate([detector.decision_function(images[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(
        detector.decision_function(many)[[0, 77, 202]], single, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 1, 28, 28), np.float32),
        np.zeros((2, 1, 28, 28), np.int64),
        np.zeros((1, 28, 28), np.uint8),
        np.zeros((2, 3, 28, 28), np.uint8),
        np.zeros((2, 1, 32, 32), np.uint8),
        np.uint8(3),
    ],
    ids=lambda wrong: f"{wrong.dtype}-{wrong.shape}",
)
def test_other_types_and_shapes_are_refused(detector: Detector, wrong: np.ndarray) -> None:
    with pytest.raises(DetectorError) as caught:
        detector.decision_function(wrong)
    message = str(caught.value)
    assert f"{wrong.dtype} of shape {wrong.shape}" in message
    assert "uint8 images of shape (N, 1, 28, 28)" in message


def test_no_images_give_no_scores(detector: Detector) -> None:
    nothing = np.empty((0, 1, 28, 28), np.uint8)
    assert detector.decision_function(nothing).shape == (0,)
    assert detector.predict_proba(nothing).shape == (0, 2)


# Files


def test_files_are_scored_as_their_arrays_are(
    detector: Detector, folder: Path, images: np.ndarray
) -> None:
    lines = list(score_paths(detector, [folder]))
    assert [Path(line.path).name for line in lines] == [f"{number}.png" for number in range(6)]
    scores = [line.score for line in lines]
    np.testing.assert_allclose(scores, detector.decision_function(images), atol=1e-5)
    probabilities = [line.probability for line in lines]
    np.testing.assert_allclose(probabilities, detector.predict_proba(images)[:, 1], atol=1e-5)
    assert [line.verdict for line in lines] == detector.predict(images).tolist()


def test_a_files_score_does_not_depend_on_its_neighbours(detector: Detector, mixed: Path) -> None:
    together = {line.path: line for line in score_paths(detector, [mixed])}
    assert len(together) == 9
    for number in range(6):
        path = mixed / f"{number}.png"
        (alone,) = score_paths(detector, [path])
        assert together[str(path)].score == pytest.approx(alone.score, abs=1e-5)


def test_what_cannot_be_scored_is_a_line_with_its_error(detector: Detector, mixed: Path) -> None:
    empty = mixed / "empty"
    empty.mkdir()
    given = [mixed / "none.png", mixed, empty, mixed / "0.png", mixed / "0b.png", mixed / "0.png"]
    lines = list(score_paths(detector, given))
    wrong = {Path(line.path).name: line for line in lines if line.error}
    assert set(wrong) == {"none.png", "empty", "0b.png", "1b.png", "2b.png"}
    for line in wrong.values():
        assert (line.score, line.probability, line.verdict) == (None, None, None)
    assert "does not exist" in str(wrong["none.png"].error)
    assert "holds no image files" in str(wrong["empty"].error)
    order = ["none.png"] + [f"{n}.png" for n in ("0", "0b", "1", "1b", "2", "2b", "3", "4", "5")]
    assert [Path(line.path).name for line in lines] == [*order, "empty", "0.png", "0b.png", "0.png"]
    assert lines[1] == lines[-1]


def test_an_unknown_operating_point_names_those_that_exist(detector: Detector) -> None:
    with pytest.raises(UsageError, match=r"'calibrate'.*native, calibrated; did you mean"):
        score_paths(detector, [], "calibrate")  # said before anything is read


def test_the_operating_point_moves_the_verdict_and_not_the_score(
    detector: Detector, folder: Path
) -> None:
    native = list(score_paths(detector, [folder]))
    calibrated = list(score_paths(detector, [folder], "calibrated"))
    assert [line.score for line in native] == [line.score for line in calibrated]
    assert {line.verdict for line in native} == {"real", "generated"}
    assert {line.verdict for line in calibrated} == {"real"}


def test_paths_are_read_only_as_far_as_needed(detector: Detector, folder: Path) -> None:
    asked = 0

    def endless() -> Iterator[Path]:
        nonlocal asked
        while True:
            asked += 1
            yield folder / "0.png"

    scored = score_paths(detector, endless())
    assert asked == 0
    assert len(list(islice(scored, 1))) == 1
    assert asked == BATCH
    assert len(list(islice(scored, BATCH))) == BATCH
    assert asked == 2 * BATCH


def test_workers_are_gone_after_an_early_close(
    detector: Detector, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_at_once(monkeypatch)
    scored = score_paths(detector, [folder / "0.png"] * 1000, workers=2)
    assert next(scored).score is not None
    assert len(multiprocessing.active_children()) == 2
    scored.close()
    assert multiprocessing.active_children() == []


def test_other_preprocessing_is_obeyed(detector: Detector, folder: Path) -> None:
    Image.new("L", (40, 20), 255).save(folder / "wide.png")
    preprocessing = detector.description.preprocessing.model_copy(
        update={"fit": "crop", "background": 9}
    )
    description = detector.description.model_copy(update={"preprocessing": preprocessing})
    cropping = Detector(detector.network, description, detector.device)
    (line,) = score_paths(cropping, [folder / "wide.png"])
    white = read_image(folder / "wide.png", fit="crop", background=9)
    assert (white == 255).all()
    assert line.score == pytest.approx(detector.decision_function(white[None])[0], abs=1e-5)


@pytest.mark.parametrize(
    "path", ['a, "b".png', "two\nlines.png", "return\rhere.png", "übung-鞋.png"]
)
def test_written_lines_read_back(path: str) -> None:
    lines = [
        ScoredImage(path, -1.25, 0.2227, "real"),
        ScoredImage("bad.png", None, None, None, "'bad.png' is empty"),
    ]
    stream = io.StringIO()
    assert write_scores(lines, stream, "csv") == (1, 1)
    read = _lines(stream.getvalue())
    assert list(read[0]) == COLUMNS
    assert [row["path"] for row in read] == [path, "bad.png"]
    assert list(read[0].values())[1:] == ["-1.25", "0.2227", "real", ""]
    assert list(read[1].values())[1:] == ["", "", "", "'bad.png' is empty"]

    stream = io.StringIO()
    assert write_scores(lines, stream, "jsonl") == (1, 1)
    objects = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    assert [list(row) for row in objects] == [COLUMNS] * 2
    assert objects[0]["path"] == path
    assert objects[1]["score"] is None


def test_a_submission_has_file_names_and_one_for_real() -> None:
    lines = [
        ScoredImage("test/b, c.png", -1.25, 0.2227, "real"),
        ScoredImage("test/bad.png", None, None, None, "'test/bad.png' is empty"),
        ScoredImage("test/a.png", 1.25, 0.7773, "generated"),
        ScoredImage("other/a.png", -1.25, 0.2227, "real"),
    ]
    stream, complaints = io.StringIO(), list[str]()
    assert write_scores(lines, stream, "kaggle", complaints.append) == (2, 2)
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert rows == [["image", "label"], ["b, c.png", "1"], ["a.png", "0"]]
    assert complaints[0] == "'test/bad.png' is empty"
    assert "'other/a.png' has the same name as 'test/a.png'" in complaints[1]


def test_a_tally_names_the_most_frequent_conversions_in_constant_memory() -> None:
    tally = ConversionTally()
    assert tally.sentence() is None
    tally.add(10, {"": 10})
    assert tally.sentence() is None
    for number in range(KINDS + 50):
        tally.add(1, {f"RGB {number}x9 to grey 28x28, pad": 1})
    tally.add(140, {"": 40, "RGB 7x9 to grey 28x28, pad": 100})
    assert len(tally._counts) == KINDS
    sentence = str(tally.sentence())
    assert sentence.startswith("1,150 of 1,200 images were converted: 101 RGB 7x9 to grey 28x28, ")
    assert "; 1,047 otherwise. " in sentence


# The command


@pytest.mark.parametrize("form", ["csv", "jsonl", "kaggle"])
def test_converted_images_are_told_line_by_line_and_in_one_sentence(
    detector_folder: Path, folder: Path, form: str
) -> None:
    for name in ("a", "b"):
        Image.new("RGB", (40, 20), (255, 0, 0)).save(folder / f"{name}.png")
    result = _gandetect("score", detector_folder, folder, "--format", form)
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "note: 2 of 8 images were converted: 2 RGB 40x20 to grey 28x28, pad. "
    )
    assert result.stderr.count("\n") == 1
    said = ["RGB 40x20 to grey 28x28, pad"] * 2
    if form == "csv":
        assert [line["conversion"] for line in _lines(result.stdout)] == [""] * 6 + said
    elif form == "jsonl":
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert [line["conversion"] for line in lines] == [""] * 6 + said
    else:
        assert len(_lines(result.stdout)) == 8


def test_strict_scores_only_what_needs_no_conversion(
    detector_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (40, 20), 99).save(folder / "wide.png")
    plain = _lines(_gandetect("score", detector_folder, folder).stdout)
    result = _gandetect("score", detector_folder, folder, "--strict")
    assert result.exit_code == 1
    assert result.stderr == "1 of 7 images could not be scored; see column error\n"
    lines = _lines(result.stdout)
    assert lines[:6] == plain[:6]
    assert lines[6]["score"] == lines[6]["conversion"] == ""
    assert "grey 40x20 to grey 28x28, pad" in lines[6]["error"]
    start_at_once(monkeypatch)
    again = _gandetect("score", detector_folder, folder, "--strict", "--workers", "2")
    assert again.stdout == result.stdout


def test_a_submission_of_a_folder(detector_folder: Path, folder: Path) -> None:
    lines = _lines(_gandetect("score", detector_folder, folder).stdout)
    result = _gandetect("score", detector_folder, folder, "--format", "kaggle")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert _lines(result.stdout) == [
        {
            "image": Path(line["path"]).name,
            "label": {"real": "1", "generated": "0"}[line["verdict"]],
        }
        for line in lines
    ]


def test_a_submission_obeys_the_operating_point(detector_folder: Path, folder: Path) -> None:
    given = ["score", detector_folder, folder, "--format", "kaggle", "--at", "calibrated"]
    assert {line["label"] for line in _lines(_gandetect(*given).stdout)} == {"1"}


def test_what_has_no_place_in_a_submission_is_named_on_stderr(
    detector_folder: Path, mixed: Path
) -> None:
    result = _gandetect("score", detector_folder, mixed, "--format", "kaggle")
    assert result.exit_code == 1
    names = [line["image"] for line in _lines(result.stdout)]
    assert names == [f"{number}.png" for number in range(6)]
    errors = result.stderr.splitlines()
    assert [f"{number}b.png" in line for number, line in enumerate(errors[:3])] == [True] * 3
    assert errors[3:] == ["3 of 9 images could not be scored and have no line"]


def test_csv_of_a_good_folder(detector_folder: Path, folder: Path) -> None:
    result = _gandetect("score", detector_folder, folder)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = _lines(result.stdout)
    assert list(lines[0]) == CONVERSION
    assert len(lines) == 6
    assert all(line["error"] == "" and line["verdict"] in ("real", "generated") for line in lines)


@pytest.mark.parametrize("option", [["--json"], ["--format", "jsonl"]])
def test_json_lines_of_a_good_folder(
    detector_folder: Path, folder: Path, option: list[str]
) -> None:
    result = _gandetect("score", detector_folder, folder, *option)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [CONVERSION] * 6
    assert all(line["error"] is None and 0 <= line["probability"] <= 1 for line in lines)


def test_bad_files_are_lines_and_the_good_ones_are_scored(
    detector_folder: Path, mixed: Path
) -> None:
    result = _gandetect("score", detector_folder, mixed, mixed / "none.png")
    assert result.exit_code == 1
    assert result.stderr == "4 of 10 images could not be scored; see column error\n"
    lines = _lines(result.stdout)
    assert len(lines) == 10
    assert sum(bool(line["score"]) for line in lines) == 6
    assert all(bool(line["score"]) != bool(line["error"]) for line in lines)


def test_workers_change_no_byte_of_the_answer(
    detector_folder: Path, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["score", detector_folder, mixed, mixed / "none.png", *[mixed] * 15]
    alone = _gandetect(*given, "--workers", "1")
    start_at_once(monkeypatch)
    together = _gandetect(*given, "--workers", "2")
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
    result = _gandetect("score", detector_folder, *[folder] * 500, "--workers", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: a worker process was killed from outside")
    assert result.stderr.count("\n") == 1


def test_names_with_a_leading_dash_go_behind_two_dashes(
    detector_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name in ("-odd.png", "--help.png", "two\nlines.png"):
        Path(name).hardlink_to("0.png")
    result = _gandetect("score", detector_folder, "--", "-odd.png", "--help.png", "two\nlines.png")
    assert result.exit_code == 0
    lines = _lines(result.stdout)
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
        result = _gandetect("score", detector_folder, folder, "--format", form)
        assert result.exit_code == 0
        assert "xe9.png" in result.stdout
        assert "xe8.png" in result.stdout
        if form == "csv":
            assert len({line["path"] for line in _lines(result.stdout)}) == 4


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
    assert len(_lines(answer.stdout)) == 9


def _remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _remove_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def _tamper_weights(folder: Path) -> None:
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)


def _truncate_weights(folder: Path) -> None:
    content = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(content[:1000])


def _truncate_description(folder: Path) -> None:
    text = (folder / "detector.json").read_text()
    (folder / "detector.json").write_text(text[: len(text) // 2])


def _edit(**changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        described = json.loads((folder / "detector.json").read_text())
        (folder / "detector.json").write_text(json.dumps(described | changes))

    return edit


@pytest.mark.parametrize(
    ("damage", "expected", "code"),
    [
        (_remove_folder, "is not a detector: it has no detector.json", 1),
        (_remove_weights, "weights.safetensors' is missing", 1),
        (_tamper_weights, "weights.safetensors' was changed or truncated", 1),
        (_truncate_weights, "weights.safetensors' was changed or truncated", 1),
        (_truncate_description, "detector.json' is damaged", 1),
        (_edit(surprise=1), "detector.json' is damaged", 1),
        (_edit(format=2, surprise=1), "is of format 2, newer than 1", 1),
        (_edit(operating_points={"native": float("nan")}), "detector.json' is damaged", 1),
        (_edit(operating_points={"native": "high"}), "detector.json' is damaged", 1),
        (_edit(weights_sha256="0" * 64), "weights.safetensors' was changed", 1),
        (_edit(architecture="dcgan-bn"), "do not fit a 'dcgan-bn' discriminator", 1),
        (_edit(preprocessing={"image_size": 27}), "image_size is 27", 1),
        (_edit(architecture="dcgan-plane"), "did you mean 'dcgan-plain'?", 2),
        (_edit(kind="clasifier"), "did you mean 'classifier'?", 2),
        (_edit(kind="one-class"), "do not fit a 'dcgan-plain' one-class", 1),
    ],
)
def test_a_damaged_detector_is_one_sentence(
    broken: Path, folder: Path, damage: Callable[[Path], None], expected: str, code: int
) -> None:
    damage(broken)
    result = _gandetect("score", broken, folder / "0.png")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert expected in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_run_folder_instead_of_a_detector_names_those_nearby(
    detector_folder: Path, folder: Path
) -> None:
    result = _gandetect("score", detector_folder.parent, folder)
    assert result.exit_code == 1
    assert f"found nearby: {detector_folder}" in result.stderr


def test_an_unknown_operating_point_is_wrong_usage(detector_folder: Path, folder: Path) -> None:
    result = _gandetect("score", detector_folder, folder, "--at", "calibratd")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "native, calibrated; did you mean 'calibrated'?" in result.stderr
    assert result.stderr.count("\n") == 1

"""Files are scored as their arrays are, in order, and what cannot be scored says why."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from eager_workers import start_at_once
from PIL import Image

from gandetect.data.images import read_image
from gandetect.data.streaming import BATCH
from gandetect.detectors.network import NetworkDetector as Detector
from gandetect.errors import UsageError
from gandetect.scoring import ConversionTally, ScoredImage, score_paths, write_scores
from gandetect.scoring.conversions import KINDS
from scoring.scored_files import COLUMNS, rows_of


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
    read = rows_of(stream.getvalue())
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

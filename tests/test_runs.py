import json
from pathlib import Path

import pytest

from gandetect import runs
from gandetect.config import parse_experiment
from gandetect.errors import RunError

EXPERIMENT = parse_experiment({"name": "x", "gans": [{"architecture": "dcgan-bn"}]})


def _half_a_file(path: Path) -> None:
    with runs.atomic_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stop")


def _half_a_folder(path: Path) -> None:
    with runs.atomic_folder(path) as folder:
        (folder / "half").touch()
        raise RuntimeError("stop")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path) -> None:
    path = tmp_path / "a.txt"
    runs.write_text(path, "old")
    with pytest.raises(RuntimeError, match="stop"):
        _half_a_file(path)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_folder_that_fails_leaves_the_old_one_and_nothing_else(tmp_path) -> None:
    path = tmp_path / "stage"
    with runs.atomic_folder(path) as folder:
        (folder / "kept").touch()
    with pytest.raises(RuntimeError, match="stop"):
        _half_a_folder(path)
    assert sorted(tmp_path.rglob("*")) == [path, path / "kept"]


def _stage(folder: Path) -> Path:
    folder.mkdir()
    (folder / "weights").write_bytes(b"0123456789")
    runs.write_record(folder, "digest", ["weights"], n=3)
    return folder


def test_a_complete_stage_is_recognised(tmp_path) -> None:
    folder = _stage(tmp_path / "stage")
    assert runs.problem_with(folder, "digest") is None
    assert runs.read_json(folder / runs.RECORD)["n"] == 3


def test_a_stage_without_record_was_never_finished(tmp_path) -> None:
    assert runs.problem_with(tmp_path, "digest") == ""


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "weights").write_bytes(b"01234"), "changed or truncated"),
        (lambda f: (f / "weights").write_bytes(b"012345678X"), "changed or truncated"),
        (lambda f: (f / "weights").unlink(), "missing"),
        (lambda f: (f / "record.json").write_text("{"), "record is damaged"),
        (lambda f: (f / "record.json").write_text("[]"), "record is damaged"),
        (lambda f: runs.write_record(f, "other", ["weights"]), "another configuration"),
    ],
)
def test_a_damaged_or_foreign_stage_is_noticed(damage, words, tmp_path) -> None:
    folder = _stage(tmp_path / "stage")
    damage(folder)
    assert words in (runs.problem_with(folder, "digest") or "")


def test_a_second_process_is_refused(tmp_path) -> None:
    with (
        runs.locked(tmp_path),
        pytest.raises(RunError, match="in use by another"),
        runs.locked(tmp_path),
    ):
        pass
    with runs.locked(tmp_path):
        pass


def test_a_folder_of_another_configuration_is_refused(tmp_path) -> None:
    runs.open_run(tmp_path, EXPERIMENT)
    runs.open_run(tmp_path, EXPERIMENT)
    stored = json.loads((tmp_path / "study.json").read_text())
    stored["gans"][0]["epochs"] = 3
    (tmp_path / "study.json").write_text(json.dumps(stored))
    with pytest.raises(RunError, match="another configuration"):
        runs.open_run(tmp_path, EXPERIMENT)


def test_what_a_killed_process_left_is_removed(tmp_path) -> None:
    (tmp_path / "gans" / ".0003.abc.tmp").mkdir(parents=True)
    (tmp_path / ".scores.parquet.abc.tmp").touch()
    runs.open_run(tmp_path, EXPERIMENT)
    assert not [*tmp_path.rglob("*.tmp")]


def test_a_folder_that_is_no_run_is_named(tmp_path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        runs.load_study(tmp_path)
    with pytest.raises(RunError, match="does not exist"):
        runs.load_study(tmp_path / "nothing")

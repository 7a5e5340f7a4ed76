"""Nothing is lost: whatever goes into quarantine comes back byte for byte, or is named."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from photographs import save_two_classes

from gandetect.data import quarantine as module
from gandetect.data.quarantine import LOG, delete, quarantine, read_log, restore
from gandetect.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_two_classes(tmp_path / "data", 6)
    (tmp_path / "data" / "real" / "link.jpg").symlink_to("000.jpg")
    return tmp_path / "data"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "aside"


def content(folder: Path) -> dict[str, bytes | str]:
    """Every file's bytes, and where each link leads."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def reasons(folder: Path) -> dict[str, str]:
    return dict.fromkeys(sorted(content(folder))[::2], "damaged: is truncated")


def test_files_move_with_their_paths_and_come_back_byte_for_byte(
    folder: Path, target: Path
) -> None:
    before, bad = content(folder), reasons(folder)
    heard: list[tuple[int, int]] = []
    outcome = quarantine(folder, bad, target, lambda done, total: heard.append((done, total)))
    assert outcome.done == list(bad)
    assert outcome.problems == []
    assert heard == [(n, len(bad)) for n in range(len(bad) + 1)]
    moved = content(target)
    del moved[LOG]
    assert moved == {path: before[path] for path in bad}
    assert content(folder) == {path: kept for path, kept in before.items() if path not in bad}

    outcome = restore(target)
    assert sorted(outcome.done) == sorted(bad)
    assert outcome.problems == []
    assert content(folder) == before
    assert not target.exists()


def test_the_log_says_from_where_to_where_why_what_and_when(folder: Path, target: Path) -> None:
    expected = hashlib.sha256((folder / "real/001.jpg").read_bytes()).hexdigest()
    quarantine(folder, {"real/001.jpg": "empty: is empty"}, target)
    (line,) = (target / LOG).read_text().splitlines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "from": str(folder / "real/001.jpg"),
        "to": "real/001.jpg",
        "reason": "empty: is empty",
        "sha256": expected,
    }


def test_folders_that_became_empty_are_made_again(folder: Path, target: Path) -> None:
    before = content(folder)
    quarantine(folder, dict.fromkeys(before, "why"), target)
    shutil.rmtree(folder / "real")
    restore(target)
    assert content(folder) == before


def test_a_second_quarantine_adds_to_the_first(folder: Path, target: Path) -> None:
    before = content(folder)
    quarantine(folder, {"real/001.jpg": "one"}, target)
    quarantine(folder, {"real/002.jpg": "two"}, target)
    assert [entry["reason"] for entry in read_log(target)] == ["one", "two"]
    restore(target)
    assert content(folder) == before


def test_names_of_undecodable_bytes_come_back(folder: Path, target: Path) -> None:
    name = os.fsdecode(b"real/\xe9.jpg")
    try:
        (folder / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    quarantine(folder, {name: "why"}, target)
    assert restore(target).done == [name]
    assert (folder / name).read_bytes() == b"x"


# Refusals


def test_folders_inside_one_another_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    for target in (folder, folder / "bad", tmp_path, tmp_path / "link" / "bad"):
        with pytest.raises(UsageError, match="lie inside one another"):
            quarantine(folder, reasons(folder), target)
    assert not (folder / "bad").exists()


def test_a_folder_with_other_things_is_refused(folder: Path, target: Path) -> None:
    target.mkdir()
    (target / "thesis.txt").touch()
    with pytest.raises(UsageError, match="is not empty"):
        quarantine(folder, reasons(folder), target)
    (target / "thesis.txt").unlink()
    assert quarantine(folder, reasons(folder), target).problems == []


def test_the_quarantine_of_another_data_set_is_refused(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    quarantine(folder, reasons(folder), target)
    save_two_classes(tmp_path / "other", 1)
    with pytest.raises(UsageError, match="holds files of"):
        quarantine(tmp_path / "other", {"real/000.jpg": "why"}, target)


def test_a_file_is_refused_as_a_quarantine(folder: Path, target: Path) -> None:
    target.touch()
    with pytest.raises(UsageError, match="is not a folder"):
        quarantine(folder, reasons(folder), target)


def test_nothing_is_overwritten_in_quarantine(folder: Path, target: Path) -> None:
    quarantine(folder, {"real/001.jpg": "why"}, target)
    quarantined = (target / "real/001.jpg").read_bytes()
    shutil.copy(folder / "real/002.jpg", folder / "real/001.jpg")
    outcome = quarantine(folder, {"real/001.jpg": "why", "real/gone.jpg": "why"}, target)
    assert outcome.done == []
    assert "real/001.jpg stays where it is" in outcome.problems[0]
    assert "is not overwritten" in outcome.problems[0]
    assert "No such file" in outcome.problems[1]
    assert (target / "real/001.jpg").read_bytes() == quarantined
    assert (folder / "real/001.jpg").exists()
    assert len(read_log(target)) == 1


def test_nothing_is_overwritten_in_the_data_set(folder: Path, target: Path) -> None:
    before = content(folder)
    quarantine(folder, dict.fromkeys(("real/001.jpg", "real/002.jpg"), "why"), target)
    (folder / "real/001.jpg").write_bytes(b"another")
    outcome = restore(target)
    assert outcome.done == ["real/002.jpg"]
    (problem,) = outcome.problems
    assert problem.startswith("real/001.jpg stays in quarantine: ")
    assert "is not overwritten" in problem
    assert (folder / "real/001.jpg").read_bytes() == b"another"
    assert [entry["to"] for entry in read_log(target)] == ["real/001.jpg"]

    (folder / "real/001.jpg").unlink()
    assert restore(target).done == ["real/001.jpg"]
    assert content(folder) == before
    assert not target.exists()


def test_what_was_changed_or_lost_in_quarantine_is_named(folder: Path, target: Path) -> None:
    quarantine(folder, dict.fromkeys(("real/001.jpg", "real/002.jpg"), "why"), target)
    (target / "real/001.jpg").write_bytes(b"changed")
    (target / "real/002.jpg").unlink()
    outcome = restore(target)
    assert outcome.done == []
    assert "real/001.jpg stays in quarantine: it was changed" in outcome.problems[0]
    assert "real/002.jpg" in outcome.problems[1]
    assert "missing" in outcome.problems[1]
    assert not (folder / "real/001.jpg").exists()


def test_a_data_set_that_is_gone_is_not_made_anew(folder: Path, target: Path) -> None:
    quarantine(folder, reasons(folder), target)
    folder.rename(folder.with_name("moved"))
    with pytest.raises(DataError, match="is gone; put it back first"):
        restore(target)
    assert not folder.exists()
    folder.with_name("moved").rename(folder)
    assert restore(target).problems == []


def test_what_is_no_quarantine_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in (folder, tmp_path / "none", folder / "real/000.jpg"):
        with pytest.raises(DataError, match="is not a quarantine"):
            restore(path)


@pytest.mark.parametrize(
    "line",
    ["no JSON", "[]", "{}", '{"from": "/a/b", "to": "../b"}',
     '{"from": "/a/../b", "to": "../b"}', '{"from": "/a/b", "to": "c"}',
     '{"from": "a/b", "to": "b"}', '{"from": "/etc/b", "to": "/etc/b"}', '{"from": 3, "to": 3}'],
)  # fmt: skip
def test_a_damaged_log_names_its_line(line: str, folder: Path, target: Path) -> None:
    quarantine(folder, {"real/001.jpg": "why"}, target)
    with (target / LOG).open("a") as log:
        log.write(line + "\n")
    with pytest.raises(DataError, match="line 2 of"):
        restore(target)
    assert (target / "real/001.jpg").exists()


def test_a_quarantine_in_use_is_left_alone(folder: Path, target: Path) -> None:
    quarantine(folder, {"real/001.jpg": "why"}, target)
    with module._opened_log(target):
        for go in (lambda: restore(target), lambda: quarantine(folder, {}, target)):
            with pytest.raises(DataError, match="in use by another"):
                go()


# Interruptions

# Killed at the start of a function's n-th call or, for a negative n, at its end.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from gandetect.data import quarantine as module

folder, target, moment, number, bad = sys.argv[1:]
calls = 0
real = getattr(module, moment)

def killing(*arguments):
    global calls
    calls += 1
    if calls == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments)
    if calls == -int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(module, moment, killing)
if target == "restore":
    module.restore(Path(folder))
module.quarantine(Path(folder), json.loads(bad), Path(target))
"""


def killed(folder: Path, target: Path | str, moment: str, number: int, bad: object) -> None:
    command = [sys.executable, "-c", KILLED, folder, target, moment, number, json.dumps(bad)]
    answer = subprocess.run([str(word) for word in command], check=False, capture_output=True)
    assert answer.returncode == -9, answer.stderr


@pytest.mark.parametrize(
    ("moment", "number"), [("_quarantine_one", 4), ("_move", 3), ("_move", -2)]
)
def test_a_killed_quarantine_can_be_undone(
    moment: str, number: int, folder: Path, target: Path
) -> None:
    before, bad = content(folder), reasons(folder)
    killed(folder, target, moment, number, bad)
    assert len(content(target)) == (3 if number < 0 else number)  # all before, and the log
    assert restore(target).problems == []
    assert content(folder) == before
    assert not target.exists()


def test_a_killed_quarantine_goes_on_with_the_same_command(folder: Path, target: Path) -> None:
    before, bad = content(folder), reasons(folder)
    killed(folder, target, "_move", 3, bad)
    with (target / LOG).open("a") as log:
        log.write('{"from": "torn off')
    left = {path: reason for path, reason in bad.items() if os.path.lexists(folder / path)}
    assert len(left) == len(bad) - 2
    assert quarantine(folder, left, target).problems == []
    assert not set(bad) & set(content(folder))
    assert restore(target).problems == []
    assert content(folder) == before


def test_a_killed_restoration_goes_on_with_the_same_command(folder: Path, target: Path) -> None:
    before, bad = content(folder), reasons(folder)
    quarantine(folder, bad, target)
    killed(target, "restore", "_move", 3, {})
    outcome = restore(target)
    assert outcome.problems == []
    assert len(outcome.done) == len(bad) - 2
    assert content(folder) == before
    assert not target.exists()


def across_disks(self: Path, target: Path) -> Path:
    if self.suffix != module.UNFINISHED:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    return Path(shutil.move(self, target))


def test_files_move_to_another_disk_and_back(
    folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, bad = content(folder), reasons(folder)
    monkeypatch.setattr(Path, "rename", across_disks)
    assert quarantine(folder, bad, target).problems == []
    assert set(content(target)) == {*bad, LOG}
    assert not set(bad) & set(content(folder))
    assert restore(target).problems == []
    assert content(folder) == before
    assert not target.exists()


def test_a_copy_on_two_disks_at_once_is_put_right(folder: Path, target: Path) -> None:
    before = content(folder)
    quarantine(folder, {"real/001.jpg": "why"}, target)
    shutil.copy(target / "real/001.jpg", folder / "real/001.jpg")  # killed before it was removed
    (target / f".0{module.UNFINISHED}").touch()
    assert restore(target).problems == []
    assert content(folder) == before
    assert not target.exists()


def test_deleting_names_what_it_could_not(folder: Path) -> None:
    outcome = delete(folder, ["real/001.jpg", "real/none.jpg"])
    assert outcome.done == ["real/001.jpg"]
    assert outcome.problems == ["real/none.jpg was not deleted: No such file or directory"]
    assert not (folder / "real/001.jpg").exists()


def test_what_is_behind_a_link_to_another_folder_is_left_alone(folder: Path, target: Path) -> None:
    shutil.copytree(folder / "real", folder.parent / "elsewhere")
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    before = content(folder.parent / "elsewhere")
    moved = quarantine(folder, {"linked/001.jpg": "why"}, target)
    for outcome in (moved, delete(folder, ["linked/001.jpg"])):
        assert outcome.done == []
        assert "behind a link to another folder" in outcome.problems[0]
    assert content(folder.parent / "elsewhere") == before

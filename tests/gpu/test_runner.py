"""Steps that hang, die or fail: each costs its own time, and what it has done is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmarks.children import SPAWN

from . import runner
from .runner import run_step, run_steps, status
from .settings import Record, Settings, write_json

SELF = "gpu.test_runner"


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = Settings("cpu", True, tmp_path / "out", tmp_path / "work")
    settings.out.mkdir()
    settings.work.mkdir()
    return settings


def run(settings: Settings, record: Record) -> None:
    """What steps of these tests do, by their file: this module is one."""
    with record.case("first") as case:
        case["pid"] = os.getpid()
    with record.case("broken"):
        raise ValueError("this is broken")
    record.skip("not here", "it is not for here")
    if (settings.work / "hang").exists():
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with record.case("hangs") as case:
            case["sleeper"] = sleeper.pid
            record.write()
            (settings.work / "hanging").touch()
            time.sleep(600)
    if (settings.work / "die").exists():
        os._exit(7)


class UntilItHangs(SPAWN.Process):
    """A process whose limit is over as soon as it hangs, however slow the machine is."""

    def __init__(self, target, args) -> None:
        super().__init__(target=target, args=args)
        self.hanging = args[-1].work / "hanging"

    def join(self, timeout: float | None = None) -> None:
        while timeout is not None and self.is_alive() and not self.hanging.exists():
            time.sleep(0.02)
        super().join(None if timeout is None else 0)


def ends(pid: int) -> bool:
    """Whether a process that was killed is gone, or goes: the system may take its time."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def kept(settings: Settings) -> dict:
    return json.loads((settings.out / "step.json").read_text())


def test_a_step_that_hangs_is_ended_with_all_that_it_started(settings) -> None:
    (settings.work / "hang").touch()
    found = run_step("step", SELF, settings, SimpleNamespace(Process=UntilItHangs), 60.0)
    assert found["status"] == "out of time"
    first, broken, skipped, hangs = kept(settings)["cases"]
    assert first["status"] == "ok"
    assert broken["reason"] == "ValueError: this is broken"
    assert skipped["status"] == "skipped"
    assert hangs["status"] == "failed"
    assert "ended after" in hangs["reason"]
    assert ends(first["pid"])
    assert ends(hangs["sleeper"])


def test_a_step_that_dies_or_fails_is_told_and_the_next_one_runs(settings) -> None:
    (settings.work / "die").touch()
    steps = {"step": (SELF, 100.0), "absent": ("gpu.there_is_no_such_step", 100.0)}
    assert not run_steps(steps, settings, SPAWN, minutes=5)
    assert "ended with 7" in kept(settings)["reason"]
    summary = json.loads((settings.out / "summary.json").read_text())
    assert summary["steps"]["step"]["cases"] == {"ok": 1, "failed": 1, "skipped": 1}
    assert summary["steps"]["absent"]["status"] == "failed"
    absent = json.loads((settings.out / "absent.json").read_text())
    assert any("there_is_no_such_step" in line for line in absent["cases"][0]["traceback"])


def test_no_step_begins_after_the_time_and_none_without_its_device(settings, monkeypatch) -> None:
    monkeypatch.setattr(runner, "run_step", lambda *_: {"status": "failed", "cases": {}})
    assert run_steps({"one": (SELF, 9.0)}, settings, SPAWN, minutes=1 / 60, reserve=2)
    assert not run_steps({"facts": (SELF, 9.0), "one": (SELF, 9.0)}, settings, SPAWN, minutes=9)
    summary = json.loads((settings.out / "summary.json").read_text())
    assert "device" in summary["steps"]["one"]["reason"]


def test_what_is_told_fits_a_small_window_and_failures_come_first(settings) -> None:
    cases = [{"name": f"case {number}", "status": "ok", "figure": 1 / 3} for number in range(2000)]
    cases.append({"name": "the bad one", "status": "failed", "reason": "why " * 1000})
    write_json(settings.out / "step.json", {"cases": cases})
    text = status({"steps": {"step": {"status": "failed", "seconds": 1}}}, settings.out)
    assert len(text) < 12_000
    assert "the bad one" in text.splitlines()[1]
    assert "more lines in" in text.splitlines()[-1]


def test_a_log_without_end_and_half_written_files_do_not_travel(settings) -> None:
    (settings.out / ".scores.parquet.tmp").write_bytes(b"half")
    (settings.out / runner.LOG).write_bytes(b"x" * (runner.LONGEST_LOG + 5) + b"end")
    assert runner.tidy(settings.out) == []
    assert [file.name for file in settings.out.iterdir()] == [runner.LOG]
    content = (settings.out / runner.LOG).read_bytes()
    assert len(content) == runner.LONGEST_LOG
    assert content.endswith(b"end")

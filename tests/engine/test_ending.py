"""A study that is interrupted or whose worker is killed ends, says so, and leaves nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ending import PATIENCE, ended, running, wait_for, workers_of

ROOT = Path(__file__).parents[2]
SMALL = ["--set", "data.max_images=1500", "--set", "evaluation.own_generated=100"]


def study(out: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """A small study that runs."""
    return running("run", ROOT / "experiments" / "smoke.toml", "--out", out, *SMALL)


def interrupted(out: Path, after: float, words: str = "Training the classifier") -> float:
    """Press Ctrl-C so many seconds after these words were said; returns how long the end took."""
    with study(out) as process:
        wait_for(process, words)
        time.sleep(after)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the whole group
        return ended(process, 130, "give the same command again to go on")


def killed(out: Path, after: float) -> float:
    """Kill a worker so many seconds after tasks were handed over; returns how long the end took."""
    with study(out) as process:
        wait_for(process, "Training the classifier")
        until = time.monotonic() + PATIENCE
        while not (workers := workers_of(process)) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(after)
        os.kill(workers[0], signal.SIGKILL)
        return ended(process, 1, "a worker process was killed from outside")


@pytest.mark.parametrize("after", [0.0, pytest.param(1.0, marks=pytest.mark.slow)])
def test_ctrl_c_ends_a_study_whose_workers_are_just_starting(after, tmp_path) -> None:
    interrupted(tmp_path, after)


@pytest.mark.slow
def test_ctrl_c_in_an_epoch_ends_a_study(tmp_path) -> None:
    interrupted(tmp_path, 0.0, "epoch 1/2")


@pytest.mark.slow  # in small: `test_local.py`, and what a command says of it, in tests/scoring
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="workers are found in /proc")
def test_a_worker_that_is_killed_ends_the_study_with_a_sentence(tmp_path) -> None:
    killed(tmp_path, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("burners", [0, 3])
def test_at_any_moment_and_on_a_busy_machine_it_ends_within_seconds(burners, tmp_path) -> None:
    """25 moments of the first three seconds, idle and beside processes that burn the cores."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(burners)]
    moments = random.Random(burners)
    try:
        for number in range(25):
            end = interrupted if number % 2 else killed
            took = end(tmp_path / f"{number}", moments.uniform(0.0, 3.0))
            assert took < 10
    finally:
        for one in burning:
            one.kill()
            one.wait()

"""Worker processes: results in order, failures as they were, and none that outlives its pool."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gandetect.errors import DataError, WorkerError
from gandetect.events import Notify
from gandetect.workers import AHEAD, Pool, _without_interrupts, map_forked, map_ordered

FORK = multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing


def slow_first(number: int) -> int:
    """A square; that of 0 takes longer than the others."""
    time.sleep(0.3 * (number == 0))
    return number**2


def refuse(number: int) -> int:
    """Fail at 3."""
    if number == 3:
        raise DataError(f"{number} is refused")
    return number


def end_hard(number: int) -> None:
    """End this process as the system does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def report(notify: Notify) -> int:
    """Tell of an event, then return this process's number."""
    notify({"event": "step"})
    return os.getpid()


def wait_long(notify: Notify) -> bytes:
    """Answer with more than a pipe holds, so that it waits for who reads it."""
    return bytes(10_000_000)


def blocked(notify: Notify) -> bool:
    """Whether Ctrl-C does not reach this process."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.parametrize("workers", [1, 2])
def test_results_keep_the_order_of_the_items(workers: int) -> None:
    assert list(map_ordered(slow_first, range(9), workers)) == [n**2 for n in range(9)]
    assert list(map_ordered(slow_first, [], workers)) == []
    assert not multiprocessing.active_children()


def test_items_are_read_only_a_little_ahead() -> None:
    asked: list[int] = []
    numbers = (asked.append(number) or number for number in range(99))
    with closing(map_ordered(slow_first, numbers, 2)) as results:
        for taken in range(1, 5):
            next(results)
            assert len(asked) <= taken + 2 * AHEAD
    assert not multiprocessing.active_children()


def test_a_failure_is_raised_as_it_was_with_the_workers_stack() -> None:
    with pytest.raises(DataError, match="3 is refused") as caught:
        list(map_ordered(refuse, range(9), 2))
    assert "in refuse" in caught.value.__notes__[0]
    assert not multiprocessing.active_children()


def test_a_worker_that_is_killed_is_one_sentence() -> None:
    with pytest.raises(WorkerError, match="a worker process was killed from outside"):
        list(map_ordered(end_hard, range(2), 2))
    assert not multiprocessing.active_children()


def test_events_come_with_the_key_and_a_worker_does_one_job_after_the_other() -> None:
    heard: list[tuple[str, Any]] = []
    found: dict[str, int] = {}
    with closing(Pool[str](1, listen=lambda *given: heard.append(given))) as pool:
        for key in ("first", "second"):
            assert pool.room() == 1
            pool.start(key, report)
            assert pool.room() == 0
            while key not in found:
                found.update(pool.finished())
    assert heard == [(key, {"event": "step"}) for key in ("first", "second")]
    assert found["first"] == found["second"] != os.getpid()


def test_a_pool_closes_while_a_large_answer_waits_to_be_read(monkeypatch) -> None:
    monkeypatch.setattr("gandetect.workers.TO_END", 60.0)  # however busy this machine is
    pool = Pool[int](1)
    pool.start(0, wait_long)
    time.sleep(1.0)
    (worker,) = multiprocessing.active_children()
    pool.close()
    assert worker.exitcode == -signal.SIGTERM  # it ended by itself, and was not killed
    assert not multiprocessing.active_children()


def test_an_interrupt_waits_until_a_process_has_been_started() -> None:
    """Another thread takes the signal, though this one has blocked it."""
    steps = []

    def start() -> None:
        with _without_interrupts():
            thread = threading.Thread(target=partial(os.kill, os.getpid(), signal.SIGINT))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            thread.start()
            thread.join()
            time.sleep(0.01)
            steps.append("started")
        steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert steps == ["started"]


FIRST = """
from contextlib import closing
from gandetect.workers import Pool
from test_workers import blocked
if __name__ == "__main__":
    with closing(Pool(1)) as pool:
        pool.start(0, blocked)
        while not (ended := pool.finished()):
            pass
    print(ended[0][1])
"""


def test_the_first_worker_of_a_process_hears_nothing_of_ctrl_c(tmp_path: Path) -> None:
    """Python's resource tracker starts with it, and unblocks what is blocked."""
    (tmp_path / "first.py").write_text(FIRST)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    answer = subprocess.run(
        [sys.executable, tmp_path / "first.py"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert answer.stdout == "True\n"


@pytest.fixture
def forks(monkeypatch) -> None:
    """Fork, however many cores there are and whatever else this process has done."""
    if sys.platform != "linux":
        pytest.skip("it forks on Linux alone")
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.setattr("gandetect.workers._cores", lambda: 2)


def test_two_processes_share_the_items_and_keep_their_order(forks, monkeypatch) -> None:
    both = FORK.Barrier(2, timeout=60)

    def of_two(word: str) -> tuple[str, int]:
        both.wait()  # neither process can do an item without the other
        return word, os.getpid()

    words = ["a", "b", "c", "d"]
    done = map_forked(of_two, words)
    assert [word for word, _ in done] == words
    assert sorted(Counter(process for _, process in done).values()) == [2, 2]
    assert map_forked(str, []) == []
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: True))
    assert map_forked(lambda word: os.getpid(), words) == [os.getpid()] * 4


def test_what_fails_in_the_other_process_fails_here(forks) -> None:
    here, taken = os.getpid(), FORK.Event()

    def work(number: int) -> int:
        if os.getpid() == here and not taken.is_set():
            taken.wait(60)
            return number
        taken.set()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_forked(work, [1, 2])


def test_what_fails_in_this_process_ends_the_other(forks) -> None:
    here, taken = os.getpid(), FORK.Event()

    def work(number: int) -> None:
        if os.getpid() != here:
            taken.set()
            time.sleep(600)
        assert taken.wait(60)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_forked(work, [1, 2])
    assert not multiprocessing.active_children()


def test_where_no_process_can_be_started_all_is_done_here(forks, monkeypatch) -> None:
    def refuse_to_fork(process: object) -> None:
        raise BlockingIOError("a process too many")

    monkeypatch.setattr(FORK.Process, "start", refuse_to_fork)
    assert map_forked(lambda number: number**2, [1, 2, 3]) == [1, 4, 9]


def test_what_a_killed_process_has_not_done_is_done_here(forks) -> None:
    here, taken = os.getpid(), FORK.Event()

    def work(number: int) -> int:
        if os.getpid() != here:
            taken.set()
            os.kill(os.getpid(), signal.SIGKILL)
        taken.wait(60)
        return number

    assert map_forked(work, [1, 2, 3]) == [1, 2, 3]
    assert taken.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="it forks on Linux alone")
def test_no_forked_process_outlives_a_killed_parent() -> None:
    code = (
        "import os, time; from gandetect.workers import map_forked; "
        "map_forked(lambda n: (print(os.getpid(), flush=True), time.sleep(600)), [0, 1])"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ids = {int(process.stdout.readline()) for _ in range(2)}
        process.kill()
        assert process.stdout.read() == b""  # it ends when nobody can write to it any more
    assert len(ids) == 2

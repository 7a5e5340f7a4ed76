"""Commands in processes of their own, which end early: with a sentence, and nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120.0  # seconds, on the busiest machine; what is asked is that it ends at all


@contextmanager
def running(*command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A command of gandetect's in a process group of its own, killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gandetect", *map(str, command)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Shells let what they start in the background ignore it, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.communicate()


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Read what is said until there is a line with these words; returns all of it."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended before it said {words!r}: {said}")


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes of a command, from Linux' ``/proc``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            number = int(folder.name)
            command = (folder / "cmdline").read_bytes()
            if b"spawn_main" in command and os.getpgid(number) == process.pid:
                found.append(number)
        except OSError:  # it has ended since
            continue
    return found


def nothing_left(group: int) -> bool:
    """Whether a process group ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def ended(process: subprocess.Popen[str], code: int, words: str) -> float:
    """Wait for a command's end, with this exit code and sentence; returns how long it took."""
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=PATIENCE)
    took = time.monotonic() - began
    assert process.returncode == code, stderr
    assert words in stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    assert nothing_left(process.pid)
    return took

"""A reader that has gone, a closed stream and a full disk end a command as they end other tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [["--help"], ["completion", "bash"]]

CANNOT = "error: the output cannot be written ({}); give it a file or pipe that takes it\n"


def gandetect(arguments: list[str], stdout: int | None) -> subprocess.CompletedProcess[str]:
    """Run a command with this stdout; None closes it first."""
    command = [sys.executable, "-m", "gandetect", *arguments]
    if stdout is None:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_ends_a_command_in_silence(arguments) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = gandetect(arguments, writing)
    os.close(writing)
    assert (result.returncode, result.stderr) == (128 + 13, "")  # as a shell reports SIGPIPE


def test_a_closed_stdout_is_one_sentence() -> None:
    result = gandetect(["completion", "bash"], None)
    assert (result.returncode, result.stderr) == (1, CANNOT.format("Bad file descriptor"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        result = gandetect(["--help"], full.fileno())
    assert (result.returncode, result.stderr) == (1, CANNOT.format("No space left on device"))

"""gandetect's own commands, run as a user would."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

# A study of two GANs that is over as soon as it can be.
TINY = [
    part
    for change in (
        "data.max_images=1000",
        "gans.0.epochs=1", "gans.0.steps_per_epoch=1", "gans.0.batch_size=4",
        "gans.1.epochs=1", "gans.1.steps_per_epoch=1", "gans.1.batch_size=4",
        "quality.generated=100", "quality.classifier_epochs=1",
        "evaluation.own_generated=20", "evaluation.other_generated=20",
        "evaluation.training_reals=20",
    )
    for part in ("--set", change)
]  # fmt: skip
PATIENCE = 10.0  # seconds in which a study ends its workers when it is interrupted


class Unfinished(Exception):
    """A command was ended before it was done."""


def gandetect(*arguments: str, seconds: float | None = None) -> None:
    """Run a command, interrupted after so many seconds: then `Unfinished` is raised.

    What it says goes to the log at once; it fails with the last line of that.
    """
    command = [sys.executable, "-m", "gandetect", *arguments]
    print("$", *command[1:], flush=True)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    listener = Thread(target=_listen, args=(process, said), daemon=True)
    listener.start()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        raise Unfinished(f"it was interrupted after {seconds:.0f} s") from None
    listener.join(PATIENCE)
    if process.returncode:
        raise RuntimeError(f"gandetect ended with {process.returncode}: {' '.join(said[-1:])}")


def _listen(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        print(line, end="", flush=True)
        if line.strip():
            said.append(line.strip())


def run_folder(out: Path, name: str) -> Path:
    """The newest run folder of a study."""
    found = sorted(out.glob(f"{name}-*"), key=lambda folder: folder.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no run folder of {name} in {out}")
    return found[-1]

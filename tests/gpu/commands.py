"""gandetect's own commands, run as a user would."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

# A study of two GANs that is over as soon as it can be.
TINY = [
    part
    for change in (
        "data.images=1000",
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

    It fails with the last line that the command said.
    """
    command = [sys.executable, "-m", "gandetect", *arguments]
    print("$", *command[1:], flush=True)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        print(said, flush=True)
        raise Unfinished(f"it was interrupted after {seconds:.0f} s") from None
    print(said, flush=True)
    if process.returncode:
        last = [line for line in said.splitlines() if line.strip()][-1:]
        raise RuntimeError(f"gandetect ended with {process.returncode}: {' '.join(last)}")


def run_folder(out: Path, name: str) -> Path:
    """The newest run folder of a study."""
    found = sorted(out.glob(f"{name}-*"), key=lambda folder: folder.stat().st_mtime)
    if not found:
        raise FileNotFoundError(f"no run folder of {name} in {out}")
    return found[-1]

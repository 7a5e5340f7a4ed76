"""Training beside the notebooks' own library: Keras on TensorFlow, idle and beside a busy process.

TensorFlow lives in an environment of its own, whose Python is named by ``--keras``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from .children import Piece, interleaved
from .results import Measured, Settings
from .training import GREY, prepare_ours

SECTION = "keras"
PEER = Path(__file__).with_name("keras_peer.py")
HOW = (
    "Keras is not measured: make an environment with TensorFlow, `python3 -m venv build/keras && "
    "build/keras/bin/pip install tensorflow-cpu`, and add --keras build/keras/bin/python"
)
BURN = "while True: pass"


def measure(settings: Settings, cores: int, keras: Path | None) -> Measured:
    """Train each architecture on one core and on all threads, and those beside a busy process."""
    measured = Measured()
    if keras is None:
        measured.notes.append(HOW)
        return measured
    for architecture in ("dcgan-bn", "dcgan-plain"):
        pieces: dict[str, Piece] = {}
        for share, threads, beside in (
            ("one core", 1, False),
            (f"{cores} threads", cores, False),
            (f"{cores} threads beside a busy process", cores, True),
        ):
            how = (architecture, threads, beside, settings.seconds)
            pieces[f"Keras, {share}"] = Piece(prepare_keras, (keras, *how))
            pieces[f"ours, {share}"] = Piece(prepare_here, how)
        values = interleaved(pieces, settings.repeats)
        rows = {f"{architecture}: {name}": given for name, given in values.items()}
        measured.add_rows(SECTION, "images/s", rows)
        for name in values:
            if name.startswith("ours, "):
                peer = name.replace("ours", "Keras")
                ratio = f"{architecture}: {name} / Keras"
                measured.add_ratio(SECTION, ratio, values[name], values[peer])
    return measured


def prepare_here(
    architecture: str, threads: int, beside: bool, seconds: float
) -> Callable[[], float]:
    """Measure ours in float32."""
    _pin(threads)
    return partial(_measured, prepare_ours(architecture, GREY, "fp32", threads, seconds), beside)


def prepare_keras(
    python: Path, architecture: str, threads: int, beside: bool, seconds: float
) -> Callable[[], float]:
    """Measure Keras, in a process of the other environment."""
    _pin(threads)
    command = [str(python), "-I", str(PEER), architecture, str(threads), str(seconds)]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert peer.stdin is not None
    assert peer.stdout is not None
    asks, answers = peer.stdin, peer.stdout
    gone = f"{' '.join(command)} ended; what it said stands above"
    if answers.readline().strip() != "ready":
        peer.communicate()
        raise RuntimeError(gone)

    def ask() -> float:
        print("measure", file=asks, flush=True)
        if not (answer := answers.readline()):
            raise RuntimeError(gone)
        return float(answer)

    return partial(_measured, ask, beside)


def _pin(threads: int) -> None:
    """Keep a process of one thread on one core, with all that it starts."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _measured(measure: Callable[[], float], beside: bool) -> float:
    with _burner() if beside else nullcontext():
        return measure()


@contextmanager
def _burner() -> Iterator[None]:
    """Keep one core busy."""
    process = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        yield
    finally:
        process.kill()
        process.wait()

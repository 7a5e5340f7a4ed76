"""`--log tensorboard`: what trainings write, as TensorBoard's event files, while they run.

Trainings know nothing of it. Whenever one tells of something, the histories in the run folders are
looked at again, and new epochs are added; so a study that goes on shows all of its epochs.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from gandetect import runs
from gandetect.config import Experiment
from gandetect.config.section import ConfigSection
from gandetect.errors import UsageError
from gandetect.events import Event, Listener
from gandetect.training.checkpoints import HISTORY, SAMPLES

FOLDER = "tensorboard"  # of a run folder, made anew at every start
APART = 1.0  # seconds between two looks, but for ends of epochs


def check_tensorboard() -> None:
    """Raise `UsageError` where the package is not installed."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "--log tensorboard was given, and TensorBoard is not installed; "
            "pip install 'gandetect[tensorboard]', or leave --log out"
        )


@contextmanager
def logged(studies: Mapping[Path, Experiment], listener: Listener) -> Iterator[Listener]:
    """A listener that also writes event files into these run folders."""
    follower = _Follower(studies, listener)
    try:
        yield follower
    finally:
        follower.close()


class _Follower:
    """Passes on what it hears, and looks for new epochs whenever it hears something."""

    def __init__(self, studies: Mapping[Path, Experiment], listener: Listener) -> None:
        self.say, self.warn, self._listener = listener.say, listener.warn, listener
        self._logs = [log for run, experiment in studies.items() for log in _logs(run, experiment)]
        self._looked = monotonic()
        for run in studies:
            shutil.rmtree(run / FOLDER, ignore_errors=True)

    def event(self, event: Event) -> None:
        """Pass it on, and look."""
        self._listener.event(event)
        if event["event"] == "epoch" or monotonic() - self._looked > APART:
            self._look()

    def close(self) -> None:
        """Look once more, for what came in without a word."""
        self._look()
        for log in self._logs:
            log.close()

    def _look(self) -> None:
        for log in self._logs:
            log.look()
        self._looked = monotonic()


class _Log:
    """The event file of one training: ``folder`` is its own, ``to`` that of the events."""

    def __init__(self, folder: Path, to: Path, config: ConfigSection) -> None:
        self._folder, self._to, self._config = folder, to, config
        self._lines: list[str] = []  # of the history, as far as they are written
        self._changed = 0
        self._writer: Any = None

    def look(self) -> None:
        """Write the epochs that are new; all of them where the training has begun afresh."""
        history = self._folder / HISTORY
        changed = history.stat().st_mtime_ns if history.exists() else 0
        if changed == self._changed:
            return
        lines = history.read_text(encoding="utf-8").splitlines() if changed else []
        if lines[: len(self._lines)] != self._lines:
            self.close()
            shutil.rmtree(self._to, ignore_errors=True)
        self._changed, written, self._lines = changed, len(self._lines), lines
        rows = pd.read_csv(io.StringIO("\n".join(lines))).to_dict("records") if lines else []
        for row in rows[max(written - 1, 0) :]:  # the first line is the header
            self._write({str(name): value for name, value in row.items()})
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()
        self._writer, self._lines = None, []

    def _write(self, row: dict[str, Any]) -> None:
        epoch = int(row.pop("epoch"))
        if self._writer is None:
            self._open(row)
        kept = self._folder / "epochs" / f"{epoch:04d}"
        for name, value in {**row, **_shares(kept)}.items():
            if pd.notna(value):
                self._writer.add_scalar(name, value, epoch)
        if (kept / SAMPLES).exists():
            with Image.open(kept / SAMPLES) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._writer.add_image("samples", pixels, epoch, dataformats="HWC")

    def _open(self, metrics: Mapping[str, object]) -> None:
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        self._writer = SummaryWriter(self._to)
        (flat,) = pd.json_normalize(self._config.model_dump(mode="json")).to_dict("records")
        plain = {str(key): value for key, value in flat.items() if value is not None}
        told = {
            key: one if isinstance(one, int | float) else str(one) for key, one in plain.items()
        }
        for summary in hparams(told, dict.fromkeys(metrics, 0)):
            self._writer.file_writer.add_summary(summary)


def _logs(run: Path, experiment: Experiment) -> Iterator[_Log]:
    of: dict[str, Sequence[Any]] = {
        "gans": experiment.gans,
        "classifiers": experiment.classifiers,
        "post_hoc": experiment.detectors,
    }
    for place, configs in of.items():
        for config in configs:
            for seed in experiment.seeds:
                name = Path(place, config.name, f"seed-{seed}")
                yield _Log(run / name, run / FOLDER / name, config)


def _shares(epoch: Path) -> dict[str, float]:
    """The share of each class among an epoch's fakes, which a history's table has no room for."""
    if not (epoch / runs.RECORD).exists():
        return {}
    history = runs.read_json(epoch / runs.RECORD)["history"]
    shares = history.get("class_shares", ()) if isinstance(history, Mapping) else ()
    return {f"class_shares/{number}": share for number, share in enumerate(shares)}

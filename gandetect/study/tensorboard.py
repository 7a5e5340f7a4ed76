"""`--log tensorboard`: what trainings write, as TensorBoard's event files, while they run.

Trainings know nothing of it. Whenever one tells of something, the histories in the run folders are
looked at again, and new epochs are added; so a study that goes on shows all of its epochs.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from gandetect import runs
from gandetect.config import Experiment
from gandetect.config.section import ConfigSection
from gandetect.events import Event, Listener
from gandetect.training.checkpoints import HISTORY, SAMPLES, epoch_folder

FOLDER = "tensorboard"  # of a run folder, made anew at every start
APART = 1.0  # seconds between two looks, but for ends of epochs


@contextmanager
def logged(studies: Mapping[Path, Experiment], listener: Listener) -> Iterator[Listener]:
    """A listener that also writes event files into these run folders."""
    for run in studies:
        shutil.rmtree(run / FOLDER, ignore_errors=True)
    follower = _Follower(studies, listener)
    try:
        yield follower
    finally:
        follower.look()  # for what came in without a word
        for log in follower.logs:
            log.close()


class _Follower:
    """Passes on what it hears, and looks for new epochs whenever it hears of work."""

    def __init__(self, studies: Mapping[Path, Experiment], listener: Listener) -> None:
        self.say, self.warn, self._listener = listener.say, listener.warn, listener
        self.logs = [
            _Log(run, Path(place, config.name, f"seed-{seed}"), config)
            for run, experiment in studies.items()
            for place, configs in (("gans", experiment.gans), ("post_hoc", experiment.detectors),
                                   ("classifiers", experiment.classifiers))
            for config in configs
            for seed in experiment.seeds
        ]  # fmt: skip
        self._looked = monotonic()

    def event(self, event: Event) -> None:
        self._listener.event(event)
        if event["event"] == "epoch" or monotonic() - self._looked > APART:
            self.look()

    def look(self) -> None:
        for log in self.logs:
            log.look()
        self._looked = monotonic()


class _Log:
    """The event file of one training of a run, by its folder there."""

    def __init__(self, run: Path, name: Path, config: ConfigSection) -> None:
        self._folder, self._to, self._config = run / name, run / FOLDER / name, config
        self._lines: list[str] = []  # of the history, as far as they are written
        self._writer: Any = None

    def look(self) -> None:
        """Write the epochs that are new; all of them where the training has begun afresh."""
        history = self._folder / HISTORY
        lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        if lines[: len(self._lines)] != self._lines:
            self.close()
            shutil.rmtree(self._to, ignore_errors=True)
        written, self._lines = max(len(self._lines), 1), lines  # the first line is the header
        if len(lines) > written:
            for row in pd.read_csv(io.StringIO("\n".join(lines))).to_dict("records")[written - 1 :]:
                self._write({str(name): value for name, value in row.items()})
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
        kept = epoch_folder(self._folder, epoch)
        if (kept / SAMPLES).exists():  # a generator's, whose record holds what its table does not
            shares = runs.read_json(kept / runs.RECORD)["history"].get("class_shares", ())
            row |= {f"class_shares/{number}": share for number, share in enumerate(shares)}
            with Image.open(kept / SAMPLES) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._writer.add_image("samples", pixels, epoch, dataformats="HWC")
        for name, value in row.items():
            if pd.notna(value):
                self._writer.add_scalar(name, value, epoch)

    def _open(self, metrics: Mapping[str, object]) -> None:
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        self._writer = SummaryWriter(self._to)
        (flat,) = pd.json_normalize(self._config.model_dump(mode="json")).to_dict("records")
        told = {str(key): one if isinstance(one, int | float) else str(one)
                for key, one in flat.items() if one is not None}  # fmt: skip
        for summary in hparams(told, dict.fromkeys(metrics, 0)):
            self._writer.file_writer.add_summary(summary)

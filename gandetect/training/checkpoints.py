"""A generator's folder: every epoch's weights, what resuming needs, samples and the history.

``epochs/0001/`` holds its networks as safetensors (a GAN's ``generator`` and ``discriminator``, and
``generator_average`` where it has one; a VAE's ``generator`` and ``encoder``), the sample grid, the
history's row and a record; the last epoch also holds the optimizers' states (read with
``weights_only=True``).
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from torch import nn

from gandetect import runs
from gandetect.training.images import sample_grid, write_animation

DISCRIMINATOR = "discriminator.safetensors"
RESUME = "resume.pt"
HISTORY = "history.csv"
SAMPLES = "samples.png"
NO_COLUMNS = ("class_shares", "cuda_graphs")  # of the history: no numbers, kept in records alone


class Trainable(Protocol):
    """The state of a generator's training: networks and optimizers, by their names on the disk."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Each is kept as ``<name>.safetensors``; the generator is one of them."""

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Their states are kept in ``resume.pt``."""


@dataclass(frozen=True)
class Gan:
    """Two networks and their optimizers: the state of an adversarial training.

    ``generator_average`` follows the generator where it is configured (`training.networks.follow`).
    """

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    generator_average: nn.Module | None = None

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Both networks by name, and the average where there is one."""
        both = {"generator": self.generator, "discriminator": self.discriminator}
        if self.generator_average is None:
            return both
        return {**both, "generator_average": self.generator_average}

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Both optimizers, by the network that they update."""
        return {
            "generator": self.generator_optimizer,
            "discriminator": self.discriminator_optimizer,
        }


@dataclass(frozen=True)
class GanFolder:
    """``gans/<gan>/seed-<s>/`` of a run, for one stage digest."""

    path: Path
    digest: str
    warn: Callable[[str], None]

    def restore(self, trained: Trainable) -> int:
        """Load the last complete epoch; returns its number, 0 for a fresh start."""
        last = self.last_epoch()
        if last == 0:
            return 0
        folder = self.epoch_folder(last)
        for name, network in trained.networks.items():
            load_weights(network, folder / weights_file(name))
        state = load_state(folder / RESUME)
        for name, optimizer in trained.optimizers.items():
            optimizer.load_state_dict(state[name])
        return last

    def last_epoch(self) -> int:
        """Number of the last epoch that training can go on from; 0 when there is none.

        An epoch that was damaged or made by another configuration is never gone on from: the
        training starts afresh, with a warning.
        """
        folders = sorted((self.path / "epochs").glob("[0-9][0-9][0-9][0-9]"))
        for epoch, folder in enumerate(folders, start=1):
            problem = runs.problem_with(folder, self.digest)
            if folder != self.epoch_folder(epoch):
                problem = f"epoch {epoch:04d} before it is missing"
            if problem is None and folder == folders[-1]:
                record = runs.read_json(folder / runs.RECORD)
                problem = _resume_problem(folder, record["resume"])
            if problem is not None:
                self.warn(f"{self.path.name}: epoch {folder.name} is not used: {problem}; redone")
                shutil.rmtree(self.path)
                return 0
        return len(folders)

    def save_epoch(
        self, trained: Trainable, epoch: int, history: Mapping[str, Any], samples: NDArray[np.uint8]
    ) -> None:
        """Write an epoch, completely or not at all, and drop what only resuming needed before."""
        with runs.atomic_folder(self.epoch_folder(epoch)) as folder:
            for name, network in trained.networks.items():
                save_weights(network, folder / weights_file(name))
            sample_grid(samples).save(folder / SAMPLES)
            state = {name: optimizer.state_dict() for name, optimizer in trained.optimizers.items()}
            save_state(state, folder / RESUME)
            resume = runs.file_digest(folder / RESUME)
            files = [*map(weights_file, trained.networks), SAMPLES]
            runs.write_record(folder, self.digest, files, resume=resume, history=dict(history))
        if epoch > 1:
            (self.epoch_folder(epoch - 1) / RESUME).unlink(missing_ok=True)
        write_history(self.path / HISTORY, self.history(epoch))

    def finish(self, trained: Trainable, epochs: int) -> None:
        """Put the final weights, the samples and the animation beside the epochs."""
        for name, network in trained.networks.items():
            with runs.atomic_file(self.path / weights_file(name)) as temporary:
                save_weights(network, temporary)
        frames = [self.epoch_folder(epoch) / SAMPLES for epoch in range(1, epochs + 1)]
        for epoch, frame in enumerate(frames, start=1):
            target = self.path / "samples" / f"{epoch:04d}.png"
            with runs.atomic_file(target) as temporary:
                shutil.copyfile(frame, temporary)
        with runs.atomic_file(self.path / "samples.gif") as temporary:
            write_animation(frames, temporary)
        write_history(self.path / HISTORY, self.history(epochs))

    def epoch_folder(self, epoch: int) -> Path:
        """Where an epoch's files are; epochs count from 1."""
        return epoch_folder(self.path, epoch)

    def history(self, epochs: int) -> list[dict[str, Any]]:
        """The history's rows, one an epoch, from the epochs' records."""
        folders = [self.epoch_folder(epoch) for epoch in range(1, epochs + 1)]
        return [runs.read_json(folder / runs.RECORD)["history"] for folder in folders]


def epoch_folder(folder: Path, epoch: int | None) -> Path:
    """Where a training's files after an epoch are, counted from 1; its own folder for None."""
    return folder if epoch is None else folder / "epochs" / f"{epoch:04d}"


def weights_file(name: str) -> str:
    """The file that a network of that name is kept in."""
    return f"{name}.safetensors"


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's parameters and buffers as safetensors."""
    weights = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    path.write_bytes(save(weights))


def load_weights(network: nn.Module, path: Path) -> None:
    """Read safetensors into a network of the same architecture."""
    network.load_state_dict(load_file(path))


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Write what resuming needs beside the weights, such as the optimizers' states."""
    content = io.BytesIO()  # so that a full disk is an OSError, as for any file
    torch.save(dict(state), content)
    path.write_bytes(content.getbuffer())


def load_state(path: Path) -> dict[str, Any]:
    """Read it onto the CPU: a training that was begun on a GPU may go on without one."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def write_history(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a row for each epoch as CSV."""
    table = pd.DataFrame(rows).drop(columns=list(NO_COLUMNS), errors="ignore")
    runs.write_text(file, table.to_csv(index=False, lineterminator="\n"))


def _resume_problem(folder: Path, expected: str) -> str | None:
    if not (folder / RESUME).is_file():
        return f"its file {RESUME!r} is missing"
    if runs.file_digest(folder / RESUME) != expected:
        return f"its file {RESUME!r} was changed or truncated"
    return None

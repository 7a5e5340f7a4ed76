"""lightning's Trainer as a classifier's training wants it: quiet, and without files of its own."""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping

from gandetect.config.classifier import ClassifierConfig
from gandetect.events import Notify
from gandetect.training.batches import ALONE, Share
from gandetect.training.classifier_folder import ClassifierFolder
from gandetect.training.data_parallel import cluster_environment, layout


class EpochCheckpoint(
    Checkpoint
):  # lightning runs checkpoints last, when the early stopping has counted
    """Saves every epoch as it ends, then reports its figures; in the leading process."""

    def __init__(
        self, store: ClassifierFolder, stopper: EarlyStopping | None, notify: Notify
    ) -> None:
        self._store, self._stopper, self._notify = store, stopper, notify
        self._on_terminate = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: lightning.Trainer, task: Any) -> None:
        """Let a terminating worker end at once, as it would without lightning."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_terminate)

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: Any) -> None:
        """Save the epoch, and report its figures."""
        if not trainer.is_global_zero:
            return
        state = {
            "optimizer": trainer.optimizers[0].state_dict(),
            "schedule": task.schedule.state_dict() if task.schedule else None,
            "stopping": self._stopper.state_dict() if self._stopper else None,
        }
        self._store.save_epoch(task.classifier, state, task.past)
        row = task.past[-1]
        area = row["validation_auroc"]
        self._notify(
            {
                "event": "epoch",
                "epochs": task.config.epochs,
                "summary": (
                    f"train loss {row['train_loss']:.3f} acc {row['train_accuracy']:.3f}, "
                    f"val loss {row['validation_loss']:.3f} acc {row['validation_accuracy']:.3f}"
                    + ("" if area is None else f" AUROC {area:.3f}")
                ),
                **row,
            }
        )


def make_trainer(
    config: ClassifierConfig,
    device: torch.device,
    epochs: int,
    callbacks: list[Any],
    share: Share = ALONE,
) -> lightning.Trainer:
    """A trainer that draws no bars, writes no files and looks for no cluster.

    Processes that train together, each with its ``share``, average their gradients.
    """
    place: dict[str, Any] = {"plugins": [cluster_environment()], "strategy": "ddp"}
    if share.size == 1:
        own = 1 if device.type != "cuda" else [device.index or 0]
        place = {"plugins": [LightningEnvironment()], "devices": own}
    else:  # BatchNorm over the whole batch, for which torch has no code on a CPU
        place |= {**layout(), "sync_batchnorm": device.type == "cuda"}
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        precision="bf16-mixed" if config.precision == "bf16" else "32-true",
        max_epochs=epochs,
        callbacks=callbacks,
        default_root_dir=tempfile.gettempdir(),  # nothing is written there
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **place,
    )


@contextmanager
def isolated_rng(device: torch.device) -> Iterator[None]:
    """Restore torch's random state after lightning; silence its logs; let Ctrl-C through."""
    cuda = list(range(torch.cuda.device_count())) if device.type == "cuda" else []
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with torch.random.fork_rng(devices=cuda), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        except SystemExit as error:  # what lightning makes of Ctrl-C
            if isinstance(error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)

"""What lightning needs to know of a real/fake classifier: its loss, its optimizer, its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from gandetect.config.classifier import ClassifierConfig, ContrastiveConfig
from gandetect.events import Notify
from gandetect.models.classifiers import ImageClassifier
from gandetect.models.scaling import channels_last
from gandetect.randomness import integer_seed
from gandetect.statistics.decisions import binary_figures, confusion
from gandetect.statistics.ranking import auroc
from gandetect.training.batches import (
    ALONE,
    Batch,
    Batches,
    Share,
    augmented_afresh,
    training_batches,
)
from gandetect.training.contrastive import LATE, check_contrastive, contrastive_loss
from gandetect.training.data_parallel import everywhere, gathered
from gandetect.training.epochs import stop_unless_finite
from gandetect.training.examples import Examples
from gandetect.training.optimizers import make_optimizer, make_schedule

# A look at the losses makes a GPU wait, so there are few; but a slow step should not go unseen.
STEPS_BETWEEN_LOOKS = 25
SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True)
class Phase:
    """Epochs ``first`` to ``last``, trained with one optimizer that starts fresh."""

    first: int
    last: int
    trainable: tuple[str, ...]
    learning_rate: float
    pretraining: bool = False  # the last layer does not train yet: never the best epoch


def phases(config: ClassifierConfig) -> list[Phase]:
    """The phases of a training; one for all epochs where the configuration names none.

    Pairwise learning brings phases of its own, in place of the schedule. Raises `UsageError` for
    what it cannot be combined with.
    """
    check_contrastive(config)
    if config.contrastive is not None:
        return _contrastive_phases(config, config.contrastive)
    if not config.phases:
        rate = config.optimizer.learning_rate
        return [Phase(1, config.epochs, config.trainable, rate)]
    ends = np.cumsum([phase.epochs for phase in config.phases]).tolist()
    return [
        Phase(end - phase.epochs + 1, end, phase.trainable, phase.learning_rate)
        for phase, end in zip(config.phases, ends, strict=True)
    ]


def _contrastive_phases(config: ClassifierConfig, pairs: ContrastiveConfig) -> list[Phase]:
    """Pairs, then cross-entropy, then cross-entropy at the late learning rate."""
    between = max(pairs.epochs, LATE - 1)
    rates = (pairs.learning_rate, config.optimizer.learning_rate, pairs.late_learning_rate)
    first, phases = 1, []
    for last, rate in zip((pairs.epochs, between, config.epochs), rates, strict=True):
        last = min(last, config.epochs)
        if first <= last:
            phases.append(Phase(first, last, config.trainable, rate, last <= pairs.epochs))
        first = last + 1
    return phases


class SupervisedTask(lightning.LightningModule):
    """One phase of a training, for lightning's Trainer; ``history`` grows by a row an epoch."""

    def __init__(
        self,
        config: ClassifierConfig,
        classifier: ImageClassifier,
        phase: Phase,
        train: Examples,
        validation: Examples,
        seed: int,
        history: list[dict[str, Any]],
        state: Mapping[str, Any] | None,
        notify: Notify,
        share: Share = ALONE,
    ) -> None:
        super().__init__()
        self.share = share
        self.config, self.classifier, self.phase = config, classifier, phase
        self.train_examples, self.validation_examples = train, validation
        self.seed, self.past, self.state, self.notify = seed, history, state, notify
        self.schedule: Any = None
        self._sizes: dict[str, list[int]] = {}
        contrastive = config.contrastive if phase.pretraining else None
        self.pairs = contrastive if contrastive and contrastive.weight else None

    @property
    def epoch(self) -> int:
        """The epoch under way, from 1."""
        return len(self.past) + 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make the phase's optimizer and schedule, as they were if the phase goes on."""
        trained = [one for one in self.classifier.parameters() if one.requires_grad]
        optimizer = make_optimizer(self.config.optimizer, trained, self.phase.learning_rate)
        if self.config.contrastive is None:  # whose phases are its schedule
            self.schedule = make_schedule(self.config.schedule, optimizer)
        if self.state is not None:
            optimizer.load_state_dict(self.state["optimizer"])
            if self.schedule is not None:
                self.schedule.load_state_dict(self.state["schedule"])
        return optimizer

    def train_dataloader(self) -> Batches:
        """This epoch's batches; the trainer asks for them anew in every epoch."""
        batches = training_batches(
            self.config, self.train_examples, seed=self.seed, epoch=self.epoch, share=self.share
        )
        self._sizes["train"] = batches.sizes()
        return batches

    def val_dataloader(self) -> Batches:
        """All validation examples, as they are."""
        rows = np.arange(len(self.validation_examples))
        batches = Batches(self.validation_examples, self.config, rows, share=self.share)
        self._sizes["validation"] = batches.sizes()
        return batches

    def on_train_epoch_start(self) -> None:
        """Start the epoch's clock and its dropout's stream."""
        purpose = "dropout" if self.share.rank == 0 else f"dropout of process {self.share.rank}"
        torch.manual_seed(integer_seed(self.seed, purpose, self.epoch))
        self.classifier.train()
        self._seen: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {"train": [], "validation": []}
        self._pair_losses: list[Tensor] = []
        self._started = self._looked = perf_counter()
        self._looked_at = 0
        self._learning_rate = self.trainer.optimizers[0].param_groups[0]["lr"]

    def training_step(self, batch: Batch, number: int) -> Tensor:
        """The loss of one batch, by image or by pair; says now and then how far training is."""
        images, labels = batch
        cut = augmented_afresh(self.config, self.train_examples)
        ready = self.classifier.normalise(images) if cut else self.classifier.prepare(images)
        embedded = self.classifier.embed(channels_last(ready))
        classified = embedded.detach() if self.pairs else embedded
        losses = self._losses("train", number, classified, labels)
        if self.pairs:
            loss = contrastive_loss(embedded.float(), labels, self.pairs.margin)
            self._pair_losses.append(loss.detach())
        else:
            loss = losses.mean()
        if self.share.size > 1:
            loss = loss * self.share.weight(self._sizes["train"][number])
        if self._time_to_look(number + 1):
            self._look(number + 1)
        return loss

    def validation_step(self, batch: Batch, number: int) -> None:
        """Judge one batch as the finished detector would."""
        if number == 0:
            self._trained = perf_counter()
        embedded = self.classifier.embed(channels_last(self.classifier.prepare(batch[0])))
        self._losses("validation", number, embedded, batch[1])

    def on_train_epoch_end(self) -> None:
        """Put the epoch's figures into the history, and let the learning rate fall."""
        train, validation = (self._figures(split) for split in ("train", "validation"))
        taken = self._trained - self._started
        monitors = {f"validation_{name}": value for name, value in validation.items()}
        self.past.append(
            {
                "epoch": self.epoch,
                "learning_rate": self._learning_rate,
                "seconds": perf_counter() - self._started,
                "images_per_second": len(self.train_examples) / taken,
                **{f"train_{name}": value for name, value in train.items()},
                **monitors,
            }
        )
        if self.config.contrastive is not None:  # None where images are trained on one by one
            losses = [float(loss) for loss in self._pair_losses]
            self.past[-1]["train_pair_loss"] = float(np.mean(losses)) if losses else None
        known = {name: np.nan if value is None else value for name, value in monitors.items()}
        self.log_dict(known)
        if isinstance(self.schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.schedule.step(known[f"validation_{self.config.schedule.monitor}"])
        elif self.schedule is not None:
            self.schedule.step()

    def _losses(self, split: str, number: int, embedded: Tensor, labels: Tensor) -> Tensor:
        """The loss of each image ``(B,)`` of a batch, of what the head makes of `embedded`."""
        logits = self.classifier.head(embedded).float()
        if self.config.loss == "bce":
            losses = functional.binary_cross_entropy_with_logits(
                logits.squeeze(1), labels.float(), reduction="none"
            )
        else:
            losses = functional.cross_entropy(logits, labels, reduction="none")
        log_odds = self.classifier.log_odds(logits.detach())
        limit = None if self.share.counts(self._sizes[split][number]) else 0
        self._seen[split].append((losses.detach()[:limit], log_odds[:limit], labels[:limit]))
        return losses

    def _time_to_look(self, step: int) -> bool:
        # Processes that train together look at the same steps, whatever the time is for each.
        patient = self.share.size > 1
        waited = not patient and perf_counter() - self._looked > SECONDS_BETWEEN_LOOKS
        last = step == self.trainer.num_training_batches
        return waited or last or step - self._looked_at == STEPS_BETWEEN_LOOKS

    def _look(self, step: int) -> None:
        self._stop_unless_finite("train")
        losses, log_odds, labels = self._gathered("train", self._looked_at)
        right = float(((log_odds > 0) == (labels == 1)).float().mean())
        summary = f"train loss {float(losses.mean()):.3f} acc {right:.3f}"
        if self.pairs:
            summary = f"pair loss {float(torch.stack(self._pair_losses).mean()):.3f}"
        steps, now = int(self.trainer.num_training_batches), perf_counter()
        self.notify(
            {
                "event": "step",
                "done": (self.epoch - 1) * steps + step,
                "total": self.config.epochs * steps,
                "epoch": self.epoch,
                "epochs": self.config.epochs,
                "images_per_second": len(losses) / (now - self._looked),
                "summary": summary,
            }
        )
        self._looked, self._looked_at = now, step

    def _figures(self, split: str) -> dict[str, float | None]:
        self._stop_unless_finite(split)
        losses, log_odds, labels = (one.cpu().numpy() for one in self._gathered(split))
        return figures(float(losses.mean(dtype=np.float64)), log_odds, labels)

    def _gathered(self, split: str, start: int = 0) -> Sequence[Tensor]:
        columns = [torch.cat(column) for column in zip(*self._seen[split][start:], strict=True)]
        return gathered(columns) if self.share.size > 1 else columns

    def _stop_unless_finite(self, split: str) -> None:
        losses = self._pair_losses if self.pairs else [row[0] for row in self._seen[split]]
        finite = torch.stack([loss.isfinite().all() for loss in losses])
        if self.share.size > 1:
            finite = everywhere(finite)
        stop_unless_finite(finite, self.epoch, f"{split} loss")


def figures(loss: float, log_odds: NDArray[Any], labels: NDArray[Any]) -> dict[str, float | None]:
    """A split's figures at the native threshold, generated being positive.

    ``log_odds`` and ``labels`` are ``(N,)``. AUROC is None where one label is absent.
    """
    generated, real = log_odds[labels == 1], log_odds[labels == 0]
    answers = binary_figures(confusion(generated, real, 0.0))
    area = auroc(generated, real)[0] if len(generated) and len(real) else None
    return {"loss": loss, "accuracy": answers.pop("accuracy"), "auroc": area, **answers}

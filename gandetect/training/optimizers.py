"""A classifier's optimizer, and how its learning rate falls."""

from __future__ import annotations

from typing import Any

import torch

from gandetect.config.classifier import ClassifierOptimizerConfig, ScheduleConfig


def make_optimizer(
    config: ClassifierOptimizerConfig, parameters: list[Any], learning_rate: float
) -> torch.optim.Optimizer:
    """The configuration's optimizer for these parameters."""
    decay = config.weight_decay
    if config.name == "sgd":
        return torch.optim.SGD(parameters, learning_rate, config.momentum, weight_decay=decay)
    if config.name == "adadelta":
        return torch.optim.Adadelta(parameters, learning_rate, weight_decay=decay)
    return torch.optim.Adam(parameters, learning_rate, weight_decay=decay)


def make_schedule(config: ScheduleConfig, optimizer: torch.optim.Optimizer) -> Any:
    """How the learning rate falls, stepped once an epoch; None when it does not."""
    if config.name == "constant":
        return None
    if config.name == "plateau":
        return torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode="min" if config.monitor == "loss" else "max",
            factor=config.factor,
            patience=config.patience,
            min_lr=config.minimum,
        )
    lowest = min(config.minimum / optimizer.param_groups[0]["lr"], 1.0)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: max(config.factor ** (done // config.epochs), lowest)
    )

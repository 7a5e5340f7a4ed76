"""Learning rates fall as a schedule says, and never below its minimum."""

from __future__ import annotations

import pytest
import torch

from gandetect.config.classifier import ClassifierOptimizerConfig, ScheduleConfig
from gandetect.training.optimizers import make_optimizer, make_schedule


def rates(schedule: ScheduleConfig, figures: list[float], start: float = 0.1) -> list[float]:
    """The learning rate of each epoch, of which each ends with a validation figure."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = make_optimizer(ClassifierOptimizerConfig(name="sgd"), [weight], start)
    falls = make_schedule(schedule, optimizer)
    found = []
    for figure in figures:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if isinstance(falls, torch.optim.lr_scheduler.ReduceLROnPlateau):
            falls.step(figure)
        elif falls is not None:
            falls.step()
    return found


def test_a_constant_rate_stays() -> None:
    assert rates(ScheduleConfig(name="constant"), [0.0] * 4) == [0.1] * 4


def test_steps_fall_by_a_factor_every_so_many_epochs_down_to_the_minimum() -> None:
    schedule = ScheduleConfig(name="step", factor=0.1, epochs=2, minimum=5e-4)
    expected = [0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3, 5e-4, 5e-4]
    assert rates(schedule, [0.0] * 8) == pytest.approx(expected)


def test_a_minimum_above_the_rate_does_not_raise_it() -> None:
    schedule = ScheduleConfig(name="step", factor=0.1, epochs=1, minimum=0.5)
    assert rates(schedule, [0.0] * 3) == pytest.approx([0.1] * 3)


@pytest.mark.parametrize(
    ("monitor", "figures"),
    [("loss", [3.0, 2.0, 2.0, 2.5, 2.0, 2.0]), ("accuracy", [0.1, 0.2, 0.2, 0.1, 0.2, 0.2])],
)
def test_a_plateau_is_waited_for_and_then_the_rate_falls(monitor, figures) -> None:
    schedule = ScheduleConfig(name="plateau", monitor=monitor, factor=0.5, patience=1, minimum=0.04)
    found = rates(schedule, [*figures, figures[-1], figures[-1]])
    assert found == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.04, 0.04])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD), ("adadelta", torch.optim.Adadelta)],
)
def test_an_optimizer_has_the_rate_and_the_decay_it_was_given(name, kind) -> None:
    momentum = {"momentum": 0.8} if name == "sgd" else {}
    config = ClassifierOptimizerConfig(name=name, weight_decay=0.25, **momentum)
    optimizer = make_optimizer(config, [torch.nn.Parameter(torch.zeros(1))], 0.5)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)
    assert group.get("momentum", 0.8) == 0.8

"""An epoch's batches, and what is told of it on the way."""

from __future__ import annotations

import time
from itertools import chain

import pytest
import torch

from gandetect.config import GanConfig, parse_experiment
from gandetect.errors import TrainingError
from gandetect.training.epochs import STEPS_BETWEEN_LOOKS, real_batches, report_progress


def config(**changes: object) -> GanConfig:
    gan = {"architecture": "dcgan-plain", "epochs": 3, "batch_size": 8, **changes}
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


def places(gan: GanConfig, images: int, seed: int = 0, epoch: int = 1) -> list[list[int]]:
    reals = torch.zeros(images, 1, 28, 28, dtype=torch.uint8)
    return [batch.tolist() for batch in real_batches(gan, reals, seed, epoch)]


def test_a_pass_takes_every_image_once_and_leaves_out_what_fills_no_batch() -> None:
    gan = config(sampling="shuffled", steps_per_epoch=None)
    batches = places(gan, 35)
    assert [len(one) for one in batches] == [8] * 4
    taken = [*chain(*batches)]
    assert len(set(taken)) == 32
    assert set(taken) <= set(range(35))
    assert batches == places(gan, 35)
    assert batches != places(gan, 35, epoch=2)
    assert batches != places(gan, 35, seed=1)


def test_more_steps_than_images_go_through_them_again_in_another_order() -> None:
    gan = config(sampling="shuffled", steps_per_epoch=4)
    taken = [*chain(*places(gan, 12))]
    assert len(taken) == 32
    first, second = taken[:12], taken[12:24]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert len(set(taken[24:])) == 8


def test_draws_with_replacement_take_some_twice_and_reach_all() -> None:
    gan = config(sampling="with-replacement", steps_per_epoch=60)
    taken = [*chain(*places(gan, 40))]
    assert set(taken) == set(range(40))
    assert len(set(taken[:40])) < 40


def looks(steps: int, statistics: torch.Tensor, epoch: int = 2) -> list[dict]:
    events: list = []
    for step in range(steps):
        report_progress(config(), statistics, step, ("D", "G"), epoch=epoch,
             started=time.perf_counter() - 2.0, notify=events.append)  # fmt: skip
    return events


def test_progress_is_told_now_and_then_and_at_the_last_step() -> None:
    steps = 2 * STEPS_BETWEEN_LOOKS + 3
    statistics = torch.stack([torch.arange(steps) + 0.25, -torch.arange(steps), torch.zeros(steps)])
    events = looks(steps, statistics.T)
    done = [STEPS_BETWEEN_LOOKS, 2 * STEPS_BETWEEN_LOOKS, steps]
    assert [event["done"] for event in events] == [steps + one for one in done]
    assert {event["total"] for event in events} == {3 * steps}
    assert {(event["epoch"], event["epochs"]) for event in events} == {(2, 3)}
    assert events[-1]["summary"] == f"D {steps - 1 + 0.25:.2f} G {1 - steps:.2f}"
    assert events[0]["images_per_second"] == pytest.approx(done[0] * 8 / 2.0, rel=0.05)


@pytest.mark.parametrize(("column", "stops"), [(0, True), (1, True), (2, False)])
def test_a_loss_that_is_not_finite_is_told_with_its_step_and_other_figures_are_none(
    column, stops
) -> None:
    statistics = torch.zeros(4, 3)
    statistics[2, column] = torch.inf
    if not stops:
        assert len(looks(4, statistics)) == 1
        return
    with pytest.raises(TrainingError, match="not finite at epoch 2, step 3;"):
        looks(4, statistics)

"""Fine-tuning with frozen generators: it learns, it repeats, and it says when it cannot."""

from functools import cached_property

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gandetect.config import GanConfig
from gandetect.data.class_images import ClassImages
from gandetect.detectors.fine_tuned import FineTuned
from gandetect.detectors.fine_tuning import (
    STATISTICS,
    _batches,
    _hard_fakes,
    fine_tune,
    trains_as,
)
from gandetect.detectors.validation import Validation
from gandetect.errors import TrainingError
from gandetect.training.networks import build_gan

CPU = torch.device("cpu")
GAN = GanConfig.model_validate(
    {
        "architecture": "dcgan-bn",
        "instance_noise": 0.1,
        "replay": {"share": 0.5},
        "discriminator_optimizer": {"name": "rmsprop", "betas": [0.5, 0.9]},
    }
)


def config(**keys) -> FineTuned:
    given = {"updates": 3, "batch_size": 8, "negatives": {"kinds": ["jigsaw"]}, **keys}
    return FineTuned(kind="fine-tuned", name="tuned", gan="dcgan-bn", **given)


@pytest.fixture(scope="module")
def reals(fashion_mnist: ClassImages) -> np.ndarray:
    return fashion_mnist.train_images[:40]


def tuned(reals, seed=0, unchecked=None, validation=None, **keys):
    """A fresh discriminator after learning reals against their negatives, and its history."""
    network = build_gan(GAN, 28, 1, 0, CPU).discriminator
    events: list = []
    history = fine_tune(
        config(**keys).model_copy(update=unchecked), GAN, network, reals, 255 - reals, seed=seed,
        device=CPU, notify=events.append, validation=validation,
    )  # fmt: skip
    assert events[-1]["done"] == events[-1]["total"]
    return network, history


def weights(network: torch.nn.Module) -> bytes:
    return save({name: one.contiguous() for name, one in network.state_dict().items()})


def test_the_same_seed_gives_the_same_bytes(reals) -> None:
    first, again, other = (weights(tuned(reals, seed)[0]) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_processing_changes_what_is_learnt_and_repeats(reals) -> None:
    first, again = (weights(tuned(reals, processing="uploads")[0]) for _ in range(2))
    assert first == again
    assert first != weights(tuned(reals)[0])


def test_it_learns_what_is_real(reals) -> None:
    network, history = tuned(reals, updates=30, negatives={}, learning_rate=1e-3)
    assert [set(row) for row in history] == [{"update", *STATISTICS}]
    assert history[0]["update"] == 30
    scaled = [torch.from_numpy(one / np.float32(127.5) - 1) for one in (reals, 255 - reals)]
    with torch.inference_mode():
        real, fake = (network.eval()(images) for images in scaled)
    assert real.min() > fake.max()


def test_rows_of_the_history_end_with_the_last_update(reals, monkeypatch) -> None:
    monkeypatch.setattr("gandetect.detectors.fine_tuning.UPDATES_A_ROW", 2)
    _, history = tuned(reals, updates=5)
    assert [row["update"] for row in history] == [2, 4, 5]


def test_it_trains_as_its_gan_but_for_what_it_says_itself() -> None:
    processed = GAN.model_copy(update={"processing": config(processing="uploads").processing})
    how = trains_as(config(learning_rate=3e-4, diff_augment=["cutout"]), processed)
    assert how.processing == ()
    assert (how.loss, how.real_label, how.architecture) == (GAN.loss, 1.0, "dcgan-bn")
    assert (how.instance_noise, how.replay.share) == (0.0, 0.0)
    assert (how.negatives.kinds, how.diff_augment) == (("jigsaw",), ("cutout",))
    optimizer = how.discriminator_optimizer
    assert (optimizer.name, optimizer.learning_rate, optimizer.betas) == ("adam", 3e-4, (0.5, 0.9))


def test_spoilt_reals_change_what_is_learnt(reals) -> None:
    with_negatives, plain = (tuned(reals, negatives=one)[0] for one in ({"kinds": ["stitch"]}, {}))
    assert weights(with_negatives) != weights(plain)


class Seen(Validation):
    """Keeps the states that it sees, and finds the second better than all others."""

    auroc = (0.6, 0.9, 0.5, 0.4)

    @cached_property
    def states(self) -> list[bytes]:
        return []

    def figures(self, network, device):
        found = super().figures(network, device)
        self.states.append(weights(network))
        return {**found, "auroc": self.auroc[len(self.states) - 1]}


def test_the_best_state_is_kept_and_not_the_last(reals) -> None:
    seen = Seen(255 - reals[:9], {"held_back": reals[:9]})
    network, history = tuned(reals, updates=7, keep="best", validate_every=2, validation=seen)
    assert [row["update"] for row in history] == [2, 4, 6, 7]
    assert [row["auroc"] for row in history] == [*Seen.auroc]
    assert len(set(seen.states)) == 4
    assert weights(network) == seen.states[1]


def test_looking_at_validation_images_changes_nothing_that_is_learnt(reals) -> None:
    seen = [Seen(255 - reals[:9], {"held_back": reals[:9]}) for _ in range(2)]
    for one, every in zip(seen, (2, 3), strict=True):
        tuned(reals, updates=6, keep="best", validate_every=every, validation=one)
    assert seen[0].states[2] == seen[1].states[1] == weights(tuned(reals, updates=6)[0])


def test_hard_fakes_are_those_that_are_taken_for_real(reals) -> None:
    network = build_gan(GAN, 28, 1, 0, CPU).discriminator
    asked = config(updates=4, hard=0.5, validate_every=2)
    places = list(_hard_fakes(asked, network, reals, 0, "a test"))
    assert [len(one) for one in places] == [4, 4, 4, 4]
    assert network.training
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(reals / np.float32(127.5) - 1))
    hardest = set(logits.argsort(descending=True)[:4].tolist())  # a tenth of 40
    assert set(np.concatenate(places)) <= hardest
    assert len(set(np.concatenate(places))) > 1


def test_hard_fakes_take_the_place_of_a_batchs_first(reals) -> None:
    first = [np.array([3, 5]), np.array([7, 7])]
    given = reals, config(updates=2), 0, "a test", CPU
    plain, mined = list(_batches(*given)), list(_batches(*given, first))
    for batch, other, places in zip(plain, mined, first, strict=True):
        assert torch.equal(batch[2:], other[2:])
        expected = torch.from_numpy(reals[places] / np.float32(127.5) - 1)
        torch.testing.assert_close(other[:2], expected)
    assert weights(tuned(reals, hard=0.5)[0]) != weights(tuned(reals)[0])


def test_a_loss_that_is_not_finite_ends_it_with_its_update(reals) -> None:
    # Reals and fakes are learnt one after the other, so the first step spoils the second.
    with pytest.raises(TrainingError, match=r"'tuned' is not finite at update 1;"):
        tuned(reals, updates=4, unchecked={"learning_rate": 1e38})  # no file may say so

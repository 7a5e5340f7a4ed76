import math

import numpy as np
import pytest
import torch

from gandetect.config import VaeConfig, parse_experiment
from gandetect.errors import TrainingError
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.training.checkpoints import GanFolder
from gandetect.training.quality import QualityEvaluator
from gandetect.training.variational import (
    VARIANCE,
    build_vae,
    divergence,
    reconstruction,
    train_epoch,
    train_vae,
)

CPU = torch.device("cpu")


def config(**changes: object) -> VaeConfig:
    small = {"architecture": "vae", "epochs": 3, "steps_per_epoch": 2, "batch_size": 8}
    return parse_experiment({"name": "x", "gans": [{**small, **changes}]}).gans[0]


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def evaluator(images) -> QualityEvaluator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return QualityEvaluator(FeatureClassifier(), images, CPU)


def silent(event) -> None:
    pass


def train(config, images, path, evaluator, seed=0, notify=silent):
    folder = GanFolder(path, "digest", pytest.fail)
    arguments = {
        "seed": seed,
        "device": CPU,
        "evaluator": evaluator,
        "generated": 70,
        "notify": notify,
    }
    trained = train_vae(config, images, folder, **arguments)
    folder.finish(trained, config.epochs)
    return trained


def weights(vae) -> list[torch.Tensor]:
    return [*vae.decoder.state_dict().values(), *vae.encoder.state_dict().values()]


def test_the_reconstruction_is_a_gaussians_log_density() -> None:
    images = torch.tensor([[[[0.0, 1.0]]], [[[-1.0, 0.0]]]])
    decoded = torch.tensor([[[[0.5, 0.5]]], [[[-0.5, -1.0]]]])
    # By hand: log(pi) for two pixels, and the squared errors, .5 and 1.25.
    by_hand = math.log(math.pi) + (0.5 + 1.25) / 2
    assert float(reconstruction(images, decoded)) == pytest.approx(by_hand)
    normal = torch.distributions.Normal(decoded, math.sqrt(VARIANCE))
    assert by_hand == pytest.approx(float(-normal.log_prob(images).flatten(1).sum(1).mean()))


def test_the_divergence_is_kullback_and_leiblers() -> None:
    mean = torch.tensor([[0.0, 1.0], [2.0, -1.0]])
    log_variance = torch.tensor([[0.0, 0.0], [math.log(4.0), math.log(0.25)]])
    # By hand, (mean^2 + variance - 1 - log variance) / 2 of each: 0, .5; 3.5 - log 2, .125 + log 2.
    assert float(divergence(mean, log_variance)) == pytest.approx((0.5 + 3.625) / 2)
    assert float(divergence(torch.zeros(3, 100), torch.zeros(3, 100))) == 0.0


def test_going_on_equals_never_having_stopped_bit_for_bit(images, evaluator, tmp_path) -> None:
    whole = train(config(), images, tmp_path / "whole", evaluator)
    train(config(epochs=1), images, tmp_path / "parts", evaluator)
    resumed = train(config(), images, tmp_path / "parts", evaluator)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    for name in ("generator.safetensors", "encoder.safetensors", "samples.gif"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_a_seed_decides_everything_and_global_randomness_nothing(
    images, evaluator, tmp_path
) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = train(config(epochs=1), images, tmp_path / "a", evaluator)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    again = train(config(epochs=1), images, tmp_path / "b", evaluator)
    other = train(config(epochs=1), images, tmp_path / "c", evaluator, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert not torch.equal(weights(first)[0], weights(other)[0])


def test_every_epoch_keeps_both_networks_samples_and_a_row_of_history(
    images, evaluator, tmp_path
) -> None:
    events = []
    train(config(), images, tmp_path, evaluator, notify=events.append)
    both = {"generator.safetensors", "encoder.safetensors", "samples.png"}
    for epoch in ("0001", "0002", "0003"):
        kept = {path.name for path in (tmp_path / "epochs" / epoch).iterdir()}
        assert both <= kept
        assert ("resume.pt" in kept) == (epoch == "0003")
    assert not [*tmp_path.rglob("discriminator.safetensors")]
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,reconstruction,divergence,images_per_second,")
    assert len(lines) == 4
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2, 3]
    assert events[-2]["done"] == events[-2]["total"] == 6
    assert "divergence" in events[-1]["summary"]
    assert "FID" in events[-1]["summary"]


def test_a_damaged_encoder_is_named_and_trained_afresh(images, evaluator, tmp_path) -> None:
    train(config(epochs=1), images, tmp_path, evaluator)
    file = tmp_path / "epochs" / "0001" / "encoder.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    warnings: list[str] = []
    assert GanFolder(tmp_path, "digest", warnings.append).last_epoch() == 0
    assert "encoder.safetensors" in warnings[0]


def test_both_networks_learn_and_the_loss_falls(images) -> None:
    dark = images // 8  # something that can be learnt of noise
    vae = build_vae(config(), 28, 1, 0, CPU)
    before = [value.clone() for value in weights(vae)]
    statistics = train_epoch(
        config(steps_per_epoch=30), vae, torch.from_numpy(dark), seed=0, epoch=1, notify=silent
    )
    assert not any(torch.equal(a, b) for a, b in zip(before, weights(vae), strict=True))
    losses = statistics.sum(1)
    assert losses[-5:].mean() < losses[:5].mean() - 100


def test_a_loss_that_is_not_finite_stops_with_epoch_and_step(images) -> None:
    vae = build_vae(config(), 28, 1, 0, CPU)
    vae.encoder.to_latents.weight.data.fill_(torch.nan)
    with pytest.raises(TrainingError, match="not finite at epoch 2, step 1;"):
        train_epoch(config(), vae, torch.from_numpy(images), seed=0, epoch=2, notify=silent)

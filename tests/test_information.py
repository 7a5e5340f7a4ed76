import json

import pytest

from gandetect.config import RECIPES
from gandetect.errors import UsageError
from gandetect.information import recipe_information, recipe_lines


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_told_layer_by_layer(recipe) -> None:
    facts = recipe_information(recipe)
    assert json.loads(json.dumps(facts)) == facts
    assert sum(row["parameters"] for row in facts["layers"]) == facts["parameters"]
    lines = list(recipe_lines(facts))
    assert all(any(line.startswith(f"{row['name']} ") for line in lines) for row in facts["layers"])
    assert f"{facts['parameters']:,} parameters" in lines
    assert len({len(line) for line in lines[2 : 3 + len(facts["layers"])]}) == 1  # a table


def test_cnn_small_is_told_as_its_source_tells_it() -> None:
    lines = list(recipe_lines(recipe_information("cnn-small")))
    assert lines[0] == "cnn-small: cnn-small on 3 x 128 x 128 images, weights none"
    assert "8,408,386 parameters" in lines
    assert "8,408,386 trainable (all)" in lines
    pool = next(line for line in lines if line.startswith("pool2 "))
    assert pool.split() == ["pool2", "MaxPool2d", "64", "x", "32", "x", "32", "0"]


def test_phases_are_told_with_what_they_train() -> None:
    facts = recipe_information("resnet50-staged")
    head, stage, everything = facts["trainable_parameters"]
    assert head < stage < everything == facts["parameters"]
    assert list(recipe_lines(facts))[-3:] == [
        f"phase 1: {head:,} trainable (head)",
        f"phase 2: {stage:,} trainable (head, layer4)",
        f"phase 3: {everything:,} trainable (all)",
    ]


def test_a_recipe_trained_by_binary_cross_entropy_has_one_output() -> None:
    facts = recipe_information("resnet50-frozen")
    assert facts["layers"][-1]["output"] == [1]
    assert facts["parameters"] == 24_557_633


def test_an_unknown_recipe_is_answered_with_the_near_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'resnet50-frozen'"):
        recipe_information("resnet50-frosen")

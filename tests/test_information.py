import json

import pytest
from click.testing import CliRunner

from gandetect import runs
from gandetect.cli import main
from gandetect.config import RECIPES, parse_experiment
from gandetect.errors import UsageError
from gandetect.information import recipe_information, recipe_lines, run_information, run_lines


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


def test_a_run_tells_when_its_stages_ran_and_how_busy_its_jobs_were(tmp_path) -> None:
    experiment = parse_experiment({"name": "x", "gans": [{"architecture": "dcgan-bn"}]})
    runs.open_run(tmp_path, experiment)
    started = "2026-01-01T00:00:0{}.000+00:00"
    stages = [("b", 2, 6.0), ("a", 0, 2.0), ("c", 2, 3.0)]
    rows = [{"stage": n, "started": started.format(at), "seconds": s} for n, at, s in stages]
    runs.write_json(tmp_path / "manifest.json", {"jobs": 2, "stages": rows})
    facts = run_information(tmp_path)
    assert [(one["stage"], one["start"], one["end"]) for one in facts["stages"]] == [
        ("a", 0.0, 2.0), ("b", 2.0, 8.0), ("c", 2.0, 5.0)
    ]  # fmt: skip
    assert facts["wall"] == 8.0
    assert facts["busy"] == 11 / 16
    *bars, last = run_lines(facts, 53)
    assert [line.count("#") for line in bars] == [10, 30, 15]
    assert [line.index("#") - bars[0].index("#") for line in bars] == [0, 10, 10]
    assert "busy 69%" in last


def test_a_folder_that_is_no_run_is_said(tmp_path) -> None:
    answer = CliRunner().invoke(main, ["info", str(tmp_path)])
    assert answer.exit_code == 1
    assert "is not a run folder" in answer.stderr


def test_what_there_is_is_told_with_its_sizes() -> None:
    answer = CliRunner().invoke(main, ["info", "--json"])
    facts = json.loads(answer.stdout)
    bn, plain = (facts["architectures"][name] for name in ("dcgan-bn", "dcgan-plain"))
    assert (bn["generator_parameters"], bn["discriminator_parameters"]) == (840705, 212865)
    assert (plain["generator_parameters"], plain["discriminator_parameters"]) == (2054785, 521345)
    assert "fp32" in facts["devices"]["cpu"]
    assert "one-class" in facts["detectors"]
    assert "cifar-10" in facts["data_sets"]
    recipes = facts["recipes"]
    assert list(recipes) == list(RECIPES)
    assert recipes["cnn-small"] == {"network": "cnn-small", "parameters": 8_408_386}

"""An editor with the schema accepts every shipped experiment, and underlines what is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from gandetect.cli import main
from gandetect.config import ARCHITECTURES, DATA_SETS, RECIPES
from gandetect.config.detector import detector_kinds
from gandetect.config.schema import experiment_schema

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = experiment_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_shipped_experiment_is_valid(validator: Draft202012Validator, path: Path) -> None:
    assert [*validator.iter_errors(tomllib.loads(path.read_text()))] == []


@pytest.mark.parametrize(
    ("table", "allowed"),
    [
        ({"nme": "x"}, False),
        ({"gans": [{"architecture": "dcgan-bm"}]}, False),
        ({"gans": [{"epochs": 3}]}, False),
        ({"gans": [{"architecture": "vae", "epochs": 3}]}, True),
        ({"gans": [{"architecture": "vae", "loss": "hinge"}]}, False),  # a key of GANs alone
        ({"gans": [{"architecture": "dense", "loss": "hinge"}]}, True),
        ({"gans": [{"architecture": "dcgan-bn", "epochs": "3"}]}, False),
        ({"gans": [{"architecture": "dcgan-bn", "processing": "uploads"}]}, True),
        ({"gans": [{"architecture": "dcgan-bn", "processing": "downloads"}]}, False),
        ({"gans": [{"architecture": "dcgan-bn", "discriminator": {"histogram": False}}]}, True),
        ({"detectors": [{"kind": "probe", "features_of": "dcgan-bn", "epochs": "last 3"}]}, True),
        ({"detectors": [{"kind": "probe", "epochs": "the last"}]}, False),
        ({"detectors": [{"kind": "selected", "neighbours": 5}]}, False),
        ({"sources": [{"name": "x", "label": "generated", "path": "fakes", "train": True}]}, True),
        ({"sources": [{"name": "x", "label": "real", "object": "a.b:c", "count": 50}]}, True),
        ({"sources": [{"name": "x", "label": "fake", "path": "fakes"}]}, False),
        ({"sources": [{"name": "x", "path": "fakes", "count": 50}]}, False),
        ({"classifiers": [{"recipe": "cnn-small", "epochs": 0}]}, False),
        ({"data": {"name": "svhn", "held_out": [3, "5"]}}, True),
        ({"data": {"name": "folder", "classes": {"a": "real", "b": "fake"}}}, False),
        ({"extends": "smoke.toml", "changes": ["gans.0.epochs=1"]}, True),
        ({"extends": "smoke.toml", "changes": ["gans.0.epochs"]}, False),
    ],
)
def test_keys_and_values_are_those_of_their_kind(
    validator: Draft202012Validator, table: dict[str, Any], allowed: bool
) -> None:
    assert validator.is_valid(table) == allowed


def test_everything_that_can_be_named_is_in_the_schema() -> None:
    text = json.dumps(experiment_schema())
    for name in (*ARCHITECTURES, *DATA_SETS, *RECIPES, *detector_kinds()):
        assert f'"{name}"' in text


def test_the_command_prints_or_writes_it(tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, ["schema"]).stdout
    assert json.loads(printed) == experiment_schema()
    path = tmp_path / "schema.json"
    assert CliRunner().invoke(main, ["schema", "--out", str(path)]).stdout == f"{path}\n"
    assert json.loads(path.read_text()) == experiment_schema()

"""A sweep over held-out classes: what it expands to, what it refuses, and a small one for real."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from gandetect import runs
from gandetect.cli import main
from gandetect.config import Experiment, parse_experiment
from gandetect.config.sweep import expand, is_sweep
from gandetect.data.fashion_mnist import CLASSES
from gandetect.errors import UsageError
from gandetect.study import Options, Study, joined, run_study, sweep
from gandetect.study.sweep import plan_sweep, run_sweep

EXPERIMENT = str(Path(__file__).parent.parent / "experiments" / "sweep.toml")
GAN = {"architecture": "dcgan-plain", "epochs": 1, "steps_per_epoch": 1}


def holding_out(held_out: object, **data: object) -> Experiment:
    return parse_experiment({"name": "x", "data": {"held_out": held_out, **data}, "gans": [GAN]})


def choices(experiment: Experiment) -> list[tuple[str, ...]]:
    return [one.data.held_out for one in expand(experiment, CLASSES)]


@pytest.mark.parametrize("size", range(1, 10))
def test_every_class_is_held_out_and_every_choice_holds_out_equally_many(size) -> None:
    found = choices(holding_out(f"sweep:{size}"))
    assert len(found) == -(-10 // size)
    assert all(len(set(choice)) == len(choice) == size for choice in found)
    assert {name for choice in found for name in choice} == set(CLASSES)
    first = [name for choice in found[:-1] for name in choice]
    assert len(set(first)) == len(first)  # only the last choice is filled up


def test_split_seed_alone_draws_the_groups() -> None:
    base = choices(holding_out("sweep:3"))
    assert choices(holding_out("sweep:3", images=2000, test_fraction=0.2)) == base
    assert choices(holding_out("sweep:3", split_seed=1)) != base


def test_a_list_of_lists_is_taken_as_it_stands_and_a_plain_experiment_gives_itself() -> None:
    assert choices(holding_out([["Sneaker", "Bag"], ["Shirt", 0]])) == [
        ("Sneaker", "Bag"),
        ("Shirt", 0),
    ]
    plain = holding_out(["Bag", 0])
    assert not is_sweep(plain)
    assert expand(plain, CLASSES) == [plain]
    assert not any(map(is_sweep, expand(holding_out("sweep:4"), CLASSES)))


def test_choices_differ_in_nothing_but_the_held_out_classes() -> None:
    sweep = holding_out("sweep:3", split_seed=7)
    for one in expand(sweep, CLASSES):
        same = one.data.model_copy(update={"held_out": "sweep:3"})
        assert one.model_copy(update={"data": same}) == sweep


@pytest.mark.parametrize("held_out", ["sweep:3", [["Bag", 0], ["Shirt"]], [["Bag"]]])
def test_a_sweep_is_written_as_toml_and_json_that_read_back_the_same(held_out) -> None:
    experiment = holding_out(held_out)
    for table in (
        tomllib.loads(runs.to_toml(experiment)),
        json.loads(json.dumps(experiment.model_dump(mode="json"))),
    ):
        again = parse_experiment(table)
        assert again == experiment
        assert again.digest() == experiment.digest()
    assert experiment.digest() != holding_out(["Bag"]).digest()


@pytest.mark.parametrize(
    ("held_out", "words"),
    [
        ("sweep:0", ["'sweep:0'", "at least 1"]),
        ("sweep:x", ["'sweep:x'", '"sweep:3"']),
        ("Bag", ["'Bag'", '["Bag", 0]']),
        ([["Bag"], "Shirt"], ["neither a list of classes", "sweep"]),
        ([True], ["neither a list of classes"]),
        ("sweep:10", ["all 10 classes", "sweep:1 to sweep:9"]),
        ([[], ["Bag"]], ["held_out is empty"]),
        ([["Bag", 8], ["Shirt"]], ["'Bag' twice"]),
        ([["Sneakers"], ["Bag"]], ["'Sneakers'", "did you mean 'Sneaker'?"]),
        ([["Bag", 0], ["Shirt"], [0, "bag"]], ["T-shirt/top, Bag twice", "number 1 and 3"]),
        (["Bag"], ["one choice of classes", '"sweep:3"']),
    ],
)
def test_a_bad_sweep_is_one_clear_sentence(held_out, words, tmp_path) -> None:
    with pytest.raises(UsageError) as raised:
        plan_sweep(holding_out(held_out), Options(tmp_path / "runs"))
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_a_study_refuses_a_sweep_before_it_writes_anything(tmp_path) -> None:
    with pytest.raises(UsageError, match="needs a plain experiment"):
        run_study(holding_out("sweep:3"), Options(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_a_dry_run_lists_every_choice_and_does_nothing(tmp_path) -> None:
    result = invoke("run", EXPERIMENT, "--dry-run", "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0
    for number in range(1, 5):
        assert f"# choice {number} of 4 (held out: " in result.stdout
    assert result.stdout.count("# Training dcgan-bn seed 0: to do") == 4
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", ["gan", "classifier"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_training_alone_needs_a_plain_experiment(command, more, tmp_path) -> None:
    result = invoke("train", command, EXPERIMENT, "--out", str(tmp_path / "runs"), *more)
    assert result.exit_code == 2
    assert "needs a plain experiment" in result.stderr
    assert not (tmp_path / "runs").exists()


def stand_in(studies: Mapping[str, Study], *_: object) -> None:
    """Leave what a sweep reads of its studies, in place of running them."""
    for study in studies.values():
        _stand_in(study.experiment, study.folder)


def _stand_in(experiment: Experiment, folder: Path) -> None:
    held_out = [CLASSES[number] for number in sweep._numbers(experiment, CLASSES)]
    common = {"detector": "d", "operating_point": "native", "seeds": [0], "ci95": [0.0, 1.0]}
    metrics = {
        "cells": [{"detector": "d", "detector_seed": 0, "operating_point": "native"}],
        "detectors": [{"detector": "d", "kind": "discriminator", "own": []}],
        "across_seeds": [{**common, "role": "own", "source": "s", "correct": [0.8], "n": [100]}],
        "by_class": [
            {**common, "class_name": name, "held_out": name in held_out, "delayed": 0.1, "n": 50}
            for name in CLASSES
        ],
    }
    if not (folder / "metrics.json").exists():
        runs.write_json(folder / "metrics.json", metrics)
        runs.write_json(folder / "data.json", {"held_out": held_out})


def test_the_report_is_written_once_and_again_when_a_study_has_changed(
    monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(joined, "run_studies", stand_in)
    experiment = holding_out("sweep:5")
    folder = run_sweep(experiment, Options(tmp_path))
    assert folder.parent == tmp_path
    written = (folder / "report.html").stat().st_mtime_ns
    assert run_sweep(experiment, Options(tmp_path)) == folder
    assert (folder / "report.html").stat().st_mtime_ns == written
    changed = next(folder.glob("choices/*/metrics.json"))
    changed.write_text(changed.read_text().replace('"delayed": 0.1', '"delayed": 0.3'))
    run_sweep(experiment, Options(tmp_path))
    shares = pd.read_csv(folder / "sweep.csv")["value"]
    assert {0.1, 0.3} <= set(shares)
    assert runs.load_study(folder) == experiment.with_precision("fp32")


def test_a_choice_that_fails_leaves_the_finished_ones_to_go_on_from(monkeypatch, tmp_path) -> None:
    done = []

    def interrupted(studies, *_):
        name, study = next(iter(studies.items()))
        stand_in({name: study})
        done.append(study.folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(joined, "run_studies", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(holding_out("sweep:5"), Options(tmp_path))
    monkeypatch.setattr(joined, "run_studies", stand_in)
    folder = run_sweep(holding_out("sweep:5"), Options(tmp_path))
    listed = json.loads((folder / "sweep.json").read_text())["choices"]
    assert folder / listed[0]["run"] == done[0]


@pytest.mark.slow
def test_a_small_sweep_on_the_real_images(monkeypatch, tmp_path) -> None:
    table = {
        "name": "tiny-sweep",
        "data": {"held_out": [["Sneaker", "Bag"], ["Shirt", 0], ["Bag", "Coat"]], "images": 1000},
        "gans": [GAN],
        "quality": {"classifier_epochs": 1, "generated": 100},
        "evaluation": {"own_generated": 60, "other_generated": 60},
    }
    folder = run_sweep(parse_experiment(table), Options(tmp_path, jobs=1))
    found = json.loads((folder / "sweep.json").read_text())
    held_out = [set(one["held_out"]) for one in found["choices"]]
    assert held_out == [{"Sneaker", "Bag"}, {"T-shirt/top", "Shirt"}, {"Bag", "Coat"}]
    for one in found["choices"]:  # each is an ordinary run, whose own figures are the sweep's
        run = folder / one["run"]
        assert (run / "report.html").stat().st_size > 0
        metrics = json.loads((run / "metrics.json").read_text())
        expected = {(row["class_name"], row["operating_point"]): row["delayed"]
                    for row in metrics["by_class"] if row["held_out"]}  # fmt: skip
        for row in found["by_class"]:
            share = dict(zip(row["held_out"]["choices"], row["held_out"]["delayed"], strict=True))
            assert share.get(one["choice"]) == expected.get(
                (row["class_name"], row["operating_point"])
            )
    bag = next(row for row in found["by_class"] if row["class_name"] == "Bag")
    assert (bag["held_out"]["choices"], bag["trained"]["choices"]) == ([1, 3], [2])
    for name in ("sweep.csv", "report.md", "report.html", "figures/classes-left-out.png"):
        assert (folder / name).stat().st_size > 0
    before = (folder / "report.html").stat().st_mtime_ns
    run_sweep(parse_experiment(table), Options(tmp_path, jobs=1))
    assert (folder / "report.html").stat().st_mtime_ns == before

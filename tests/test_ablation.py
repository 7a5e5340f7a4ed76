"""An ablation: what its ingredients expand to, what is refused, and a small one for real."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from shortcuts import in_this_process, without_audits, without_drawing

from gandetect import runs
from gandetect.cli import main
from gandetect.config import Experiment, parse_experiment
from gandetect.config.ablation import base_of, expand, is_ablation
from gandetect.errors import UsageError
from gandetect.study import Options
from gandetect.study.ablation import plan_ablation

PLAIN = {"architecture": "dcgan-plain", "epochs": 2, "steps_per_epoch": 1}
NORMED = {"architecture": "dcgan-bn", "epochs": 2, "steps_per_epoch": 1}
FURTHER = {**PLAIN, "name": "further", "role": "source"}
TABLE = {
    "name": "x",
    "gans": [PLAIN, NORMED, FURTHER],
    "classifiers": [{"recipe": "cnn-small", "name": "yardstick", "fakes_from": ["dcgan-bn"]}],
    "evaluation": {"trajectory": "all"},
}


def ablation(*ingredients: dict, **changes: object) -> Experiment:
    return parse_experiment({**TABLE, **changes, "ingredients": list(ingredients)})


def roles(experiment: Experiment) -> dict[str, str]:
    return {gan.name: gan.role for gan in experiment.gans}


def test_the_baseline_is_the_experiment_without_ingredients() -> None:
    experiment = ablation({"name": "smooth", "gans": {"real_label": 0.8}})
    parts = expand(experiment)
    assert list(parts) == ["baseline", "smooth"]
    plain = parse_experiment(TABLE)
    assert parts["baseline"] == plain.model_copy(update={"name": "baseline"})
    assert is_ablation(experiment)
    assert not any(map(is_ablation, parts.values()))


def test_changed_gans_stand_beside_those_that_everybody_is_tested_on() -> None:
    part = expand(ablation({"name": "smooth", "gans": {"real_label": 0.8}}))["smooth"]
    assert roles(part) == {
        "dcgan-plain": "source",
        "dcgan-bn": "source",
        "further": "source",
        "dcgan-plain+smooth": "detector",
        "dcgan-bn+smooth": "detector",
    }
    assert [gan.real_label for gan in part.gans] == [0.9, 1.0, 0.9, 0.8, 0.8]
    assert (part.name, part.evaluation.trajectory, part.classifiers) == ("smooth", "last", ())


def test_sources_keep_the_identity_of_their_training_so_that_they_are_taken_over() -> None:
    parts = expand(ablation({"name": "smooth", "gans": {"real_label": 0.8}}))
    trained = [gan.training_identity() for gan in parts["baseline"].gans]
    assert [gan.training_identity() for gan in parts["smooth"].gans][:3] == trained


def test_an_ingredient_switches_off_what_the_gan_has() -> None:
    gan = {**PLAIN, "discriminator": {"spectral_norm": True, "histogram": True}}
    off = {"name": "off", "gans": {"discriminator": {"spectral_norm": False}}}
    parts = expand(ablation(off, gans=[gan], classifiers=[]))
    before, after = parts["baseline"].gans[0], parts["off"].gans[1]
    assert (after.discriminator.spectral_norm, after.discriminator.histogram) == (None, True)
    assert "spectral_norm" in before.training_identity()["discriminator"]
    assert "spectral_norm" not in after.training_identity()["discriminator"]


def test_tables_merge_key_by_key() -> None:
    gan = {**PLAIN, "discriminator": {"dropout": 0.3}}
    changes = {
        "discriminator": {"spectral_norm": True},
        "discriminator_optimizer": {"learning_rate": 0.01},
    }
    part = expand(ablation({"name": "sn", "gans": changes}, gans=[gan], classifiers=[]))["sn"]
    changed = part.gans[1]
    assert (changed.discriminator.dropout, changed.discriminator.spectral_norm) == (0.3, True)
    assert changed.discriminator_optimizer.learning_rate == 0.01
    assert changed.discriminator_optimizer.betas == (0.5, 0.999)
    assert changed.generator_optimizer == part.gans[0].generator_optimizer


def test_a_loss_without_labels_does_away_with_smoothing() -> None:
    part = expand(ablation({"name": "ls", "gans": {"loss": "least-squares"}}))["ls"]
    assert {gan.real_label for gan in part.discriminators} == {1.0}


def test_detectors_and_classifiers_are_made_of_every_gan() -> None:
    parts = expand(
        ablation(
            {"name": "mean", "detectors": [{"kind": "checkpoint-ensemble"}]},
            {"name": "cnn", "classifiers": [{"epochs": 1}]},
            {
                "name": "one-class",
                "detectors": [
                    {"kind": "one-class", "method": "isolation-forest"},
                    {"kind": "one-class", "method": "one-class-svm", "features_of": "pixels"},
                ],
            },
        )
    )
    assert [(one.name, one.gan) for one in parts["mean"].detectors] == [
        ("dcgan-plain+mean", "dcgan-plain"),
        ("dcgan-bn+mean", "dcgan-bn"),
    ]
    assert parts["mean"].discriminators == ()
    made = parts["cnn"].classifiers
    assert [(one.name, one.fakes_from, one.recipe, one.epochs) for one in made] == [
        ("dcgan-plain+cnn", ("dcgan-plain",), "cnn-small", 1),
        ("dcgan-bn+cnn", ("dcgan-bn",), "cnn-small", 1),
    ]
    assert [(one.name, one.features_of) for one in parts["one-class"].detectors] == [
        ("dcgan-plain+one-class-1", "dcgan-plain"),
        ("dcgan-bn+one-class-1", "dcgan-bn"),
        ("one-class-2", "pixels"),
    ]


def test_what_names_its_fakes_is_made_once_and_keeps_its_name() -> None:
    both = ["dcgan-plain", "dcgan-bn"]
    tables = [
        {"name": "joint", "fakes_from": both},
        {"name": "out", "fakes_from": both, "leave_one_out": True},
    ]
    part = expand(ablation({"name": "several", "classifiers": tables}))["several"]
    assert [(one.name, one.left_out) for one in part.classifiers] == [
        ("joint", None),
        ("out-without-dcgan-plain", "dcgan-plain"),
        ("out-without-dcgan-bn", "dcgan-bn"),
    ]


def test_changed_gans_and_detectors_combine_to_detectors_of_the_variants() -> None:
    ingredient = {
        "name": "r1",
        "gans": {"penalty": {"name": "r1"}},
        "detectors": [{"kind": "fine-tuned", "updates": 5}],
    }
    part = expand(ablation(ingredient))["r1"]
    assert [(one.name, one.gan) for one in part.detectors] == [
        ("dcgan-plain+r1-fine-tuned", "dcgan-plain+r1"),
        ("dcgan-bn+r1-fine-tuned", "dcgan-bn+r1"),
    ]
    assert part.known_to("dcgan-bn+r1-fine-tuned") == ("dcgan-bn+r1",)


@pytest.mark.parametrize(
    ("known", "base"),
    [(["a"], "a"), (["a+x+y"], "a"), (["a+b"], "a+b"), (["a", "a+b+x"], "several"),
     ([], None), (["vae"], "vae")],
)  # fmt: skip
def test_the_gan_that_a_detector_is_made_of(known, base) -> None:
    assert base_of("any", known, ["a", "a+b"]) == base


def test_an_ablation_is_written_as_toml_and_json_that_read_back_the_same() -> None:
    experiment = ablation(
        {"name": "sn", "gans": {"discriminator": {"spectral_norm": True}}},
        {"name": "mean", "about": "of all", "detectors": [{"kind": "checkpoint-ensemble"}]},
    )
    for one in (experiment, *expand(experiment).values()):
        for table in (tomllib.loads(runs.to_toml(one)), json.loads(one.model_dump_json())):
            again = parse_experiment(table)
            assert again == one
            assert again.digest() == one.digest()
    assert expand(parse_experiment(experiment.model_dump(mode="json"))) == expand(experiment)


SMOOTH = {"name": "smooth", "gans": {"real_label": 0.8}}
LABELLED = {"data": {"name": "folder", "path": "x", "classes": {"a": "real", "b": "generated"}},
            "gans": [], "classifiers": [{"recipe": "cnn-small"}],
            "evaluation": {}}  # fmt: skip


@pytest.mark.parametrize(
    ("ingredients", "changes", "words"),
    [
        ([SMOOTH, SMOOTH], {}, ["'smooth'", "another name"]),
        ([{**SMOOTH, "name": "baseline"}], {}, ["'baseline'", "without any"]),
        ([SMOOTH], {"data": {"held_out": "sweep:3"}}, ["an ablation and a sweep"]),
        ([SMOOTH], LABELLED, ["[[ingredients]]", "bring their own fakes"]),
        ([SMOOTH], {"gans": [{**PLAIN, "role": "detector"}], "classifiers": []}, ['role "both"']),
        ([{**SMOOTH, "against": "hinge"}], {}, ["'smooth' is to be compared with 'hinge'"]),
        ([{**SMOOTH, "gans": {"role": "both"}}], {}, ["'smooth': gans sets 'role'"]),
        ([{**SMOOTH, "gans": {"real_label": -1}}], {}, ["ingredient 'smooth': ", "-1"]),
        ([{**SMOOTH, "gans": {"fake_label": 0.0, "discriminator": {"spectral_norm": False}}}], {},
         ["ingredient 'smooth': gans changes nothing, all that it gives"]),
        ([{**SMOOTH, "gans": {"lable": 1}}], {}, ["ingredient 'smooth': unknown key", "lable"]),
        ([{**SMOOTH, "gans": {"architecture": "x"}}], {}, ["ingredient 'smooth': arch", "'x'"]),
        ([{"name": "e", "detectors": [{"kind": "ensemble"}]}], {},
         ["ingredient 'e': kind of detector 'ensemble'", "choose one of: checkpoint-ensemble"]),
        ([{"name": "c", "classifiers": [{"fakes_from": ["dcgan"]}]}], {},
         ["ingredient 'c': fakes_from 'dcgan'"]),
        ([], {}, ["no [[ingredients]]"]),
    ],
)  # fmt: skip
def test_a_bad_ablation_is_one_clear_sentence(ingredients, changes, words, tmp_path) -> None:
    with pytest.raises(UsageError) as raised:
        plan_ablation(ablation(*ingredients, **changes), Options(tmp_path / "runs"))
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "runs").exists()


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def tiny(folder: Path) -> Path:
    """A file with two ingredients: a changed GAN, and a classifier."""
    table = {
        "name": "tiny",
        "data": {"images": 600},
        "gans": [{**PLAIN, "epochs": 1}],
        "quality": {"classifier_epochs": 1, "generated": 100},
        "evaluation": {"own_generated": 20, "other_generated": 20, "training_reals": 20},
        "ingredients": [
            {**SMOOTH, "about": "labels of 0.8"},
            {"name": "cnn", "classifiers": [{"epochs": 1, "images": 60}]},
        ],
    }
    path = folder / "tiny.toml"
    path.write_text(runs.to_toml(parse_experiment(table)))
    return path


@pytest.mark.parametrize("command", ["gan", "classifier"])
def test_training_alone_needs_a_plain_experiment(command, tmp_path) -> None:
    result = invoke("train", command, str(tiny(tmp_path)), "--out", str(tmp_path / "runs"))
    assert result.exit_code == 2
    assert "is an ablation" in result.stderr
    assert not (tmp_path / "runs").exists()


def test_more_ingredients_and_other_words_are_the_same_ablation() -> None:
    one = ablation(SMOOTH)
    assert ablation({**SMOOTH, "about": "other words"}).digest() == one.digest()
    assert ablation(SMOOTH, {"name": "hinge", "gans": {"loss": "hinge"}}).digest() == one.digest()
    assert one.model_copy(update={"ingredients": ()}).digest() != one.digest()


def test_one_ingredient_is_run_by_its_name(tmp_path) -> None:
    command = ("run", str(tiny(tmp_path)), "--dry-run", "--out", str(tmp_path / "runs"))
    chosen = invoke(*command, "--ingredient", "cnn")
    assert "# the baseline" in chosen.stdout
    assert "(cnn)" in chosen.stdout
    assert "(smooth)" not in chosen.stdout
    unknown = invoke(*command, "--ingredient", "cmm")
    assert unknown.exit_code == 2
    assert "choose one of: baseline, smooth, cnn" in unknown.stderr


def test_a_dry_run_lists_every_ingredient_and_does_nothing(tmp_path) -> None:
    result = invoke("run", str(tiny(tmp_path)), "--dry-run", "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0
    for words in ("# the baseline", "# ingredient 1 of 2 (smooth)", "# ingredient 2 of 2 (cnn)"):
        assert words in result.stdout
    assert "# Training dcgan-plain+smooth seed 0: to do" in result.stdout
    assert not (tmp_path / "runs").exists()


def test_a_small_ablation_trains_what_is_shared_once_and_goes_on(monkeypatch, tmp_path) -> None:
    in_this_process(monkeypatch)
    without_drawing(monkeypatch)
    # What each study's page and audit say is looked at elsewhere, and takes most of the time.
    monkeypatch.setattr("gandetect.analyses.build.PARTS", ())
    without_audits(monkeypatch)
    command = ("run", str(tiny(tmp_path)), "--out", str(tmp_path / "runs"), "--jobs", "1", "--json")
    first = invoke(*command)
    assert first.exit_code == 0, first.stderr
    for words in ("the baseline", "ingredient 1 of 2 (smooth)", "ingredient 2 of 2 (cnn)"):
        assert words in first.stderr
    folder = Path(json.loads(first.stdout)["run"])
    places = {
        one["ingredient"]: folder / one["run"]
        for one in json.loads((folder / "ablation.json").read_text())["ingredients"]
    }
    for name in ("smooth", "cnn"):  # one and the same file, and each report stands where it leads
        weights = "gans/dcgan-plain/seed-0/discriminator.safetensors"
        assert (places[name] / weights).samefile(places["baseline"] / weights)
        assert (places[name] / "report.html").is_file()
    found = json.loads((folder / "ablation.json").read_text())
    assert {(row["ingredient"], row["detector"]) for row in found["least"]} == {
        ("baseline", "dcgan-plain"),
        ("smooth", "dcgan-plain+smooth"),
        ("cnn", "dcgan-plain+cnn"),
    }
    written = (folder / "report.html").stat().st_mtime_ns
    (places["cnn"] / "record.json").unlink()  # as if it had been interrupted before its report
    again = invoke(*command)
    assert again.exit_code == 0
    assert "ingredient 2 of 2 (cnn)" in again.stderr
    assert "ingredient 1" not in again.stderr
    assert (folder / "report.html").stat().st_mtime_ns == written

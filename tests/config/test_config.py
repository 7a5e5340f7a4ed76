import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandetect.config import (
    RECIPES,
    ClassifierConfig,
    apply_override,
    load_experiment,
    parse_experiment,
)
from gandetect.errors import UsageError
from gandetect.runs import to_toml

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))
SMALL = {"name": "small", "gans": [{"architecture": "dcgan-bn"}]}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_file_is_valid(path: Path) -> None:
    assert load_experiment(path).name == path.stem


@settings(max_examples=30)
@given(
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True),
    held_out=st.lists(st.sampled_from(["Bag", "Coat", 3, "5"]), min_size=1, unique=True),
    epochs=st.integers(1, 99),
    rate=st.floats(1e-6, 1.0),
    question=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
)
def test_toml_written_reads_back_as_the_same_experiment(
    seeds, held_out, epochs, rate, question, tmp_path_factory
) -> None:
    gan = {"architecture": "dcgan-plain", "epochs": epochs}
    gan["generator_optimizer"] = {"learning_rate": rate}
    data = {"held_out": held_out}
    table = {"name": "x", "question": question, "seeds": seeds, "data": data, "gans": [gan]}
    experiment = parse_experiment(table)
    path = tmp_path_factory.mktemp("toml") / "study.toml"
    path.write_text(to_toml(experiment), encoding="utf-8")
    assert load_experiment(path) == experiment
    assert load_experiment(path).digest() == experiment.digest()


def test_digest_changes_with_what_changes_results_and_not_with_seeds() -> None:
    base = parse_experiment(SMALL)
    assert parse_experiment({**SMALL, "seeds": [3, 4]}).digest() == base.digest()
    other = {**SMALL, "gans": [{"architecture": "dcgan-bn", "epochs": 7}]}
    assert parse_experiment(other).digest() != base.digest()


def test_defaults_are_the_notebooks() -> None:
    bn, plain = (
        parse_experiment({"name": "x", "gans": [{"architecture": name}]}).gans[0]
        for name in ("dcgan-bn", "dcgan-plain")
    )
    assert (bn.batch_size, bn.discriminator_updates, bn.shared_noise) == (100, "separate", False)
    assert (bn.real_label, bn.discriminator_fakes) == (1.0, "inference")
    assert bn.generator_optimizer.learning_rate == 1e-3
    assert bn.generator_optimizer.betas == (0.9, 0.999)
    assert (plain.batch_size, plain.steps_per_epoch, plain.epochs) == (16, 3750, 10)
    assert (plain.discriminator_updates, plain.shared_noise) == ("joint", True)
    assert (plain.real_label, plain.sampling) == (0.9, "with-replacement")
    assert plain.discriminator_optimizer.learning_rate == 2e-4
    assert plain.discriminator_optimizer.betas == (0.5, 0.999)
    assert plain.generator_optimizer.eps == bn.generator_optimizer.eps == 1e-7


def test_one_optimizer_number_leaves_the_others_as_the_architecture_has_them() -> None:
    gan = {"architecture": "dcgan-plain", "generator_optimizer": {"learning_rate": 1e-5}}
    optimizer = parse_experiment({"name": "x", "gans": [gan]}).gans[0].generator_optimizer
    assert (optimizer.learning_rate, optimizer.betas) == (1e-5, (0.5, 0.999))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gans": [{"architecture": "dcgan-bm"}]}, ["'dcgan-bm'", "did you mean 'dcgan-bn'?"]),
        ({"gans": [{"architecture": "dcgan-bn", "epoch": 2}]}, ["'gans.0.epoch'", "'epochs'?"]),
        ({"gans": [{"architecture": "dcgan-bn", "epochs": 0}]}, ["gans.0.epochs = 0"]),
        ({"gans": [{"architecture": "dcgan-bn"}] * 2}, ["two GANs are named 'dcgan-bn'"]),
        ({"gans": []}, ["gans"]),
        ({"seeds": [1, 1]}, ["seeds: [1, 1] names 1 twice; give each once"]),
        ({"seeds": []}, ["seeds"]),
        ({"data": {"test_fraction": 1.5}}, ["data.test_fraction = 1.5"]),
        ({"data": {"name": "imagenet"}}, ["data set 'imagenet'", "fashion-mnist"]),
        ({"data": {"heldout": []}}, ["'data.heldout'", "did you mean 'held_out'?"]),
        ({"name": "../up"}, ["name = '../up'"]),
        ({"evaluation": {"calibrated_fpr": float("nan")}}, ["evaluation.calibrated_fpr"]),
        ({"evaluation": {"calibrated_confidence": 1.0}}, ["evaluation.calibrated_confidence"]),
        ({"evaluation": {"calibrated_confidence": 0.4}}, ["evaluation.calibrated_confidence"]),
        ({"evaluation": {"calibrated_by": "group"}}, ["evaluation.calibrated_by", "class"]),
        ({"gans": [{"architecture": "dcgan-bn", "real_label": 0.0}]}, ["larger"]),
    ],
)
def test_bad_values_are_named_with_what_is_allowed(change, words) -> None:
    with pytest.raises(UsageError) as raised:
        parse_experiment({**SMALL, **change})
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "\n" not in str(raised.value)


def test_overrides_reach_tables_lists_by_number_and_lists_by_name() -> None:
    table = {"name": "x", "gans": [{"architecture": "dcgan-bn"}]}
    apply_override(table, "data.max_images=2000")
    apply_override(table, "gans.0.epochs=3")
    apply_override(table, "gans.dcgan-bn.batch_size=8")
    apply_override(table, "question=why so")
    experiment = parse_experiment(table)
    assert (experiment.data.max_images, experiment.question) == (2000, "why so")
    assert (experiment.gans[0].epochs, experiment.gans[0].batch_size) == (3, 8)


BASE = """
name = "base"
question = "what for?"
[data]
max_images = 3000
held_out = ["Bag"]
[[gans]]
architecture = "dcgan-bn"
epochs = 9
[[gans]]
architecture = "dcgan-plain"
epochs = 9
"""


def variation_of(text: str, folder: Path, base: str = BASE) -> Path:
    (folder / "base.toml").write_text(base)
    (folder / "variation.toml").write_text(text)
    return folder / "variation.toml"


def test_a_file_that_extends_another_changes_what_it_says_and_nothing_else(tmp_path) -> None:
    changes = 'changes = ["gans.dcgan-plain.epochs=2"]'
    path = variation_of(
        f'extends = "base.toml"\nname = "short"\n{changes}\n[data]\nmax_images = 2000\n', tmp_path
    )
    changed, base = load_experiment(path), load_experiment(tmp_path / "base.toml")
    assert (changed.name, changed.question) == ("short", "what for?")
    assert (changed.data.max_images, changed.data.held_out) == (2000, base.data.held_out)
    assert [gan.epochs for gan in changed.gans] == [9, 2]
    assert load_experiment(path, ["gans.0.epochs=1"]).gans[0].epochs == 1


def test_a_variation_of_a_variation_has_the_changes_of_both(tmp_path) -> None:
    variation_of('extends = "base.toml"\nname = "short"\nchanges = ["gans.0.epochs=2"]', tmp_path)
    again = tmp_path / "again.toml"
    again.write_text('extends = "variation.toml"\nname = "again"\nchanges = ["gans.1.epochs=3"]')
    assert [gan.epochs for gan in load_experiment(again).gans] == [2, 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('extends = "none.toml"', "variation.toml: extends experiment file .*none.toml' does not"),
        ("extends = 3", "extends = 3 is not the name of an experiment file"),
        ('extends = "variation.toml"', "leads back to .*variation.toml; name another file"),
        ('extends = "base.toml"\nchanges = "a=1"', "changes = 'a=1' is not a list of strings"),
        ('extends = "base.toml"\nchanges = ["gans.7.a=1"]', "changes 'gans.7.a=1': no entry '7'"),
        ('changes = ["gans.0.epochs=1"]', "'extends' names, and it names none"),
    ],
)
def test_what_is_wrong_with_a_variation_is_told_in_one_sentence(text, sentence, tmp_path) -> None:
    path = variation_of(text, tmp_path)
    with pytest.raises(UsageError, match=sentence):
        load_experiment(path)


@pytest.mark.parametrize(
    "override", ["data.max_images", "=3", "gans.epochs=1", "name.x=1", "gans.7.a=1"]
)
def test_a_malformed_override_is_a_usage_error(override) -> None:
    with pytest.raises(UsageError, match="--set"):
        apply_override({"name": "x", "gans": [{"architecture": "dcgan-bn"}]}, override)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", None])
def test_an_unreadable_file_is_one_sentence(content, tmp_path) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.toml"):
        load_experiment(path)


def test_every_recipe_is_a_classifier() -> None:
    for name in RECIPES:
        one = ClassifierConfig.model_validate({"recipe": name})
        assert one.name == name
        assert ClassifierConfig.model_validate(one.model_dump()) == one


def test_a_key_of_a_table_leaves_the_recipes_other_keys() -> None:
    given = {"recipe": "resnet50-faces", "augmentation": {"rotation": 5.0}}
    one = ClassifierConfig.model_validate(given)
    assert (one.augmentation.rotation, one.augmentation.random_crop) == (5.0, True)


def test_against_a_gans_images_recipes_take_small_sizes() -> None:
    classifiers = [
        {"recipe": "cnn-small", "fakes_from": ["dcgan-bn"]},
        {"recipe": "resnet50-faces", "fakes_from": ["dcgan-bn"]},
        {"recipe": "resnet18", "fakes_from": ["dcgan-bn"], "image_size": 32},
    ]
    experiment = parse_experiment({**SMALL, "classifiers": classifiers})
    assert [one.stored_size for one in experiment.classifiers] == [28, 64, 32]


LABELLED = {
    "name": "own",
    "data": {"name": "folder", "path": "x", "classes": {"a": "real", "b": "generated"}},
    "classifiers": [{"recipe": "cnn-small"}],
}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({**LABELLED, "evaluation": {"calibrated_by": "class"}}, ["calibrated_by", "leave it out"]),
        ({**SMALL, "classifiers": [{"recipe": "cnn-smal"}]}, ["did you mean 'cnn-small'"]),
        ({**SMALL, "classifiers": [{"recipe": "cnn-small"}]}, ["no fakes", "fakes_from"]),
        (
            {**SMALL, "classifiers": [{"recipe": "cnn-small", "fakes_from": ["dcgan-bm"]}]},
            ["fakes_from 'dcgan-bm'", "did you mean 'dcgan-bn'"],
        ),
        (
            {**SMALL, "gans": [{"architecture": "dcgan-bn", "name": "validation"}]},
            ["'validation' is that of a group"],
        ),
        (
            {**LABELLED, "gans": [{"architecture": "dcgan-bn"}]},
            ["make the fakes of a study", "folder"],
        ),
        ({**LABELLED, "classifiers": []}, ["nothing to train"]),
        (
            {**LABELLED, "classifiers": [{"recipe": "cnn-small", "fakes_from": ["x"]}]},
            ["remove fakes_from"],
        ),
        (
            {**LABELLED, "data": {**LABELLED["data"], "leak": "augment-before-split"}},
            ["needs classifiers that all make the same number of copies"],
        ),
        (
            {**LABELLED, "data": {**LABELLED["data"], "classes": {"a": "real", "b": "real"}}},
            ["no class to train on is 'generated'"],
        ),
        (
            {**LABELLED, "data": {**LABELLED["data"], "held_out": ["c"]}},
            ["held_out class 'c'", "a, b"],
        ),
        (
            {**LABELLED, "data": {**LABELLED["data"], "test_fraction": 0.95}},
            ["leave nothing to train on"],
        ),
        ({**LABELLED, "data": {**LABELLED["data"], "group_pattern": "("}}, ["regular expression"]),
        ({**LABELLED, "data": {**LABELLED["data"], "pathh": "x"}}, ["did you mean 'path'"]),
        (
            {**LABELLED, "classifiers": [{"recipe": "cnn-small", "head": {"droput": 0.1}}]},
            ["'classifiers.0.head.droput'", "did you mean 'dropout'"],
        ),
        (
            {**LABELLED, "classifiers": [{"recipe": "resnet50-staged", "epochs": 3}]},
            ["epochs is 3", "phases last 15"],
        ),
        (
            {**LABELLED, "classifiers": [{"recipe": "cnn-small", "resize": 64}]},
            ["resize is 64, smaller than image_size 128"],
        ),
    ],
)
def test_what_is_wrong_with_classifiers_and_labelled_data_is_said(table, words) -> None:
    with pytest.raises(UsageError) as raised:
        parse_experiment(table)
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_published_figures_change_no_digest() -> None:
    figure = {"metric": "accuracy", "value": 0.78}
    one = {"recipe": "cnn-small", "published": [figure]}
    with_figures = parse_experiment({**LABELLED, "classifiers": [one]})
    assert with_figures.digest() == parse_experiment(LABELLED).digest()


def test_a_labelled_experiment_is_written_as_toml_that_reads_back_the_same() -> None:
    classes = {'a "b"': "real", "ü/x": "generated", "c.d": "ignored"}
    figure = {"metric": "f1", "value": 0.5, "note": 'not "ours"'}
    one = {"recipe": "resnet50-staged", "published": [figure]}
    table = {
        **LABELLED,
        "data": {**LABELLED["data"], "classes": classes, "group_pattern": r"^(\d+)\.x"},
        "classifiers": [one],
    }
    experiment = parse_experiment(table)
    assert parse_experiment(tomllib.loads(to_toml(experiment))) == experiment


@pytest.mark.parametrize("text", ["sometimes", "every 0", "every", ""])
def test_a_trajectory_of_no_epochs_is_one_sentence(text):
    table = {**SMALL, "evaluation": {"trajectory": text}}
    with pytest.raises(UsageError, match='names no epochs; give "all", "last"'):
        parse_experiment(table)


def test_a_perturbation_is_given_once():
    table = {**SMALL, "evaluation": {"perturbations": ["blur", "blur"]}}
    with pytest.raises(UsageError, match=r"evaluation\.perturbations: .* names 'blur' twice"):
        parse_experiment(table)

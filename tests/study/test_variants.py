"""Variants: what they expand to, what is refused, and a few small ones for real."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from shortcuts import in_this_process, without_audits, without_figures

from gandetect import runs
from gandetect.cli import main
from gandetect.config import Experiment, FashionMnistConfig, canonical_json, parse_experiment
from gandetect.config.variants import base_of, expand
from gandetect.errors import UsageError
from gandetect.study import Options, run_study
from gandetect.study.variants import plan_variants

PLAIN = {"architecture": "dcgan-plain", "epochs": 2, "steps_per_epoch": 1}
NORMED = {"architecture": "dcgan-bn", "epochs": 2, "steps_per_epoch": 1}
FURTHER = {**PLAIN, "name": "further", "role": "source"}
YARDSTICK = {"recipe": "cnn-small", "name": "yardstick", "fakes_from": ["dcgan-bn", "dcgan-plain"]}
TABLE = {
    "name": "x",
    "gans": [PLAIN, NORMED, FURTHER],
    "classifiers": [YARDSTICK],
    "evaluation": {"trajectory": "all"},
}
LABELLED = {
    "data": {"name": "folder", "path": "x",
             "classes": {"a": "real", "b": "generated", "c": "generated"}},
    "gans": [],
    "classifiers": [{"recipe": "cnn-small"}, {"recipe": "cnn-deep"}],
    "evaluation": {},
}  # fmt: skip


def variant(
    name: str, about: str = "", compared_with: str | None = None, **changes: object
) -> dict:
    return {"name": name, "about": about, "changes": changes}


def every(**changes: object) -> list[dict]:
    """The same change of every GAN."""
    return [{"name": "*", **changes}]


def varied(*variants: dict, **changes: object) -> Experiment:
    return parse_experiment({**TABLE, **changes, "variants": list(variants)})


def roles(experiment: Experiment) -> dict[str, str]:
    return {gan.name: gan.role for gan in experiment.gans}


SMOOTH = variant("smooth", gans=every(real_label=0.8))


def test_the_baseline_is_the_experiment_without_variants() -> None:
    parts = expand(varied(SMOOTH))
    assert list(parts) == ["baseline", "smooth"]
    plain = parse_experiment(TABLE)
    assert parts["baseline"] == plain.model_copy(update={"name": "baseline"})
    assert not any(part.variants for part in parts.values())


def test_changed_gans_stand_beside_those_that_everybody_is_tested_on() -> None:
    part = expand(varied(SMOOTH))["smooth"]
    assert roles(part) == {
        "dcgan-plain": "source",
        "dcgan-bn": "source",
        "further": "source",
        "dcgan-plain+smooth": "detector",
        "dcgan-bn+smooth": "detector",
    }
    assert [gan.real_label for gan in part.gans] == [0.9, 1.0, 0.9, 0.8, 0.8]
    assert (part.name, part.evaluation.trajectory, part.classifiers) == ("smooth", "last", ())


def test_one_gan_is_changed_by_its_name() -> None:
    part = expand(varied(variant("r1", gans=[{"name": "dcgan-bn", "penalty": {"name": "r1"}}])))[
        "r1"
    ]
    assert [name for name, role in roles(part).items() if role == "detector"] == ["dcgan-bn+r1"]


def test_sources_keep_the_identity_of_their_training_so_that_they_are_taken_over() -> None:
    parts = expand(varied(SMOOTH))
    trained = [gan.training_identity() for gan in parts["baseline"].gans]
    assert [gan.training_identity() for gan in parts["smooth"].gans][:3] == trained


def test_a_variant_switches_off_what_the_gan_has() -> None:
    gan = {**PLAIN, "discriminator": {"spectral_norm": True, "histogram": True}}
    off = variant("off", gans=every(discriminator={"spectral_norm": False}))
    after = expand(varied(off, gans=[gan], classifiers=[]))["off"].gans[1]
    assert (after.discriminator.spectral_norm, after.discriminator.histogram) == (None, True)


def test_tables_merge_key_by_key() -> None:
    gan = {**PLAIN, "discriminator": {"dropout": 0.3}}
    changes = {
        "discriminator": {"spectral_norm": True},
        "discriminator_optimizer": {"learning_rate": 0.01},
    }
    part = expand(varied(variant("sn", gans=every(**changes)), gans=[gan], classifiers=[]))["sn"]
    changed = part.gans[1]
    assert (changed.discriminator.dropout, changed.discriminator.spectral_norm) == (0.3, True)
    assert changed.discriminator_optimizer.learning_rate == 0.01
    assert changed.discriminator_optimizer.betas == (0.5, 0.999)
    assert changed.generator_optimizer == part.gans[0].generator_optimizer


def test_a_loss_without_labels_does_away_with_smoothing() -> None:
    part = expand(varied(variant("ls", gans=every(loss="least-squares"))))["ls"]
    assert {gan.real_label for gan in part.discriminators} == {1.0}


def test_a_new_entry_with_a_placeholder_is_made_of_every_gan() -> None:
    parts = expand(
        varied(
            variant("mean", detectors=[{"kind": "checkpoint-ensemble", "gan": "{gan}"}]),
            variant("cnn", classifiers=[
                {"recipe": "cnn-small", "fakes_from": ["{gan}"], "epochs": 1}]),
            variant("one-class", detectors=[
                {"kind": "one-class", "method": "isolation-forest", "features_of": "{gan}"},
                {"kind": "one-class", "method": "one-class-svm"}]),
        )
    )  # fmt: skip
    assert [(one.name, one.gan) for one in parts["mean"].detectors] == [
        ("dcgan-plain+mean", "dcgan-plain"),
        ("dcgan-bn+mean", "dcgan-bn"),
    ]
    assert parts["mean"].discriminators == ()
    assert [(one.name, one.fakes_from, one.epochs) for one in parts["cnn"].classifiers] == [
        ("dcgan-plain+cnn", ("dcgan-plain",), 1),
        ("dcgan-bn+cnn", ("dcgan-bn",), 1),
    ]
    assert [(one.name, one.features_of) for one in parts["one-class"].detectors] == [
        ("dcgan-plain+one-class", "dcgan-plain"),
        ("dcgan-bn+one-class", "dcgan-bn"),
        ("one-class", "pixels"),
    ]


def test_an_entry_of_a_known_name_is_changed_and_the_others_stand_in_the_baseline_alone() -> None:
    other = {"recipe": "cnn-small", "name": "other", "fakes_from": ["dcgan-bn"]}
    without = variant("out", classifiers=[{"name": "yardstick", "fakes_from": ["dcgan-bn"]}])
    part = expand(varied(without, classifiers=[YARDSTICK, other]))["out"]
    assert [(one.name, one.fakes_from) for one in part.classifiers] == [
        ("yardstick", ("dcgan-bn",))
    ]
    assert set(roles(part).values()) == {"source"}


def test_changed_gans_are_those_that_new_detectors_are_made_of() -> None:
    tuned = {"kind": "fine-tuned", "name": "{gan}+r1-tuned", "gan": "{gan}", "updates": 5}
    probe = {"kind": "probe", "name": "all", "features_of": ["dcgan-bn", "dcgan-plain"]}
    both = variant("r1", gans=every(penalty={"name": "r1"}), detectors=[tuned, probe])
    part = expand(varied(both))["r1"]
    *tunings, probed = part.detectors
    assert [(one.name, one.gan) for one in tunings] == [
        ("dcgan-plain+r1-tuned", "dcgan-plain+r1"),
        ("dcgan-bn+r1-tuned", "dcgan-bn+r1"),
    ]
    assert probed.features_of == ("dcgan-bn+r1", "dcgan-plain+r1")
    assert part.known_to("dcgan-bn+r1-tuned") == ("dcgan-bn+r1",)


def test_other_data_make_a_whole_study() -> None:
    bag = variant("bag", data={"held_out": ["Bag"]}, gans=every(epochs=3))
    part = expand(varied(bag))["bag"]
    assert part.data.held_out == ("Bag",)
    assert roles(part) == roles(parse_experiment(TABLE))
    assert [gan.epochs for gan in part.gans] == [3, 3, 2]
    assert (part.evaluation.trajectory, len(part.classifiers)) == ("all", 1)


def test_labelled_studies_vary_too() -> None:
    parts = expand(
        varied(
            variant("long", classifiers=[{"name": "cnn-small", "epochs": 30}]),
            variant("without-c", data={"held_out": ["c"]}),
            **LABELLED,
        )
    )
    assert [(one.name, one.epochs) for one in parts["long"].classifiers] == [("cnn-small", 30)]
    assert parts["without-c"].data.held_out == ("c",)
    assert len(parts["without-c"].classifiers) == 2


@pytest.mark.parametrize(
    ("known", "base"),
    [(["a"], "a"), (["a+x+y"], "a"), (["a+b"], "a+b"), (["a", "a+b+x"], "several"),
     ([], None), (["vae"], "vae")],
)  # fmt: skip
def test_the_gan_that_a_detector_is_made_of(known, base) -> None:
    assert base_of(known, ["a", "a+b"]) == base


def test_variants_are_written_as_toml_and_json_that_read_back_the_same() -> None:
    experiment = varied(
        variant("sn", gans=every(discriminator={"spectral_norm": True})),
        variant("mean", "of all", detectors=[{"kind": "checkpoint-ensemble", "gan": "{gan}"}]),
    )
    for one in (experiment, *expand(experiment).values()):
        for table in (tomllib.loads(runs.to_toml(one)), json.loads(one.model_dump_json())):
            again = parse_experiment(table)
            assert again == one
            assert again.digest() == one.digest()
    assert expand(parse_experiment(experiment.model_dump(mode="json"))) == expand(experiment)


def test_held_out_classes_are_one_list() -> None:
    with pytest.raises(UsageError, match=r"not a list of classes.*give \[\[variants\]\]"):
        parse_experiment({**TABLE, "data": {"held_out": [["Bag"], ["Coat"]]}})
    assert canonical_json(FashionMnistConfig().model_dump(mode="json")) == (
        '{"held_out":["Sneaker","Bag","Ankle boot"],"max_images":null,"name":"fashion-mnist",'
        '"selection":[],"split_seed":0,"test_fraction":0.1,"validation":[]}'
    )


@pytest.mark.parametrize(
    ("variants", "changes", "words"),
    [
        ([SMOOTH, SMOOTH], {}, ["'smooth'", "another name"]),
        ([{**SMOOTH, "name": "baseline"}], {}, ["'baseline'", "without any"]),
        ([variant("x", seeds=[3])], {}, ["'x': changes sets 'seeds'", "remove it"]),
        ([SMOOTH], {"gans": [{**PLAIN, "role": "detector"}], "classifiers": []},
         ["'smooth': changes.gans", 'role "both"']),
        ([SMOOTH], LABELLED, ["'smooth': changes.gans", 'role "both"']),
        ([{**SMOOTH, "compared_with": "hinge"}], {}, ["'smooth' is to be compared with 'hinge'"]),
        ([variant("r", gans=every(role="source"))], {}, ["'r': changes.gans sets role", "'both'"]),
        ([variant("c", classifiers=[{"name": "yardstick", "recipe": "cnn-deep"}])], {},
         ["'c': changes.classifiers sets recipe = 'cnn-deep' for 'yardstick'", "another name"]),
        ([variant("l", gans={"real_label": 0.8})], {}, ["'l': changes.gans", "a list of tables"]),
        ([variant("n", gans=every(real_label=-1))], {}, ["variant 'n': ", "-1"]),
        ([variant("n", gans=every(fake_label=0.0, discriminator={"spectral_norm": False}))], {},
         ["variant 'n' changes nothing, all that it gives"]),
        ([variant("n")], {}, ["variants.0.changes"]),
        ([variant("k", gans=every(lable=1))], {}, ["variant 'k': unknown key", "lable"]),
        ([variant("k", dat={"max_images": 600})], {}, ["variant 'k': unknown key 'dat'", "'data'"]),
        ([variant("e", detectors=[{"kind": "ensemble"}])], {},
         ["variant 'e': kind of detector 'ensemble'", "choose one of: checkpoint-ensemble"]),
        ([variant("c", classifiers=[{"recipe": "cnn-small", "fakes_from": ["dcgan"]}])], {},
         ["variant 'c': fakes_from 'dcgan'"]),
        ([variant("h", data={"held_out": ["Sneakers"]})], {},
         ["variant 'h': ", "'Sneakers'", "did you mean 'Sneaker'?"]),
        ([], {}, ["no [[variants]]"]),
    ],
)  # fmt: skip
def test_bad_variants_are_one_clear_sentence(variants, changes, words, tmp_path) -> None:
    with pytest.raises(UsageError) as raised:
        plan_variants(varied(*variants, **changes), Options(tmp_path / "runs"))
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_a_study_refuses_variants_before_it_writes_anything(tmp_path) -> None:
    with pytest.raises(UsageError, match="needs a plain experiment"):
        run_study(varied(SMOOTH), Options(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def tiny(folder: Path) -> Path:
    """A file with three variants: a changed GAN, a classifier, and other held-out classes."""
    table = {
        "name": "tiny",
        "data": {"max_images": 600},
        "gans": [{"architecture": "dense", "epochs": 1, "steps_per_epoch": 1, "batch_size": 8}],
        "quality": {"classifier_epochs": 1, "generated": 100},
        "evaluation": {"own_generated": 20, "other_generated": 20, "training_reals": 20},
        "variants": [
            {**SMOOTH, "about": "labels of 0.8"},
            variant(
                "cnn",
                classifiers=[
                    {"recipe": "cnn-small", "fakes_from": ["{gan}"], "epochs": 1, "max_images": 60}
                ],
            ),
            variant("bag", data={"held_out": ["Bag"]}),
        ],
    }
    path = folder / "tiny.toml"
    path.write_text(runs.to_toml(parse_experiment(table)))
    return path


@pytest.mark.parametrize("command", ["gan", "classifier"])
def test_training_alone_needs_a_plain_experiment(command, tmp_path) -> None:
    result = invoke("train", command, str(tiny(tmp_path)), "--out", str(tmp_path / "runs"))
    assert result.exit_code == 2
    assert "needs a plain experiment" in result.stderr
    assert not (tmp_path / "runs").exists()


def test_more_variants_and_other_words_go_on_in_the_same_folder() -> None:
    one = varied(SMOOTH)
    assert varied({**SMOOTH, "about": "other words"}).digest() == one.digest()
    hinge = variant("hinge", gans=every(loss="hinge"))
    assert varied(SMOOTH, hinge).digest() == one.digest()
    assert one.model_copy(update={"variants": ()}).digest() != one.digest()


def test_one_variant_is_run_by_its_name(tmp_path) -> None:
    command = ("run", str(tiny(tmp_path)), "--dry-run", "--out", str(tmp_path / "runs"))
    chosen = invoke(*command, "--variant", "cnn")
    assert "# the baseline" in chosen.stdout
    assert "(cnn)" in chosen.stdout
    assert "(smooth)" not in chosen.stdout
    unknown = invoke(*command, "--variant", "cmm")
    assert unknown.exit_code == 2
    assert "choose one of: baseline, smooth, cnn, bag" in unknown.stderr


def test_a_dry_run_lists_every_variant_and_does_nothing(tmp_path) -> None:
    result = invoke("run", str(tiny(tmp_path)), "--dry-run", "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0
    for words in ("# the baseline", "# variant 1 of 3 (smooth)", "# variant 2 of 3 (cnn)"):
        assert words in result.stdout
    assert "# Training dense+smooth seed 0: to do" in result.stdout
    assert re.search(r"^# It will take about .* on this machine", result.stdout, re.MULTILINE)
    assert not (tmp_path / "runs").exists()


def test_small_variants_train_what_is_shared_once_and_go_on(monkeypatch, tmp_path) -> None:
    in_this_process(monkeypatch)
    without_figures(monkeypatch)
    # What each study's page and audit say is looked at elsewhere, and takes most of the time.
    monkeypatch.setattr("gandetect.analyses.build.PARTS", ())
    without_audits(monkeypatch)
    command = ("run", str(tiny(tmp_path)), "--out", str(tmp_path / "runs"), "--jobs", "1", "--json")
    first = invoke(*command)
    assert first.exit_code == 0, first.stderr
    for words in ("the baseline", "variant 1 of 3 (smooth)", "variant 2 of 3 (cnn)"):
        assert words in first.stderr
    folder = Path(json.loads(first.stdout)["run"])
    places = {
        one["variant"]: folder / one["run"]
        for one in json.loads((folder / "variants.json").read_text())["variants"]
    }
    for name in ("smooth", "cnn"):  # one and the same file, and each report stands where it leads
        weights = "gans/dense/seed-0/discriminator.safetensors"
        assert (places[name] / weights).samefile(places["baseline"] / weights)
        assert (places[name] / "report.html").is_file()
    found = json.loads((folder / "variants.json").read_text())
    assert {(row["variant"], row["detector"]) for row in found["least"]} == {
        ("baseline", "dense"),
        ("smooth", "dense+smooth"),
        ("cnn", "dense+cnn"),
        ("bag", "dense"),
    }
    bag = next(row for row in found["classes"] if row["class_name"] == "Bag")
    assert (bag["held_out"]["variants"], bag["trained"]["variants"]) == (["baseline", "bag"], [])
    boot = next(row for row in found["classes"] if row["class_name"] == "Ankle boot")
    assert (boot["held_out"]["variants"], boot["trained"]["variants"]) == (["baseline"], ["bag"])
    written = (folder / "report.html").stat().st_mtime_ns
    (places["cnn"] / "record.json").unlink()  # as if it had been interrupted before its report
    again = invoke(*command)
    assert again.exit_code == 0
    assert "variant 2 of 3 (cnn)" in again.stderr
    assert "variant 1" not in again.stderr
    assert (folder / "report.html").stat().st_mtime_ns == written

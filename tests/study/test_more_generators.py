"""A WGAN-GP, a dense GAN and a VAE in experiment files and in a small study on real images."""

import csv
import json
import re
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from shortcuts import in_this_process, without_figures

from gandetect.analyses.audit.sides import audit_sides
from gandetect.config import ARCHITECTURES, GanConfig, GeneratorConfig, VaeConfig, parse_experiment
from gandetect.errors import UsageError
from gandetect.information import architectures, information_lines
from gandetect.report.inputs import read_inputs
from gandetect.runs import load_study, to_toml
from gandetect.study import Options, run_study

TINY = {"epochs": 1, "steps_per_epoch": 6, "batch_size": 16}
TABLE = {
    "name": "tiny-sources",
    "data": {"max_images": 1000},
    "gans": [
        {"architecture": "wgan-gp", **TINY},
        {"architecture": "dense", "role": "source", **TINY},
        {"architecture": "vae", **TINY},
    ],
    "classifiers": [
        {
            "recipe": "cnn-small",
            "name": "cnn",
            "fakes_from": ["vae"],
            "epochs": 1,
            "max_images": 200,
        },
    ],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 60, "other_generated": 40},
}


def gan(**table: object) -> GeneratorConfig:
    return parse_experiment({"name": "x", "gans": [table]}).gans[0]


def test_a_wgan_gp_is_trained_as_its_paper_says() -> None:
    wgan = gan(architecture="wgan-gp")
    assert isinstance(wgan, GanConfig)
    assert (wgan.loss, wgan.penalty.name, wgan.penalty.weight) == ("wasserstein", "wgan-gp", 10.0)
    assert wgan.critic_steps > 1
    assert wgan.role == "both"


def test_a_vae_is_a_source_by_itself() -> None:
    vae = gan(architecture="vae")
    assert vae.role == "source"
    experiment = parse_experiment({"name": "x", "gans": [vae.model_dump(mode="json")]})
    assert experiment.gans == (vae,)
    assert experiment.discriminators == ()
    assert [one.name for one in experiment.makers] == ["vae"]


@pytest.mark.parametrize("key", sorted({*GanConfig.model_fields} - {*GeneratorConfig.model_fields}))
def test_a_key_of_a_discriminator_is_unknown_to_a_vae(key) -> None:
    with pytest.raises(UsageError) as raised:
        gan(architecture="vae", **{key: {}})
    allowed = ", ".join(VaeConfig.model_fields)
    start = f"experiment: unknown key 'gans.0.{key}'; allowed here: {allowed}"
    assert re.fullmatch(f"{start}(; did you mean '[a-z_]+'\\?)?", str(raised.value))


@pytest.mark.parametrize("role", ["both", "detector"])
def test_a_vae_cannot_be_a_detector(role) -> None:
    with pytest.raises(UsageError, match=f"gans.0.role = '{role}' .* should be 'source'"):
        gan(architecture="vae", role=role)


def test_a_table_without_an_architecture_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match=r"^architecture is missing; choose one of: dcgan-bn, dc"):
        gan(name="mine")


def test_a_derived_detector_of_a_vae_is_refused() -> None:
    table = {"name": "x", "gans": [{"architecture": "vae"}, {"architecture": "dense"}]}
    made = {"kind": "checkpoint-ensemble", "gan": "vae", "name": "all-epochs"}
    with pytest.raises(UsageError, match="gan 'vae'"):
        parse_experiment({**table, "detectors": [made]})


def test_info_names_the_network_that_stands_beside_each_generator() -> None:
    lines = "\n".join(information_lines(architectures()))
    assert "encoder_parameters: 679,496" in lines
    assert "discriminator_parameters: 94,721" in lines
    assert [*architectures()] == [*ARCHITECTURES]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_figures(patch)
        patch.setattr("gandetect.stages.audit.audit_sides", partial(audit_sides, folds=2))
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("runs")))


@pytest.mark.slow
def test_all_are_sources_and_only_discriminators_detectors(run) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    counts = pd.crosstab(scores["detector"], scores["source"])
    assert [*counts.index] == ["cnn", "wgan-gp"]
    assert counts.loc["wgan-gp", "generated:wgan-gp"] == 60
    assert counts.loc["wgan-gp", ["generated:dense", "generated:vae"]].tolist() == [40, 40]
    assert counts.loc["cnn", "generated:vae"] == 60
    assert {path.name for path in (run / "detectors").iterdir()} == {"cnn", "wgan-gp"}


@pytest.mark.slow
def test_a_vae_leaves_its_encoder_where_a_gan_leaves_its_discriminator(run) -> None:
    vae, dense = (run / "gans" / name / "seed-0" for name in ("vae", "dense"))
    assert (vae / "encoder.safetensors").stat().st_size > 0
    assert (dense / "discriminator.safetensors").stat().st_size > 0
    assert not (vae / "discriminator.safetensors").exists()
    with (vae / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["divergence"]) > 0
    assert "discriminator_loss" not in row
    assert {row["gan"] for row in json.loads((run / "quality.json").read_text())} == {
        "wgan-gp", "dense", "vae",
    }  # fmt: skip


@pytest.mark.slow
def test_the_report_tells_a_vaes_losses_and_calls_no_source_a_discriminator(run) -> None:
    report = (run / "report.md").read_text()
    (vae,) = (line for line in report.splitlines() if "Training of vae" in line)
    assert "reconstruction" in vae
    assert "divergence" in vae
    assert "discriminator" not in vae
    assert "half of a GAN (wgan-gp) that" in report
    assert "a Wasserstein critic: only differences" in report
    assert "detectors/vae" not in report
    assert "detectors/dense" not in report
    assert not [name for name in read_inputs(run).missing if name.startswith("detectors/")]


@pytest.mark.slow
def test_the_run_reads_its_own_experiment_back(run) -> None:
    experiment = load_study(run)
    assert experiment.digest() == parse_experiment(TABLE).digest()
    assert 'role = "source"' in to_toml(experiment)

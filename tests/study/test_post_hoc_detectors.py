"""Detectors made of what was trained, in a whole small study: scored, saved, loaded, reported."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file
from shortcuts import context_in, in_this_process, without_audits, without_figures

from gandetect import runs
from gandetect.cli import main
from gandetect.config import parse_experiment
from gandetect.detectors.fine_tuned import FineTuned
from gandetect.detectors.folder import load_detector
from gandetect.detectors.protocol import Preprocessing
from gandetect.stages.post_hoc import MakeDetector
from gandetect.study import Options, run_study
from gandetect.study.compose import compose
from gandetect.training.checkpoints import DISCRIMINATOR
from gandetect.training.networks import build_gan

TABLE = {
    "name": "derived",
    "data": {"max_images": 600, "validation": ["Trouser"]},
    "gans": [
        {"architecture": "dcgan-bn", "epochs": 2, "steps_per_epoch": 1, "batch_size": 8},
        {"architecture": "dense", "epochs": 1, "steps_per_epoch": 1, "batch_size": 4,
         "role": "source"},
    ],
    "classifiers": [
        {"recipe": "cnn-small", "name": "cnn", "fakes_from": ["dense"], "epochs": 1,
         "max_images": 40},
    ],
    "detectors": [
        {"kind": "checkpoint-ensemble", "name": "rank", "gan": "dcgan-bn", "average": "rank"},
        {"kind": "fine-tuned", "name": "tuned", "gan": "dcgan-bn", "updates": 2, "batch_size": 4,
         "n_images": 9},
        {"kind": "selected", "name": "best", "gan": "dcgan-bn", "n_images": 20,
         "fakes_from": ["dcgan-bn", "dense"]},
        {"kind": "one-class", "name": "forest", "method": "isolation-forest", "max_images": 60},
        {"kind": "one-class", "name": "svm", "method": "one-class-svm", "max_images": 60,
         "features_of": "dcgan-bn"},
        {"kind": "one-class", "name": "knn", "method": "nearest-neighbours", "max_images": 60,
         "features_of": "cnn", "neighbours": 3},
        {"kind": "probe", "name": "probe", "features_of": ["dcgan-bn", "cnn"], "epochs": "all",
         "max_images": 40},
    ],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 40, "other_generated": 30, "training_reals": 40,
                   "kept_mistakes": 5},
}  # fmt: skip
NAMES = ["rank", "tuned", "best", "forest", "svm", "knn", "probe"]


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(out) -> Path:
    return _run(out)


def _run(out: Path) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_this_process(monkeypatch)
        without_figures(monkeypatch)
        without_audits(monkeypatch)
        return run_study(parse_experiment(TABLE), Options(out, jobs=1))


@pytest.fixture(scope="module")
def scores(run) -> pd.DataFrame:
    return pd.read_parquet(run / "scores.parquet")


@pytest.fixture(scope="module")
def metrics(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_they_are_scored_like_any_other_detector(scores) -> None:
    counts = pd.crosstab(scores["detector"], scores["source"])
    assert set(NAMES) < set(counts.index)
    for real in ("in-distribution", "held-out", "calibration", "training"):
        assert len(set(counts.loc[NAMES, f"real:{real}"])) == 1
    # 40 of whom it knows, 30 of the others.
    assert counts.loc[NAMES, "generated:dcgan-bn"].tolist() == [40, 40, 40, 30, 40, 30, 40]
    assert counts.loc[NAMES, "generated:dense"].tolist() == [30, 30, 40, 30, 30, 40, 40]
    assert np.isfinite(scores["score"]).all()


def test_one_that_saw_no_fakes_knows_no_generator(scores, metrics) -> None:
    mine = scores[scores["detector"] == "forest"]
    assert "generated:calibration" not in set(mine["source"])
    roles = {c["role"] for c in metrics["cells"] if c["detector"] == "forest"}
    assert roles == {"other", "in-distribution", "held-out", "training"}


def test_the_metrics_say_what_each_is_made_of(metrics) -> None:
    facts = {row["detector"]: row for row in metrics["detectors"]}
    bn, plain = "generated:dcgan-bn", "generated:dense"
    assert facts["tuned"] == {
        "detector": "tuned", "kind": "post-hoc", "recipe": "fine-tuned", "own": [bn]
    }  # fmt: skip
    assert (facts["forest"]["own"], facts["forest"]["recipe"]) == ([], "one-class")
    assert facts["knn"]["own"] == [plain]
    assert facts["probe"]["own"] == [bn, plain]


@pytest.mark.parametrize("name", NAMES)
def test_loaded_from_its_folder_it_scores_as_before(run, name) -> None:
    folder = run / "detectors" / name / "seed-0"
    detector = load_detector(folder)
    stored = np.load(folder / "surest.npz"), np.load(folder / "mistakes.npz")
    images, expected = (
        np.concatenate([one[key] for one in stored for key in one.files if key.endswith(part)])
        for part in ("/images", "/scores")
    )
    assert len(expected) > 10
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(detector.decision_function(images), expected, rtol=1e-4, atol=1e-4)
    assert detector.description.provenance["seed"] == 0
    assert detector.operating_points["calibrated"] != 0
    kept = {path.suffix for path in [*folder.iterdir(), *(run / "post_hoc").glob(f"{name}/*/*")]}
    assert kept <= {".json", ".safetensors", ".parquet", ".npz", ".csv", ".md"}


@pytest.mark.parametrize("name", ["rank", "tuned", "forest"])
def test_each_kind_scores_any_image_file(run, tmp_path, name) -> None:
    Image.fromarray(np.full((40, 30), 200, np.uint8)).save(tmp_path / "grey.png")
    folder = run / "detectors" / name / "seed-0"
    answer = CliRunner().invoke(main, ["score", str(folder), str(tmp_path), "--json"])
    assert answer.exit_code == 0, answer.output
    assert np.isfinite(json.loads(answer.stdout.splitlines()[-1])["score"])


def test_an_ensembles_members_are_the_epochs_discriminators(run) -> None:
    members = load_detector(run / "detectors" / "rank" / "seed-0").network.members
    epochs = sorted((run / "gans" / "dcgan-bn" / "seed-0" / "epochs").iterdir())
    assert len(members) == len(epochs) == 2
    for member, epoch in zip(members, epochs, strict=True):
        assert _same(member, load_file(epoch / DISCRIMINATOR))


def test_what_is_made_of_a_trained_network_holds_its_weights(run) -> None:
    def features(name: str) -> torch.nn.Module:
        return load_detector(run / "detectors" / name / "seed-0").network.features.network

    classifier = load_file(run / "classifiers" / "cnn" / "seed-0" / "weights.safetensors")
    assert _same(features("knn"), classifier)
    assert _same(features("svm"), load_file(run / "gans" / "dcgan-bn" / "seed-0" / DISCRIMINATOR))
    assert load_detector(run / "detectors" / "knn" / "seed-0").network.neighbours == 3


def test_records_say_of_which_epoch_it_is_and_what_it_is_made_of(run) -> None:
    folders = {name: run / "post_hoc" / name / "seed-0" for name in NAMES}
    epochs = {name: runs.read_json(one / "record.json")["epoch"] for name, one in folders.items()}
    assert epochs.pop("best") in (1, 2)
    assert epochs == {"rank": 2, "tuned": 2, "forest": 0, "svm": 2, "knn": 0, "probe": 2}
    made_of = {
        name: load_detector(one).description.provenance["made_of"] for name, one in folders.items()
    }
    bn = ["dcgan-bn"]
    assert made_of.pop("best") == ["dcgan-bn", "dense"]
    assert made_of == {"rank": bn, "tuned": bn, "forest": [], "svm": bn, "knn": ["cnn"],
                       "probe": ["cnn", *bn]}  # fmt: skip


def test_a_fine_tunings_history_is_a_table(run) -> None:
    text = (run / "post_hoc" / "tuned" / "seed-0" / "history.csv").read_bytes().decode()
    assert "\r" not in text
    header, *rows = text.splitlines()
    assert header == "update,loss,accuracy_real,accuracy_fake"
    assert [row.split(",")[0] for row in rows] == ["2"]


def test_an_epoch_is_chosen_by_validation_images_alone(run) -> None:
    folder = run / "post_hoc" / "best" / "seed-0"
    history = pd.read_csv(folder / "history.csv")
    assert [*history] == [
        "epoch", "auroc", "accuracy", "auroc_in_distribution", "auroc_validation_classes",
    ]  # fmt: skip
    chosen = load_detector(folder).description.provenance["chosen"]
    assert (chosen["by"], chosen["among"], chosen["auroc"]) == ("auroc", 2, history["auroc"].max())
    weights = run / "gans" / "dcgan-bn" / "seed-0" / "epochs" / f"{chosen['epoch']:04d}"
    assert _same(load_detector(folder).network, load_file(weights / DISCRIMINATOR))
    used = pd.read_parquet(run / "data" / "splits.parquet")
    trousers = used[used["class_name"] == "Trouser"]
    assert set(trousers["split"]) == {"validation", "reserved"}
    tested = pd.read_parquet(run / "classes.parquet")["class_name"]
    assert "Trouser" not in set(tested)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_fine_tuning_holds_back_what_it_is_chosen_by(run, tmp_path, monkeypatch, keep) -> None:
    seen = {}

    def tune(config, gan, network, reals, fakes, *, validation, **_):
        seen.update(reals=len(reals), fakes=len(fakes), validation=validation)
        return [{"update": 1, "auroc": 0.5}]

    monkeypatch.setattr("gandetect.detectors.fine_tuning.fine_tune", tune)
    config = FineTuned(kind="fine-tuned", name="d", gan="dcgan-bn", n_images=40, keep=keep)
    for validation in (["Trouser"], []):
        table = {**TABLE, "data": {**TABLE["data"], "validation": validation}}
        gan = compose(parse_experiment(table)).report.gans[0]
        stage = MakeDetector(config, 0, Preprocessing(), (gan,), gan.data)
        stage.run(context_in(run, tmp_path / str(len(validation))))
        trained = 292
        if keep == "last":
            assert (seen["reals"], seen["fakes"], seen["validation"]) == (trained, 40, None)
            continue
        groups = {name: len(reals) for name, reals in seen["validation"].reals.items()}
        assert (seen["fakes"], len(seen["validation"].fakes)) == (36, 4)
        expected = {"in_distribution": 4, "validation_classes": 4}
        assert groups == (expected if validation else {"held_back": 29})
        assert seen["reals"] == (trained if validation else trained - 29)


@pytest.mark.parametrize("start", ["last", "fresh"])
def test_fine_tuning_starts_where_it_is_told(run, tmp_path, start) -> None:
    given = {"name": "d", "gan": "dcgan-bn", "start": start, "updates": 1, "n_images": 4}
    # So small a step that nothing moves.
    config = FineTuned(kind="fine-tuned", batch_size=2, **given)
    config = config.model_copy(update={"learning_rate": 1e-30})
    gan = compose(parse_experiment(TABLE)).report.gans[0]
    stage = MakeDetector(config, 0, Preprocessing(), (gan,), gan.data)
    stage.run(context_in(run, tmp_path))
    made = load_detector(tmp_path).network
    initial = build_gan(gan.config, 28, 1, 0, torch.device("cpu")).discriminator.state_dict()
    last = load_file(run / gan.place / DISCRIMINATOR)
    assert (_same(made, last), _same(made, initial)) == (start == "last", start == "fresh")


def _same(network: torch.nn.Module, weights: dict[str, torch.Tensor]) -> bool:
    state = network.state_dict().items()
    return all(torch.allclose(one, weights[name], rtol=0, atol=1e-20) for name, one in state)


def test_what_is_made_stands_and_is_not_made_again(run, out) -> None:
    def written() -> dict[Path, int]:
        return {
            path: path.stat().st_mtime_ns
            for folder in ("detectors", "post_hoc")
            for path in run.glob(f"{folder}/*/seed-0/record.json")
        }

    before = written()
    assert len(before) == 7 + 9
    damaged = run / "post_hoc" / "tuned" / "seed-0" / "weights.safetensors"
    digest = runs.file_digest(damaged)
    damaged.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="'weights.safetensors' was changed"):
        assert _run(out) == run
    changed = {path.parent.parent for path, time in written().items() if time != before[path]}
    assert changed == {run / "post_hoc" / "tuned"}
    assert runs.file_digest(damaged) == digest


def test_the_report_tells_of_them(run) -> None:
    report = (run / "report.md").read_text()
    assert "1 discriminator, 1 classifier and 7 post-hoc detectors" in report
    chosen = runs.read_json(run / "post_hoc" / "best" / "seed-0" / "record.json")["epoch"]
    assert f"detector best is the discriminator of dcgan-bn after epoch {chosen}." in report
    assert "neither trained on nor tested: Trouser." in report
    for words in (
        "on validation images",
        "over its epochs",
        "while generators stand still",
        "what real images look like",
        "the layers of frozen networks",
    ):
        assert words in report
    assert "| Detector forest |" in report
    assert "forest has seen no fakes." in report.replace("forest and near have", "forest has")

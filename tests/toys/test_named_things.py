"""One of each named thing in a study: those of the plug-in that is an example, and a generator."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import EXAMPLE
from gandetect_example.grey_level import GreyLevel
from gandetect_example.tiles import CLASSES, TILES
from shortcuts import in_this_process, without_audits, without_figures

from gandetect.analyses.registry import ANALYSES, analyses
from gandetect.cli import main
from gandetect.config import ARCHITECTURES, DATA_SETS, DETECTORS, parse_experiment
from gandetect.detectors.folder import load_detector
from gandetect.errors import UsageError
from gandetect.information import architectures
from gandetect.runs import load_study
from gandetect.study import Options, run_study

GROUPS = {
    "gandetect.architectures": ARCHITECTURES,
    "gandetect.detectors": DETECTORS,
    "gandetect.datasets": DATA_SETS,
    "gandetect.analyses": ANALYSES,
}
TABLE = tomllib.loads((EXAMPLE / "example.toml").read_text())
TABLE["gans"].append({"architecture": "moments", "weight": 2.0})


@pytest.fixture(scope="module", autouse=True)
def registered(plugin):
    before = [dict(vars(one)) for one in GROUPS.values()]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(plugin))
        for group, one in GROUPS.items():  # as in a process that begins
            vars(one).update(entries=dict(one.entries), packages={}, problems={}, _group=group)
        ARCHITECTURES.register("moments", "moments:MOMENTS")  # or what stands there
        analyses.cache_clear()
        yield
    for one, state in zip(GROUPS.values(), before, strict=True):
        vars(one).update(state)
    analyses.cache_clear()


@pytest.fixture(scope="module")
def run(registered, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        in_this_process(monkeypatch)
        without_figures(monkeypatch)
        without_audits(monkeypatch)
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("runs")))


def test_both_detectors_are_scored_on_every_source(run) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    assert np.isfinite(scores["score"]).all()
    counts = pd.crosstab(scores["source"], scores["detector"])
    assert set(counts.columns) == {"grey", "linear"}
    assert (counts["grey"] == counts["linear"]).all()
    assert counts.loc["generated:linear", "grey"] == 40
    assert counts.loc["generated:moments", "linear"] == 40


def test_a_kind_of_generator_of_ones_own_is_trained_by_its_own_function(run) -> None:
    folder = run / "gans" / "moments" / "seed-0"
    assert not [path for path in folder.glob("*.safetensors") if path.stem != "generator"]
    history = pd.read_csv(folder / "history.csv")
    assert history["apart"].is_monotonic_decreasing
    assert architectures()["moments"].keys() == {"generator_parameters"}
    assert load_study(run).gans[1].weight == 2.0


def test_the_data_set_is_split_by_its_own_classes(run) -> None:
    data = json.loads((run / "data" / "data.json").read_text())
    assert tuple(data["classes"]) == CLASSES
    assert data["held_out"] == ["flower, below"]
    manifest = pd.read_parquet(run / "data" / "splits.parquet")
    assert len(manifest) == len(TILES.read(run, print)[0][1]) == 480


def test_they_are_reported_by_name(run) -> None:
    facts = {
        row["detector"]: row for row in json.loads((run / "metrics.json").read_text())["detectors"]
    }
    assert facts["grey"]["recipe"] == "grey-level"
    assert facts["grey"]["own"] == ["generated:linear"]
    report = (run / "report.md").read_text()
    assert f"A post-hoc detector was made after training: {GreyLevel.METHOD}." in report
    assert "the post-hoc detector grey catches" in report
    assert "flower, below" in report


def test_the_experiment_is_read_again_with_its_defaults(run) -> None:
    stored = load_study(run)
    assert stored.gans[0].real_label == 0.9
    assert stored.detectors == (GreyLevel(kind="grey-level", name="grey", gan="linear"),)
    assert stored.data.shape == (3, 32)


@pytest.mark.parametrize("name", ["grey", "linear"])
def test_loaded_from_its_folder_it_scores_as_before(run, name) -> None:
    folder = run / "detectors" / name / "seed-0"
    stored = np.load(folder / "surest.npz")
    images, expected = (
        np.concatenate([stored[key] for key in stored.files if key.endswith(part)])
        for part in ("/images", "/scores")
    )
    assert np.ptp(expected) > 0
    scores = load_detector(folder).decision_function(images)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


def test_a_lighter_image_is_told_by_its_grey_level_alone(run) -> None:
    detector = load_detector(run / "detectors" / "grey" / "seed-0")
    levels = np.broadcast_to(np.arange(0, 250, 50)[:, None, None, None], (5, 3, 32, 32))
    steps = np.diff(detector.decision_function(levels.astype(np.uint8)))
    assert (np.sign(steps) == np.sign(steps[0])).all()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": {"name": "tile", "held_out": []}}, "data set 'tile' is not .*mean 'tiles'"),
        ({"gans": [{"architecture": "linear", "weight": 2}]}, "unknown key 'gans.0.weight'"),
        ({"gans": [{"architecture": "lineal"}]}, "architecture 'lineal' .* mean 'linear'"),
        ({"detectors": [{"kind": "gray-level"}]}, "kind of detector 'gray-level' .*'grey-level'"),
        ({"detectors": [{"kind": "classifier"}]}, "kind of detector 'classifier' is not known"),
        (
            {"detectors": [{"kind": "grey-level", "name": "g", "gan": "linear", "image": 9}]},
            r"unknown key 'detectors.0.image'; allowed here: kind, name, gan, n_images; did",
        ),
        ({"detectors": [{"kind": "grey-level", "name": "g", "gan": "vae"}]}, "gan 'vae' is not"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_one_sentence_that_names_them_too(changes, sentence) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_experiment({**TABLE, **changes})


def test_the_analysis_is_in_the_report_and_its_table(run) -> None:
    assert "The largest score" in (run / "report.md").read_text()
    kinds = pd.read_csv(run / "metrics.csv")["kind"]
    assert (kinds == "largest").sum() == 2


def test_info_tells_what_there_is_and_from_which_package() -> None:
    answer = CliRunner().invoke(main, ["info", "--json"])
    facts = json.loads(answer.stdout)
    assert facts["plugins"] == {
        "gandetect-example 1.0": [
            "architecture linear", "data set tiles", "kind of detector grey-level",
            "analysis largest",
        ]
    }  # fmt: skip
    assert "grey-level" in facts["detectors"]
    assert "tiles" in facts["data_sets"]
    assert "linear" in facts["architectures"]

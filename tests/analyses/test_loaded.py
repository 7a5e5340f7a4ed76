"""A run in a notebook holds what its files hold."""

import json
import shutil

import pandas as pd
import pytest

import gandetect
from gandetect.errors import RunError


def test_a_loaded_run_holds_its_scores_metrics_images_and_figures(built):
    run = gandetect.load_run(built)
    pd.testing.assert_frame_equal(run.scores, pd.read_parquet(built / "scores.parquet"))
    cell = run.metrics["across_seeds"][0]
    shares = run.matrix(cell["operating_point"])
    assert shares.loc[cell["detector"], cell["source"]] == cell["mean"]
    assert {*run.table["detector"].dropna()} > {*shares.index}
    kept = next(iter(next(iter(run.inputs.mistakes.values())).values()))
    assert kept.images.dtype == "uint8"
    assert {path.name for path in run.figures.values()} == {
        path.name for path in (built / "figures").iterdir()
    }


def test_a_notebook_shows_question_warnings_verdicts_and_matrix_escaped(built, tmp_path):
    folder = shutil.copytree(built, tmp_path / "run")
    stored = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(stored | {"question": "<b>Is it?</b>"}))
    shown = gandetect.load_run(folder)._repr_html_()
    assert "&lt;b&gt;Is it?&lt;/b&gt;" in shown
    assert "<b>Is it?" not in shown
    assert "<b>Warning:</b>" in shown
    assert "<b>Usable as a detector?</b>" in shown
    assert "<th>dcgan-bn</th>" in shown


def test_another_folder_is_told_from_a_run(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        gandetect.load_run(tmp_path)

"""Every figure is drawn on the axes that are given, from a run, an evaluation or a folder."""

import json
import shutil

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import gandetect
from gandetect import plot
from gandetect.errors import UsageError

OF_A_STUDY = {
    "matrix": ("calibrated",),
    "scores": ("dcgan-plain",),
    "roc": (),
    "precision_recall": (),
    "runs": ("dcgan-bn", "calibrated"),
    "samples": ("dcgan-bn",),
}


@pytest.fixture
def axes():
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_it_draws_on_the_axes_that_it_is_given_and_returns_them(name, built, axes):
    found = getattr(plot, name)(gandetect.load_run(built), *OF_A_STUDY[name], ax=axes)
    assert found is axes
    assert axes.has_data()
    assert axes.get_title()
    axes.figure.canvas.draw()


def test_the_matrix_holds_the_shares_of_the_run_in_the_order_of_the_report(built, axes):
    run = gandetect.load_run(built)
    plot.matrix(built, ax=axes)
    cells = [float(text.get_text()) for text in axes.texts]
    columns = ["generated:dcgan-bn", "generated:dcgan-plain", "real:training",
               "real:in-distribution", "real:held-out"]  # fmt: skip
    expected = run.matrix().loc[["dcgan-bn", "dcgan-plain"], columns]
    assert cells == [round(100 * share, 1) for share in expected.to_numpy().ravel()]


def test_samples_without_a_generator_are_real_images(built, axes):
    assert plot.samples(built, ax=axes).get_title() == "real images"


def test_epochs_are_drawn_where_they_were_scored(built, tmp_path, axes):
    run = shutil.copytree(built, tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text())
    cell = {"detector": "dcgan-bn", "seed": 0, "operating_point": "native", "n": 60,
            "source": "generated:dcgan-bn", "role": "own", "correct": 0.5,
            "ci95": [0.4, 0.6]}  # fmt: skip
    metrics["trajectories"] = {"cells": [cell | {"epoch": epoch} for epoch in (1, 2)]}
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert list(plot.trajectory(run, ax=axes).lines[0].get_ydata()) == [0.5, 0.5]


def test_probabilities_are_drawn_where_they_were_calibrated(built, tmp_path, axes):
    run = shutil.copytree(built, tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text())
    curve = {"detector": "dcgan-bn", "detector_seed": 0, "method": "none", "role": "own",
             "real": "real:held-out", "predicted": [0.2, 0.8], "observed": [0.3, 0.7],
             "mass": [0.5, 0.5], "ci95": [[0.2, 0.4], [0.6, 0.8]]}  # fmt: skip
    metrics["reliability"] = [curve]
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert list(plot.calibration(run, ax=axes).lines[1].get_ydata()) == [0.3, 0.7]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda run: plot.scores(run, "dcgan"), "detector 'dcgan' is not known; .*dcgan-bn"),
        (lambda run: plot.scores(run, seed=7), "seed 7 is not known; choose one of: 0"),
        (lambda run: plot.matrix(run, "best"), "operating point 'best' is not known; .*native"),
        (lambda run: plot.trajectory(run), "the run holds no trajectory: .*did not ask"),
        (lambda run: plot.samples(run, "dcgan"), "gan 'dcgan' is not known; .*dcgan-bn"),
    ],
)
def test_what_a_run_does_not_hold_is_said_before_anything_is_drawn(built, draw, message):
    with pytest.raises(UsageError, match=message):
        draw(built)


def test_an_evaluation_is_drawn_as_its_run_is(axes):
    made = plot.example().inputs.run
    with_report = gandetect.evaluation.Evaluation(made, None, ())
    assert plot.roc(with_report, "sharp", ax=axes).get_title() == "sharp"

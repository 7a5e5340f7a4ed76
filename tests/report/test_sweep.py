"""The report of a sweep: what its sentences claim, what its figures draw, and where it leads."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from gandetect import runs
from gandetect.config import parse_experiment
from gandetect.config.sweep import groups
from gandetect.data.fashion_mnist import CLASSES
from gandetect.errors import RunError
from gandetect.evaluation.sweep import Chosen, compare_choices
from gandetect.report.figures.sweep import delayed_when_left_out, shares_by_choice
from gandetect.report.style import house_style
from gandetect.report.sweep import FILES, build_sweep_report

DETECTORS = ("dcgan-plain", "cnn-small-on-dcgan-plain")
POINTS = ("native", "calibrated")
LOOKS_FAKE = {"Bag": 0.5}  # how many more are delayed when nobody trained on the class


def metrics_of(held_out, rng, seeds, points=POINTS) -> dict:
    """A study in which `LOOKS_FAKE` is all that being unknown does, but for a little chance."""
    common = [
        {"detector": name, "operating_point": point, "seeds": list(range(seeds))}
        for name in DETECTORS for point in points
    ]  # fmt: skip
    by_class = [
        {**row, "class_name": name, "held_out": name in held_out,
         "n": 6000 if name in held_out else 600, "detector_seed": seed,
         "delayed": 0.1 + (name in held_out) * LOOKS_FAKE.get(name, 0) + rng.uniform(0, 0.01)}
        for row in common for name in CLASSES for seed in range(seeds)
    ]  # fmt: skip
    across = [
        {**row, "role": role, "source": role, "n": [1000] * seeds, "ci95": [0.0, 1.0],
         "correct": np.clip(share + rng.normal(0, 0.02, seeds), 0, 1).tolist()}
        for row in common
        for role, share in (("own", 1.0), ("other", 0.5), ("in-distribution", 0.9),
                            ("held-out", 0.9))
    ]  # fmt: skip
    kinds = zip(DETECTORS, ("discriminator", "classifier"), strict=True)
    detectors = [{"detector": name, "kind": kind, "own": []} for name, kind in kinds]
    return {"detectors": detectors, "across_seeds": across, "by_class": by_class}


def write_sweep(folder: Path, size: int, seeds: int = 1, **changes) -> list[Path]:
    """A sweep's folder before its report, by what the report reads."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(size)
    table = {
        "name": "tiny",
        "question": "Which ones | look <fake>?",
        "seeds": list(range(seeds)),
        "data": {"held_out": f"sweep:{size}"},
        "gans": [{"architecture": "dcgan-bn"}],
    }
    runs.open_run(folder, parse_experiment(table))
    studies = []
    for number, held_out in enumerate(groups(CLASSES, size, seed=0)):
        run = folder / "choices" / f"tiny-{number}"
        runs.write_json(run / "metrics.json", {**metrics_of(held_out, rng, seeds), **changes})
        runs.write_json(run / "data.json", {"held_out": list(held_out)})
        studies.append(run)
    return studies


def written(folder: Path, size: int, seeds: int = 1) -> Path:
    build_sweep_report(folder, write_sweep(folder, size, seeds))
    return folder


@pytest.fixture(scope="module")
def fours(tmp_path_factory) -> Path:
    """A finished sweep of four choices of three classes; leave it as it is."""
    return written(tmp_path_factory.mktemp("sweep"), 3)


@pytest.fixture(scope="module")
def twos(tmp_path_factory) -> Path:
    """The same of two choices of five."""
    return written(tmp_path_factory.mktemp("sweep"), 5)


def text_of(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def test_the_class_that_looks_fake_is_named_and_no_other(fours) -> None:
    for name in DETECTORS:
        (said,) = [line for line in text_of(fours).splitlines() if line.startswith(f"{name}: ")]
        (clear,) = [part for part in said.split(". ") if part.startswith("Clearly more fake")]
        assert "Bag (" in clear
        assert "of 100 delayed instead of" in clear
        assert not [other for other in CLASSES if other != "Bag" and other in clear]


def test_two_choices_name_no_class_as_chance_in_training_is_not_known(twos) -> None:
    text = text_of(twos)
    assert "Clearly more fake" not in text
    assert text.count("what chance in training does is not known") == len(DETECTORS)
    assert "Newcombe's, over images only" in text


def test_the_chance_of_training_is_only_told_where_seeds_show_it(twos, tmp_path) -> None:
    several = text_of(written(tmp_path, 5, seeds=2))
    for text, alone in ((text_of(twos), True), (several, False)):
        assert ("cannot be told apart" in text) == alone
        assert ("Only what exceeds" in text) != alone


def test_the_filled_up_choice_is_owned_up_to(fours, twos) -> None:
    assert "fills up the last choice" in text_of(fours)
    assert "fills up the last choice" not in text_of(twos)


def test_everything_is_written_and_equal_inputs_give_equal_bytes(twos, tmp_path) -> None:
    again = written(tmp_path, 5)
    for name in (*FILES, "figures/classes-left-out.svg", "figures/shares-by-choice.svg"):
        assert (again / name).read_bytes() == (twos / name).read_bytes(), name


def test_links_lead_to_the_studies_and_words_of_the_file_do_no_harm(twos) -> None:
    html = (twos / "report.html").read_text(encoding="utf-8")
    places = [one["run"] for one in runs.read_json(twos / "sweep.json")["choices"]]
    assert places == ["choices/tiny-0", "choices/tiny-1"]
    assert all(f'href="{place}/report.html"' in html for place in places)
    assert "look &lt;fake&gt;?" in html


def test_a_study_without_false_alarms_by_class_is_one_sentence(tmp_path) -> None:
    studies = write_sweep(tmp_path, 5, by_class=[])
    with pytest.raises(RunError, match=r"metrics\.json.* no false alarms by class.* run the sweep"):
        build_sweep_report(tmp_path, studies)
    assert not (tmp_path / "report.html").exists()


def results(size: int, seeds: int) -> dict:
    rng = np.random.default_rng(0)
    chosen = []
    for held_out in groups(CLASSES, size, seed=0):
        metrics = metrics_of(held_out, rng, seeds, points=("calibrated",))
        chosen.append(Chosen(held_out, metrics, metrics["by_class"]))
    return compare_choices(chosen)


def overlapping(figure, texts) -> list[tuple[str, str]]:
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)]


@pytest.mark.parametrize(("size", "seeds"), [(3, 1), (1, 5)])
def test_every_choice_can_be_read_however_alike_they_are(size, seeds) -> None:
    with house_style():
        figure = shares_by_choice(results(size, seeds)["shares_across"], DETECTORS)
        numerals = [text for axes in figure.axes for text in axes.texts]
        assert overlapping(figure, numerals) == []
        names = [label for axes in figure.axes for label in axes.get_yticklabels()]
        assert overlapping(figure, names) == []
    choices = -(-10 // size)
    assert len(numerals) == 4 * len(DETECTORS) * choices
    assert {text.get_text() for text in numerals} == {str(n + 1) for n in range(choices)}


def test_every_class_has_a_line_and_its_interval_in_the_figure() -> None:
    rows = results(3, 1)["by_class"]
    with house_style():
        figure = delayed_when_left_out(rows, DETECTORS)
        panels = [axes for axes in figure.axes if axes.get_visible()]
        assert overlapping(figure, panels[0].get_yticklabels()) == []
        assert overlapping(figure, [axes.title for axes in panels]) == []
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert sorted(names) == sorted(CLASSES)
    assert names[-1] == "Bag"  # the most delayed when held out stands on top
    for axes, name in zip(panels, DETECTORS, strict=True):
        (row,) = [r for r in rows if (r["detector"], r["class_name"]) == (name, "Bag")]
        drawn = [bar.get_segments()[0] for bar in axes.collections]
        assert len(drawn) == len(CLASSES)
        (bar,) = [segment for segment in drawn if segment[0][1] == names.index("Bag")]
        known = row["trained"]["mean"]
        np.testing.assert_allclose(
            [point[0] for point in bar], [min(max(known + edge, 0), 1) for edge in row["ci95"]]
        )

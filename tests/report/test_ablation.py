"""The report of an ablation: what its sentences claim, what it draws, and where it leads."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import pytest
from ablations import shares, study

from gandetect import runs
from gandetect.config import parse_experiment
from gandetect.errors import RunError
from gandetect.evaluation.ablation import FOUR
from gandetect.report.ablation import FILES, build_ablation_report
from gandetect.report.ablation import figure as drawing
from gandetect.report.ablation_material import AblationMaterial
from gandetect.report.figures.ablation import groups_by_ingredient
from gandetect.report.style import house_style

GOOD, FAIR = [0.97, 0.98, 0.99, 0.97, 0.99], [0.82, 0.85, 0.88, 0.83, 0.87]
LESS, POOR = [0.72, 0.75, 0.78, 0.73, 0.77], [0.55, 0.60, 0.65, 0.60, 0.60]
INGREDIENTS = [
    {"name": "r1", "about": "a <b>penalty</b> | on slopes", "gans": {"penalty": {"name": "r1"}}},
    {"name": "mean", "detectors": [{"kind": "checkpoint-ensemble"}]},
    {"name": "pixels", "detectors": [{"kind": "one-class", "method": "isolation-forest",
                                      "features_of": "pixels"}]},
    {"name": "joint", "classifiers": [{"fakes_from": ["a", "b"]}]},
]  # fmt: skip


def parts_of(best: list[float], seeds: int):
    """Studies in which r1 helps a's novel reals alone, and the mean of b reaches `best`."""

    def cut(**of_sources):
        return shares(**{name: runs[:seeds] for name, runs in of_sources.items()})

    reals = {"id": GOOD, "out": POOR}
    yield study("baseline", {
        "a": (["a"], cut(a=LESS, b=GOOD, far=POOR, **reals)),
        "b": (["b"], cut(b=FAIR, a=GOOD, far=POOR, **reals)),
    })  # fmt: skip
    yield study("r1", {
        "a+r1": (["a+r1"], {"generated:a+r1": LESS[:seeds],
                            **cut(a=LESS, b=GOOD, far=POOR, id=GOOD, out=GOOD)}),
        "b+r1": (["b+r1"], {"generated:b+r1": FAIR[:seeds],
                            **cut(a=GOOD, b=FAIR, far=POOR, **reals)}),
    })  # fmt: skip
    yield study("mean", {
        "a+mean": (["a"], cut(a=LESS, b=GOOD, far=POOR, **reals)),
        "b+mean": (["b"], cut(b=GOOD, a=GOOD, far=POOR, id=GOOD, out=best)),
    })  # fmt: skip
    yield study("pixels", {"pixels": ([], cut(a=POOR, b=FAIR, far=POOR, **reals))})
    yield study("joint", {"joint": (["a", "b"], cut(a=FAIR, b=GOOD, far=POOR, **reals))})


def written(folder: Path, best: list[float] = FAIR, seeds: int = 5) -> Path:
    """An ablation's folder with its report, by what the report reads."""
    folder.mkdir(parents=True, exist_ok=True)
    gan = {"architecture": "dcgan-plain"}
    table = {
        "name": "tiny",
        "question": "Which | ingredient <does> what?",
        "seeds": list(range(seeds)),
        "gans": [{**gan, "name": "a"}, {**gan, "name": "b"},
                 {**gan, "name": "far", "role": "source"}],
        "ingredients": INGREDIENTS,
    }  # fmt: skip
    runs.open_run(folder, parse_experiment(table))
    places = {}
    for part in parts_of(best, seeds):
        places[part.name] = folder / "ingredients" / part.name
        runs.write_json(places[part.name] / "metrics.json", part.metrics)
        part.scores.to_parquet(places[part.name] / "scores.parquet")
    build_ablation_report(folder, places)
    return folder


@pytest.fixture(scope="module")
def ablation(tmp_path_factory) -> Path:
    """A finished ablation in which nothing holds on all four groups; leave it as it is."""
    return written(tmp_path_factory.mktemp("ablation"))


def copied(ablation: Path, place: Path) -> tuple[Path, dict[str, Path]]:
    """The folder before its report, elsewhere, and those of its studies."""
    folder = place / "ablation"
    shutil.copytree(ablation, folder)
    listed = runs.read_json(folder / "ablation.json")["ingredients"]
    for name in (*FILES, "figures/ingredients.svg"):
        (folder / name).unlink()
    return folder, {one["ingredient"]: folder / one["run"] for one in listed}


def text_of(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def said_of(folder: Path, ingredient: str) -> str:
    """The sentences under an ingredient's heading."""
    return text_of(folder).partition(f"### {ingredient}\n")[2].partition("#")[0]


def test_how_far_the_best_one_is_stands_first(ablation) -> None:
    findings = text_of(ablation).partition("## Findings")[2]
    opening = findings.strip().splitlines()[0]
    assert "No detector answers at least 95 % of all four groups at once" in opening
    assert "b+mean with 85.0 % (" in opening
    assert opening.endswith("of novel reals: 10.0 points short.")
    assert "The discriminator of a as it was trained answers 60.0 %" in findings


def test_a_detector_that_holds_is_named(tmp_path) -> None:
    text = text_of(written(tmp_path, [0.951, 0.955, 0.96, 0.95, 0.955]))
    assert "with an interval that reaches below: b+mean with 95.4 % (" in text
    assert "No detector answers" not in text


def test_clear_changes_are_told_from_chance(ablation) -> None:
    of_a, of_b = said_of(ablation, "r1").split("On b: ")
    assert "On a: +38.0 points of novel reals accepted (95 % interval +" in of_a
    clear, _, rest = of_a.partition("). ")
    assert "fakes" not in clear
    assert "own fakes caught (" in rest
    assert "which may be chance" in rest
    assert "novel reals accepted" not in rest
    assert "+0.0 points of novel reals accepted" in of_b
    assert of_b.count("which may be chance") == 1


def test_what_has_no_twin_is_told_in_levels(ablation) -> None:
    joint = said_of(ablation, "joint")
    assert "points" not in joint
    assert "85.0 % (" in joint.partition("of own fakes caught")[0]
    assert "own fakes" not in said_of(ablation, "pixels").partition("Least")[0]


def test_what_was_not_measured_is_a_dash(ablation) -> None:
    (row,) = [line for line in text_of(ablation).splitlines()
              if line.startswith("| pixels |") and "%" in line and "Least" not in line
              and line.count("|") > 6]  # fmt: skip
    assert row.split("|")[2].strip() == "–"


def test_one_seed_says_what_its_intervals_cover(tmp_path) -> None:
    text = text_of(written(tmp_path, seeds=1))
    assert "There is one training run of each" in text
    assert "95 % interval over images of one run only +" in text
    assert "runs and images" not in text


def test_everything_is_written_and_equal_inputs_give_equal_bytes(ablation, tmp_path) -> None:
    again, places = copied(ablation, tmp_path)
    build_ablation_report(again, places)
    for name in (*FILES, "figures/ingredients.svg"):
        assert (again / name).read_bytes() == (ablation / name).read_bytes(), name


def test_links_lead_to_the_studies_and_words_of_the_file_do_no_harm(ablation) -> None:
    html = (ablation / "report.html").read_text(encoding="utf-8")
    listed = runs.read_json(ablation / "ablation.json")["ingredients"]
    assert [one["run"] for one in listed] == [f"ingredients/{name}" for name in
            ("baseline", "r1", "mean", "pixels", "joint")]  # fmt: skip
    assert all(f'href="{one["run"]}/report.html"' in html for one in listed)
    assert "ingredient &lt;does&gt; what?" in html
    assert "a &lt;b&gt;penalty&lt;/b&gt; | on slopes" in html
    assert "gans = {penalty: {name: r1}}" in html


def test_a_study_without_scores_is_one_sentence(ablation, tmp_path) -> None:
    folder, places = copied(ablation, tmp_path)
    (places["baseline"] / "scores.parquet").unlink()
    with pytest.raises(RunError, match=r"scores\.parquet.* is missing"):
        build_ablation_report(folder, places)


def test_twenty_five_ingredients_can_be_read() -> None:
    names = [f"an-ingredient-with-a-long-name-{number}" for number in range(25)]
    rows = [
        {"ingredient": name, "detector": f"{base}+{name}", "base": base, "group": group,
         "measure": "correct", "mean": 0.9, "ci95": [0.85, 0.95]}
        for name in names for base in ("a", "b") for group in FOUR
    ]  # fmt: skip
    experiment = parse_experiment({"name": "x", "gans": [
        {"architecture": "dcgan-plain", "name": name} for name in ("a", "b")]})  # fmt: skip
    material = AblationMaterial(experiment, {}, rows, rows)
    assert "its 200 numbers stand in the tables" in drawing(material).alt
    with house_style():
        figure = groups_by_ingredient(material, rows)
        figure.draw_without_rendering()
        labels = figure.axes[0].get_yticklabels()
        boxes = [label.get_window_extent() for label in labels]
    assert [label.get_text().replace("\n", "") for label in labels] == names
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    for axes in figure.axes:
        assert len(axes.lines) == 2 * len(names) + 1  # and the line that is wanted

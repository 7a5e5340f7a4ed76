"""The report of variants: what its sentences claim, what it draws, and where it leads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from shortcuts import without_figures
from variant_parts import experiment, shares, study

from gandetect import runs
from gandetect.analyses.variants.build import FILES, build_variants_report
from gandetect.analyses.variants.classes import average_rows, class_rows
from gandetect.analyses.variants.effects import FOUR
from gandetect.analyses.variants.figure import groups_by_variant
from gandetect.analyses.variants.measured import Part
from gandetect.analyses.variants.results import VariantsResults
from gandetect.analyses.variants.words import classes
from gandetect.analyses.variants.words import figure as drawing
from gandetect.data.fashion_mnist import CLASSES
from gandetect.errors import RunError
from gandetect.report.document import Heat
from gandetect.report.style import house_style

GOOD, FAIR = [0.97, 0.98, 0.99, 0.97, 0.99], [0.82, 0.85, 0.88, 0.83, 0.87]
LESS, POOR = [0.72, 0.75, 0.78, 0.73, 0.77], [0.55, 0.60, 0.65, 0.60, 0.60]
GANS = {"gans": [{"name": "*", "penalty": {"name": "r1"}}]}
VARIANTS = [
    {"name": "r1", "about": "a <b>penalty</b> | on slopes", "changes": GANS},
    *({"name": name} for name in ("mean", "pixels", "joint")),
]


def cut_to(seeds: int):
    """Shares of the first seeds."""

    def cut(**of_sources):
        return shares(**{name: runs[:seeds] for name, runs in of_sources.items()})

    return cut


def averaged(best: list[float], seeds: int) -> Part:
    """A study in which the mean of b reaches `best`."""
    cut = cut_to(seeds)
    return study("mean", {
        "a+mean": (["a"], cut(a=LESS, b=GOOD, far=POOR, id=GOOD, out=POOR)),
        "b+mean": (["b"], cut(b=GOOD, a=GOOD, far=POOR, id=GOOD, out=best)),
    })  # fmt: skip


@cache
def others(seeds: int) -> list[Part]:
    """Studies in which r1 helps a's novel reals alone; leave them as they are."""
    return [*_others(seeds)]


def _others(seeds: int) -> Iterator[Part]:
    cut = cut_to(seeds)
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
    yield study("pixels", {"pixels": ([], cut(a=POOR, b=FAIR, far=POOR, **reals))})
    yield study("joint", {"joint": (["a", "b"], cut(a=FAIR, b=GOOD, far=POOR, **reals))})


def written(folder: Path, best: list[float] = FAIR, seeds: int = 5) -> Path:
    """The folder of variants with their report, by what the report reads."""
    folder.mkdir(parents=True, exist_ok=True)
    question = "Which | variant <does> what?"
    runs.open_run(folder, experiment(*VARIANTS, seeds=seeds, question=question))
    places = {}
    baseline, r1, *rest = others(seeds)
    for part in (baseline, r1, averaged(best, seeds), *rest):
        places[part.name] = folder / "variants" / part.name
        runs.open_run(places[part.name], part.experiment)
        runs.write_json(places[part.name] / "metrics.json", part.metrics)
        part.scores.to_parquet(places[part.name] / "scores.parquet")
    build_variants_report(folder, places)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished study in which nothing holds on all four groups; leave it as it is."""
    return written(tmp_path_factory.mktemp("variants"))


def copied(finished: Path, place: Path) -> tuple[Path, dict[str, Path]]:
    """The folder before its report, elsewhere, and those of its studies."""
    folder = place / "variants"
    shutil.copytree(finished, folder)
    listed = runs.read_json(folder / "variants.json")["variants"]
    for name in (*FILES, "figures/variants.svg"):
        (folder / name).unlink()
    return folder, {one["variant"]: folder / one["run"] for one in listed}


def text_of(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def sentences_of(folder: Path, variant: str) -> str:
    """The sentences under a variant's heading."""
    return text_of(folder).partition(f"### {variant}\n")[2].partition("#")[0]


def test_how_far_the_best_one_is_stands_first(finished) -> None:
    findings = text_of(finished).partition("## Findings")[2]
    opening = findings.strip().splitlines()[0]
    assert "No detector answers at least 95 % of all four groups at once" in opening
    assert "b+mean with 85.0 % (" in opening
    assert opening.endswith("of held-out reals: 10.0 points short.")


def test_a_detector_that_holds_is_named(tmp_path, monkeypatch) -> None:
    without_figures(monkeypatch)
    text = text_of(written(tmp_path, [0.951, 0.955, 0.96, 0.95, 0.955]))
    assert "with an interval that goes below: b+mean with 95.4 % (" in text
    assert "No detector answers" not in text


def test_clear_changes_are_told_from_chance(finished) -> None:
    of_a, of_b = sentences_of(finished, "r1").split("On b: ")
    assert "On a: +38.0 points of held-out reals accepted (95 % interval +" in of_a
    clear, _, rest = of_a.partition("). ")
    assert "fakes" not in clear
    assert "own fakes caught (" in rest
    assert "which may be chance" in rest
    assert "held-out reals accepted" not in rest
    assert "+0.0 points of held-out reals accepted" in of_b
    assert of_b.count("which may be chance") == 1


def test_what_has_no_twin_is_told_in_levels(finished) -> None:
    joint = sentences_of(finished, "joint")
    assert "points" not in joint
    assert "85.0 % (" in joint.partition("of own fakes caught")[0]
    assert "own fakes" not in sentences_of(finished, "pixels").partition("Least")[0]


def test_what_was_not_measured_is_a_dash(finished) -> None:
    (row,) = [line for line in text_of(finished).splitlines()
              if line.startswith("| pixels |") and "%" in line and "Least" not in line
              and line.count("|") > 6]  # fmt: skip
    assert row.split("|")[2].strip() == "–"


def test_one_seed_says_what_its_intervals_cover(tmp_path, monkeypatch) -> None:
    without_figures(monkeypatch)
    text = text_of(written(tmp_path, seeds=1))
    assert "There is one training run of each" in text
    assert "95 % interval over images of one run only +" in text
    assert "runs and" not in text


def test_everything_is_written_and_equal_inputs_give_equal_bytes(finished, tmp_path) -> None:
    again, places = copied(finished, tmp_path)
    build_variants_report(again, places)
    for name in (*FILES, "figures/variants.svg"):
        assert (again / name).read_bytes() == (finished / name).read_bytes(), name


def test_links_lead_to_the_studies_and_words_of_the_file_do_no_harm(finished) -> None:
    html = (finished / "report.html").read_text(encoding="utf-8")
    listed = runs.read_json(finished / "variants.json")["variants"]
    assert [one["run"] for one in listed] == [f"variants/{name}" for name in
            ("baseline", "r1", "mean", "pixels", "joint")]  # fmt: skip
    assert all(f'href="{one["run"]}/report.html"' in html for one in listed)
    assert "variant &lt;does&gt; what?" in html
    assert "a &lt;b&gt;penalty&lt;/b&gt; | on slopes" in html
    assert "gans = [{name: *, penalty: {name: r1}}]" in html


def test_a_study_without_scores_is_one_sentence(finished, tmp_path) -> None:
    folder, places = copied(finished, tmp_path)
    (places["baseline"] / "scores.parquet").unlink()
    with pytest.raises(RunError, match=r"scores\.parquet.* is missing"):
        build_variants_report(folder, places)


def test_twenty_five_variants_can_be_read() -> None:
    names = [f"a-variant-with-a-long-name-{number}" for number in range(25)]
    rows = [
        {"variant": name, "detector": f"{base}+{name}", "base": base, "group": group,
         "measure": "correct", "mean": 0.9, "ci95": [0.85, 0.95]}
        for name in names for base in ("a", "b") for group in FOUR
    ]  # fmt: skip
    results = VariantsResults(experiment(), {}, {"rows": rows, "least": rows})
    assert "its 200 numbers stand in the tables" in drawing(results).alt
    with house_style():
        figure = groups_by_variant(results, rows)
        figure.draw_without_rendering()
        labels = figure.axes[0].get_yticklabels()
        boxes = [label.get_window_extent() for label in labels]
    assert [label.get_text().replace("\n", "") for label in labels] == names
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    for axes in figure.axes:
        assert len(axes.lines) == 2 * len(names) + 1  # and the line that is wanted


LOOKS_FAKE = {"Bag": 0.5}  # how many more are flagged when nobody trained on the class
TRIPLES = [CLASSES[start : start + 3] for start in (0, 3, 6)]


def class_results(*held_out: tuple[str, ...]) -> VariantsResults:
    """Variants in which `LOOKS_FAKE` is all that being held out does, but for a little chance."""
    rng = np.random.default_rng(len(held_out))
    by_class = {}
    for number, names in enumerate(held_out):
        by_class[f"v{number}"] = [
            {"detector": detector, "operating_point": "calibrated", "class_name": name,
             "held_out": name in names, "n": 6000 if name in names else 600,
             "flagged": 0.1 + (name in names) * LOOKS_FAKE.get(name, 0) + rng.uniform(0, 0.01)}
            for detector in ("a", "b") for name in CLASSES
        ]  # fmt: skip
    found = class_rows(by_class)
    average = average_rows(found, list(by_class))
    return VariantsResults(experiment(), {}, {"classes": found, "classes_on_average": average})


def framed(results: VariantsResults) -> list[list[str]]:
    """The classes of each detector whose difference is clear."""
    heats = [block for block in classes(results) if isinstance(block, Heat)]
    assert [heat.caption.partition(":")[0] for heat in heats] == ["a", "b"]
    return [[name for name, cells in heat.rows if cells[-1] and cells[-1].framed]
            for heat in heats]  # fmt: skip


def test_the_class_that_looks_fake_is_framed_and_no_other() -> None:
    assert framed(class_results(*TRIPLES)) == [["Bag"], ["Bag"]]


def test_two_variants_frame_no_class_as_chance_in_training_is_not_known() -> None:
    assert framed(class_results(CLASSES[:5], CLASSES[5:])) == [[], []]


def test_a_generator_that_was_left_out_stands_beside_those_that_are_known(
    tmp_path, monkeypatch
) -> None:
    without_figures(monkeypatch)
    cut = cut_to(3)
    both = {"joint": (["a", "b"], cut(a=GOOD, b=GOOD, id=GOOD, out=GOOD))}
    alone = {"joint": (["a"], cut(a=GOOD, b=POOR, id=GOOD, out=GOOD))}
    runs.open_run(tmp_path, experiment({"name": "without-b"}, seeds=3))
    places = {}
    for part in (study("baseline", both), study("without-b", alone)):
        places[part.name] = tmp_path / part.name
        runs.open_run(places[part.name], part.experiment)
        runs.write_json(places[part.name] / "metrics.json", part.metrics)
        part.scores.to_parquet(places[part.name] / "scores.parquet")
    build_variants_report(tmp_path, places)
    chapter = text_of(tmp_path).partition("## Trained without a generator")[2].partition("\n## ")[0]
    (row,) = [line for line in chapter.splitlines() if line.startswith("| joint | b | 60.0 %")]
    assert "98.0 %" in row
    assert "-38.0 (" in row

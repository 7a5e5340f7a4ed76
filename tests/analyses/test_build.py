import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from score_tables import quick

from gandetect.analyses.build import build_report
from gandetect.errors import DataError, RunError
from gandetect.report.inputs import read_inputs

OPTIONAL = [
    "manifest.json", "quality.json", "quality-classifier.json", "data.json", "data-samples.npz",
    "gans", "detectors",
]  # fmt: skip
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """What a page would load, its headings, images and unclosed tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.alts: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(found["href"])
        elif "src" in found or "href" in found:
            self.loads.append(found.get("src") or found["href"])
        if tag == "img":
            self.alts.append(found.get("alt") or "")
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def short(run: Path) -> str:
    """The report in Markdown without the slowest numbers, which come from the scores alone."""
    return build_report(run, asked=quick("by_class")).markdown.read_text()


def outputs(run: Path) -> dict[str, bytes]:
    made = [run / "metrics.json", run / "metrics.csv", run / "report.md", run / "report.html"]
    return {str(path.relative_to(run)): path.read_bytes()
            for path in [*made, *sorted((run / "figures").iterdir())]}  # fmt: skip


def test_report_shows_everything_that_a_run_holds(built):
    assert "Not shown" not in (built / "report.html").read_text()
    names = {path.name for path in (built / "figures").iterdir()}
    assert names >= {
        "roc-precision-recall.svg", "score-distributions.svg", "class-samples.png",
        "training-dcgan-bn.svg", "samples-dcgan-plain.png",
        "mistakes-dcgan-bn-generated-dcgan-plain.png",
    }  # fmt: skip
    assert not [path for path in built.rglob("*") if path.name.endswith(".tmp")]


def test_the_same_scores_give_the_same_bytes_whatever_the_users_plot_settings(run, built):
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 10, "axes.facecolor": "red"}):
        settings = dict(mpl.rcParams)
        build_report(run)
        assert dict(mpl.rcParams) == settings
    assert outputs(run) == outputs(built)


def test_what_was_not_asked_for_says_how_to_ask(built):
    text = (built / "report.md").read_text()
    assert 'Put trajectory = "all" under \\[evaluation\\]' in text
    assert "Put perturbations = " in text


def test_a_figure_serves_light_and_dark_pages_and_is_small(built):
    drawing = (built / "figures" / "roc-precision-recall.svg").read_text()
    assert "prefers-color-scheme:dark" in drawing
    assert not re.search(r"\d\.\d{3}", drawing)  # hundredths of a point


def test_figures_of_an_earlier_report_do_not_stay_behind(run, text_only):
    (run / "figures").mkdir()
    (run / "figures" / "stale.png").write_bytes(b"old")
    short(run)
    assert not (run / "figures" / "stale.png").exists()


def test_html_is_self_contained_and_well_formed(built):
    page = Page((built / "report.html").read_text())
    assert page.open == []
    assert page.loads
    assert all(address.startswith("data:image/") for address in page.loads)
    assert all(link.startswith(("#", "data:", "https://arxiv.org/")) for link in page.links)
    assert not page.tags & {"link", "iframe", "object"}  # a script has no address: see loads
    around = re.sub(r'"data:[^"]*"|url\(#', "", (built / "report.html").read_text())
    assert "url(" not in around


def test_html_has_headings_in_order_and_alternative_texts_with_numbers(built):
    page = Page((built / "report.html").read_text())
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:], strict=False))
    assert all(page.alts)
    assert sum(bool(re.search(r"\d", alt)) for alt in page.alts) > len(page.alts) / 2


def test_markdown_links_only_what_is_there_and_the_page_carries_no_animation(built):
    assert "data:image/gif" not in (built / "report.html").read_text()
    text = (built / "report.md").read_text()
    assert "gans/dcgan-bn/seed-0/samples.gif" in text
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    assert all((built / link).is_file() for link in links)


def test_markdown_and_html_tell_the_same_numbers(built):
    metrics = json.loads((built / "metrics.json").read_text())
    shown = f"{100 * metrics['cells'][0]['correct']:.1f} %"
    assert shown in (built / "report.md").read_text()
    assert shown in (built / "report.html").read_text()
    table = pd.read_csv(built / "metrics.csv")
    assert metrics["cells"][0]["correct"] in table["value"].tolist()


def test_published_numbers_stand_beside_ours(built):
    text = (built / "report.md").read_text()
    assert re.search(r"\| generated \| 0\.\d\d / 0\.59 \| 0\.\d\d / 0\.82 \|", text)
    assert "does not report which three classes were held out" in text


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_missing_input_is_named_and_costs_nothing_else(run, name, text_only):
    path = run / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    text = short(run)
    assert "The answer" in text
    assert "could not be made" not in text
    if name != "quality-classifier.json":
        assert "Not shown: " in text
        assert f"{name}" in re.sub(r"\\", "", text)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100], ids=repr)
def test_inputs_damaged_in_any_way_are_named(run, content):
    names = {name for name in OPTIONAL if "." in name}
    for name in names:
        (run / name).write_bytes(content)
    missing = read_inputs(run).missing
    assert all(f"{name} cannot be read" in missing[name] for name in names)


@pytest.mark.parametrize("content", [b"{", b"[1, 2]"], ids=repr)
def test_damaged_inputs_are_named_and_cost_nothing_else(run, content, text_only):
    names = [name for name in OPTIONAL if "." in name]
    for name in names:
        (run / name).write_bytes(content)
    text = short(run)
    for name in set(names) - {"quality-classifier.json"}:
        assert f"{name} cannot be read" in text
    assert "score-distributions.svg" in text
    assert "could not be made" not in text
    assert str(run.parent) not in text


def test_damaged_pictures_are_named_and_cost_nothing_else(run, blank):
    (run / "gans/dcgan-bn/seed-0/samples/0001.png").write_bytes(b"no image")
    (run / "gans/dcgan-plain/seed-0/history.csv").write_text("epoch\n")
    np.savez(run / "detectors/dcgan-bn/seed-0/mistakes.npz", **{"real:held-out/images": [1.0]})
    text = short(run)
    assert text.count("Not shown") >= 3
    assert "figures/training-dcgan-bn.svg" in text


def test_every_input_missing_at_once_still_gives_an_answer(run, blank):
    for name in OPTIONAL:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    paths = build_report(run)
    assert "of 100 fakes of its own generator" in paths.markdown.read_text().lower()
    assert {path.name for path in paths.figures} >= {
        "score-distributions.svg",
        "roc-precision-recall.svg",
    }


@pytest.mark.parametrize("value", [0.0, -1e30])
def test_constant_scores_still_give_a_report(run, value, request):
    if value:  # drawn once, and composed twice
        request.getfixturevalue("blank")
    for name in ("gans", "detectors", "image-statistics", "saliency"):  # drawn from no score
        shutil.rmtree(run / name)
    scores = pd.read_parquet(run / "scores.parquet")
    scores.assign(score=value).to_parquet(run / "scores.parquet")
    text = build_report(run).markdown.read_text()
    assert "could not be made" not in text


def test_sources_that_were_not_scored_are_named(run, blank):
    scores = pd.read_parquet(run / "scores.parquet")
    kept = scores[scores["source"].isin(["real:held-out", "generated:dcgan-bn"])]
    kept[kept["detector"] == "dcgan-plain"].to_parquet(run / "scores.parquet")
    text = build_report(run).markdown.read_text()
    assert "could not be made" not in text
    assert "no calibration reals" in text


def test_several_seeds_show_every_value_and_claim_no_interval_over_images(
    tmp_path, write_run, text_only
):
    run = write_run(tmp_path / "two", seeds=(0, 1))
    text = build_report(run).markdown.read_text()
    assert "Means over 2 training runs" in text
    for seed in (0, 1):
        assert f"dcgan-bn, seed {seed}" in text
    assert "do not cover how differently" not in text


def test_one_seed_says_what_its_intervals_leave_out(built):
    text = (built / "report.md").read_text()
    assert "do not cover how differently another run would turn out" in text


def test_hostile_names_are_shown_and_not_obeyed(run, text_only):
    hostile = "<script>alert(1)</script>|`x`\n# [a](javascript:b)\"'"
    data = json.loads((run / "data.json").read_text())
    data["classes"][0] = hostile
    data["counts"] = {hostile: {"train": 5}}
    data["duplicates"] = {hostile: 2}
    (run / "data.json").write_text(json.dumps(data))
    (run / "manifest.json").write_text(json.dumps({hostile: {hostile: hostile}}))
    paths = build_report(run)
    html, text = paths.html.read_text(), paths.markdown.read_text()
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
    assert "<script" not in text
    assert "\n# [a]" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    assert all(re.fullmatch(r"[a-z0-9.-]+", path.name) for path in paths.figures)


def test_no_path_of_the_machine_is_printed(built):
    for path in ("report.html", "report.md", "metrics.json"):
        assert str(built.parent) not in (built / path).read_text()


@pytest.mark.slow  # that analyses import none is in the default suite (test_project.py)
def test_a_report_needs_no_torch(run):
    for name in ("gans", "image-statistics"):  # most of what is drawn
        shutil.rmtree(run / name)
    code = (
        "import sys; from pathlib import Path; from gandetect.report import style;"
        "from gandetect.analyses.build import build_report;"
        "style.figure_svg = lambda figure: b''; build_report(Path(sys.argv[1]));"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'torchvision')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_folder_without_scores_is_refused_in_one_sentence(run):
    (run / "scores.parquet").unlink()
    with pytest.raises(RunError, match="is missing"):
        build_report(run)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table"])
def test_damaged_scores_are_refused_in_one_sentence(run, content):
    (run / "scores.parquet").write_bytes(content)
    with pytest.raises(RunError, match="cannot be read"):
        build_report(run)


def test_scores_that_cannot_be_evaluated_leave_the_old_report_alone(built, tmp_path):
    run = Path(shutil.copytree(built, tmp_path / built.name))
    before = outputs(run)
    scores = pd.read_parquet(run / "scores.parquet")
    scores.assign(score=np.nan).to_parquet(run / "scores.parquet")
    with pytest.raises(DataError, match="not finite"):
        build_report(run)
    assert outputs(run) == before


def test_a_detector_with_scores_that_are_no_numbers_costs_no_other(run, text_only):
    scores = pd.read_parquet(run / "scores.parquet")
    first = scores.index[scores["detector"] == "dcgan-plain"][:3]
    scores.loc[first, "score"] = [np.nan, np.inf, -np.inf]
    scores.to_parquet(run / "scores.parquet")
    text = short(run)
    metrics = json.loads((run / "metrics.json").read_text())
    assert {cell["detector"] for cell in metrics["cells"]} == {"dcgan-bn"}
    assert "3 score(s) of detector dcgan-plain, seed 0, are not finite" in text


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError):
        build_report(tmp_path)

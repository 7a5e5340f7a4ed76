"""The command that draws the figures of README and docs knows all of them."""

import re

from analyses.conftest import make_run

from .figures import FIGURES, ROOT, last_samples, main, opened, photograph

PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("experiments/*.md")]


def test_every_picture_of_a_page_is_drawn_by_the_command_and_none_is_left_over():
    shown = {
        (page.parent / found).resolve().relative_to(ROOT).as_posix()
        for page in PAGES
        for found in re.findall(
            r'(?:!\[[^\]]*\]\(|(?:src|srcset)=")([^)"]+)', page.read_text(encoding="utf-8")
        )
    }
    assert {name.replace("-dark.", ".") for name in shown} == {*FIGURES}
    kept = [path for folder in ("docs", "experiments") for path in ROOT.glob(f"{folder}/figures/*")]
    assert {path.relative_to(ROOT).as_posix() for path in kept} == shown


def test_a_report_is_photographed_in_light_and_in_dark(browser, report_html, tmp_path):
    photograph(browser, report_html, tmp_path / "page.png")
    light, dark = (
        opened(tmp_path / name).getpixel((5, 5))[0] for name in ("page.png", "page-dark.png")
    )
    assert light > 200
    assert dark < 50


def test_samples_of_all_generators_stand_side_by_side(tmp_path):
    run = make_run(tmp_path / "photos-0123456789ab")
    (run / "metrics.json").write_text("{}")
    (run / "metrics.csv").write_text("kind\n")
    (run / "figures").mkdir()
    last_samples(run, tmp_path / "both.png")
    width, height = opened(run / "gans/dcgan-bn/seed-0/samples/0006.png").size
    assert opened(tmp_path / "both.png").size == (2 * width + 10, height)


def test_a_figure_without_its_run_stays_and_its_command_is_printed(tmp_path, capsys):
    main(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FIGURES)
    assert lines[0] == (
        "experiments/figures/report.png stays: "
        f"first gandetect run experiments/quick.toml --out {tmp_path}"
    )

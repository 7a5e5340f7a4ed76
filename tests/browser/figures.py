"""Every figure of README and docs, drawn anew from runs: `make figures RUNS=runs`.

Of a study that was not run there the figure stays as it is, and its command is printed. An SVG file
follows the reader's light or dark setting; of a report one picture is taken in each.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gandetect import load_run
from gandetect.report.images import GUTTER

from .chromium import NoBrowserError, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]


def first_screen(run: Path, target: Path) -> None:
    """The top of a report."""
    with chromium() as browser:
        photograph(browser, run / "report.html", target)


def photograph(browser: Browser, report: Path, target: Path) -> None:
    """Write ``target`` in light colours and, beside it, ``-dark`` in dark ones."""
    for scheme, name in (("light", target), ("dark", target.with_stem(f"{target.stem}-dark"))):
        size = {"width": 1280, "height": 900}
        with browser.new_context(viewport=size, color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(report.resolve().as_uri())
            page.screenshot(path=name)
        opened(name).quantize(256, dither=Image.Dither.NONE).save(name, optimize=True)


def drawn(name: str, run: Path, target: Path) -> None:
    """A figure of the report as it is."""
    shutil.copyfile(run / "figures" / name, target)


def last_samples(run: Path, target: Path) -> None:
    """The fakes of every generator after its last epoch, side by side."""
    made = load_run(run).inputs.samples.values()
    grids = [np.asarray(opened(one.grids[max(one.grids)])) for one in made]
    between = np.full((grids[0].shape[0], 10, 3), GUTTER, np.uint8)
    joined = np.concatenate([part for grid in grids for part in (between, grid)][1:], axis=1)
    Image.fromarray(joined).quantize(256).save(target, optimize=True)


def opened(path: Path) -> Image.Image:
    """A picture in colours."""
    with Image.open(path) as stored:
        return stored.convert("RGB")


# Which experiment a figure is of, and what draws it.
FIGURES: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "experiments/figures/report.png": ("quick", first_screen),
    "experiments/figures/quick-samples.png": ("quick", partial(drawn, "samples-dcgan-bn.png")),
    "experiments/figures/seeds-runs.svg": ("seeds", partial(drawn, "runs.svg")),
    "experiments/figures/better-detectors-screen.svg": (
        "better-detectors-screen", partial(drawn, "variants.svg")
    ),
    "docs/figures/photos-samples.png": ("photos", last_samples),
    "docs/figures/colour-samples.png": ("colour", last_samples),
}  # fmt: skip


def main(runs: Path) -> None:
    """Draw what there are runs for, the newest of each, with their reports rebuilt first."""
    for target, (name, draw) in FIGURES.items():
        found = sorted(runs.glob(f"{name}-*/report.html"), key=lambda path: path.stat().st_mtime)
        if not found:
            print(f"{target} stays: first gandetect run experiments/{name}.toml --out {runs}")
            continue
        run = found[-1].parent
        command = [sys.executable, "-m", "gandetect", "report", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        draw(run, ROOT / target)
        print(f"{target} is of {run}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))
    except NoBrowserError as error:
        sys.exit(f"error: {error}")

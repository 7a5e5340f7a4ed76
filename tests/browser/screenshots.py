"""Pictures of a report for a person to look at: `make screenshots RUN=runs/…`.

At three widths, light and dark: the first screen as it opens, then the whole page unfolded, in
pieces that one can look at; the last of them overlaps the one before.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .chromium import NoBrowserError, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (375, 800, 1400)
SCREEN = 900  # px, what is seen at first
PIECE = 4000  # px, what can still be read when the whole picture is on a screen
FOLDER = Path("build/screenshots")


def newest_report() -> Path:
    """The run folder whose report was written last; `FileNotFoundError` where there is none."""
    reports = sorted(Path("runs").glob("*/report.html"), key=lambda path: path.stat().st_mtime)
    if not reports:
        raise FileNotFoundError("no runs/*/report.html here; make one with `make study`")
    return reports[-1].parent


def photograph(browser: Browser, report: Path, width: int, scheme: str, folder: Path) -> None:
    """Write all pictures of one width and colour scheme."""
    context = browser.new_context(
        viewport={"width": width, "height": SCREEN}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    page.screenshot(path=folder / f"{width}-{scheme}-first.png")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    # Scrolled through: a picture of a long page as a whole takes Chromium minutes.
    page.set_viewport_size({"width": width, "height": PIECE})
    height = page.evaluate("document.documentElement.scrollHeight")
    for number, top in enumerate(range(0, height, PIECE), start=1):
        page.evaluate("top => scrollTo({ top, behavior: 'instant' })", top)
        page.screenshot(path=folder / f"{width}-{scheme}-{number:02d}.png")
    context.close()


def main(run: Path) -> Path:
    """Photograph a run's report; raises `FileNotFoundError` where there is none."""
    report = run / "report.html"
    if not report.is_file():
        raise FileNotFoundError(f"there is no {report}; gandetect report {run} writes it")
    folder = FOLDER / run.resolve().name
    with chromium() as browser:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.png"):
            old.unlink()
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                photograph(browser, report, width, scheme, folder)
    return folder


if __name__ == "__main__":
    try:
        print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else newest_report()))
    except (NoBrowserError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")

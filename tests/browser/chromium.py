"""Debian's Chromium, driven by Playwright; no browser of Playwright's own is ever downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COMMANDS = ("chromium", "chromium-browser", "google-chrome")


class NoBrowserError(Exception):
    """There is no browser here; the message says what is missing and how to get it."""


def executable() -> str:
    """Where this machine's Chromium is, or the one that `GANDETECT_CHROMIUM` names."""
    named = os.environ.get("GANDETECT_CHROMIUM")
    commands = [named] if named else COMMANDS
    found = next(filter(None, map(shutil.which, commands)), None)
    if found is None:
        raise NoBrowserError(
            f"no Chromium here (looked for {', '.join(commands)}); on Debian: apt-get install "
            "chromium; elsewhere set GANDETECT_CHROMIUM to where it is"
        )
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; raises `NoBrowserError` where there is none."""
    path = executable()
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowserError("no Playwright here; pip install -e '.[test]'") from None
    # Chromium has no sandbox for root.
    arguments = ["--disable-dev-shm-usage", *([] if os.geteuid() else ["--no-sandbox"])]
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=arguments)
        except Error as error:
            raise NoBrowserError(f"{path} does not start: {str(error).splitlines()[0]}") from None
        yield browser
        browser.close()

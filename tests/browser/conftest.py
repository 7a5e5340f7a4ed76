"""A real browser for the report: Debian's Chromium, driven by Playwright, and what a page may do.

Where there is no browser these tests are skipped and say why; where
`GANDETECT_REQUIRE_BROWSER` is set they fail instead, as a skip would hide what they are for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from analyses.conftest import run_with_report

from .chromium import NoBrowserError, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request


def no_browser(reason: object) -> NoReturn:
    """Skip, or fail where somebody counts on these tests."""
    if os.environ.get("GANDETECT_REQUIRE_BROWSER"):
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session; every page has a context of its own."""
    with ExitStack() as stack:
        try:
            launched = stack.enter_context(chromium())
        except NoBrowserError as error:
            no_browser(error)
        yield launched


def watch(page: Page, address: str) -> list[str]:
    """What the page does from now on that a report may not do, as it happens."""
    trouble: list[str] = []

    def requests(request: Request) -> None:
        if request.url.partition("#")[0] != address and not request.url.startswith("data:"):
            trouble.append(f"request: {request.url}")

    def hears(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            trouble.append(f"console {message.type}: {message.text}")

    def answers(dialog: Dialog) -> None:
        trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", answers)
    page.on("console", hears)
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("popup", lambda other: trouble.append(f"new window: {other.url}"))
    page.on("request", requests)
    return trouble


@contextmanager
def pages(browser: Browser) -> Iterator[Callable[..., Page]]:
    """How to open files as from disk; in the end what they did is looked at, see `open_page`."""
    contexts, troubles = [], []

    def opened(path: Path, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        address = path.resolve().as_uri()
        troubles.append(watch(page, address))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    did = list(chain.from_iterable(troubles))
    assert not did, "the page did what a report may not do"


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file as from disk: `open_page(path, width=1280, height=900, **context_options)`.

    At the end the test fails on a console error or warning, an error in a script, a dialog, a new
    window, and every request but for the file itself and `data:`. Options are those of Playwright's
    `new_context`, such as `java_script_enabled=False` or `color_scheme="dark"`.
    """
    with pages(browser) as opened:
        yield opened


@pytest.fixture
def violations() -> Callable[..., list[str]]:
    """Serious and critical findings of axe-core on a page, one line each: `violations(page)`.

    With `rules`, such as `["color-contrast"]`, only these are asked.
    """
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        no_browser("no axe-core here; pip install -e '.[test]'")

    def found(page: Page, rules: Sequence[str] = ()) -> list[str]:
        only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        answer = Axe().run(page, options={"resultTypes": ["violations"], **only}).response
        return [
            f"{rule['impact']} {rule['id']}: {rule['help']}: {node['html'][:200]}"
            f" ({node['failureSummary']})"
            for rule in answer["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    return found


@pytest.fixture(scope="session")
def report_html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a made-up run with every chapter."""
    return run_with_report(tmp_path_factory) / "report.html"

"""A real browser for tests: Chromium by Playwright, skipped where one is missing (with CI=true a failure)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

PATIENCE = 120_000
"""Milliseconds after which a test gives up: nothing here is about speed, and a busy machine is late."""

Visit = Callable[..., Any]


def missing(what: str) -> None:
    message = f"{what}: the browser tests need it ('make browser' installs it where it can)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("no Playwright for Python")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing("no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    """Open an address in a browser of its own; in the end no page may have written to its console."""
    complaints: list[str] = []
    contexts = []

    def open_page(
        address: str,
        width: int = 1280,
        height: int = 900,
        refusals: bool = False,
        refused_scripts: bool = False,
        **settings: Any,
    ) -> Any:
        def heard(message: Any) -> None:
            # The browser itself reports a refused request; where one is provoked that is no mistake.
            refused = refusals and "the server responded with a status of 4" in message.text
            if not refused and not (refused_scripts and "Content Security Policy" in message.text):
                complaints.append(f"{message.type}: {message.text}")

        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == [], complaints


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as expected

    expected.set_options(timeout=PATIENCE)
    return expected(locator)

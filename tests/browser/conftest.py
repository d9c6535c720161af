"""Pages opened in a headless Chromium of this machine. Nothing is ever downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import NO_BROWSER

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "RECONCILER_CHROMIUM"


def find_chromium() -> str | None:
    """The one that is named, else the first on the PATH."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module, never of the session: while it is open its event loop is that of the process, and tests that start
    a loop of their own could not run."""
    path = find_chromium()
    if path is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


class Visit:
    """A page that somebody looks at, and everything it did that it should not."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.url = file.as_uri()
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))
        self.go()

    def go(self, fragment: str = "") -> None:
        self.page.goto("about:blank")
        self.page.goto(self.url + fragment)

    def shown(self) -> str:
        """What the page says of how much it shows."""
        return self.page.inner_text("#result")

    def until(self, text: str) -> None:
        """Waits until the line of the result says this."""
        self.page.wait_for_function("text => document.getElementById('result').textContent.includes(text)", arg=text)


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens HTML as a file; at the end, whatever was opened must have kept quiet and to itself."""
    visits: list[Visit] = []

    def open_page(html: str, *, width: int = 1280, scheme: str = "light", javascript: bool = True) -> Visit:
        file = tmp_path / f"page-{len(visits)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=javascript,
        )
        visits.append(Visit(context.new_page(), file))
        return visits[-1]

    yield open_page
    for one in visits:
        assert one.faults == []
        strangers = [
            url for url in one.requests if url not in ("about:blank", "data:,") and not url.startswith(one.url)
        ]
        assert strangers == []
        one.page.context.close()

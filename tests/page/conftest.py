"""The page of ``fanin article`` in Chromium, with the network cut off. Skipped where there is no Chromium or no Playwright."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SEED = 0  # the default: test_page.py says so
WIDTHS = {"desk": (1200, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install '.[test]'")
    with api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def written(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, as the command writes it."""
    for module in ("bokeh", "rich", "sklearn"):
        pytest.importorskip(module)
    from fanin.cli import main

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # all workers show the page that the first of them has written
        folder = folder.parent
    path = folder / "article.html"
    with (folder / "article.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            assert main(["article", "--out", str(path)]) == 0
    return path


@dataclass
class Tab:
    """A page in a browser that asks for nothing and complains of nothing, or `quiet` fails."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, line: Any) -> None:
        # What the tests themselves read from a canvas is none of the page's business.
        if line.type in ("error", "warning") and "willReadFrequently" not in line.text:
            self.complaints.append(line.text)

    def part(self, name: str) -> Any:
        return self.page.locator(f'[role=tabpanel]:not([hidden]) [data-part="{name}"]')

    def said(self) -> str:
        return str(self.part("said").inner_text())

    def click(self, name: str) -> None:
        self.page.locator(f'[role=tabpanel]:not([hidden]) [data-do="{name}"]').click()

    def pick(self, label: str) -> None:
        self.page.locator("[role=tabpanel]:not([hidden]) .choice").get_by_text(label, exact=True).click()

    def go(self, address: str) -> None:
        """Change the address, as a reader can by hand."""
        self.run("(address) => { location.hash = address; }", address)
        view = address.partition("view=")[2].partition("&")[0]
        self.page.wait_for_selector(f"#{view}:not([hidden])[data-built]")

    def slider(self) -> Any:
        return self.page.locator("[role=tabpanel]:not([hidden]) input[type=range]")

    def reaches(self, frame: int) -> None:
        """Wait until the player has come so far, and not to the end."""
        ends = time.monotonic() + 20
        while not frame <= int(self.slider().input_value()) < int(self.slider().get_attribute("max") or 0):
            assert time.monotonic() < ends, f"frame {frame} was not reached"
            self.page.wait_for_timeout(20)

    def address(self) -> str:
        return str(self.page.url.partition("#")[2])

    def built(self) -> None:
        self.page.wait_for_selector("[role=tabpanel]:not([hidden])[data-built]")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.page.evaluate(script, *arguments)

    def chart(self, part: str, series: str) -> dict[str, list[float]]:
        """What a chart shows under a name, as lists; NaN as None."""
        found = self.run(
            """([part, series]) => {
                const panel = document.querySelector("[role=tabpanel]:not([hidden])");
                const mine = [...fanin.charts].filter((each) => panel.contains(each.element));
                const chart = mine.find((each) => each.element.dataset.part === part);
                const list = (all) => Array.from(all, (one) => (Number.isFinite(one) ? one : null));
                return Object.fromEntries(Object.entries(chart.data(series)).map(([key, all]) => [key, list(all)]));
            }""",
            [part, series],
        )
        return dict(found)

    def quiet(self) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def visit(browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """``visit("view=digits", scheme="dark", width="phone")`` opens the page from disk; all are quiet at the end."""
    opened: list[tuple[Any, Tab]] = []

    def go(address: str = "", *, scheme: str = "light", width: str = "desk", path: Path | None = None) -> Tab:
        path = path or request.getfixturevalue("written")
        size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
        context = browser.new_context(color_scheme=scheme, viewport=size, offline=True)
        tab = Tab(context.new_page())
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("console", tab.hear)
        tab.page.goto(f"{path.as_uri()}#{address}")
        tab.built()
        opened.append((context, tab))
        return tab

    yield go
    for context, tab in opened:
        context.close()
        tab.quiet()

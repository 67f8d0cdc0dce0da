"""The site: its pictures are those of their scripts, it builds without a warning, and anybody can read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

LOOKED_AT = (
    "index",
    "tutorial",
    "howto/index",
    "howto/not-training",
    "howto/read-a-trace",
    "article/index",
    "article/1-why-the-start-matters",
    "accuracy",
    "literature",
    "peers",
    "design",
    "reference/sampling",
    "reference/cli",
    "reference/cpp",
    "reference/c",
)


def test_the_picture_of_the_house_is_the_one_of_the_map():
    subprocess.run([sys.executable, pages.ROOT / "scripts" / "house_picture.py", "--check"], check=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built; or FANIN_SITE, where one is built already."""
    if given := os.environ.get("FANIN_SITE"):
        return Path(given)
    for name in ("sphinx", "myst_nb", "furo", "latex2mathml"):
        pytest.importorskip(name, reason="needs the extra docs")
    built = tmp_path_factory.mktemp("site")
    call = [sys.executable, "-m", "sphinx", "-W", "-q", "--keep-going", pages.DOCS, built]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built


@pytest.mark.slow
def test_it_is_built_without_a_warning_and_needs_no_network(site):
    for name in LOOKED_AT:
        text = (site / f"{name}.html").read_text()
        assert 'src="http' not in text
        assert '<link rel="stylesheet" type="text/css" href="http' not in text
    assert "fanin.init.he_normal" in (site / "reference" / "sampling.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)])
def test_accessible(site, scheme, width):
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install '.[test]'")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    wrong = []
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
        for name in LOOKED_AT:
            page = context.new_page()
            page.goto((site / f"{name}.html").as_uri())
            found = axe.run(page).response["violations"]
            wrong += [(name, one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
            wide, inside = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            if wide > inside:
                wrong.append((name, "wider than the window", wide))
            page.close()
        browser.close()
    assert wrong == []

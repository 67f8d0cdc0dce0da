"""The site: its pictures are those of their scripts, and it builds without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages


def test_the_picture_of_the_house_is_the_one_of_the_map():
    if not (pages.ROOT / "pyproject.toml").exists():
        pytest.skip("no checkout")
    subprocess.run([sys.executable, pages.ROOT / "scripts" / "house_picture.py", "--check"], check=True)


@pytest.mark.slow
def test_it_builds_without_a_warning(tmp_path):
    for name in ("sphinx", "myst_nb", "furo", "latex2mathml"):
        pytest.importorskip(name, reason="needs the extra docs")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "--keep-going", pages.DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "reference" / "sampling.html").exists()

"""The pages of the documentation that need a framework: their Python runs, and sessions print what stands there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import pages

os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.mark.parametrize(("page", "framework"), pages.NEEDS.items())
@pytest.mark.filterwarnings("ignore")  # those of other libraries are no errors of ours
def test_page(page, framework, tmp_path, monkeypatch):
    pytest.importorskip(f"fanin.interop.{framework}", exc_type=ImportError)
    monkeypatch.chdir(tmp_path)
    pages.run_python(pages.ROOT / page, tmp_path)

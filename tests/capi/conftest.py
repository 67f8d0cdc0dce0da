"""The shared library, for those who load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_prefix(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an installation with the shared library is. Built in build/pytest, so that the next run builds what has changed."""
    build, prefix = ROOT / "build" / "pytest" / "shared", tmp_path_factory.mktemp("shared")
    tools.build(ROOT, build, "-DFANIN_BUILD_SHARED=ON", "-DCMAKE_INSTALL_LIBDIR=lib")
    tools.run(tools.cmake, "--install", build, "--prefix", prefix)
    return prefix

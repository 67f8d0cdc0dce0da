"""Fixtures that build the C++ project once a session: its tests, its objects and its installed package are looked at."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Tools:
    """cmake, ctest and ninja: from the PyPI packages of the extra `test`, otherwise from the system."""

    def __init__(self) -> None:
        self.cmake, self.ctest, self.ninja = (self.find(name) for name in ("cmake", "ctest", "ninja"))

    @staticmethod
    def find(name: str) -> str:
        module, folder = ("ninja", "BIN_DIR") if name == "ninja" else ("cmake", "CMAKE_BIN_DIR")
        try:
            found = shutil.which(name, path=getattr(importlib.import_module(module), folder))
        except ImportError:
            found = None
        found = found or shutil.which(name)
        if found is None:
            pytest.skip(f"needs {name}: pip install '.[test]'")
        return found

    @staticmethod
    def run(*command: str | os.PathLike[str], timeout: float = 900) -> str:
        """Run a command; returns what it printed, or fails with it."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            words = " ".join(os.fspath(word) for word in command)
            pytest.fail(f"{words}\nended with {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}", pytrace=False)
        return done.stdout

    def build(self, source: Path, build: Path, *options: str) -> Path:
        """Configure and build a CMake project with Ninja; returns the build directory."""
        settings = [f"-DCMAKE_MAKE_PROGRAM={self.ninja}", "-DCMAKE_BUILD_TYPE=Release", *options]
        self.run(self.cmake, "-S", source, "-B", build, "-G", "Ninja", *settings)
        self.run(self.cmake, "--build", build)
        return build


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools()


BUILD = pytest.StashKey[Future[Path]]()


def _needs_build(item: pytest.Item) -> bool:
    return "cpp_build" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The C++ project is built while the other tests run, so what needs it comes last."""
    items.sort(key=_needs_build)


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(map(_needs_build, session.items)) and not session.config.option.collectonly:
        session.stash[BUILD] = ThreadPoolExecutor(1).submit(_build, session.config)


def _build(config: pytest.Config) -> Path:
    build = ROOT / "build" / "pytest"
    try:
        build.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only checkout
        build = Path(tempfile.mkdtemp(prefix="fanin-"))
        config.add_cleanup(lambda: shutil.rmtree(build))
    return Tools().build(ROOT, build, "-DFANIN_BUILD_TESTS=ON", "-DFANIN_BUILD_PYTHON=OFF")


@pytest.fixture(scope="session")
def cpp_build(request: pytest.FixtureRequest) -> Path:
    """The C++ project with its tests, built. In build/pytest, so that the next run only builds what has changed."""
    return request.session.stash[BUILD].result()


@pytest.fixture(scope="session")
def cpp_sweep(tools: Tools, cpp_build: Path) -> Callable[..., str]:
    """Build and run one of the sweeps, which the suite leaves out: ``cpp_sweep("dense", "2000")`` returns what it printed."""

    def run(name: str, *arguments: str) -> str:
        tools.run(tools.cmake, "--build", cpp_build, "--target", f"sweep_{name}")
        return tools.run(cpp_build / "tests" / "cpp" / f"sweep_{name}", *arguments, timeout=7200)

    return run


@pytest.fixture(scope="session")
def cpp_prefix(tools: Tools, cpp_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `cmake --install` has put the C++ package."""
    prefix = tmp_path_factory.mktemp("prefix")
    tools.run(tools.cmake, "--install", cpp_build, "--prefix", prefix)
    return prefix

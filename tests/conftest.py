"""Fixtures for all tests: instruction sets and threads, Ctrl-C and children, the C++ project built and installed."""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import importlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

# NumPy's and SciPy's matrix products and decompositions are small here, and the C++ tests are built and run beside them: two
# threads that wait for each other take ten times as long (49 s for the spectra of test_pennington_2017.py, 2 s with one).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import fanin as fi

ROOT = Path(__file__).resolve().parents[1]


# ------------------------------------------------------------------------------------------------ instruction sets and threads


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    """Tests may change the instruction set and the number of threads."""
    isa, threads = fi.active_isa(), fi.num_threads()
    yield
    fi.set_isa(isa)
    fi.set_num_threads(threads)


@pytest.fixture(scope="session")
def everywhere() -> Callable[..., Iterator[tuple[str, int]]]:
    """Go through all instruction sets of this machine and some numbers of threads.

    ``for isa, threads in everywhere(1, 2, 3):`` sets both before each turn; without numbers the threads stay as they are.
    """

    def each(*threads: int) -> Iterator[tuple[str, int]]:
        for isa in fi.available_isas():
            fi.set_isa(isa)
            for n in threads or (fi.num_threads(),):
                fi.set_num_threads(n)
                yield isa, n

    return each


# ------------------------------------------------------------------------------------------------ data that a clone lacks

NO_MNIST = "MNIST's test images are not here"


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of MNIST's 10 000 test images: FANIN_MNIST, otherwise ../shared/data/mnist beside the checkout."""
    folder = Path(os.environ.get("FANIN_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
    if not any(folder.glob("t10k-images*")):
        pytest.skip(f"{NO_MNIST}: {folder}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skips are easily overlooked: say that figures of the literature were not tried, and what to do about it."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_MNIST in str(report.longrepr)]
    if skipped:
        names = sorted({report.nodeid.partition("::")[2].partition("[")[0] for report in skipped})
        terminalreporter.section(f"{len(skipped)} tests did not run: {NO_MNIST}")
        terminalreporter.write_line(", ".join(names))
        terminalreporter.write_line(
            "FANIN_MNIST=<the folder with t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz> runs them;"
        )
        terminalreporter.write_line("their counterparts on scikit-learn's digits ran all the same.")


# ------------------------------------------------------------------------------------------------ Ctrl-C


@pytest.fixture
def ctrl_c() -> Iterator[Callable[..., subprocess.Popen[Any]]]:
    """SIGINT raises KeyboardInterrupt in this test and in what it starts, even where this process ignores it (nohup, a
    background job): a child inherits what is ignored, but not a handler. Gives `start`: as `subprocess.Popen`, but the child
    leads a process group of its own, which ends with the test, whatever came of it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started: list[subprocess.Popen[Any]] = []

    def start(*args: Any, **options: Any) -> subprocess.Popen[Any]:
        started.append(subprocess.Popen(*args, start_new_session=True, **options))
        return started[-1]

    yield start
    for child in started:
        with contextlib.suppress(ProcessLookupError):  # all have ended
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------------ the C++ project


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


class Builds(NamedTuple):
    """Build trees."""

    core: Path  # of the library
    root: Path  # of the project that has the C++ tests in it
    tests: Path  # of the C++ tests


BUILD = pytest.StashKey[Future[Builds]]()
RUNS = pytest.StashKey[dict[str, Future[str]]]()
BACKGROUND = ThreadPoolExecutor(1)


def _needs_build(item: pytest.Item) -> bool:
    return not {"cpp_core", "cpp_tests", "cpp_run"}.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The C++ tests are built and run beside the other tests, so what needs them comes last."""
    items.sort(key=_needs_build)


def pytest_collection_finish(session: pytest.Session) -> None:
    if not any(map(_needs_build, session.items)) or session.config.option.collectonly:
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER")  # of pytest -n 2; the first begins, the others wait for what it has built
    if worker is None:
        session.stash[BUILD] = BACKGROUND.submit(_build, session.config)
        _start_runs(session)
    elif worker == "gw0":
        session.stash[BUILD] = BACKGROUND.submit(_build, session.config)


def _build_of(session: pytest.Session) -> Builds:
    if BUILD not in session.stash:
        session.stash[BUILD] = BACKGROUND.submit(_build, session.config)
    return session.stash[BUILD].result()


def _start_runs(session: pytest.Session) -> None:
    """All C++ tests, one after the other; under xdist, in the worker that is given tests/cpp."""
    topics = [item.callspec.params["topic"] for item in session.items if "cpp_run" in getattr(item, "fixturenames", ())]
    session.stash[RUNS] = {topic: BACKGROUND.submit(_run, session, topic) for topic in topics}


def _run(session: pytest.Session, topic: str) -> str:
    tools, tests = Tools(), session.stash[BUILD].result().tests
    return tools.run(tools.ctest, "--test-dir", tests, "--no-tests=error", "--output-on-failure", "-R", f"^{topic}$")


@contextlib.contextmanager
def _build_folder(config: pytest.Config, name: str) -> Iterator[Path]:
    """Where to build, which the next run finds again: two processes must not build there at once."""
    build = ROOT / "build" / "pytest"
    try:
        build.mkdir(parents=True, exist_ok=True)
        lock = (build / f"{name}.lock").open("w")
    except OSError:  # a read-only checkout
        build = Path(tempfile.mkdtemp(prefix="fanin-"))
        config.add_cleanup(lambda: shutil.rmtree(build))
        lock = (build / f"{name}.lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield build


def _build(config: pytest.Config) -> Builds:
    with _build_folder(config, "tests") as build:
        return _build_in(build)


def _build_in(build: Path) -> Builds:
    core = _core_of_the_wheel()
    if core is not None:
        tests = Tools().build(ROOT / "tests" / "cpp", build / "tests", f"-Dfanin_DIR={fi.get_cmake_dir()}")
        return Builds(core, tests, tests)
    whole = Tools().build(ROOT, build / "all", "-DFANIN_BUILD_TESTS=ON", "-DFANIN_BUILD_PYTHON=OFF")
    return Builds(whole, whole, whole / "tests" / "cpp")


def _core_of_the_wheel() -> Path | None:
    """Where `pip install .` has built the library that is installed, unless a source is newer: it need not be built again."""
    try:
        installed = next(Path(fi.get_cmake_dir()).parents[1].glob("libfanin.a"), None)
    except FileNotFoundError:
        return None
    sources = [ROOT / "CMakeLists.txt", *(ROOT / "cmake").iterdir(), *(ROOT / "cpp").rglob("*.[chi]*")]
    newest = max(path.stat().st_mtime for path in sources)
    for built in ROOT.glob("build/*/libfanin.a"):
        if installed and built.stat().st_mtime > newest and filecmp.cmp(built, installed, shallow=False):
            return built.parent
    return None


@pytest.fixture(scope="session")
def cpp_core(request: pytest.FixtureRequest) -> Path:
    """The build tree of the library."""
    return _build_of(request.session).core


@pytest.fixture(scope="session")
def cpp_tests(request: pytest.FixtureRequest) -> Path:
    """The C++ tests, built. In build/pytest, so that the next run only builds what has changed."""
    return _build_of(request.session).tests


@pytest.fixture
def cpp_run(request: pytest.FixtureRequest, topic: str) -> Future[str]:
    """The run of the C++ tests of the test's parameter `topic`."""
    _build_of(request.session)
    if RUNS not in request.session.stash:
        _start_runs(request.session)
    return request.session.stash[RUNS][topic]


@pytest.fixture(scope="session")
def cpp_sweep(request: pytest.FixtureRequest, tools: Tools, cpp_tests: Path) -> Callable[..., str]:
    """Build and run one of the sweeps, which the suite leaves out: ``cpp_sweep("dense", "2000")`` returns what it printed."""

    def run(name: str, *arguments: str) -> str:
        tools.run(tools.cmake, "--build", _build_of(request.session).root, "--target", f"sweep_{name}")
        return tools.run(cpp_tests / f"sweep_{name}", *arguments, timeout=7200)

    return run


@pytest.fixture(scope="session")
def cpp_prefix(tools: Tools, cpp_core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `cmake --install` has put the C++ package."""
    prefix = tmp_path_factory.mktemp("prefix")
    tools.run(tools.cmake, "--install", cpp_core, "--prefix", prefix)
    return prefix


@pytest.fixture(scope="session")
def embedded(request: pytest.FixtureRequest, tools: Tools) -> Path:
    """The build tree of another project that has fanin's sources in it, with a flag of its own that would change bits."""
    options = [f"-DFANIN_SOURCE={ROOT}", "-DFANIN_FROM=subdirectory", "-DFANIN_INSTALL=ON", "-DCMAKE_INSTALL_LIBDIR=lib"]
    options += ["-DCMAKE_CXX_FLAGS=-ffp-contract=fast", "-DFANIN_KERNEL_OPTIMIZATION=-O1"]
    # Quickly built: one library, one instruction set, and no optimisation of what is no kernel. The wheel has the static one,
    # which the slow tests embed; it and tests/golden have the other instruction sets.
    options += ["-DFANIN_BUILD_SHARED=ON", "-DFANIN_BUILD_STATIC=OFF"]
    options += ["-DFANIN_ISAS=generic", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG="]
    with _build_folder(request.config, "embedded") as build:
        return tools.build(ROOT / "tests" / "consumer", build / "embedded", *options)


@pytest.fixture(scope="session")
def shared_prefix(tools: Tools, embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an installation of the shared library alone is."""
    prefix = tmp_path_factory.mktemp("shared")
    tools.run(tools.cmake, "--install", embedded / "fanin", "--prefix", prefix)
    return prefix

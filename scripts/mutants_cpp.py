#!/usr/bin/env python3
"""Mutation testing of the core's statistics: small faults are sown in the C++ sources, the C++ tests must notice.

    python scripts/mutants_cpp.py                    # a sample of 60; fails where less than 85 % are killed
    python scripts/mutants_cpp.py --sample 10 --seed 4

No library that is kept well mutates C++20 that GCC alone compiles, so that this is a small one of our own. A mutant is one
operator or number of one line, replaced as `SWAPS` says; comments, messages, assertions and prefetches are left alone, and what
other instruction sets have by themselves. Sources are copied to `build/mutants/cpp`; each mutant is built there for the generic
instruction set and tested by `TESTS`. One that does not compile is no mutant, the next takes its place; one that runs out of
time is killed. The sample is drawn at random, its seed stated.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "mutants" / "cpp"
KILLS = 0.85
SOURCES = [
    *(f"cpp/src/stats/{name}.cpp" for name in ("stats", "axes", "histogram", "quantile")),
    *(f"cpp/src/kernels/stats_{name}.inl" for name in ("moments", "histogram")),
]
TESTS = ("test_stats", "test_stats_narrow")
TIMEOUT = 300  # seconds a test has; some 5 where nothing else runs

# What stands for what; of several, each is a mutant of its own.
SWAPS = {
    " < ": (" <= ", " > "),
    " > ": (" >= ", " < "),
    " <= ": (" < ",),
    " >= ": (" > ",),
    " == ": (" != ",),
    " != ": (" == ",),
    " && ": (" || ",),
    " || ": (" && ",),
    " + ": (" - ",),
    " - ": (" + ",),
    " * ": (" + ",),
    " / ": (" * ",),
    " += ": (" = ",),
    "++": ("--",),
    "true": ("false",),
    "false": ("true",),
    "std::min": ("std::max",),
    "std::max": ("std::min",),
}
_NUMBER = re.compile(r"(?<![\w.])([0-9]+)(?![\w.])")
_PASSED = re.compile(r"^\s*(//|#|template\b|static_assert|using\b|namespace\b)|throw |std::to_string|operator|_prefetch")


class Mutant(NamedTuple):
    """One line of one file, and what it becomes."""

    source: str
    line: int
    before: str
    after: str


def mutants() -> list[Mutant]:
    """All of them, in the order of the sources."""
    found = []
    for source in SOURCES:
        elsewhere = False  # in code of a larger instruction set
        for number, text in enumerate((ROOT / source).read_text().splitlines()):
            if text.startswith("#"):
                elsewhere = text.startswith("#if")
            code = text.partition("//")[0]
            if elsewhere or _PASSED.search(code) or '"' in code:
                continue
            places = [
                (m.start(), old, new) for old, news in SWAPS.items() for new in news for m in re.finditer(re.escape(old), code)
            ]
            places += [(m.start(), m[0], str(int(m[0]) + 1)) for m in _NUMBER.finditer(code)]
            for at, old, new in places:
                found.append(Mutant(source, number, text, text[:at] + new + text[at + len(old) :]))
    return found


def run(*command: str | Path, timeout: float | None = None) -> bool:
    """Whether a command succeeds in that time."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=timeout).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def build() -> bool:
    """Build what was changed, and the tests."""
    return run("cmake", "--build", WORK / "build", "--target", *TESTS)


def survives() -> bool:
    """Whether all tests pass."""
    return all(run(next((WORK / "build").rglob(test)), timeout=TIMEOUT) for test in TESTS)


def prepare() -> None:
    """Copy the sources and build them as they are: their tests must pass."""
    for folder in ("cpp", "cmake", "tests/cpp", "tests/capi", "tests/fuzz"):
        shutil.copytree(ROOT / folder, WORK / folder, dirs_exist_ok=True)
    for source in SOURCES:
        (WORK / source).touch()  # an earlier run may have built its last mutant since
    for name in ("CMakeLists.txt",):
        shutil.copy(ROOT / name, WORK / name)
    options = ("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DFANIN_KERNEL_OPTIMIZATION=-O1")
    options += ("-DFANIN_ISAS=generic", "-DFANIN_BUILD_TESTS=ON")
    if not run("cmake", "-S", WORK, "-B", WORK / "build", "-G", "Ninja", *options) or not build() or not survives():
        raise SystemExit(f"the tests do not pass before anything is changed: see {WORK / 'build'}")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=60, help="mutants to try (default %(default)s)")
    parser.add_argument("--seed", type=int, default=18, help="of the sample (default %(default)s)")
    options = parser.parse_args()
    prepare()
    everything = mutants()
    random.Random(options.seed).shuffle(everything)
    tried, survivors = 0, []
    for mutant in everything:
        if tried == options.sample:
            break
        path = WORK / mutant.source
        whole = path.read_text()
        lines = whole.splitlines(keepends=True)
        lines[mutant.line] = mutant.after + "\n"
        path.write_text("".join(lines))
        if build():
            tried += 1
            if survives():
                survivors.append(mutant)
                print(f"{mutant.source}:{mutant.line + 1}\n-{mutant.before}\n+{mutant.after}", flush=True)
        path.write_text(whole)
    killed = tried - len(survivors)
    print(f"killed {killed}/{tried} = {killed / tried:.1%} of {len(everything)}, seed {options.seed}")
    return 0 if killed >= KILLS * tried else 1


if __name__ == "__main__":
    raise SystemExit(main())

#!/usr/bin/env python3
"""Mutation testing of some rooms with mutmut: small faults are sown in the sources, a few tests of the room must notice.

    python scripts/mutants.py                        # a sample of each room; fails where less than 85 % are killed
    python scripts/mutants.py theory --sample 100    # of one room
    python scripts/mutants.py theory --survivors     # and the difference that each survivor makes

mutmut wants a project with its package under `src/`: a copy of the installed fanin with this checkout's sources over it, in
`build/mutants/<room>`, which the next run finds again. Each mutant runs in a forked child the tests of its room that call its
function, and no more than up to the first failure. A mutant that no test calls counts as a survivor; one that runs out of time
as killed. The sample is drawn at random, its seed is stated: other seeds are other samples, of the same expectation.

mutmut leaves alone what is decorated (dataclasses' methods are not) and what stands outside of functions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KILLS = 0.85  # of the sample, in every room

# What the children of mutmut say of a mutant (mutmut 3.8, `status_by_exit_code`); a run that does not end or crashes is a kill.
KILLED, TIMEOUT, SURVIVED, UNTESTED = {1, 3, -11}, {-24, -9, 24, 36, 152, 255}, {0}, {5, 33}


class Room(NamedTuple):
    """What is mutated, and the tests that must notice."""

    sources: list[str]
    tests: list[str]


ROOMS = {
    "theory": Room(["theory/*"], ["tests/python/theory"]),
    "stats": Room(["stats.py"], [f"tests/python/core/test_stats{part}.py" for part in ("", "_arguments", "_axes")]),
    "diagnosis": Room(["diagnosis/*"], ["tests/python/diagnosis"]),
    "datasets": Room(["datasets/*"], ["tests/python/datasets"]),
    "weights": Room(["weights/*"], ["tests/python/weights"]),
}


def prepare(room: Room, work: Path) -> None:
    """A project as mutmut wants it; what an earlier run left is kept where its source is the same."""
    import fanin

    source = work / "src" / "fanin"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    installed = Path(fanin._core.__file__).parent
    for tree, to in (
        (installed, source),
        (ROOT / "python" / "fanin", source),
        (ROOT / "tests", work / "tests"),
        (ROOT / "docs", work / "docs"),
        (ROOT / "examples", work / "examples"),
        (ROOT / "scripts", work / "scripts"),
    ):
        shutil.copytree(tree, to, ignore=ignored, dirs_exist_ok=True)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/fanin/{pattern}" for pattern in room.sources],
        "also_copy": ["docs", "examples", "scripts"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": room.tests,
        # CPU seconds a mutant has: 10 times what its tests take together, and 10.
        "timeout_constant": 1.0,
        "timeout_multiplier": 5.0,
        "on_dependency_change": "ignore",
    }
    table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    (work / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + f"\n[tool.mutmut]\n{table}\n")


def mutmut(work: Path, *arguments: str, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the project; the children of tests find the mutants too."""
    paths = [str(work / "mutants" / "src"), os.environ.get("PYTHONPATH", "")]
    one = dict.fromkeys(("FANIN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **one, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments]
    return subprocess.run(command, cwd=work, env=environment, check=False, text=True, capture_output=quiet)


def results(work: Path) -> dict[str, int | None]:
    """What came of each mutant, by name; None: not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((work / "mutants").rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def shown(work: Path, mutants: list[str]) -> str:
    """The lines that each of these mutants changes."""
    code = (
        "import sys\nfrom mutmut.mutation.diff_apply import get_diff_for_mutant\n"
        "for name in sys.argv[1:]: print(name, get_diff_for_mutant(name), sep='\\n')"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code, *mutants], cwd=work, check=True, text=True, capture_output=True
    ).stdout
    return "\n".join(line for line in printed.splitlines() if line[:1] not in (" ", "@", "") and line[:3] not in ("---", "+++"))


def run(name: str, options: argparse.Namespace) -> bool:
    """Sow and try the sample of one room; returns whether enough are killed."""
    work = ROOT / "build" / "mutants" / name
    work.mkdir(parents=True, exist_ok=True)
    prepare(ROOMS[name], work)
    # A mutant of no name: the mutants are made, the tests are run once, and none is tried.
    made = mutmut(work, "run", "--max-children", "1", "none of this name")
    everything = results(work)
    if not everything:
        raise SystemExit(f"{name}: mutmut made no mutants\n{made.stdout}\n{made.stderr}")
    order = sorted(everything)
    random.Random(options.seed).shuffle(order)
    drawn = order[: options.sample]  # so that a smaller sample is a part of a larger one
    tried = KILLED | TIMEOUT if options.again else KILLED | TIMEOUT | SURVIVED | UNTESTED
    new = [mutant for mutant in drawn if everything[mutant] not in tried]
    if new:
        done = mutmut(work, "run", "--max-children", str(options.children), *new)
        (work / "log.txt").write_text(done.stdout + done.stderr)
    everything = results(work)
    counts = {
        word: [m for m in drawn if everything[m] in codes]
        for word, codes in {
            "killed": KILLED,
            "out of time": TIMEOUT,
            "survived": SURVIVED,
            "called by no test": UNTESTED,
        }.items()
    }
    other = {m: everything[m] for m in drawn if not any(m in group for group in counts.values())}
    caught = len(counts["killed"]) + len(counts["out of time"])
    words = ", ".join(f"{len(group)} {word}" for word, group in counts.items())
    print(
        f"{name}: {caught}/{len(drawn)} = {caught / len(drawn):.1%} of {len(everything)} mutants, seed {options.seed}: {words}"
    )
    if other:
        print(f"{name}: not judged {other}; see {work / 'log.txt'}")
    if options.survivors:
        print(shown(work, sorted(counts["survived"] + counts["called by no test"])))
    return caught >= KILLS * len(drawn)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}; all by default")
    parser.add_argument("--sample", type=int, default=500, help="mutants of a room (default %(default)s)")
    parser.add_argument("--seed", type=int, default=18, help="of the sample (default %(default)s)")
    parser.add_argument("--children", type=int, default=2, help="mutants tried at once (default %(default)s)")
    parser.add_argument("--survivors", action="store_true", help="show what each survivor changes")
    parser.add_argument("--again", action="store_true", help="try survivors again, after tests were added")
    options = parser.parse_args()
    if unknown := set(options.rooms) - set(ROOMS):
        parser.error(f"rooms are {', '.join(ROOMS)}, got {', '.join(sorted(unknown))}")
    enough = [run(name, options) for name in options.rooms or ROOMS]
    return 0 if all(enough) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Instructions per element of every kernel, counted by callgrind: unlike times, they do not drift with the machine.

python benchmarks/instructions/count.py             # count, and fail where a kernel needs 10 % more than counts.json says
python benchmarks/instructions/count.py --write     # make counts.json anew; a growth belongs in CHANGELOG.md, with its reason
python benchmarks/instructions/count.py --fanin DIR # of the CMake package in DIR; otherwise of the installed wheel

Valgrind runs no AVX-512: the counts are those of x86_64_v3. They hold for one compiler; with another, nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import fanin as fi
from fanin import _core

HERE = Path(__file__).resolve().parent
COUNTS = HERE / "counts.json"
ELEMENTS = 4096  # main.cpp's kElements
GROWTH = 1.1
ISA = "x86_64_v3"
TRIGGER, TOTAL = (
    re.compile(r"^desc: Trigger: Client Request: (.+) (\d+)$", re.MULTILINE),
    re.compile(r"^summary: (\d+)", re.MULTILINE),
)


def count(package: str) -> dict[str, float]:
    """Return the instructions per element of every kernel."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cmake", "-S", HERE, "-B", folder, f"-Dfanin_DIR={package}"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", folder], check=True, stdout=subprocess.DEVNULL)
        tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/dump"]
        subprocess.run([*tool, f"{folder}/bench_instructions"], check=True, env={"FANIN_ISA": ISA}, stderr=subprocess.DEVNULL)
        found: dict[str, dict[int, int]] = {}
        for file in Path(folder).glob("dump*"):
            text = file.read_text()
            trigger, total = TRIGGER.search(text), TOTAL.search(text)
            if trigger and total:
                found.setdefault(trigger[1], {})[int(trigger[2])] = int(total[1])
    return {name: round((of[2 * ELEMENTS] - of[ELEMENTS]) / ELEMENTS, 3) for name, of in sorted(found.items())}


def main() -> int:
    """Count, then compare or write."""
    parser = argparse.ArgumentParser(description="instructions per element of every kernel")
    parser.add_argument("--write", action="store_true", help="make counts.json anew")
    parser.add_argument("--fanin", metavar="DIR", help="where fanin-config.cmake is")
    asked = parser.parse_args()
    now = {"compiler": _core.COMPILER.split(".")[0], "isa": ISA, "instructions": count(asked.fanin or fi.get_cmake_dir())}
    if asked.write:
        COUNTS.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        return 0
    kept = json.loads(COUNTS.read_text(encoding="utf-8"))
    if kept["compiler"] != now["compiler"]:
        print(f"counts.json was made with compiler {kept['compiler']}, this is {now['compiler']}: nothing compared")
        return 0
    before, after = kept["instructions"], now["instructions"]
    grown = [name for name in after if after[name] > GROWTH * before.get(name, float("inf"))]
    for name in grown:
        print(f"{name}: {before[name]} instructions per element before, {after[name]} now")
    if set(before) != set(after):
        print(f"other kernels than in counts.json: {sorted(set(before) ^ set(after))}; --write")
    print(f"{len(after)} kernels counted, {len(grown)} grew by more than {GROWTH - 1:.0%}")
    return 1 if grown or set(before) != set(after) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Everything at once: every topic against its peers, and a page of what came out.

python benchmarks/report                      # all topics, up to half an hour; the page is build/benchmarks/index.html
python benchmarks/report --quick              # few short rounds, three minutes
python benchmarks/report --topic dense stats  # some topics
python benchmarks/report --compare OLD.json build/benchmarks/results.json
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    import limits
    import page
    import pictures
    from results import Results, compare
except ModuleNotFoundError as error:
    sys.exit(f"python benchmarks/report needs {error.name}: pip install '.[bench]'")

HERE = Path(__file__).resolve().parent
TOPICS = sorted(path.stem.removeprefix("bench_") for path in HERE.parent.glob("bench_*.py"))
PREDICTOR = re.compile(r"(?P<name>.+?)\s+median\s+(?P<median>\d+) ns\s+99\.9 %\s+(?P<last>\d+) ns")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python benchmarks/report", description="fanin beside its peers: run, page, compare")
    parser.add_argument("--quick", action="store_true", help="few short rounds, without the predictor: three minutes")
    parser.add_argument("--topic", nargs="+", choices=TOPICS, default=TOPICS, metavar="TOPIC", help=", ".join(TOPICS))
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="a folder; build/benchmarks by default")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD.json", "NEW.json"), help="compare two runs, and stop")
    asked = parser.parse_args()
    if asked.compare:
        compare(*map(Results.read, asked.compare))
        return 0
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / "results.json"
    files = [HERE.parent / f"bench_{topic}.py" for topic in asked.topic]
    words = [
        sys.executable,
        "-m",
        "pytest",
        *files,
        f"--benchmark-json={kept.resolve()}",
        *(["--quick"] if asked.quick else []),
    ]
    failed = subprocess.run(words, check=False).returncode
    if not kept.exists():
        return failed
    results = Results.read(kept)
    found = limits.measure(min(2, len(os.sched_getaffinity(0))))
    for topic in results.topics:
        pictures.draw(topic, results.of(topic), found, asked.out / f"{topic}.png")
    page.write(results, found, [] if asked.quick else predictor(), asked.out / "index.html")
    print(f"{asked.out / 'index.html'}, one picture a topic beside it, and {kept}")
    return failed


def predictor() -> list[dict[str, Any]]:
    """Build and run benchmarks/predictor against the library that is installed; nothing without CMake or that library."""
    import fanin as fi

    try:
        where = fi.get_cmake_dir()
        with tempfile.TemporaryDirectory() as build:
            subprocess.run(
                ["cmake", "-S", HERE.parent / "predictor", "-B", build, f"-Dfanin_DIR={where}"], check=True, stdout=2
            )
            subprocess.run(["cmake", "--build", build], check=True, stdout=2)
            printed = subprocess.run([f"{build}/bench_predictor"], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        print(f"the predictor is left out: {error}", file=sys.stderr)
        return []
    found = (PREDICTOR.match(line) for line in printed.splitlines())
    rows = [{"name": one["name"], "median": float(one["median"]), "last": float(one["last"])} for one in found if one]
    return [row for row in rows if row["name"] != "nothing"]


if __name__ == "__main__":
    sys.exit(main())

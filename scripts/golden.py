"""Write python/fanin/verify/golden.json, the digests that fanin.selftest() compares: run it when a law or an activation is new.

python scripts/golden.py [--check] [--announced]

Run it last, from a build that has the final code.

A digest that exists must not change: that is a change of ALGORITHM_VERSION, to be announced in the changelog
(docs/reproducibility.md), and is written with --announced only. --check writes nothing and fails on any difference.
"""

from __future__ import annotations

import argparse
import json
import sys

from fanin import ALGORITHM_VERSION
from fanin.verify.selftest import GOLDEN, digests


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the digests that fanin.selftest() compares.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail on any difference")
    parser.add_argument("--announced", action="store_true", help="write digests that have changed, too")
    asked = parser.parse_args()
    old = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {"algorithm_version": ALGORITHM_VERSION, "digests": {}}
    new = {"algorithm_version": ALGORITHM_VERSION, "digests": digests()}
    if new == old:
        return 0
    changed = [key for key, digest in old["digests"].items() if new["digests"].get(key) != digest]
    for key in changed:
        print(f"changed or gone: {key}")
    if asked.check:
        print(f"{GOLDEN.name} is out of date: run python scripts/golden.py")
        return 1
    if changed and not asked.announced:
        print("bits of an earlier state changed: raise kAlgorithmVersion, announce it in the changelog, and say --announced")
        return 1
    GOLDEN.write_text(json.dumps(new, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

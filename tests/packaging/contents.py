"""What a wheel holds: the package's own files, the headers, and what the build makes of the rest. Nothing else.

python tests/packaging/contents.py WHEEL...      each holds just that; of several, all hold the same bytes
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = {
    "fanin/_core",  # under the name that its Python gives it
    "fanin/lib/libfanin.a",
    "fanin/lib/pkgconfig/fanin.pc",
    *(f"fanin/lib/cmake/fanin/fanin-{name}.cmake" for name in ("config", "config-version", "static", "static-release")),
}


def expected() -> set[str]:
    package, headers = ROOT / "python" / "fanin", ROOT / "cpp" / "include" / "fanin"
    made = {"include", "lib", "__pycache__"}  # by a build in place
    sources = {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".so" and made.isdisjoint(path.relative_to(package).parts)
    }
    return BUILT | sources | {f"fanin/include/fanin/{path.name}" for path in headers.iterdir()}


def held(names: Iterable[str]) -> set[str]:
    """Names in a wheel or an installation, without those that describe it."""
    plain = {name for name in names if name.startswith("fanin/") and not name.endswith((".pyc", "/"))}
    return {name if not name.startswith("fanin/_core.c") else "fanin/_core" for name in plain}


def main(wheels: list[str]) -> int:
    first: dict[str, bytes] = {}
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            bytes_of = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
        wrong = sorted(held(bytes_of) ^ expected())
        outside = [n for n in bytes_of if not n.startswith("fanin/") and ".dist-info/" not in n.split("/", 1)[0] + "/"]
        if wrong or outside:
            print(f"{path}: missing, or too much: {wrong + outside}")
            return 1
        first = first or bytes_of
        differing = sorted(name for name in first.keys() | bytes_of.keys() if first.get(name) != bytes_of.get(name))
        if differing:
            print(f"{path}: other bytes than {wheels[0]}: {differing}")
            return 1
        print(f"{path}: {len(bytes_of)} files, {sum(map(len, bytes_of.values())) / 1e6:.1f} MB unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

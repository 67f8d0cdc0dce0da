"""What an installation holds, and what `import fanin` costs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fanin as fi

ROOT = Path(__file__).resolve().parents[2]

IMPORT = """
import json, sys, time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
before = set(sys.modules)
import fanin
end = time.perf_counter()
print(json.dumps([end - middle, middle - start, sorted(set(sys.modules) - before)]))
"""


def test_import_brings_numpy_and_nothing_else(record_property):
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True).stdout) for _ in range(3)
    ]
    ours, numpys, modules = min(runs)
    # Times are printed (pytest -rP), not asserted: this machine may be busy. The aim is 20 ms.
    print(f"import fanin: {1e3 * ours:.1f} ms after import numpy ({1e3 * numpys:.1f} ms), {len(modules)} modules")
    record_property("import_fanin_ms", 1e3 * ours)
    packages = {module.partition(".")[0] for module in modules}
    assert packages - set(sys.stdlib_module_names) <= {"fanin", "numpy"}


def test_version_is_one():
    header = (ROOT / "cpp" / "include" / "fanin" / "version.hpp").read_text()
    assert fi.__version__ == re.search(r'FANIN_VERSION "([0-9.]+)"', header)[1]


def test_the_whole_header_holds_every_header():
    headers = ROOT / "cpp" / "include" / "fanin"
    included = set(re.findall(r'#include "fanin/(.+)"', (headers / "fanin.hpp").read_text()))
    assert included == {path.name for path in headers.glob("*.hpp")} - {"fanin.hpp"}


@pytest.fixture(scope="module")
def installed() -> list[importlib.metadata.PackagePath]:
    """Files of the installed package; none where fanin runs from a source tree that was never installed."""
    try:
        files = importlib.metadata.files("fanin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    if not any(Path(str(f.locate())) == Path(fi._core.__file__) for f in files):
        pytest.skip("fanin is not installed here: it runs from the source tree")
    return files


def test_wheel_is_small(installed, record_property):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in installed:
            if Path(str(file.locate())).suffix != ".pyc":
                wheel.write(str(file.locate()), str(file))
    record_property("wheel_bytes", packed.tell())
    print(f"the wheel's content, packed: {packed.tell() / 1e6:.2f} MB")
    assert packed.tell() < 3_000_000


def test_wheel_holds_the_package_and_nothing_else(installed):
    spec = importlib.util.spec_from_file_location("contents", Path(__file__).parent / "contents.py")
    contents = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(contents)
    names = {file.as_posix() for file in installed}
    assert contents.held(names) == contents.expected()
    assert {name.partition("/")[0] for name in names} <= {"fanin", f"fanin-{fi.__version__}.dist-info", ".."}  # ../../bin/fanin

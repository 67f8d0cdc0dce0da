"""The house stays one that a newcomer finds the way in: short files, small rooms."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {".py", ".cpp", ".hpp", ".h", ".inl", ".c", ".js", ".css", ".cmake", ".sh"}


@pytest.fixture(scope="module")
def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a git checkout")
    return [path for path in map(ROOT.joinpath, listed.stdout.splitlines()) if path.is_file() and path.suffix in SOURCES]


def test_no_file_is_longer_than_400_lines(files):
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {name: n for name, n in lengths.items() if n > 400} == {}


def test_no_room_has_more_than_12_modules(files):
    rooms: dict[str, int] = {}
    for path in files:
        if path.suffix == ".py" and path.is_relative_to(ROOT / "python") and path.name != "__init__.py":
            room = str(path.parent.relative_to(ROOT))
            rooms[room] = rooms.get(room, 0) + 1
    assert {room: n for room, n in rooms.items() if n > 12} == {}

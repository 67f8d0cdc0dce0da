"""Draw docs/house.svg, the rooms of the house: from the contract in pyproject.toml and the map in CONTRIBUTING.md.

``--check`` draws nothing and fails where the picture is no longer what they say.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "house.svg"
WIDTH, LEFT, ROW, GAP = 860, 104, 32, 5
# Storeys by the lowest room that belongs to each.
STOREYS = {"reports": ("what people", "look at", "#e8f0f8"), "datasets": ("results as", "plain data", "#f3efe2")}
FACES = ("thin faces", "of the core", "#e7f2ea")
CORE = ("the core,", "C++", "#dde9e0")
WORDS = {  # where the map says more than a box holds, or says it of several rooms at once
    "cli": "one module a command",
    "interop": "PyTorch, JAX, Keras, scikit-learn, Dask",
    "diagnosis": "findings, trial, outlook, verdict, remedies",
    "reports": "figures, notebook tables, HTML pages",
    "article": "the course material",
    "verify": "NumPy reference, selftest",
    "activation": "functions, gains",
    "stats": "summaries that merge",
    **dict.fromkeys(("optimizer", "loss", "dense", "random", "isa", "threads", "paths"), ""),
}


def floors() -> list[list[str]]:
    """Rooms from the top, those of one floor together."""
    text = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r'id = "stairs".*?layers = \[(.*?)\]', text, re.DOTALL)
    assert listed is not None
    return [[room.strip().removeprefix("fanin.") for room in line.split("|")] for line in re.findall(r'"(.*)"', listed[1])]


def held() -> dict[str, str]:
    """What each room holds, in the words of the map, up to the first colon or semicolon."""
    rows = re.findall(r"^\| ((?:`[\w, /]+`(?:, )?)+) \| (.+?) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    found = {}
    for rooms, what in rows:
        for room in re.findall(r"\w+", rooms):
            found[room] = re.split(r"[:;]", what.replace("`", ""))[0]
    return found | WORDS


def topics() -> list[str]:
    """Topics of the core, from the ground up."""
    found = re.search(r"only those before it: `([\w,\s]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert found is not None
    return [topic.strip() for topic in found[1].split(",")]


def picture() -> str:
    core, words = topics(), held()
    half = -(-len(core) // 2)
    rows = [[(topic, "") for topic in core[:half]], [(topic, "") for topic in core[half:]]]
    storeys, first = [CORE, CORE], [0]
    storey = FACES
    for floor in reversed(floors()):
        storey = next((STOREYS[room] for room in floor if room in STOREYS), storey)
        rows.append([(room, words.get(room, "")) for room in floor])
        storeys.append(storey)
    first += [i for i in range(1, len(rows)) if storeys[i] is not storeys[i - 1]]
    height = len(rows) * (ROW + GAP) + GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" role="img">',
        "<title>The rooms of fanin, the higher ones using the lower</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
    ]

    def box(row: int, boxes: list[tuple[str, str]], colour: str) -> None:
        """A row of boxes, counted from the ground."""
        y = height - GAP - (row + 1) * (ROW + GAP)
        each = (WIDTH - LEFT - GAP * len(boxes)) / len(boxes)
        for i, (name, said) in enumerate(boxes):
            x = LEFT + i * (each + GAP)
            out.append(f'<rect x="{x:g}" y="{y}" width="{each:g}" height="{ROW}" rx="4" fill="{colour}" stroke="#8a929c"/>')
            room = f'<tspan font-weight="600">{html.escape(name)}</tspan>'
            if said and len(name) + len(said) < each / 7.2:
                room += f'<tspan dx="8" fill="#4a525c">{html.escape(said)}</tspan>'
            out.append(f'<text x="{x + 10:g}" y="{y + 21}" font-size="13" fill="#1f2732">{room}</text>')

    for row, boxes in enumerate(rows):
        box(row, boxes, storeys[row][2])
    for low, high in zip(first, [*first[1:], len(rows)], strict=True):
        middle = height - GAP - (low + high) * (ROW + GAP) / 2
        for i, line in enumerate(storeys[low][:2]):
            out.append(f'<text x="10" y="{middle - 4 + 16 * i:g}" font-size="13" fill="#4a525c">{line}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> int:
    drawn = picture()
    if sys.argv[1:] == ["--check"]:
        same = PICTURE.exists() and PICTURE.read_text() == drawn
        print("docs/house.svg is as the map says" if same else "docs/house.svg is old: python scripts/house_picture.py")
        return int(not same)
    PICTURE.write_text(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())

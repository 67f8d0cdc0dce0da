"""Write docs/tables.md: what each file of tests/data/tables is, what fanin says, and what pandas' defaults make of it.

`python scripts/table_peers.py` needs pandas and PyArrow.
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import pandas as pd

from fanin.datasets import load_table

ROOT = Path(__file__).parents[1]


def short(text: str, most: int = 110) -> str:
    text = " ".join(text.replace("|", "\\|").split()).replace("\0", "(byte 0)")
    return text if len(text) <= most else text[: most - 3] + "..."


def of_fanin(path: Path, options: dict) -> str:
    try:
        table = load_table(path, **{"target": "y", **options})
    except ValueError as error:
        return "refused: " + short(str(error).replace(str(path), path.name).removeprefix(path.name).lstrip(",: "))
    return f"x {table.x.shape[0]} x {table.x.shape[1]}, {table.decisions[-1].kind}"


def of_pandas(path: Path) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:
        return f"{type(error).__name__}: " + short(str(error).replace(str(path), path.name), 70)
    empty = int(frame.isna().sum().sum())
    kinds = ", ".join(f"{name} {kind}" for name, kind in zip(frame.columns, frame.dtypes, strict=True))
    return short(f"{len(frame)} rows: {kinds}" + (f"; {empty} NaN" if empty else ""))


def main() -> None:
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "tests/data/make_tables.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    lines = [
        "# Tables that are wrong, or in doubt",
        "",
        f"The {len(made.CASES)} files of `tests/data/tables`: what fanin makes of each, and what `pandas.read_csv` does",
        f"by default (pandas {pd.__version__}). Written by `scripts/table_peers.py`; long words of an error are cut.",
        "",
        "| file | what it is | fanin | pandas |",
        "|---|---|---|---|",
    ]
    for name, (what, _, options, _) in made.CASES.items():
        path = made.FOLDER / name
        lines.append(f"| {name} | {short(what)} | {of_fanin(path, options)} | {of_pandas(path)} |")
    (ROOT / "docs/tables.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()

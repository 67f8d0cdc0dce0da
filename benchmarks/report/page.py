"""The page: where it was made, a summary, and a picture and a table a topic."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from results import RIVALS, Results

STYLE = """
:root { color-scheme: light dark; --line: #8884; --slower: #c00000 }
@media (prefers-color-scheme: dark) { :root { --slower: #ff8080 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
div.wide { overflow-x: auto }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left }
.slower { color: var(--slower); font-weight: 600 }
small { opacity: .75 }
img { max-width: 100%; background: white; border-radius: 6px }
"""

WORDS = """<p>A ratio is the time of a peer over that of fanin on the same work with the same number of threads: the best of
several rounds, in which the contenders alternate, after their results were compared. Beside it: the quartiles of single rounds.
<span class="slower">Red</span>: fanin is slower.</p>"""


def write(results: Results, limits: dict[str, list[float]] | None, predictor: list[dict[str, Any]], path: Path) -> None:
    """Write the page; the pictures `<topic>.png` stand beside it."""
    parts = [
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>fanin: benchmarks</title><style>{STYLE}</style>",
        "<h1>fanin beside its peers</h1>",
        f"<p>{escape(results.words())}</p>",
        WORDS,
        *summary(results),
        *(limit_lines(limits) if limits is not None else []),
    ]
    for topic in results.topics:
        parts += [f"<h2>{escape(topic)}</h2>", f'<img src="{topic}.png" alt="{escape(topic)}: the figures of the table below">']
        parts += table(results.of(topic), limits)
    parts += instruction_lines()
    if predictor:
        parts += predictor_lines(predictor)
    path.write_text("\n".join([*parts, "</html>"]) + "\n", encoding="utf-8")


def summary(results: Results) -> Iterator[str]:
    yield "<h2>Summary</h2><div class=wide><table><tr><th>peer</th><th>geometric mean</th><th>fanin is slower in</th></tr>"
    for name in RIVALS:
        found = [row[name] for row in results.rows if name in row]
        if found:
            slower = sum(ratio < 1 for ratio in found)
            mark = ' class="slower"' if slower else ""
            mean = statistics.geometric_mean(found)
            yield f"<tr><td>{name}</td><td>{mean:.2f}</td><td{mark}>{slower} of {len(found)} cases</td></tr>"
    yield "</table></div>"


def limit_lines(limits: dict[str, list[float]]) -> Iterator[str]:
    yield "<h2>The limits of this machine</h2><div class=wide><table><tr><th>10⁹ a second</th>"
    yield "".join(f"<th>{n + 1} thread{'s'[:n]}</th>" for n in range(len(limits["flop"]))) + "</tr>"
    for unit, values in limits.items():
        yield f"<tr><td>{unit}</td>{''.join(f'<td>{value / 1e9:.3g}</td>' for value in values)}</tr>"
    yield "</table></div>"


def table(rows: list[dict[str, Any]], limits: dict[str, list[float]] | None) -> Iterator[str]:
    rivals = [name for name in RIVALS if any(name in row for row in rows)]
    of_limit = limits is not None and any("work" in row for row in rows)
    heads = ["case", "threads", "fanin", *(["of the limit"] if of_limit else []), *rivals]
    yield f"<div class=wide><table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>"
    for row in rows:
        cells = [f"<td>{escape(row['case'])}</td><td>{row['threads']}</td><td>{duration(row['seconds'])}</td>"]
        if of_limit and limits is not None:
            work, unit = row.get("work", (0, "flop"))
            share = work / row["seconds"] / limits[unit][row["threads"] - 1]
            cells.append(f"<td>{100 * share:.0f} %</td>" if work else "<td></td>")
        for name in rivals:
            if name not in row:
                cells.append("<td></td>")
                continue
            low, high = row["spread"][name]
            mark = ' class="slower"' if row[name] < 1 else ""
            cells.append(f"<td{mark}>{ratio(row[name])} <small>{ratio(low)}–{ratio(high)}</small></td>")
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table></div>"
    for note in dict.fromkeys(f"{row['case']}: {row['note']}" for row in rows if "note" in row):
        yield f"<p><small>{escape(note)}</small></p>"


def predictor_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    ours = next(row["median"] for row in rows if row["name"] == "Predictor")
    yield "<h2>predictor</h2><p>One row through [16, 32, 32, 4] with tanh, one thread; each of 10⁶ calls timed alone.</p>"
    yield "<div class=wide><table><tr><th>from C++</th><th>median</th><th>99.9 %</th><th>of Predictor's</th></tr>"
    for row in rows:
        share = row["median"] / ours
        mark = ' class="slower"' if share < 1 and not row["name"].startswith("Predictor") else ""
        times = f"<td>{row['median']:.0f} ns</td><td>{row['last']:.0f} ns</td>"
        yield f"<tr><td>{escape(row['name'])}</td>{times}<td{mark}>{share:.2f}</td></tr>"
    yield "</table></div>"


def instruction_lines() -> Iterator[str]:
    kept = json.loads((Path(__file__).resolve().parents[1] / "instructions" / "counts.json").read_text(encoding="utf-8"))
    yield f"<h2>instructions</h2><p>Per element, counted by callgrind on {kept['isa']}: they do not drift with the machine. Of "
    yield "a layer of 64 inputs an element is one of the outputs.</p><div class=wide><table><tr><th>kernel</th>"
    yield "<th>float32</th><th>float64</th></tr>"
    counts: dict[str, list[float]] = {}
    for name, value in kept["instructions"].items():
        counts.setdefault(name.rpartition(" ")[0], []).append(value)
    for name, (single, double) in counts.items():
        yield f"<tr><td>{escape(name)}</td><td>{single:g}</td><td>{double:g}</td></tr>"
    yield "</table></div>"


def ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.3g}"


def duration(t: float) -> str:
    unit, scale = next((u, s) for u, s in (("s", 1), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)) if t * s >= 1 or u == "ns")
    return f"{t * scale:.3g}\u202f{unit}"

"""The page of the benchmarks, from results that are made up."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def made(monkeypatch, tmp_path):
    """The modules of the report, and a file of results with one ratio below 1."""
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "report"))
    for name in ("page", "pictures", "results"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import page
    import pictures
    import results

    def kept(name: str, ratio: float) -> Path:
        rows = [
            {"topic": "dense", "case": "product, 8 x 8", "threads": 1, "seconds": 2e-6, "PyTorch": ratio,
             "spread": {"PyTorch": [0.9 * ratio, 1.1 * ratio]}},
            *({"topic": "growth", "case": f"tanh, elements: {n}", "threads": t, "seconds": 1e-9 * n, "NumPy": 2.0, "size": n,
               "spread": {"NumPy": [1.9, 2.1]}, "work": [8 * n, "byte copied"]} for n in (64, 1024) for t in (1, 2)),
        ]  # fmt: skip
        ours = {"version": "0.1.0", "isa": "generic", "compiler": "12.2", "peers": {"NumPy": "2.0"}}
        file = tmp_path / name
        machine = {"machine": "x86_64", "cpu": {"count": 2}, "fanin": ours}
        benchmarks = [{"extra_info": row} for row in rows]
        file.write_text(json.dumps({"benchmarks": benchmarks, "machine_info": machine, "datetime": "2026-01-01T00:00:00"}))
        return file

    return page, pictures, results, kept


def test_page_and_pictures(made, tmp_path):
    page, pictures, results, kept = made
    found = results.Results.read(kept("a.json", 0.8))
    limits = {unit: [1e10, 2e10] for unit in ("flop", "byte written", "byte read", "byte copied")}
    for topic in found.topics:
        pictures.draw(topic, found.of(topic), limits, tmp_path / f"{topic}.png")
        assert (tmp_path / f"{topic}.png").stat().st_size > 5000
    page.write(found, limits, [{"name": "Predictor", "median": 170.0, "last": 300.0}], tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text()
    assert '<td class="slower">0.80 <small>0.72–0.88</small></td>' in text  # where fanin loses, in red
    assert '<td class="slower">1 of 1 cases</td>' in text
    assert "80 %" in text  # 8 bytes in 1 ns, of 10^10 a second
    assert "random: normal" in text  # instructions


def test_comparison_shows_what_left_its_spread(made, capsys):
    _, _, results, kept = made
    results.compare(*(results.Results.read(kept(name, ratio)) for name, ratio in (("a.json", 1.5), ("b.json", 0.8))))
    printed = capsys.readouterr().out
    assert "1.50" in printed
    assert "0.80" in printed
    assert "4 ratios within the spread" in printed

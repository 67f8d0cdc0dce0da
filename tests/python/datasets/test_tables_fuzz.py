"""Mutations of valid tables of every format: arrays of finite numbers, or a documented error; nothing hangs."""

from __future__ import annotations

import gzip
import io
import sys

import numpy as np
import pytest

from fanin.datasets import load_npz, load_table

pa = pytest.importorskip("pyarrow")

COLUMNS = {"a": [1.5, -2.0, 3.25, 8.0] * 5, "b": list(range(20)), "y": ["up", "down"] * 10}
TEXT = "a,b,y\n" + "".join(f'{a},{b},"{y}"\n' for a, b, y in zip(*COLUMNS.values(), strict=True))
PIECES = [b'"', b",", b"\n", b"\r", b"\0", b";", b"\xff", b"\xef\xbb\xbf", b"1e999", b"nan", b"?", b"_", b"\xff" * 8, b" "]


def valid() -> dict[str, bytes]:
    from pyarrow import feather, parquet

    table, made = pa.table(COLUMNS), {}
    for name, write in (("t.parquet", parquet.write_table), ("t.feather", feather.write_feather)):
        sink = io.BytesIO()
        write(table, sink)
        made[name] = sink.getvalue()
    for name, new in (("t.arrow", pa.ipc.new_file), ("t.ipc", pa.ipc.new_stream)):
        sink = io.BytesIO()
        with new(sink, table.schema) as writer:
            writer.write_table(table)
        made[name] = sink.getvalue()
    sink = io.BytesIO()
    np.savez_compressed(sink, x=np.ones((20, 2)), y=np.arange(20))
    made["t.npz"] = sink.getvalue()
    made["t.csv"] = TEXT.encode()
    made["t.tsv"] = TEXT.replace(",", "\t").encode()
    made["utf16.csv"] = TEXT.encode("utf-16")
    made["t.csv.gz"] = gzip.compress(TEXT.encode(), mtime=0)
    return made


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        at, kind = int(rng.integers(0, len(data) + 1)), rng.integers(0, 5)
        if kind == 0 and at < len(data):
            data[at] = rng.integers(0, 256)
        elif kind == 1:
            data[at:at] = PIECES[rng.integers(0, len(PIECES))]
        elif kind == 2:
            del data[at : at + int(rng.integers(1, 9))]
        elif kind == 3:
            data[at:at] = data[: int(rng.integers(0, 40))]
        elif len(data) > 2:
            del data[max(1, at) :]
    return bytes(data)


def attempt(path, content: bytes) -> bool:
    """Read a file; True if it gave arrays."""
    path.write_bytes(content)
    try:
        table = load_npz(path) if path.suffix == ".npz" else load_table(path, "y")
    except ValueError as error:
        if not str(error):
            pytest.fail("an error without words")
        return False
    assert np.isfinite(table.x).all()
    assert len(table.x) == len(table.y)
    return True


def run(folder, rounds: int, seed: int) -> dict[str, int]:
    rng, read = np.random.default_rng(seed), {}
    for name, content in valid().items():
        assert attempt(folder / name, content)
        read[name] = sum(attempt(folder / name, mutated(content, rng)) for _ in range(rounds))
    return read


def test_some_mutations(tmp_path):
    run(tmp_path, 40, 1)


@pytest.mark.slow
def test_many_mutations(tmp_path):
    resource = pytest.importorskip("resource")
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    read = run(tmp_path, 2300, 2)  # of 9 formats: 20 700
    print(read)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before < 1 << 30


def outcome(path, decimal):
    """What a file gives: arrays and words, or an error's words."""
    try:
        table = load_table(path, "y", missing="keep", task="classification", decimal=decimal)
    except ValueError as error:
        return str(error)
    return table.x.tobytes(), table.y.tobytes(), table.columns, table.classes, str(table)


def agree(folder, rounds: int, seed: int, monkeypatch) -> int:
    """Both readers of text say the same of every file; returns how many were read the fast way."""
    from fanin.datasets import plain

    monkeypatch.setattr(plain, "_PIECE", 100)  # many pieces
    monkeypatch.setattr(plain, "_HEAD", 3)
    monkeypatch.setattr("fanin.datasets.delimited.SAMPLE", 60)
    rng, fast, path = np.random.default_rng(seed), 0, folder / "t.csv"
    for i in range(rounds):
        text = TEXT if i % 2 else TEXT.replace('"', "")
        decimal = "," if i % 3 == 0 else "."
        text = text if decimal == "." else text.replace(",", ";").replace(".", ",")
        path.write_bytes(mutated(text.encode(), rng))
        monkeypatch.setattr("fanin.datasets.table.read_plain", plain.read_plain)
        found = outcome(path, decimal)
        fast += plain.read_plain(path, None, True, {"y"}, (), decimal) is not None
        monkeypatch.setattr("fanin.datasets.table.read_plain", lambda *_: None)
        assert outcome(path, decimal) == found, path.read_bytes()
    return fast


def test_both_readers_agree_on_some_mutations(tmp_path, monkeypatch):
    assert agree(tmp_path, 150, 3, monkeypatch) > 10


@pytest.mark.slow
def test_both_readers_agree_on_many_mutations(tmp_path, monkeypatch):
    assert agree(tmp_path, 5000, 4, monkeypatch) > 300

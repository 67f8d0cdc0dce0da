"""The table of all tensors of a file: the numbers of `fi.summarize`, in little memory."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest

import fanin as fi
from fanin.weights import survey

save_file = pytest.importorskip("safetensors.numpy").save_file


def test_survey_measures_every_tensor(tmp_path):
    w = fi.init.he_normal((400, 300), seed=1, stream="w")
    u = fi.init.fan_in_uniform((100, 200), seed=1, stream="u")
    copied = w.copy()
    copied[[5, 9]] = copied[2]
    copied[0, :3] = np.nan, np.inf, 5.0
    save_file({"w.weight": w, "u.weight": u, "c.weight": copied, "z.bias": np.zeros(3, "f4")}, tmp_path / "a")
    rows = {row.name[0]: row for row in survey(tmp_path / "a").rows}
    assert (rows["w"].law, rows["u"].law, rows["w"].n_in, rows["w"].n_out) == ("he_normal", "fan_in_uniform", 300, 400)
    assert rows["w"].std == fi.summarize(w).std
    assert (rows["c"].copies, rows["c"].nans, rows["c"].infs, rows["c"].outliers, rows["w"].copies) == (2, 1, 1, 1, 0)
    assert rows["z"].zeros == 3
    rank = np.trace(c := w.astype("f8") @ w.T) ** 2 / np.sum(c**2)
    assert rows["w"].rank == pytest.approx(rank, rel=1e-5)  # products in float32: 2^-24 times the length of their sums


def test_survey_of_many_pieces(tmp_path):
    w = fi.init.normal((5000, 300), std=0.02, seed=1, stream="w")  # 6 MB: two pieces
    w[4999] = w[0]
    save_file({"w.weight": w}, tmp_path / "a")
    (row,) = survey(tmp_path / "a").rows
    whole = fi.summarize(w)
    assert (row.copies, row.min, row.max, row.law) == (1, whole.min, whole.max, "normal(std=0.02)")
    assert row.std == pytest.approx(whole.std, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_survey_has_the_bits_of_summarize(tmp_path, dtype):
    rng = np.random.default_rng(0)
    tensors = {
        "a": rng.standard_normal((700, 450)),
        "b": rng.standard_normal(70000),  # longer than a piece of the file
        "c": rng.standard_normal((2, 150000)),
        "d": rng.standard_normal((40, 5, 3, 3)),
        "e": np.zeros((0, 4)),
    }
    tensors["a"][3] = tensors["a"][600]
    tensors["c"][1, 149999] = 50
    tensors["c"][0, 5] = np.inf
    tensors["d"][7] = np.nan
    tensors = {name: x.astype(dtype) for name, x in tensors.items()}
    save_file(tensors, tmp_path / "m.safetensors")
    np.savez(tmp_path / "m.npz", **tensors)
    for name in ("m.safetensors", "m.npz"):
        for row in survey(tmp_path / name).rows:
            x = tensors[row.name]
            s = fi.summarize(x, bins=None)
            got, expected = (row.mean, row.std, row.min, row.max), (s.mean, s.std, s.min, s.max)
            if name == "m.safetensors" or row.name != "c":  # an archive's longer tensors are summarized in pieces
                np.testing.assert_array_equal(got, expected)
            assert (row.zeros, row.nans, row.infs) == (s.zeros, s.nans, s.infs)
            wide, fin = x.astype(np.float64), np.isfinite(x)
            assert row.outliers == np.count_nonzero(fin & (np.abs(wide - s.mean) > 6 * s.std)) == (row.name == "c")
            assert row.copies == {"a": 1, "c": 0, "d": 0}.get(row.name)


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory as Linux counts it")
def test_a_large_file_takes_little_memory(tmp_path):
    """Of 600 MB with outliers in every block, which is read twice, a part is in memory at a time."""
    n = 150_000_000
    with open(tmp_path / "large.safetensors", "wb") as file:
        header = json.dumps({"w": {"dtype": "F32", "shape": [n], "data_offsets": [0, 4 * n]}}).encode()
        file.write(struct.pack("<Q", len(header)) + header)
        start = file.tell()
        for i in range(0, n, 4096):
            file.seek(start + 4 * i)
            file.write(struct.pack("<f", 1.0))
        file.truncate(start + 4 * n)
    code = (
        "import resource, sys; import fanin as fi; from fanin.weights import survey; before = resource.getrusage(0).ru_maxrss\n"
        "row = survey(sys.argv[1]).rows[0]; print(row.outliers, resource.getrusage(0).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, tmp_path / "large.safetensors"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    outliers, kilobytes = map(int, run.stdout.split())
    assert outliers == -(-n // 4096)
    # windows of 32 MB, of which each of few threads works in one or two; the threads' own memory
    assert kilobytes < 200_000

"""The files of tests/data/weights, each written by the program whose format it is: fanin computes what that program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from fanin.weights import read, survey

FOLDER = Path(__file__).parents[2] / "data" / "weights"
CASES = json.loads((FOLDER / "expected.json").read_text())
NEEDS = {".pt": "torch", ".pth": "torch", ".keras": "h5py", ".h5": "h5py", ".onnx": "onnx"}


@pytest.mark.parametrize("name", CASES)
def test_file(name):
    pytest.importorskip(NEEDS.get(Path(name).suffix, "numpy"))
    case, path = CASES[name], FOLDER / name
    if "refused" in case:
        with pytest.raises(ValueError, match=re.escape(case["refused"])):
            read(path, **case["options"])
        return
    net = read(path, dtype="float64", **case["options"]).network
    x, logits = np.array(case["x"]), np.array(case["logits"])
    # At most 12 layers of at most 6 inputs, in float64: errors of 12 * 6 * 2^-53 of values of the size of 1. The evaluator of
    # onnx and scikit-learn's own float32 or float64 sums are as far from the truth as float32 is, 2 * 6 * 2^-24.
    np.testing.assert_allclose(net.forward(x), logits, atol=1e-6 if name.endswith(".onnx") else 1e-13, rtol=0)


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith((".pkl", ".pt"))])
def test_every_file_can_be_surveyed(name):
    pytest.importorskip(NEEDS.get(Path(name).suffix, "numpy"))
    rows = survey(FOLDER / name).rows
    assert sum(row.kind == "matrix" for row in rows) >= 1


def test_every_file_has_its_line():
    parts = {"shard-1.safetensors", "shard-2.safetensors", "expected.json"}
    assert {path.name for path in FOLDER.iterdir()} - parts == set(CASES)
    assert len(CASES) >= 30

"""The golden digests: they hold here, and `selftest` says what differs where they do not."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

import fanin as fi
from fanin import _core

module = importlib.import_module("fanin.verify.selftest")


def test_the_digests_of_the_release_hold() -> None:
    isa, threads = fi.active_isa(), fi.num_threads()
    report = fi.selftest()
    assert (fi.active_isa(), fi.num_threads()) == (isa, threads)
    golden = json.loads(module.GOLDEN.read_text())
    assert report.digests == len(golden["digests"]) > 100
    assert report.isas == tuple(fi.available_isas())
    assert 1 in report.threads
    assert "digests equal on generic" in str(report)


def test_every_law_and_activation_has_a_digest() -> None:
    keys = json.loads(module.GOLDEN.read_text())["digests"]
    for law in _core.law_names():
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            assert any(key.startswith(f"init/{law}") and key.endswith(f"/{dtype}") for key in keys), (law, dtype)
    for name in fi.activation.names():
        assert f"activation/{name}/float32" in keys


def test_what_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = json.loads(module.GOLDEN.read_text())
    golden["digests"]["init/he_normal/float32"] = "0" * 16
    del golden["digests"]["dense/float64"]
    wrong = tmp_path / "golden.json"
    wrong.write_text(json.dumps(golden))
    monkeypatch.setattr(module, "GOLDEN", wrong)
    with pytest.raises(RuntimeError, match=r"results differ from those of the release.*") as info:
        fi.selftest()
    assert "init/he_normal/float32 (generic, threads 1)" in str(info.value)
    assert "dense/float64 (generic, threads 1)" in str(info.value)
    golden["algorithm_version"] += 1
    wrong.write_text(json.dumps(golden))
    with pytest.raises(RuntimeError, match=r"golden.json is of algorithms version"):
        fi.selftest()

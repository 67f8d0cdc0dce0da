"""Instruction sets are chosen at run time, by name where asked, and a wrong name is an error."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import fanin as fi


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_generic_always_runs() -> None:
    assert fi.available_isas()[0] == "generic"
    assert fi.active_isa() in fi.available_isas()


@pytest.mark.parametrize("isa", fi.available_isas())
def test_environment_forces_one(isa: str) -> None:
    done = run_python("import fanin; print(fanin.active_isa())", FANIN_ISA=isa)
    assert done.stdout.strip() == isa, done.stderr


@pytest.mark.parametrize("name", ["avx9", "GENERIC", "neon"])
def test_unknown_or_unsupported_name_is_an_error_at_import(name: str) -> None:
    if name in fi.available_isas():
        pytest.skip(f"{name} runs here")
    done = run_python("import fanin", FANIN_ISA=name)
    assert done.returncode == 1
    assert "FANIN_ISA must be" in done.stderr
    assert f"got '{name}'" in done.stderr


def test_set_isa_refuses_unknown_names_and_keeps_the_old_one() -> None:
    before = fi.active_isa()
    with pytest.raises(ValueError, match=r"name must be one of generic.*got 'sse9'"):
        fi.set_isa("sse9")
    assert fi.active_isa() == before


def test_show_config_names_the_essentials() -> None:
    text = fi.show_config()
    for word in (fi.__version__, fi.active_isa(), str(fi.num_threads()), "compiler"):
        assert word in text

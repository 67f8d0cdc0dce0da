"""What arguments of the command line must be, in full; the version, colours and a progress bar on a terminal."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import fanin as fi
from fanin.cli import main
from fanin.common import progress


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--held-out", "much"], "must be a fraction or a number of rows, got 'much'"),
        (["compare", "--hidden", "3,0"], "must be whole numbers, each at least 1, as in 300,300, or none, got '3,0'"),
        (["compare", "--delimiter", "ab"], "must be one character, or tab, got 'ab'"),
        (["describe", "he_normal", "3", "4", "--in-axis", "x"], "must be whole numbers, as in 0,1, got 'x'"),
    ],
)
def test_arguments_that_are_none(arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    command, option = f"fanin {arguments[0]}", arguments[-2]
    assert capsys.readouterr().err == f"{command}: error: {option} {message} ({command} --help)\n"


def test_the_version(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"fanin {fi.__version__}\n"


def test_an_interrupt_and_a_lack_of_memory(monkeypatch, capsys):
    from fanin.init import describe as _  # noqa: F401 - the module that is patched below is loaded by then

    def raises(error):
        def run(*_args, **_options):
            raise error

        return run

    for error, code, words in (
        (KeyboardInterrupt(), 130, "fanin describe: interrupted"),
        (MemoryError(), 2, "there is not enough memory"),
        (MemoryError("of 3 GB"), 2, "there is not enough memory: of 3 GB"),
    ):
        monkeypatch.setattr(fi.init, "describe", raises(error))
        assert main(["describe", "he_normal", "3", "4"]) == code
        assert words in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bars_on_a_terminal(monkeypatch):
    pytest.importorskip("rich")
    with progress.bars(["zeros"], shown=False) as none:
        assert none is None
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress.bars(["zeros", "normal"]) as update:
        update("zeros", 1, 4)
        update("zeros", 4, 4)
    assert isinstance(sys.stderr, Terminal)


def test_other_refusals_in_full(said, monkeypatch):
    x, w = np.zeros((2, 3)), np.zeros((4, 3))
    for call, message in [
        (lambda: fi.random.words(-1, seed=0, stream=0), "ValueError: n must be at least 0, got -1"),
        (lambda: fi.random.permutation(-1, seed=0, stream=0), "ValueError: n must be at least 0, got -1"),
        (lambda: fi.set_num_threads(1.5), "TypeError: n must be in 1 .. 1024, got 1.5"),
        (
            lambda: fi.dense_forward(x, w, activation="tanh", stats={"z": True, "a": False}),
            "ValueError: stats must measure both z and a, or neither",
        ),
    ]:
        assert said(call) == message
    monkeypatch.setattr(fi._core, "__file__", "/nowhere/_core.so")
    assert said(fi.get_cmake_dir) == (
        "FileNotFoundError: /nowhere/lib/cmake/fanin holds no fanin-config.cmake: fanin is not installed, "
        "only imported from a source tree"
    )


def test_bfloat16_without_ml_dtypes(monkeypatch):
    from fanin.common import foreign

    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    np.testing.assert_array_equal(foreign._bfloat16(np.array([0x3F80, 0xC000], np.uint16)), np.array([1, -2], np.float32))


def test_names_of_the_package():
    assert {"init", "Network", "theory", "diagnose"} <= set(dir(fi))

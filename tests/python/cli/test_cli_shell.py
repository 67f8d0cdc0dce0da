"""What all commands share: ``--json``, ``--quiet``, colours, help, completion."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import fanin as fi
from fanin.cli import _COMMANDS, help_of, main, parser

for module in ("rich", "matplotlib", "bokeh", "sklearn"):
    pytest.importorskip(module)
NAMES = list(parser().commands)
SMALL = ["--hidden", "8,8", "--epochs", "1", "--batch-size", "200", "--init", "xavier_normal"]
CALLS = {
    "compare": ["compare", *SMALL],
    "trace": ["trace", "--hidden", "8", "--init", "xavier_normal"],
    "weights": ["weights", "w.npz"],
    "describe": ["describe", "he_normal", "30", "20"],
    "article": ["article"],
    "config": ["config"],
    "completion": ["completion", "bash"],
}
QUICK = [name for name in NAMES if name != "article"]  # which takes seconds
EACH = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", **{"0.weight": np.random.default_rng(0).normal(size=(10, 20))})
    return tmp_path


def test_every_command_is_here():
    assert list(CALLS) == NAMES
    assert list(_COMMANDS) == NAMES


@pytest.mark.parametrize("name", EACH)
def test_json_to_a_file_and_to_the_standard_output(name, folder, capsys):
    assert main([*CALLS[name], "--json", "r.json"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "json: r.json"
    assert main([*CALLS[name], "--json", "-"]) == 0
    out = capsys.readouterr().out
    assert out == (folder / "r.json").read_text()
    found = json.loads(out)
    assert list(found)[:3] == ["fanin", "kind", "format"]
    assert len(found) > 3


@pytest.mark.parametrize("name", EACH)
def test_quiet_prints_nothing(name, folder, capsys):
    assert main([*CALLS[name], "--quiet", "--json", "r.json"]) == 0
    assert capsys.readouterr() == ("", "")
    assert json.loads((folder / "r.json").read_text())


def test_quiet_leaves_errors(folder, fails):
    assert "xavier_normal" in fails("describe", "xavier_norm", "30", "20", "--quiet")
    assert "json: there is no folder nowhere" in fails("config", "--json", "nowhere/a.json", "-q")
    assert "json: there is no folder nowhere" in fails("weights", "w.npz", "--json", "nowhere/a.json")


def test_the_linear_network_as_json(capsys):
    assert main(["compare", "--linear", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["factors"] == [1.5, 1.0, 0.5]
    assert found["traces"][0]["layers"][8]["a"]["rms"] == pytest.approx(1.5**9)


def test_config_as_json_says_what_is_printed(capsys):
    assert main(["config", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    for value in (found["version"], found["compiler"], found["active_isa"], found["machine"], *found["available_isas"]):
        assert value in fi.show_config()


def test_fanin_alone_shows_three_examples_and_all_commands(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^  fanin \w+ ", out, re.MULTILINE)) == 3
    places = [out.index(f"\n    {name}") for name in NAMES]
    assert places == sorted(places)  # in the order of use
    assert out.index("examples:") < out.index("commands:") < out.index("options:")
    for example in re.findall(r"^  fanin (.+?)  ", out, re.MULTILINE):
        assert parser().parse_known_args(example.split())[1] == []


@pytest.mark.parametrize("name", NAMES)
def test_help_is_whole(name):
    text = help_of(name)
    assert text.startswith(f"usage: fanin {name} ")
    for part in ("--json", "--quiet", "exit status:", "environment:", "FANIN_NUM_THREADS", "NO_COLOR"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 120  # examples are long; the rest is filled to the terminal
    about = text.split("\n\n")[1 if "\n\n" in text else 0]
    assert len(about) > 80  # a description, not a word
    for action in parser().commands[name]._actions:
        assert action.help, action


def in_a_terminal(*args: str, **environment: str) -> str:
    """What a command prints where standard output and error are a terminal."""
    import pty

    main_end, other = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    code = "import sys; from fanin.cli import main; sys.exit(main(sys.argv[1:]))"
    run = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdout=other,
        stderr=other,
        env={**clean, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(other)
    parts = []
    while True:
        try:
            part = os.read(main_end, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(main_end)
    assert run.wait(60) == 0
    return b"".join(parts).decode()


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])(?:;\d+)*m")


@pytest.mark.skipif(os.name != "posix", reason="terminals")
def test_colours_on_a_terminal_and_not_otherwise(folder):
    x, y = fi.datasets.circle(50, seed=1)
    np.savez("d.npz", x=x, y=y)  # scikit-learn, whose digits are the default, would take most of the time
    call = ["compare", *SMALL, "--data", "d.npz"]
    assert COLOUR.search(in_a_terminal(*call))
    assert not COLOUR.search(in_a_terminal(*call, NO_COLOR="1"))
    assert "\x1b" not in in_a_terminal(*call, "--quiet")
    done = subprocess.run([sys.executable, "-m", "fanin", *call], capture_output=True, text=True, check=True, env=os.environ)
    assert "\x1b" not in done.stdout + done.stderr


def completed(line: str, script: str) -> list[str]:
    """What bash offers at the end of a line."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    code = f'{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _fanin; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_in_bash(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert completed("fanin co", script) == ["compare", "config", "completion"]
    assert completed("fanin compare --ht", script) == ["--html"]
    assert completed("fanin compare --hi", script) == ["--hidden"]
    assert completed("fanin compare --init xavier_n", script) == ["xavier_normal"]
    assert completed("fanin compare --init zeros,xavier_n", script) == ["zeros,xavier_normal"]
    assert completed("fanin trace --activation tan", script) == ["tanh"]
    assert completed("fanin describe he_n", script) == ["he_normal"]
    assert completed("fanin completion z", script) == ["zsh"]
    assert completed("fanin trace --weights ", script) == []  # files: the shell's own completion
    for name in NAMES:
        for action in parser().commands[name]._actions:
            if action.option_strings:
                assert action.option_strings[-1] in completed(f"fanin {name} --", script)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_in_other_shells(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in NAMES:
        assert name in script
    assert "xavier_normal" in script
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=script, text=True, check=True)

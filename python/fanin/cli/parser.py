"""The parser of arguments: every error is one line, and a near miss is met with the name that was meant."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

_ALIASES = {"mse": "mean_squared_error", "l2": "mean_squared_error", "bce": "binary_cross_entropy", "ce": "cross_entropy"}
_KINDS = {"int": "a whole number", "float": "a number"}


def fail(name: str, message: str) -> int:
    """Print an error in one line on stderr, what was meant first; returns the exit code."""
    line = " ".join(message.split())
    meant = re.search(r": (did you mean .+\?)$", line)  # the core says it last
    if meant is not None:
        line = f"{meant[1]} {line[: meant.start()]}"
    print(f"{name}: error: {line}", file=sys.stderr)
    return 2


class Help(argparse.RawDescriptionHelpFormatter):
    """Paragraphs are filled to the width of the terminal; lines that are indented, such as examples, stay as they are."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"max_help_position": 28, **options})

    def add_argument(self, action: argparse.Action) -> None:
        """Add an argument; argparse leaves out that commands are indented twice, and breaks the line of the longest."""
        super().add_argument(action)
        if action.nargs == argparse.PARSER:
            self._action_max_length += 2

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap

        parts = text.split("\n\n")
        filled = [part if "\n  " in part else textwrap.fill(part, width, initial_indent=indent) for part in parts]
        return "\n\n".join(filled)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others are; its usage stands in ``--help``."""

    commands: Mapping[str, Parser]  # of the parser of all: those of its commands, by name

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._positionals.title = "arguments"

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in the words of the other errors, and leave with code 2."""
        self.exit(fail(self.prog, f"{_said(message)} ({self.prog} --help)"))

    def unknown(self, left: Sequence[str]) -> NoReturn:
        """Refuse arguments that no option takes."""
        options = [text for text in left if text.startswith("-")]
        if not options:
            several = "--init" in self._option_string_actions  # as of --init zeros he_normal
            hint = ": names of one option are joined by commas, as in --init zeros,he_normal" if several else ""
            self.error(f"unrecognized arguments: {' '.join(left)}{hint}")
        name = options[0].partition("=")[0]
        self.error(f"{_near(name, self._option_string_actions)}there is no option {name}")


class Version(argparse.Action):
    """Print the version; the core, which knows it, is not loaded before."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print it and leave."""
        from fanin._core import __version__

        print(f"fanin {__version__}")
        parser.exit()


def _near(got: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    listed = list(names)
    found = [name for name in listed if name == _ALIASES.get(got)] or get_close_matches(got, listed, 1)
    return f"did you mean {found[0]}? " if found else ""


def _said(message: str) -> str:
    """Say argparse's own messages in the words of the library's."""
    choice = re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message, re.DOTALL)
    if choice is not None:
        name, got, listed = choice.groups()
        names = [part.strip().strip("'") for part in listed.split(", ")]
        return f"{_near(got, names)}{name} must be one of {', '.join(names)}, got {got!r}"
    kind = re.fullmatch(r"argument (\S+): invalid (int|float) value: (.*)", message, re.DOTALL)
    if kind is not None:
        return f"{kind[1]} must be {_KINDS[kind[2]]}, got {kind[3]}"
    own = re.fullmatch(r"argument (\S+): (must .*|expected one argument)", message, re.DOTALL)
    if own is not None:
        return f"{own[1]} {own[2].replace('expected one argument', 'must have a value')}"
    return message

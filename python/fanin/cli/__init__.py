"""The command line: one module a command, each with ``add(commands)``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from fanin.cli import article, compare, config, describe, trace, weights

_COMMANDS = (compare, trace, weights, article, describe, config)
_EXTRAS = {"rich", "bokeh", "matplotlib", "sklearn", "pyarrow"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        Exit code: 0 done, 2 wrong arguments or data (one line on stderr says what), 130 interrupted.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    name = f"fanin {args.command}"
    try:
        args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has left: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _EXTRAS:
            raise
        return _fail(name, f"needs {error.name.split('.')[0]}: pip install 'fanin[report]'")
    except OSError as error:  # without "[Errno 2]"
        return _fail(name, f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except (ValueError, TypeError, ImportError) as error:
        return _fail(name, str(error))
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others are; its usage stands in ``--help``."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments") and "--" not in message:  # as of --init zeros he_normal
            message += ": names of one option are joined by commas, as in --init zeros,he_normal"
        self.exit(_fail(self.prog, f"{message} ({self.prog} --help)"))


class _Version(argparse.Action):
    """Print the version; the core, which knows it, is not loaded before."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from fanin._core import __version__

        print(f"fanin {__version__}")
        parser.exit()


def _fail(name: str, message: str) -> int:
    print(f"{name}: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fanin", description="The first moment of a neural network: how weights are drawn, and what becomes of the signal."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    return parser

"""The command line: one module a command, each with ``add(commands)``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from fanin.cli import article, compare, config, describe, trace, weights
from fanin.cli.parser import Parser, Version, fail

_COMMANDS = (compare, trace, weights, describe, article, config)  # in the order in which one needs them
_EXTRAS = {"rich", "bokeh", "matplotlib", "sklearn", "pyarrow"}
_FORMATS = {"torch", "h5py", "onnx"}


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
    args, left = parser.parse_known_args(argv)
    if left:
        getattr(args, "parser", parser).unknown(left)
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
        package = (error.name or "").split(".")[0]
        if package in _FORMATS:  # the reader says which file wants it
            return fail(name, str(error))
        if package not in _EXTRAS:
            raise
        return fail(name, f"needs {package}: pip install 'fanin[report]'")
    except OSError as error:  # without "[Errno 2]"
        return fail(name, f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except MemoryError as error:
        return fail(name, f"there is not enough memory: {error}" if str(error) else "there is not enough memory")
    except (ValueError, TypeError, ImportError) as error:
        return fail(name, str(error))
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="fanin", description="The first moment of a neural network: how weights are drawn, and what becomes of the signal."
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    parser.commands = commands.choices
    for made in commands.choices.values():
        made.set_defaults(parser=made)
    return parser


def help_of(name: str) -> str:
    """Return what ``fanin NAME --help`` prints, 100 columns wide: the documentation shows it.

    Parameters
    ----------
    name : str
        Of a command, as ``"compare"``; ``""`` for all of them.
    """
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        parser = _parser()
        return (parser.commands[name] if name else parser).format_help().rstrip()
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before

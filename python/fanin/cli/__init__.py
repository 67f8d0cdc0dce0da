"""The command line: one module a command, each with ``add(commands)``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fanin.cli.parser import Help, Parser, Version, fail

_COMMANDS = ("compare", "trace", "weights", "describe", "article", "config", "completion")  # in the order of use
_EXTRAS = {"rich", "bokeh", "matplotlib", "sklearn", "pyarrow"}
_FORMATS = {"torch", "h5py", "onnx"}
_ALL = """\
Why does this network not train? fanin draws weights, carries the signal through dense layers, measures every layer beside what
theory expects, and says what is wrong and what to try.

examples:
  fanin compare                                  which of four initializations learns handwritten digits, and why
  fanin compare --data mine.csv --target label   the same on a table of your own
  fanin weights model.safetensors                every tensor of a file of weights, and the law it was drawn from"""
_END = """\
fanin command --help has the options and examples of one. Results go to the standard output, for programs with --json;
progress goes to the standard error."""
_STATUS = """\
exit status:
  0 done, 2 wrong arguments or data (one line on the standard error says what), 130 interrupted

environment:
  FANIN_NUM_THREADS  threads to use, 1 to 1024 (default: the CPUs of this process); no result depends on it
  FANIN_ISA          instruction set to use, one of those that fanin config lists; no result depends on it
  NO_COLOR           if set, nothing is coloured; in a pipe nothing is"""


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
    if "numpy" not in sys.modules:  # no command uses its BLAS: the threads of that need not start
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    asked = (sys.argv[1:] if argv is None else argv)[:1]
    parser_of_all = parser(asked if asked and asked[0] in _COMMANDS else _COMMANDS)
    args, left = parser_of_all.parse_known_args(argv)
    if left:
        getattr(args, "parser", parser_of_all).unknown(left)
    if args.command is None:
        parser_of_all.print_help()
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


def parser(names: Sequence[str] = _COMMANDS) -> Parser:
    """Return the parser of commands, all by default; `Parser.commands` has theirs."""
    made = Parser(
        prog="fanin",
        usage="fanin command [option ...]",
        description=_ALL,
        epilog=_END,
        formatter_class=Help,
    )
    commands = made.add_subparsers(title="commands", dest="command", metavar="command", prog="fanin")
    for name in names:
        import_module(f"fanin.cli.{name}").add(commands)
    made.add_argument("--version", action=Version, nargs=0, help="print the version")
    made._action_groups.sort(key=lambda group: group.title == "options")  # the commands come first
    made.commands = commands.choices
    for one in commands.choices.values():
        one.set_defaults(parser=one)
        one.epilog = f"{one.epilog}\n\n{_STATUS}" if one.epilog else _STATUS
    return made


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
        made = parser()
        return (made.commands[name] if name else made).format_help().rstrip()
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before

"""``fanin config``: the build, the instruction sets, the threads."""

from __future__ import annotations

import argparse
from typing import Any

from fanin.cli import output
from fanin.cli.parser import Help

_CONFIG = """\
Say what was built and what runs here: version, compiler, instruction sets and which of them is in use, threads. For reports
of bugs. No result depends on any of it but the version of the algorithms."""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "config", help="the build, the instruction sets, the threads", description=_CONFIG, formatter_class=Help
    )
    output.shared(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from fanin.isa import config, show_config

    said = output.Said(args)
    said(show_config())
    said.json("config", config())

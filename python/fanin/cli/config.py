"""``fanin config``: the build, the instruction sets, the threads."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("config", help="the build, the instruction sets, the threads")
    parser.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> None:
    from fanin.isa import show_config

    print(show_config())

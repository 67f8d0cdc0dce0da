"""``fanin completion``: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from fanin.cli import output
from fanin.cli.parser import Help

_COMPLETION = """\
Print a script that teaches a shell to complete commands, options, and the names of laws, activations and choices. It is written
from the options themselves, and holds them: print it again after an update."""

_EXAMPLES = """\
examples:
  eval "$(fanin completion bash)"                                      for this shell; in ~/.bashrc for all
  eval "$(fanin completion zsh)"                                       after compinit, in ~/.zshrc
  fanin completion fish > ~/.config/fish/completions/fanin.fish"""

_BASH = """\
_fanin() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands} --help --version"
    else
        case "$command $before" in
{values}
            *)
                if [[ $word == -* ]]; then
                    case "$command" in
{options}
                    esac
                elif [ "$COMP_CWORD" -eq 2 ]; then
                    case "$command" in
{first}
                    esac
                fi
                ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "${{word##*,}}"))
    if [[ $word == *,* ]]; then COMPREPLY=("${{COMPREPLY[@]/#/${{word%,*}},}}"); fi
}}
complete -o default -F _fanin fanin
"""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "completion",
        help="completion of commands and options in bash, zsh and fish",
        description=_COMPLETION,
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="the shell that is to read it")
    output.shared(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from fanin.cli import parser

    said = output.Said(args)
    tree = options(parser().commands)
    said((_fish if args.shell == "fish" else _bash)(tree, zsh=args.shell == "zsh").rstrip("\n"))
    said.json("completion", {"commands": tree})


def options(commands: Mapping[str, argparse.ArgumentParser]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the options of each command, each with its help and the values that are known; "" is the first argument."""
    from fanin import _core

    laws, activations = _core.law_names(), _core.activation_names()
    names = {"--init": laws, "law": laws, "--activation": activations}
    tree: dict[str, dict[str, dict[str, Any]]] = {}
    for command, made in commands.items():
        found = tree[command] = {}
        for action in made._actions:
            if isinstance(action, argparse._HelpAction):
                continue
            values = names.get(action.option_strings[-1] if action.option_strings else action.dest, action.choices)
            for option in action.option_strings or [""]:
                if option or option not in found:
                    found[option] = {"help": action.help or "", "values": list(values or ()), "takes": action.nargs != 0}
    return tree


def _bash(tree: dict[str, dict[str, dict[str, Any]]], *, zsh: bool) -> str:
    values, listed, first = [], [], []
    for command, found in tree.items():
        named = {option: about["values"] for option, about in found.items() if option and about["takes"]}
        values += [f"'{command} {option}') words='{' '.join(known)}' ;;" for option, known in named.items() if known]
        files = "|".join(f"'{command} {option}'" for option, known in named.items() if not known)
        values += [f"{files}) ;;"] if files else []  # bash's own completion, of files
        listed.append(f"{command}) words='{' '.join([*filter(None, found), '--help'])}' ;;")
        if known := found.get("", {}).get("values"):
            first.append(f"{command}) words='{' '.join(known)}' ;;")
    parts = {"values": (values, 12), "options": (listed, 20), "first": (first, 20)}
    filled = {name: "\n".join(" " * indent + line for line in lines) for name, (lines, indent) in parts.items()}
    script = _BASH.format(commands=" ".join(tree), **filled)
    return f"autoload -U +X bashcompinit && bashcompinit\n{script}" if zsh else script


def _fish(tree: dict[str, dict[str, dict[str, Any]]], *, zsh: bool) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = [f"complete -c fanin -n __fish_use_subcommand -f -a {command}" for command in tree]
    for command, found in tree.items():
        where = quoted(f"__fish_seen_subcommand_from {command}")
        for option, about in found.items():
            line = f"complete -c fanin -n {where} -d {quoted(about['help'])}"
            if option:
                line += f" -l {option[2:]}" if option.startswith("--") else f" -s {option[1:]}"
                line += " -r" if about["takes"] else " -f"
            if about["values"]:
                line += f" -f -a {quoted(' '.join(map(str, about['values'])))}"
            if option or about["values"]:
                lines.append(line)
    return "\n".join(lines)

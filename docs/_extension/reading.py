"""Directives of the reference: a C or C++ header told from its own comments, a command in the words of its --help.

``{header} init.hpp``: the comment that opens the file as text, then its sections, marked by rules of dashes, as code.
``{command} compare``: what ``fanin compare --help`` prints.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "cpp" / "include" / "fanin"
RULE = re.compile(r"^(?://|/\*) -{20,} (.+?)(?: \*/)?$", re.MULTILINE)


def opening(text: str) -> tuple[str, str]:
    """The comment at the head of a header, without its marks, and what follows it."""
    if text.startswith("/*"):
        head, _, rest = text.partition("*/")
        lines = [line.strip().removeprefix("/*").removeprefix("*").strip() for line in head.splitlines()]
        return "\n".join(lines).strip(), rest
    lines = text.splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("//"))
    return "\n".join(line.removeprefix("//").strip() for line in lines[:end]), "\n".join(lines[end:])


def declarations(code: str) -> str:
    """A header's code without guards, includes and the marks of the namespace."""
    code = re.sub(r"^#if !defined\(FANIN_C_API\).*?^#endif\n(?=\n)", "", code, flags=re.MULTILINE | re.DOTALL)
    code = re.sub(r'^#ifdef __cplusplus\n(?:extern "C" \{|\})\n#endif\n', "", code, flags=re.MULTILINE)
    code = re.sub(r"^#(?:pragma once|include .*|ifndef FANIN_\w+_H|define FANIN_\w+_H|endif)\n", "", code + "\n", flags=re.M)
    code = re.sub(r"^(?:namespace fanin FANIN_PUBLIC \{|\}  // namespace fanin FANIN_PUBLIC)\n", "", code, flags=re.MULTILINE)
    code = re.sub(r"^namespace detail \{\n(?:.*\n)*?\}.*\n", "", code, flags=re.MULTILINE)
    code = code.replace("FANIN_C_API ", "")
    return re.sub(r"\n{3,}", "\n\n", code).strip("\n")


class Header(Directive):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        path = INCLUDE / name
        self.state.document.settings.env.note_dependency(str(path))
        text, code = opening(path.read_text(encoding="utf-8"))
        section = nodes.section(ids=[nodes.make_id(name)], names=[name])
        section += nodes.title("", "", nodes.literal("", f"fanin/{name}"))
        for paragraph in text.split("\n\n"):
            section += nodes.paragraph("", paragraph.replace("\n", " "))
        parts = RULE.split(declarations(code))
        language = "c" if name.endswith(".h") else "cpp"
        for title, part in zip([None, *parts[1::2]], parts[::2], strict=True):
            if title is not None and part.strip():
                section += nodes.rubric("", title[0].upper() + title[1:])
            if part.strip():
                section += nodes.literal_block("", part.strip("\n"), language=language)
        return [section]


class Command(Directive):
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        from fanin.cli import help_of

        name = self.arguments[0] if self.arguments else ""
        called = f"fanin {name}".rstrip()
        section = nodes.section(ids=[nodes.make_id(called)], names=[called.replace(" ", "-")])
        section += nodes.title("", "", nodes.literal("", called))
        section += nodes.literal_block("", help_of(name), language="text")
        return [section]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("header", Header)
    app.add_directive("command", Command)
    return {"parallel_read_safe": True}

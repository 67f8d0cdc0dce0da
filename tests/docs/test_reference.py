"""What is public is documented, typed, and stands in the reference of the site."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

import fanin as fi

ROOMS = ("activation", "datasets", "init", "loss", "random", "theory", "weights")
INTEROP = ("dask", "jax", "keras", "ray", "sklearn", "torch", "torch.init")
REFERENCE = "\n".join(page.read_text() for page in (pages.DOCS / "reference").glob("*.md"))


def named(module: ModuleType) -> dict[str, Any]:
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if name[0] != "_" and getattr(value, "__module__", "") == module.__name__
    ]
    return {f"{module.__name__}.{name}": getattr(module, name) for name in names}


def public() -> dict[str, Any]:
    """Every public name of the package and of its rooms, with what it stands for."""
    found = named(fi)
    for room in ROOMS:
        found |= named(importlib.import_module(f"fanin.{room}"))
    return found


def members(thing: type) -> dict[str, Any]:
    """The public methods and properties that a class brings itself."""
    found = {}
    for base in thing.__mro__:
        if base.__module__.startswith("fanin") and base.__module__ != "fanin._core":
            found |= {name: value for name, value in vars(base).items() if name[0] != "_"}
    return {name: value for name, value in found.items() if inspect.isfunction(value) or isinstance(value, property)}


def undocumented(names: dict[str, Any]) -> list[str]:
    missing = []
    for name, thing in names.items():
        if isinstance(thing, ModuleType | type) or callable(thing):
            if not inspect.getdoc(thing):
                missing.append(name)
            if isinstance(thing, type):
                missing += [f"{name}.{one}" for one, value in members(thing).items() if not inspect.getdoc(value)]
    return missing


def untyped(names: dict[str, Any]) -> list[str]:
    missing = []
    for name, thing in names.items():
        functions = members(thing) if isinstance(thing, type) else {"": thing} if inspect.isfunction(thing) else {}
        annotated = {one for base in getattr(thing, "__mro__", ()) for one in vars(base).get("__annotations__", {})}
        for part, function in functions.items():
            if part in annotated:
                continue
            given = function.fget if isinstance(function, property) else function
            hints = getattr(given, "__annotations__", {})
            own = [one for one in inspect.signature(given, follow_wrapped=False).parameters if one not in ("self", "cls")]
            if "return" not in hints or (own and len(hints) < 2):
                missing.append(f"{name}.{part}".rstrip("."))
    return missing


def test_every_public_name_has_a_docstring():
    assert len(public()) > 150
    assert undocumented(public()) == []


def test_every_public_function_is_typed():
    assert untyped(public()) == []


@pytest.mark.parametrize("library", INTEROP)
def test_every_public_name_of_interop_has_a_docstring(library):
    module = pytest.importorskip(f"fanin.interop.{library}", exc_type=ImportError)
    assert undocumented(named(module)) == []


@pytest.mark.parametrize("module", ["fanin", "fanin.stats", "fanin.dense"])
def test_every_name_of_the_package_stands_in_the_reference(module):
    whole = set(re.findall(r"automodule:: (\S+)", REFERENCE))
    single = set(re.findall(r"(?:autoclass|autofunction|data):: (\S+)", REFERENCE))
    for name, thing in named(importlib.import_module(module)).items():
        last = name.rpartition(".")[2]
        home = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", "")
        assert last in single or home in whole or module in whole or last in ("Summary", "Summarizer", "PackedWeight"), name


def test_every_room_and_header_stands_in_the_reference():
    modules = set(re.findall(r"automodule:: (\S+)", REFERENCE))
    assert {f"fanin.{room}" for room in ROOMS} | {f"fanin.interop.{library}" for library in INTEROP} <= modules
    headers = {path.name for path in (pages.ROOT / "cpp" / "include" / "fanin").glob("*.h*")} - {"fanin.hpp", "export.hpp"}
    assert headers == set(re.findall(r"\{header\} (\S+)", REFERENCE))


def test_every_command_stands_in_the_reference():
    from fanin.cli import _COMMANDS

    assert re.findall(r"\{command\} (\S+)", REFERENCE) == list(_COMMANDS)


def test_the_arguments_of_docstrings_are_those_of_the_function():
    """A parameter that a docstring names is one, so that none has outlived its function."""
    for path in (pages.ROOT / "python" / "fanin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or not (text := ast.get_docstring(node)):
                continue
            section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
            if section is None or node.args.kwarg is not None:
                continue
            args = node.args
            names = {one.arg for one in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
            names |= {args.vararg.arg} if args.vararg else set()
            heads = re.findall(r"^([\w*][\w*, ]*?) : ", section[1], re.MULTILINE)
            told = {name.strip().strip("*") for head in heads for name in head.split(",")}
            assert told <= names, f"{path}: {node.name} has no {told - names}"

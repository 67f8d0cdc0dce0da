"""Traces whose figures are set by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import fanin as fi


@pytest.fixture(scope="session")
def with_layers() -> Callable[..., fi.Trace]:
    """Return the trace with other figures in some layers, by index: ``with_layers(t, {1: {"dead": 0.5}}, cost=None)``."""

    def changed(t: fi.Trace, changes: dict[int, dict[str, Any]], **fields: Any) -> fi.Trace:
        layers = tuple(dataclasses.replace(layer, **changes.get(i, {})) for i, layer in enumerate(t.layers))
        return dataclasses.replace(t, layers=layers, **fields)

    return changed

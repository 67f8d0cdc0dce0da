"""Running a jaxpr step by step, with those functions inlined that JAX compiles for themselves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from jax.extend.core import ClosedJaxpr, Literal

_INLINED = ("jit", "pjit", "closed_call", "core_call", "checkpoint", "remat2")


class Step(Protocol):
    """What `walk` does at every step."""

    def constant(self, value: Any) -> Any:
        """Return what stands for a constant."""

    def __call__(self, n: int, eqn: Any, ins: list[Any]) -> Sequence[Any]:
        """Return what step `n` makes of what it takes."""


def walk(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any], step: Step, count: Iterator[int] | None = None) -> list[Any]:
    """Take the steps of a jaxpr in order, numbered from 0; the same jaxpr has the same numbers each time."""
    count = itertools.count() if count is None else count
    known = dict(zip(jaxpr.constvars, consts, strict=True)) | dict(zip(jaxpr.invars, args, strict=True))

    def read(v: Any) -> Any:
        return step.constant(v.val) if isinstance(v, Literal) else known[v]

    for eqn in jaxpr.eqns:
        ins, inner = [read(v) for v in eqn.invars], inlined(eqn)
        if inner is None:
            outs = step(next(count), eqn, ins)
        else:
            outs = walk(inner[0], [step.constant(one) for one in inner[1]], ins, step, count)
        known.update(zip(eqn.outvars, outs, strict=True))
    return [read(v) for v in jaxpr.outvars]


def inlined(eqn: Any) -> tuple[Any, Sequence[Any]] | None:
    """Return the jaxpr of a step that is a function of others, and its constants."""
    if eqn.primitive.name not in _INLINED:
        return None
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    return (inner.jaxpr, inner.consts) if isinstance(inner, ClosedJaxpr) else None if inner is None else (inner, ())


def bound(eqn: Any, ins: Sequence[Any]) -> list[Any]:
    """Return what a step makes of arrays."""
    found = eqn.primitive.get_bind_params(eqn.params)
    subfuns, params = found if isinstance(found, tuple) else ((), found)  # apart in JAX up to 0.9
    out = eqn.primitive.bind(*subfuns, *ins, **params)
    return list(out) if eqn.primitive.multiple_results else [out]


class Running:
    """Computes: what some steps make is noted, and something may be added to it, so that a gradient can be had of it."""

    def __init__(self, taps: Mapping[int, Any]) -> None:
        self._taps, self.seen = taps, dict[int, Any]()

    def constant(self, value: Any) -> Any:
        """Return the constant."""
        return value

    def __call__(self, n: int, eqn: Any, ins: list[Any]) -> list[Any]:
        """Return what a step makes of arrays."""
        outs = bound(eqn, ins)
        if n in self._taps:
            self.seen[n] = outs[0]
            outs[0] = outs[0] + self._taps[n]
        return outs


def custom(eqn: Any) -> Any:
    """Return the jaxpr of a function with a derivative of its own; None for another step."""
    name = eqn.primitive.name
    found = eqn.params.get("call_jaxpr", eqn.params.get("fun_jaxpr")) if name.startswith(("custom_jvp", "custom_vjp")) else None
    return found if isinstance(found, ClosedJaxpr) else None

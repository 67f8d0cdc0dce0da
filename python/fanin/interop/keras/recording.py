"""What goes through a Keras model's layers: their calls are wrapped while one batch goes through, and given back.

On the first pass values are noted. On the second nothing is but what it is needed for: something is added to each value that
was noted, so that every backend gives the gradient with respect to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras

from fanin.interop.keras.layers import KerasSite, activation_of, has_activation, parts, role_of, site_of
from fanin.interop.tracing.site import Taken


class _Mark(NamedTuple):
    """What a tensor is: the output of sites that may yet be activated, and the one it is of; kept, so that its id stays."""

    tensor: Any
    open: tuple[KerasSite, ...]
    source: Taken


class Recorder:
    """The sites of one batch.

    Parameters
    ----------
    model : keras.Model
        Built.
    """

    def __init__(self, model: Any) -> None:
        self.sites: list[KerasSite] = []
        self.values: list[Any] = []
        self._parts = list(parts(model))
        self._activations = [(layer, layer.activation) for _, layer in self._parts if has_activation(layer)]
        self._words = {id(layer): activation_of(activation) for layer, activation in self._activations}
        self._added: list[Any] | None = None
        self._taps = 0
        self._marks: dict[int, _Mark] = {}
        self._names: Counter[str] = Counter()
        self._inside: list[tuple[int, Any]] = []  # the tap and the value of z in the layer that is being called

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note what the layers do inside."""
        with self._wrapped():
            yield

    @contextmanager
    def adding(self, added: list[Any]) -> Iterator[None]:
        """Add these to what was noted, in that order."""
        self._added, self._taps = added, 0
        try:
            with self._wrapped():
                yield
        finally:
            self._added = None

    def _tap(self, tensor: Any) -> tuple[int, Any]:
        at = self._taps
        self._taps += 1
        if self._added is not None:
            return at, tensor + self._added[at]
        self.values.append(tensor)
        return at, tensor

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        before = [(layer, "activation", vars(layer).get("activation")) for layer, _ in self._activations]
        try:
            for layer, activation in self._activations:
                object.__setattr__(layer, "activation", self._before(activation))
            for name, layer in self._parts:
                if (role := role_of(layer)) != "other":
                    object.__setattr__(layer, "call", self._called(name, layer, role, layer.call))
            yield
        finally:
            for _, layer in self._parts:
                vars(layer).pop("call", None)
            for layer, name, own in before:
                if own is None:  # a layer as activation is no attribute of its own on the backend torch
                    vars(layer).pop(name, None)
                else:
                    object.__setattr__(layer, name, own)

    def _before(self, activation: Callable[..., Any]) -> Callable[..., Any]:
        def run(z: Any, *more: Any, **named: Any) -> Any:
            at, z = self._tap(z)
            self._inside.append((at, z))
            return activation(z, *more, **named)

        return run

    def _called(self, name: str, layer: Any, role: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            self._inside.clear()
            result = call(*arguments, **options)
            if not keras.ops.is_tensor(result) or "float" not in keras.backend.standardize_dtype(result.dtype):
                return result
            came = arguments[0] if arguments else next(iter(options.values()), None)
            came = tuple(arguments[:2]) if role == "sum" and len(arguments) > 1 else came
            return getattr(self, f"_{role}")(name, layer, came, result, call)

        return run

    def _mark(self, tensor: Any, sites: tuple[KerasSite, ...], source: Taken) -> None:
        self._marks[id(tensor)] = _Mark(tensor, sites, source)

    def _known(self, tensor: Any) -> _Mark | None:
        return self._marks.get(id(tensor))

    def _add(self, site: KerasSite) -> None:
        self._names[site.name] += 1
        count = self._names[site.name]
        site.name = site.name if count == 1 else f"{site.name} ({count})"
        self.sites.append(site)

    def _weights(self, name: str, layer: Any, came: Any, result: Any, _call: Any) -> Any:
        inner = self._inside[-1] if self._inside else None
        known = self._words.get(id(layer))
        if inner is None or known in (None, "identity"):
            at, result = self._tap(result)
            inner, known = (at, result), None
            after = at
        else:
            after, result = self._tap(result)
        if self._added is None:
            site, mark = site_of(name, layer), self._known(came)
            site.z_tap, site.a_tap = inner[0], after
            site.before = () if mark is None else (mark.source,)
            if known is not None:
                site.activation, site.activated = known, True
            self._add(site)
            self._mark(result, () if site.activated else (site,), Taken(site, site.activated))
        return result

    def _norm(self, name: str, layer: Any, came: Any, result: Any, _call: Any) -> Any:
        at, result = self._tap(result)
        if self._added is None:
            site, mark = site_of(name, layer), self._known(came)
            site.z_tap = site.a_tap = at
            site.n_in = site.n_out = site.n_out or int(result.shape[site.unit_axis])
            site.before = () if mark is None else (mark.source,)
            layers = () if mark is None else tuple(one for one in mark.open if one.judged and not one.activated)
            for one in layers:
                one.norm, one.a_tap = site, at
            self._add(site)
            self._mark(result, (*layers, site), Taken(site, False))
        return result

    def _activation(self, _name: str, layer: Any, came: Any, result: Any, call: Any) -> Any:
        mark = self._known(came)
        sites = () if mark is None else tuple(one for one in mark.open if not one.activated)
        name = activation_of(call) if sites and self._added is None else None
        at, result = self._tap(result)
        if self._added is None and sites and name not in (None, "identity"):
            for one in sites:
                one.activation, one.activated, one.a_tap = str(name), True, at
            self._mark(result, (), Taken(sites[-1], True))
        return result

    def _same(self, _name: str, _layer: Any, came: Any, result: Any, _call: Any) -> Any:
        mark = self._known(came)
        if mark is not None and result is not came:
            self._mark(result, mark.open, mark.source)
        return result

    def _sum(self, name: str, _layer: Any, came: Any, result: Any, _call: Any) -> Any:
        streams = list(came) if isinstance(came, list | tuple) else [came]
        alike = len(streams) == 2 and all(keras.ops.is_tensor(one) and one.shape == result.shape for one in streams)
        if not alike or len(result.shape) < 2:
            return result
        at, result = self._tap(result)
        if self._added is None:
            width = int(result.shape[-1])
            site = KerasSite(name, "sum", width, width, -1, z_tap=at, a_tap=at)
            marks = [self._known(one) for one in streams]
            site.before = tuple(one.source for one in marks if one is not None) if all(marks) else ()
            self._add(site)
            self._mark(result, (site,), Taken(site, False))
        return result

"""Hooks on the modules and on PyTorch's functions while one batch goes through: every place is measured as it passes.

Nothing of a tensor is kept but its summaries and, of a few layers at a time, a few rows. Modules' forward hooks see weight
layers and norms; a `TorchFunctionMode` sees activations and sums wherever they are written, as modules, functions or methods;
tensors' hooks see gradients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from fanin.interop.torch.activations import activation_of, activation_of_call
from fanin.interop.torch.rules import is_norm
from fanin.interop.torch.tracing.sites import HookedSite, array, dead, moments, projection_site, site_of
from fanin.interop.tracing import site as measured
from fanin.interop.tracing.site import Taken, largest
from fanin.tracing import likeness

_MARK = "_fanin_mark"  # the attribute of a tensor that says what it is
_KEPT = 64  # layers whose rows wait to be compared, at most
_SUMS = {torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__, Tensor.add_, Tensor.__iadd__}
_SAME = {  # what passes values on: the sites before an activation stay known
    torch.flatten,
    Tensor.flatten,
    Tensor.view,
    Tensor.reshape,
    torch.reshape,
    Tensor.permute,
    torch.permute,
    Tensor.transpose,
    torch.transpose,
    Tensor.contiguous,
    Tensor.squeeze,
    Tensor.unsqueeze,
    Tensor.to,
    Tensor.float,
    functional.dropout,
    functional.dropout2d,
}


class _Mark(NamedTuple):
    """What a tensor is: the output of sites that may yet be activated, and the sites that it comes from."""

    open: tuple[HookedSite, ...]
    source: tuple[HookedSite, ...]


class _Rows(NamedTuple):
    """A few rows of what leaves sites, to be compared, and the largest magnitude of all."""

    sites: tuple[HookedSite, ...]
    rows: NDArray[Any]
    largest: float


class _Waiting(NamedTuple):
    """An output that may be drawn, its version then, and the sites that it leaves."""

    tensor: Tensor
    version: int
    sites: tuple[HookedSite, ...]


def _mark(tensor: Any) -> _Mark | None:
    return getattr(tensor, _MARK, None)


def _taken(mark: _Mark | None) -> tuple[Taken, ...]:
    return () if mark is None else tuple(Taken(site, not mark.open) for site in mark.source)


class Recorder(TorchFunctionMode):  # type: ignore[misc]
    """What goes on while it is entered, site by site in the order of execution.

    Parameters
    ----------
    module : Module
        Its submodules get hooks, which are gone when `recording` ends.
    full : bool
        Whether histograms are taken, and rows compared.
    """

    def __init__(self, module: nn.Module, *, full: bool) -> None:
        super().__init__()
        self.sites: list[HookedSite] = []
        self._module, self._full, self._on = module, full, False
        self._names: Counter[str] = Counter()
        self._path: list[str] = []
        self._waiting: _Waiting | None = None
        self._rows: list[_Rows] = []
        self._handles: list[Any] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what the module does inside; a second run of a checkpointed part, in the backward pass, is not recorded."""
        self.start()
        try:
            yield
            self._end()
        finally:
            self.stop()

    def start(self) -> None:
        """Give all modules hooks, and look at every function until `stop`."""
        for name, part in self._module.named_modules():
            if _adds_nothing(part):
                continue
            self._handles.append(part.register_forward_pre_hook(self._entering(name)))
            self._handles.append(part.register_forward_hook(self._leaving(name, part), with_kwargs=True))
        self._on = True
        self.__enter__()

    def finish(self) -> None:
        """Draw what still waits, and stop."""
        try:
            self._end()
        finally:
            self.stop()

    def stop(self) -> None:
        """Take the hooks away."""
        self.__exit__(None, None, None)
        self._on = False
        self._waiting = None
        for handle in self._handles:
            handle.remove()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function, and look at what it was."""
        out = func(*args, **kwargs) if kwargs else func(*args)
        if type(out) is Tensor and args and self._on:
            self._saw(func, args, kwargs or {}, out)
        return out

    def _saw(self, func: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any], out: Tensor) -> None:
        if func in _SUMS:
            self._sum(args, out)
            return
        mark = _mark(args[0])
        if mark is None:
            return
        if func in _SAME:
            setattr(out, _MARK, mark)
        elif mark.open and (name := activation_of_call(func, args, named)) is not None:
            self._activated(mark, name, out)

    def _activated(self, mark: _Mark, name: str, out: Tensor) -> None:
        sites = [site for site in mark.open if not site.activated]
        judged = [site for site in sites if site.judged]
        values = array(out)
        summary = measured.drawn(values, name) if self._full and judged else measured.moments(values, name)
        lost = dead(values, sites[0].unit_axis, summary)
        for site in sites:
            site.take_a(out, name, summary, lost)
        self._waiting = None if self._waiting is not None and self._waiting.sites[0] in sites else self._waiting
        if self._full:
            self._compare(judged, values)
        setattr(out, _MARK, _Mark((), mark.source))

    def _wait(self, tensor: Tensor, sites: Sequence[HookedSite]) -> None:
        """Keep an output until it is known whether an activation follows: if none does, it is drawn itself."""
        self._draw()
        self._waiting = _Waiting(tensor, tensor._version, tuple(sites)) if self._full and sites else None

    def _draw(self) -> None:
        """Draw the output that waits, unless it was written over."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.tensor._version != waiting.version:
            return
        values = array(waiting.tensor)
        summary = measured.drawn(values, "identity", waiting.sites[0].a)
        for site in waiting.sites:
            site.a = summary
        self._compare(waiting.sites, values)

    def _compare(self, sites: Sequence[HookedSite], values: NDArray[Any]) -> None:
        """Keep a few rows; they are compared many at a time, since code that comes up between two layers is slow to start."""
        if not sites or (found := sites[0].a) is None or (rows := sites[0].some_rows(values)) is None:
            return
        self._rows.append(_Rows(tuple(sites), rows, largest(found)))
        if len(self._rows) == _KEPT:
            self._compare_kept()

    def _compare_kept(self) -> None:
        for one in self._rows:
            rank, cosine = likeness.similarity(one.rows, one.largest)
            for site in one.sites:
                site.effective_rank, site.cosine = rank, cosine
        self._rows.clear()

    def _end(self) -> None:
        self._draw()
        self._compare_kept()

    def _sum(self, args: tuple[Any, ...], out: Tensor) -> None:
        """Take a sum of two streams for a site: tensors of one shape, neither a parameter."""
        if len(args) < 2 or not isinstance(args[1], Tensor) or not isinstance(args[0], Tensor):
            return
        left, right = args[:2]
        alike = left.shape == right.shape == out.shape and out.dim() > 1 and out.is_floating_point()
        if not alike or isinstance(left, nn.Parameter) or isinstance(right, nn.Parameter):
            return
        if torch.is_grad_enabled() and not (left.requires_grad or right.requires_grad):
            return
        axis = 1 if out.dim() == 4 else -1
        name = self._named(f"{self._path[-1]} +" if self._path and self._path[-1] else "+")
        site = HookedSite(name, "sum", out.shape[axis], out.shape[axis], axis)
        streams = _taken(_mark(left)), _taken(_mark(right))
        site.before = (*streams[0], *streams[1]) if all(len(one) == 1 for one in streams) else ()
        self.sites.append(site)
        self._draw()
        site.take_z(out)
        setattr(out, _MARK, _Mark((site,), (site,)))

    def _named(self, name: str) -> str:
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else f"{name} ({count})"

    def _entering(self, name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any) -> None:
            if self._on:
                self._path.append(name)

        return hook

    def _leaving(self, name: str, part: nn.Module) -> Callable[..., None]:
        own = activation_of(part)

        def hook(_module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], out: Any) -> None:
            if self._on:
                del self._path[-1:]
                with torch._C.DisableTorchFunction():
                    self._left(name, part, own, inputs, named, out)

        return hook

    def _left(
        self, name: str, part: nn.Module, own: str | None, inputs: tuple[Any, ...], named: dict[str, Any], out: Any
    ) -> None:
        first = _first(out)
        if first is None or not first.is_floating_point():
            return
        came = inputs[0] if inputs else next(iter(named.values()), None)
        mark = _mark(came)
        if own is not None:  # an activation that is computed from several functions
            if mark is not None and any(not site.activated for site in mark.open):
                self._activated(mark, own, first)
            return
        site = site_of(name or type(part).__name__, part)
        if site is None:
            return
        if isinstance(part, nn.MultiheadAttention):
            self._projections(name or type(part).__name__, part, inputs, named)
        site.name = self._named(site.name)
        site.before = _taken(mark)
        self.sites.append(site)
        if is_norm(part):
            self._norm(site, mark, first)
        else:
            site.take_z(first)
            self._wait(first, (site,) if site.judged else ())
            setattr(first, _MARK, _Mark((site,), (site,)))

    def _norm(self, site: HookedSite, mark: _Mark | None, out: Tensor) -> None:
        """Measure a norm; what it makes of a weight layer's output is what leaves that layer."""
        layers = () if mark is None else tuple(one for one in mark.open if one.judged and not one.activated)
        site.take_z(out)
        for one in layers:
            one.share_a(out, site)
        if layers and self._waiting is not None and self._waiting.sites[0] in layers:
            self._waiting = None
        self._wait(out, layers)
        setattr(out, _MARK, _Mark((*layers, site), (site,)))

    def _projections(self, name: str, part: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Measure queries, keys and values, which PyTorch computes inside one function: they are computed once more."""
        given = {**dict(zip(("query", "key", "value"), inputs, strict=False)), **named}
        site = projection_site(name, part)
        site.name = self._named(site.name)
        with torch.no_grad():
            if part.in_proj_weight is None:
                z = functional.linear(given["query"], part.q_proj_weight)
            elif given["query"] is given["key"] is given["value"]:
                z = functional.linear(given["query"], part.in_proj_weight, part.in_proj_bias)
            else:
                weights = part.in_proj_weight.chunk(3)
                biases = (None,) * 3 if part.in_proj_bias is None else part.in_proj_bias.chunk(3)
                parts = [given[key] for key in ("query", "key", "value")]
                z = torch.cat([functional.linear(x, w, b).flatten() for x, w, b in zip(parts, weights, biases, strict=True)])
            site.z = site.a = moments(z)
        self.sites.append(site)


def _adds_nothing(part: nn.Module) -> bool:
    """Whether a module has no line, and what it calls says all: PyTorch's own activations, pooling, dropout and the like."""
    return (
        type(part).__module__.startswith("torch.nn.modules.")
        and not part._modules
        and not part._parameters
        and not part._buffers
        and not is_norm(part)
    )


def _first(out: Any) -> Tensor | None:
    """Return the first tensor of an output: it, or that of a tuple (attention, recurrent layers)."""
    if isinstance(out, Tensor):
        return out
    if isinstance(out, tuple | list) and out and isinstance(out[0], Tensor):
        return out[0]
    return None

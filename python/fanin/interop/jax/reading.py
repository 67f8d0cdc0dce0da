"""What a jaxpr is made of, read step by step without computing anything: weight layers, norms, activations, sums of streams.

Every value carries what is known of it (`_Value`). An activation may be one step or many, as gelu is: steps that work on each
element of one site's output are gathered until something else takes the result, and the whole is held against fanin's
activations at a few numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from fanin.interop.jax.elementwise import Node, Root, identified, is_elementwise
from fanin.interop.jax.graph import walk
from fanin.interop.tracing.site import Site, Taken

_SAME = {  # what passes values on
    *("reshape", "squeeze", "expand_dims", "transpose", "convert_element_type", "copy", "copy_p", "reduce_precision"),
    *("broadcast_in_dim", "sharding_constraint", "stop_gradient"),
}
_BIASES = ("bias", "b")  # of a layer for several axes they are as wide as its weight


@dataclass(eq=False)
class JaxSite(Site):
    """One place, and the steps at which it has computed z and a; `weight` and `bias` are parameters' paths in a `Param`."""

    z_at: int = 0
    a_at: int = 0
    a_axis: int = -1
    weight_axis: int | None = None  # of the weight, the axis that counts units; None where it was turned before its use


@dataclass(frozen=True, eq=False)
class Param:
    """A parameter; a weight that is used twice is one object."""

    path: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Value:
    """What is known of a value."""

    shape: tuple[int, ...]
    dtype: Any = None
    batch: bool = False  # whether it depends on the batch
    scalar: Any = None  # the constant that all its elements are
    param: Param | None = None  # a parameter as it is, perhaps in another shape
    axes: tuple[int, ...] | None = None  # of the parameter, as they stand here; None where they were joined or cut
    factor: Param | None = None  # the scale of a norm, on its way
    open: tuple[JaxSite, ...] = ()  # sites whose output it is, and that may yet be activated
    source: Taken | None = None  # the site whose output it is
    origin: frozenset[Taken] = field(default_factory=frozenset)  # sites that it was made of
    node: Node | None = None
    axis: int = -1

    @property
    def came_from(self) -> frozenset[Taken]:
        return self.origin if self.source is None else frozenset((self.source,))


class Reading:
    """Reads a jaxpr; `sites` are then known, in the order of its steps.

    Parameters
    ----------
    params : iterable of Param
        In the order of the jaxpr's first arguments.
    kinds : mapping of str to str
        What a library calls the layers, by their names.
    whole : str
        What it calls the model, whose name is left out of its parts'.
    """

    def __init__(self, params: Iterable[Param], kinds: Mapping[str, str], whole: str) -> None:
        self.sites: list[JaxSite] = []
        self.taps: dict[int, tuple[tuple[int, ...], Any]] = {}
        self._params, self._kinds, self._whole = list(params), kinds, whole
        self._names = _layer_names(self._params)
        self._used: Counter[str] = Counter()
        self._settled: dict[int, _Value] = {}

    def read(self, closed: Any) -> None:
        """Read a jaxpr whose arguments are the parameters, then the batch."""
        avals = [v.aval for v in closed.jaxpr.invars]
        args = [_Value(a.shape, a.dtype, batch=True) for a in avals]
        for i, p in enumerate(self._params):
            args[i] = _Value(p.shape, avals[i].dtype, param=p, axes=tuple(range(len(p.shape))))
        for one in walk(closed.jaxpr, [self.constant(c) for c in closed.consts], args, self):
            self._settle(one)
        self.taps = {n: self.taps[n] for site in self.sites for n in (site.z_at, site.a_at)}

    def constant(self, value: Any) -> _Value:
        """Return what is known of a constant."""
        dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
        single = np.size(value) == 1 and not jax.dtypes.issubdtype(dtype, jax.dtypes.extended)  # no key of a generator
        return _Value(np.shape(value), dtype, scalar=np.asarray(value).reshape(())[()] if single else None)

    def __call__(self, n: int, eqn: Any, ins: list[_Value]) -> list[_Value]:
        """Return what is known of what a step makes."""
        out, name = eqn.outvars[0].aval, eqn.primitive.name
        shape, dtype = tuple(getattr(out, "shape", ())), getattr(out, "dtype", None)
        self.taps[n] = shape, dtype
        if not any(one.batch or one.param is not None for one in ins) and name in _SAME:
            return [replace(ins[0], shape=shape, dtype=dtype)]
        plain = name in _SAME and (ins[0].node is None or ins[0].node.eqn is None)
        if not plain and (found := self._elementwise(n, eqn, ins, shape, dtype)) is not None:
            return [found]
        ins = [self._settle(one) for one in ins]
        if name in _SAME and len(eqn.outvars) == 1:
            return [_turned(ins[0], eqn, shape, dtype)]
        found = self._special(n, eqn, name, ins, shape, dtype) if len(eqn.outvars) == 1 else None
        if found is not None:
            return [found]
        batch, origin = any(one.batch for one in ins), frozenset[Taken]().union(*(one.came_from for one in ins))
        made = [(tuple(getattr(v.aval, "shape", ())), getattr(v.aval, "dtype", None)) for v in eqn.outvars]
        return [_Value(*one, batch, origin=origin) for one in made]

    def _elementwise(self, n: int, eqn: Any, ins: list[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        """Return what follows one site's output element by element; None where a step is something else."""
        own = [one for one in ins if one.node is not None]
        if not own or len({id(one.node.root) for one in own if one.node is not None}) > 1 or not is_elementwise(eqn):
            return None
        if shape != own[0].shape or any(one.shape != shape for one in own) or len(eqn.outvars) > 1:
            return None
        if any(one.node is None and one.scalar is None for one in ins):
            return None
        parts = tuple(one.scalar if one.node is None else one.node for one in ins)
        node = Node(own[0].node.root, n, eqn, parts)  # type: ignore[union-attr]
        return replace(own[0], dtype=dtype, source=None, origin=own[0].came_from, node=node)

    def _settle(self, value: _Value) -> _Value:
        """Say what elementwise steps have made, now that something else takes it."""
        node = value.node
        if node is None or node.eqn is None:
            return value
        if id(node) not in self._settled:
            self._settled[id(node)] = self._named(value, node)
        return self._settled[id(node)]

    def _named(self, value: _Value, node: Node) -> _Value:
        lost = replace(value, open=(), source=None, node=None)
        waiting = [site for site in value.open if not site.activated]
        if not waiting:
            return lost
        name, at = identified(node), node
        while name is None and at.eqn.primitive.name in ("mul", "div"):  # scaled, as by dropout
            inner = [one for one in at.ins if isinstance(one, Node)]
            if len(inner) != 1 or inner[0].eqn is None:
                break
            at = inner[0]
            name = identified(at)
        if name is None:
            return lost
        if name != "identity":
            for site in waiting:
                site.activation, site.activated, site.a_at, site.a_axis = name, True, at.n, value.axis
        if at is not node:
            return replace(lost, origin=frozenset((Taken(waiting[-1], name != "identity"),)))
        return replace(lost, source=Taken(waiting[-1], name != "identity"))

    def _special(self, n: int, eqn: Any, name: str, ins: list[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        if name == "dot_general":
            return self._dense(n, eqn, ins, shape, dtype)
        if name == "conv_general_dilated" and ins[1].param is not None and ins[0].batch:
            return self._conv(n, eqn, ins, shape, dtype)
        if name == "gather" and ins[0].param is not None and len(ins[0].param.shape) == 2:
            rows, width = ins[0].param.shape
            return self._site(n, "Embed", ins[0].param, ins[1], (rows, width, 1), shape, dtype, judged=False)
        if name == "mul":
            return self._scaled(n, ins, shape, dtype) or self._scaled(n, ins[::-1], shape, dtype)
        if name in ("add", "add_any"):
            shifted = self._shifted(n, ins, shape, dtype) or self._shifted(n, ins[::-1], shape, dtype)
            return shifted or self._sum(n, eqn, ins, shape, dtype)
        return None

    def _dense(self, n: int, eqn: Any, ins: list[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        contracted, batched = eqn.params["dimension_numbers"]
        which = next((i for i in (1, 0) if ins[i].param is not None and ins[1 - i].batch), None)
        if which is None or batched[which]:
            return None
        weight, own = ins[which], tuple(contracted[which])
        free = [i for i in range(len(weight.shape)) if i not in own]
        fan = math.prod(weight.shape[i] for i in own)
        units = math.prod(weight.shape[i] for i in free)
        if not free or not weight.shape:
            return None
        axis = -1 if which == 1 else len(free) - 1 - len(shape)
        turned = weight.axes[free[0]] if weight.axes is not None and len(free) == 1 else None
        kind = "Dense" if len(free) == len(own) == 1 else "DenseGeneral"
        return self._site(n, kind, weight.param, ins[1 - which], (fan, units, fan), shape, dtype, axis=axis, weight_axis=turned)

    def _conv(self, n: int, eqn: Any, ins: list[_Value], shape: tuple[int, ...], dtype: Any) -> _Value:
        numbers, weight = eqn.params["dimension_numbers"], ins[1]
        out, into, *spatial = numbers.rhs_spec
        fan = math.prod(weight.shape[i] for i in (into, *spatial))
        sizes = weight.shape[into] * eqn.params["feature_group_count"], weight.shape[out], fan
        axis, turned = numbers.out_spec[1] - len(shape), None if weight.axes is None else weight.axes[out]
        return self._site(n, "Conv", weight.param, ins[0], sizes, shape, dtype, axis=axis, weight_axis=turned)

    def _scaled(self, n: int, ins: Sequence[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        """Find the scale of a norm: multiplied by at once, or first with the factor that normalizes."""
        data, other = ins
        if other.factor is not None and data.batch and data.shape == shape and not data.open:
            return self._norm(n, other.factor, data, shape, dtype)
        if other.param is None or data.open or data.param is not None:
            return None
        wide = [i for i, size in enumerate(other.shape) if size > 1]
        if len(wide) > 1 or math.prod(other.param.shape) != math.prod(other.shape) or len(data.shape) != len(other.shape):
            return None
        at = wide[0] if wide else -1
        if data.batch and data.shape == shape and self._is_whole(data):
            return self._norm(n, other.param, data, shape, dtype, axis=at - len(shape) if wide else -1)
        return _Value(shape, dtype, data.batch, factor=other.param, origin=data.came_from)

    def _is_whole(self, data: _Value) -> bool:
        """Whether a value has an element for each of the site's that it came of, as no mean or variance has."""
        sizes = [math.prod(self.taps[one.site.z_at][0]) for one in data.came_from if isinstance(one.site, JaxSite)]
        return math.prod(data.shape) >= max(sizes, default=0)

    def _norm(self, n: int, scale: Param, data: _Value, shape: tuple[int, ...], dtype: Any, axis: int = -1) -> _Value:
        size = math.prod(scale.shape)
        source = next(iter(data.came_from)) if len(data.came_from) == 1 else None
        came = replace(data, source=source, origin=data.came_from)
        made = self._site(n, "norm", scale, came, (size, size, 1), shape, dtype, axis=axis, judged=False)
        norm = made.open[0]
        norm.normalizes = True
        if source is None or source.activated or not isinstance(source.site, JaxSite):
            return made
        layer = source.site
        if not layer.judged or layer.activated or layer.norm is not None:
            return made
        layer.norm = norm
        return replace(made, open=(layer, norm))

    def _shifted(self, n: int, ins: Sequence[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        """Find the bias of a layer, the shift of a norm."""
        data, other = ins
        if other.param is None or not data.open or data.shape != shape:
            return None
        site = data.open[-1]
        takes = site.bias is None and not site.activated and site.kind != "sum" and site.z_at == site.a_at
        if not takes or math.prod(other.param.shape) != site.n_out:
            return None
        site.bias, site.z_at, site.a_at = other.param, n, n
        return replace(data, dtype=dtype, node=Node(Root(dtype)))

    def _sum(self, n: int, eqn: Any, ins: Sequence[_Value], shape: tuple[int, ...], dtype: Any) -> _Value | None:
        left, right = ins
        streams = left.batch and right.batch and left.shape == right.shape == shape and len(shape) > 1
        if not streams or not jax.numpy.issubdtype(dtype, jax.numpy.floating):
            return None
        where = str(getattr(eqn.source_info, "name_stack", "")).replace("/", ".")
        where = where.removeprefix(self._whole).removeprefix(".")
        name = self._unique(f"{where} +" if where else "+")
        axis = left.axis if left.axis == right.axis else -1
        site = JaxSite(name, "sum", shape[axis], shape[axis], axis, z_at=n, a_at=n, a_axis=axis)
        sources = [one.source for one in (left, right)]
        site.before = tuple(one for one in sources if one is not None) if all(sources) else ()
        self.sites.append(site)
        return _Value(shape, dtype, True, open=(site,), source=Taken(site, False), node=Node(Root(dtype)), axis=axis)

    def _site(
        self,
        n: int,
        kind: str,
        weight: Param | None,
        data: _Value,
        sizes: tuple[int, int, int],
        shape: tuple[int, ...],
        dtype: Any,
        *,
        axis: int = -1,
        judged: bool = True,
        weight_axis: int | None = None,
    ) -> _Value:
        """Add a site; `sizes` are n_in, n_out and the fan."""
        assert weight is not None
        name = self._names[weight.path]
        kind = self._kinds.get(name, kind)
        site = JaxSite(self._unique(name), kind, *sizes[:2], axis, weight, None, sizes[2], judged, z_at=n, a_at=n, a_axis=axis)
        site.weight_axis = weight_axis
        site.before = () if data.source is None else (data.source,)
        self.sites.append(site)
        return _Value(shape, dtype, True, open=(site,), source=Taken(site, False), node=Node(Root(dtype)), axis=axis)

    def _unique(self, name: str) -> str:
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name} ({self._used[name]})"


def _turned(value: _Value, eqn: Any, shape: tuple[int, ...], dtype: Any) -> _Value:
    """Return a value in another shape or type, the same otherwise."""
    name, axis = eqn.primitive.name, value.axis
    if name == "transpose":
        axis = tuple(eqn.params["permutation"]).index(axis % len(shape)) - len(shape) if shape else axis
    elif name != "convert_element_type" and shape != value.shape and value.batch:
        axis = axis if len(shape) == len(value.shape) else -1
    axes = value.axes
    if axes is not None and name == "transpose":
        axes = tuple(axes[i] for i in eqn.params["permutation"])
    elif shape != value.shape:
        axes = None
    node = None if value.node is None else Node(Root(dtype))
    return replace(value, shape=shape, dtype=dtype, axis=axis, node=node, axes=axes)


def _layer_names(params: Sequence[Param]) -> dict[str, str]:
    """Return the name of the layer that a parameter belongs to: its path without the last part, where that has one weight."""
    parts = {p.path: p.path.removeprefix("params.").removesuffix(".value").rpartition(".")[::2] for p in params}
    weights = Counter(parts[p.path][0] for p in params if len(p.shape) > 1 and parts[p.path][1] not in _BIASES)
    out = {}
    for path, (parent, last) in parts.items():
        alone = weights[parent] <= 1
        out[path] = parent if parent and alone else f"{parent}.{last}".removeprefix(".")
    return out

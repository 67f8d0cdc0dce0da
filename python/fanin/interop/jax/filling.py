"""Every array of a pytree, drawn from the stream of its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsIndex

import jax
import numpy as np

from fanin import _core
from fanin.init import Law
from fanin.init.rules import Rules, law_for
from fanin.random import seed_number

_AXES = {"in_axis": -2, "out_axis": -1, "batch_axis": ()}
_EQUINOX = {"in_axis": 1, "out_axis": 0, "batch_axis": ()}


def paths(tree: Any) -> dict[str, Any]:
    """Return the leaves of a pytree under their paths, as ``"params.Dense_0.kernel"``."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def fill(params: Any, rules: Rules, seed: SupportsIndex | None = None) -> Any:
    """Return a pytree like `params` whose arrays are drawn, each from the stream of its path.

    Parameters
    ----------
    params : pytree
        Of arrays, or of `jax.ShapeDtypeStruct` as `jax.eval_shape` gives: what is drawn is then never there twice. Arrays of
        integers and booleans stay as they are, and so do leaves that are no arrays. Arrays with a sharding over several
        devices are drawn shard by shard, with the same bits.
    rules : law, mapping of pattern to law, or sequence of (pattern, law) or (pattern, law, axes)
        As `fanin.init.fill` takes them; patterns match the path, ``"params.Dense_0.kernel"``. Where a rule states none, the
        axes are JAX's, ``in_axis=-2`` and ``out_axis=-1``, but in layers of ``equinox.nn``, whose weights are
        ``(n_out, n_in)`` and ``(n_out, n_in, *kernel)``, ``in_axis=1`` and ``out_axis=0``.
    seed : int, optional
        In [0, 2^64). Without it, fresh entropy.

    Raises
    ------
    ValueError
        For paths that no rule matches, and whatever a law refuses; before anything is drawn.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from fanin.interop.jax import fill
    >>> params = {"dense": {"kernel": jnp.zeros((784, 300)), "bias": jnp.ones(300)}}
    >>> filled = fill(params, {"*.bias": "zeros", "*": "he_normal"}, seed=7)
    >>> filled["dense"]["kernel"].shape, float(filled["dense"]["bias"].sum())
    ((784, 300), 0.0)
    """
    number = _core.fresh_seed() if seed is None else seed_number(seed)
    chosen: dict[str, tuple[Law, Mapping[str, Any]]] = {}
    unmatched = []
    for keys, leaf in jax.tree_util.tree_flatten_with_path(params)[0]:
        if not _drawn(leaf):
            continue
        path = jax.tree_util.keystr(keys, simple=True, separator=".")
        found = law_for(path, rules, _EQUINOX if _in_equinox(params, keys) else _AXES)
        if found is None:
            unmatched.append(path)
        else:
            if found[0].needs_fans:
                _checked(path, found[0], leaf, found[1])
            chosen[path] = found
    if unmatched:
        raise ValueError(f"rules must match every array, got none for {', '.join(map(repr, unmatched[:5]))}")

    def draw(path: Any, leaf: Any) -> Any:
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        if name not in chosen:
            return leaf
        law, axes = chosen[name]
        shape, dtype = tuple(leaf.shape), np.dtype(leaf.dtype)
        axes = axes if law.needs_fans or len(shape) > 1 else {"in_axis": (), "out_axis": (), "batch_axis": ()}
        sharding = getattr(leaf, "sharding", None)
        if sharding is not None and len(sharding.device_set) > 1:
            return jax.make_array_from_callback(
                shape, sharding, lambda index: law(shape, seed=number, stream=name, dtype=dtype, block=index, **axes)
            )
        return jax.numpy.asarray(law(shape, seed=number, stream=name, dtype=dtype, **axes))

    return jax.tree_util.tree_map_with_path(draw, params)


def _in_equinox(tree: Any, keys: Any) -> bool:
    """Whether a leaf belongs to a layer of Equinox, which need not be imported to know it."""
    node = tree
    for key in keys[:-1]:
        if isinstance(key, jax.tree_util.GetAttrKey):
            node = getattr(node, key.name)
        elif isinstance(key, jax.tree_util.DictKey):
            node = node[key.key]
        elif isinstance(key, jax.tree_util.SequenceKey):
            node = node[key.idx]
        else:  # a class that names no attributes: no way down to what holds the leaf
            return False
    return any(one.__module__.startswith("equinox.nn") for one in type(node).__mro__)


def _drawn(leaf: Any) -> bool:
    dtype = getattr(leaf, "dtype", None)
    return dtype is not None and bool(jax.numpy.issubdtype(dtype, jax.numpy.floating))


def _checked(path: str, law: Law, leaf: Any, axes: Mapping[str, Any]) -> None:
    try:
        law.moments(tuple(leaf.shape), **axes)
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {path!r}, {law}: {error}") from None

"""`trace`: one batch through a model of Flax or any function of its parameters, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import jax
import numpy as np
from jax import numpy as jnp

from fanin.interop.jax.filling import paths
from fanin.interop.jax.graph import Running, walk
from fanin.interop.jax.reading import JaxSite, Param, Reading
from fanin.interop.tracing import measure
from fanin.interop.tracing.assemble import Said, assembled
from fanin.interop.tracing.record import ModuleTrace
from fanin.interop.tracing.site import moments


def trace(
    model: Any,
    variables: Any,
    *inputs: Any,
    loss: Callable[[Any], Any] | None = None,
    stats: Literal[True, "moments"] = True,
    **options: Any,
) -> ModuleTrace:
    """Send one batch through a model, forward and backward, and measure every weight layer, norm and sum of streams.

    Parameters
    ----------
    model : flax.linen.Module, or function
        A function is called as ``model(variables, *inputs)`` and returns its output; it must be one that JAX can trace.
    variables : pytree
        The parameters: every array of real numbers in it. A module of Equinox is such a pytree.
    *inputs
        The batch first.
    loss : function, optional
        From the output to a cost, a scalar. Without it the trace goes forward only.
    stats : True or "moments"
        "moments" leaves out histograms, effective ranks and cosines.
    **options
        What else the module's ``apply`` or the function takes, as ``rngs=`` or ``train=``.

    Returns
    -------
    ModuleTrace
        A `fanin.Trace` with the names of the parameters' paths, ``"Dense_0"``: `fanin.diagnose`, `plot`, `to_html`, `to_json`
        and `to_csv` take it. Theory stands beside it where the model is a plain stack of dense layers and activations on
        rows, or a stream of them with sums and layer norms whose branches end in a dense layer; elsewhere the expected values
        are NaN.

    Raises
    ------
    ValueError
        For a model in which no parameter of two dimensions or more meets the batch, and a loss that is no scalar.

    Notes
    -----
    The function is read as JAX sees it: a parameter that multiplies or convolves what comes of the batch is a weight layer, one
    that is added to it a bias, one that scales it a norm; activations are known by their values. What stands inside of loops
    (``scan``, ``while``) is computed and has no lines. The memory is that of one forward and backward with all activations.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from fanin.interop.jax import trace
    >>> def model(w, x):
    ...     return jnp.tanh(x @ w["first"]) @ w["second"]
    >>> found = trace(model, {"first": jnp.eye(3), "second": jnp.eye(3)}, jnp.ones((2, 3)), loss=jnp.sum)
    >>> [(layer.name, layer.activation, round(float(layer.a.mean), 4)) for layer in found.layers]
    [('first', 'tanh', 0.7616), ('second', 'identity', 0.7616)]
    """
    if stats is not True and stats != "moments":
        raise ValueError(f'stats must be True or "moments", got {stats!r}')
    leaves, tree = jax.tree_util.tree_flatten(variables)
    known = [(path, leaf) for path, leaf in paths(variables).items()]
    places = [i for i, (_, leaf) in enumerate(known) if _is_real(leaf)]
    floats = [jnp.asarray(leaves[i]) for i in places]
    params = [Param(known[i][0], tuple(leaves[i].shape)) for i in places]
    given, form = jax.tree_util.tree_flatten(inputs)
    moving = [i for i, one in enumerate(given) if hasattr(one, "shape") and hasattr(one, "dtype")]
    batch = [given[i] for i in moving]
    kinds: dict[str, str] = {}
    call = _called(model, variables, kinds, options)

    def flat(values: list[Any], data: list[Any]) -> Any:
        own, other = list(leaves), list(given)
        for i, value in zip(places, values, strict=True):
            own[i] = value
        for i, value in zip(moving, data, strict=True):
            other[i] = value
        return call(jax.tree_util.tree_unflatten(tree, own), *jax.tree_util.tree_unflatten(form, other))

    closed, shape = jax.make_jaxpr(flat, return_shape=True)(floats, batch)
    reading = Reading(params, kinds, type(model).__name__)
    reading.read(closed)
    if not any(site.judged for site in reading.sites):
        raise ValueError("model must have a parameter of two dimensions or more that meets the batch, got none")
    out_tree = jax.tree_util.tree_structure(shape)

    def run(values: list[Any], taps: dict[int, Any]) -> tuple[Any, dict[int, Any]]:
        running = Running(taps)
        outs = walk(closed.jaxpr, closed.consts, [*values, *batch], running)
        cost = None if loss is None else _scalar(loss(jax.tree_util.tree_unflatten(out_tree, outs)))
        return cost, running.seen

    zeros = {n: jnp.zeros(*like) for n, like in reading.taps.items()}
    if loss is None:
        cost, (_, seen), slopes, back = None, jax.jit(run)(floats, zeros), None, {}
    else:
        (value, seen), (slopes, back) = jax.jit(jax.value_and_grad(run, argnums=(0, 1), has_aux=True))(floats, zeros)
        cost = float(value)
    return _assembled(reading.sites, params, floats, slopes, batch, seen, back, cost, loss, full=stats is True)


def _assembled(
    sites: list[JaxSite],
    params: list[Param],
    floats: list[Any],
    slopes: list[Any] | None,
    batch: list[Any],
    seen: dict[int, Any],
    back: dict[int, Any],
    cost: float | None,
    loss: Callable[[Any], Any] | None,
    *,
    full: bool,
) -> ModuleTrace:
    values = {id(p): np.asarray(value) for p, value in zip(params, floats, strict=True)}
    gradients = {} if slopes is None else {id(p): np.asarray(value) for p, value in zip(params, slopes, strict=True)}
    copies = []
    with np.errstate(all="ignore"):
        for site in sites:
            z = np.asarray(seen[site.z_at])
            at = site.a_at if site.norm is None or site.activated else _of(site.norm).z_at
            measure.take(site, z, z if at == site.z_at else np.asarray(seen[at]), site.a_axis, full=full)
            if back:
                site.dz, site.da = moments(np.asarray(back[site.z_at])), moments(np.asarray(back[at]))
            copies.append(_copies(site, values, gradients))
        used = {id(p): p for site in sites for p in (site.weight, site.bias) if p is not None}
        weights = {key: moments(values[key]) for key in used}
        sizes = {key: moments(gradients[key]) for key in used if key in gradients}
        first = next((np.asarray(one) for one in batch if _is_real(one) and one.size), None)
        rows = next((int(one.shape[0]) for one in batch if one.ndim), 1)
        name = getattr(loss, "__name__", "loss") if loss is not None else "none"
        said = Said(cost, "loss" if name == "<lambda>" else name, None, rows)
        return assembled(sites, first, weights, sizes, copies, said)


def _copies(site: JaxSite, values: dict[int, Any], gradients: dict[int, Any]) -> int:
    w, axis = values.get(id(site.weight)), site.weight_axis
    if w is None or axis is None or not w.size or not site.judged:
        return 0
    return measure.alike(w, values.get(id(site.bias)), gradients.get(id(site.weight)), axis)


def _of(site: Any) -> JaxSite:
    assert isinstance(site, JaxSite)
    return site


def _is_real(leaf: Any) -> bool:
    dtype = getattr(leaf, "dtype", None)
    return dtype is not None and bool(jnp.issubdtype(dtype, jnp.floating))


def _scalar(value: Any) -> Any:
    if jnp.shape(value) != ():
        raise ValueError(f"loss must return a scalar, got shape {jnp.shape(value)}")
    return value


def _called(model: Any, variables: Any, kinds: dict[str, str], options: dict[str, Any]) -> Callable[..., Any]:
    """Return the function of a model; of Flax's modules the kinds are noted when it runs."""
    if not (hasattr(model, "apply") and hasattr(model, "init")):
        return lambda values, *inputs: model(values, *inputs, **options)
    state = [name for name in variables if name != "params"]  # as batch_stats, which a norm in training writes
    mutable = {"mutable": state} if state and "mutable" not in options else {}

    def run(values: Any, *inputs: Any) -> Any:
        with _noting(kinds):
            out = model.apply(values, *inputs, **mutable, **options)
        return out[0] if mutable else out

    return run


def _noting(kinds: dict[str, str]) -> Any:
    """Note the classes of Flax's own modules by their paths."""
    try:
        from flax import linen
    except ImportError:  # another library's module with init and apply
        return nullcontext()

    def note(call: Any, arguments: Any, named: Any, context: Any) -> Any:
        module = context.module
        if type(module).__module__.startswith("flax."):
            kinds[".".join(map(str, module.path))] = type(module).__name__
        return call(*arguments, **named)

    return linen.intercept_methods(note)

"""What one batch does in a model of Flax, or in any function that returns its intermediate values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from fanin.interop.jax.filling import paths
from fanin.interop.measured import Measured, summaries


def trace(model: Any, variables: Any, *inputs: Any, loss: Callable[[Any], Any] | None = None, **options: Any) -> Measured:
    """Send one batch through a model and summarize what comes out of every layer, and its parameters.

    Parameters
    ----------
    model : flax.linen.Module, or function
        A function is called as ``model(variables, *inputs)`` and returns its output and its intermediate values, a pytree of
        arrays whose paths are their names.
    variables : pytree
        The parameters.
    *inputs
        The batch.
    loss : function, optional
        From the output to a cost, a scalar; the gradients of the parameters are summarized then.
    **options
        What else the module's ``apply`` takes, as ``rngs=`` or ``train=``.

    Returns
    -------
    Measured
        Outputs by the module's names, ``"Dense_0"``, in the order of the calls.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from fanin.interop.jax import trace
    >>> def model(w, x):
    ...     h = jnp.tanh(x @ w["first"])
    ...     return h @ w["second"], {"hidden": h}
    >>> found = trace(model, {"first": jnp.eye(3), "second": jnp.eye(3)}, jnp.ones((2, 3)), loss=jnp.sum)
    >>> round(found.outputs["hidden"].mean, 4), list(found.gradients)
    (0.7616, ['first', 'second'])
    """

    def run(values: Any) -> tuple[Any, Any]:
        if hasattr(model, "apply") and hasattr(model, "init"):
            output, state = model.apply(values, *inputs, capture_intermediates=True, mutable=["intermediates"], **options)
            return output, state["intermediates"]
        output, between = model(values, *inputs, **options)
        return output, between

    if loss is None:
        _, between = run(variables)
        cost, gradients = None, {}
    else:

        def priced(values: Any) -> tuple[Any, Any]:
            output, between = run(values)
            return loss(output), between

        (value, between), slopes = jax.value_and_grad(priced, has_aux=True, allow_int=True)(variables)
        cost, gradients = float(value), _floats(slopes)
    outputs = {_layer(name): array for name, array in _floats(between).items()}
    return Measured(summaries(outputs), summaries(_floats(variables)), summaries(gradients), cost)


def _floats(tree: Any) -> dict[str, Any]:
    return {path: leaf for path, leaf in paths(tree).items() if jax.numpy.issubdtype(leaf.dtype, jax.numpy.floating)}


def _layer(path: str) -> str:
    """Flax's path without the method and the number of the call: ``"Dense_0.__call__.0"`` is Dense_0, the model the output."""
    name = path.removesuffix(".0").removesuffix("__call__").removesuffix(".")
    return name or "output"

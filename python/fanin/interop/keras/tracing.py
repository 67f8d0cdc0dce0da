"""`trace`: one batch through a Keras model, forward and backward, every place measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np

from fanin.interop.keras.recording import Recorder
from fanin.interop.tracing import measure
from fanin.interop.tracing.assemble import Said, assembled
from fanin.interop.tracing.record import ModuleTrace
from fanin.interop.tracing.site import moments

_LOSSES = {  # Keras' classes: fanin's word, and whether a network that favours no class has the cost ln(classes) or ln(2)
    "SparseCategoricalCrossentropy": ("cross_entropy", True),
    "CategoricalCrossentropy": ("cross_entropy", True),
    "BinaryCrossentropy": ("binary_cross_entropy", True),
    "MeanSquaredError": ("mean_squared_error", False),
}


def trace(
    model: Any,
    x: Any,
    y: Any = None,
    loss: Callable[[Any, Any], Any] | None = None,
    training: bool = False,
    *,
    stats: Literal[True, "moments"] = True,
) -> ModuleTrace:
    """Send one batch through a model, forward and backward, and measure every weight layer, norm and sum of streams.

    Parameters
    ----------
    model : keras.Model
        Built; it stays as it is, with its running statistics and its generators. Layers inside of layers are part of it.
    x : array, or structure of arrays
        The batch.
    y : array, optional
        Targets; with `loss`, the trace goes backward too (backends torch, jax and tensorflow).
    loss : function, optional
        As ``keras.losses.MeanSquaredError()``, from (y, output) to a cost; its mean over the batch is taken.
    training : bool
        Whether dropout and its like are at work.
    stats : True or "moments"
        "moments" leaves out histograms, effective ranks and cosines.

    Returns
    -------
    ModuleTrace
        A `fanin.Trace` with the names of the layers: `fanin.diagnose`, `plot`, `to_html`, `to_json` and `to_csv` take it.
        Theory stands beside it where the model is a plain stack of Dense layers and activations on rows, or a stream of them
        with `Add` and layer norms whose branches end in a Dense layer; elsewhere the expected values are NaN.

    Raises
    ------
    ValueError
        If only one of `y` and `loss` is given, or no layer with weights was called.
    NotImplementedError
        For gradients on another backend.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from fanin.interop.keras import HeNormal, trace
    >>> dense = keras.layers.Dense(8, "relu", kernel_initializer=HeNormal(seed=1), name="first")
    >>> model = keras.Sequential([keras.Input((4,)), dense, keras.layers.Dense(1, name="last")])
    >>> [(layer.name, layer.activation) for layer in trace(model, np.ones((2, 4))).layers]
    [('first', 'relu'), ('last', 'identity')]
    """
    if (y is None) != (loss is None):
        raise ValueError("y and loss go together: give both, or neither")
    if stats is not True and stats != "moments":
        raise ValueError(f'stats must be True or "moments", got {stats!r}')
    batch = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
    recorder = Recorder(model)
    state = [(one, np.array(keras.ops.convert_to_numpy(one.value))) for one in model.non_trainable_variables]
    cost, slopes = None, None
    variables = list(model.trainable_variables)
    try:
        with recorder.recording():
            result = model(batch, training=training)
        if loss is not None:
            price = loss
            cost = float(keras.ops.convert_to_numpy(keras.ops.mean(price(y, result))))
            _restore(state)  # the same draws again
            slopes = _gradients(model, variables, batch, lambda out: keras.ops.mean(price(y, out)), training, recorder)
    finally:
        _restore(state)
    return _assembled(recorder, variables, batch, slopes, Said(cost, *_named(loss, recorder), 1), full=stats is True)


def _restore(state: list[tuple[Any, Any]]) -> None:
    for variable, value in state:
        variable.assign(value)


def _assembled(recorder: Recorder, variables: list[Any], batch: Any, slopes: Any, said: Said, *, full: bool) -> ModuleTrace:
    sites = recorder.sites
    if not any(site.judged for site in sites):
        raise ValueError("model must call a layer with weights (Dense, Conv, attention, recurrent), got none")
    own, back = (None, None) if slopes is None else slopes
    passed = [np.asarray(keras.ops.convert_to_numpy(one)) for one in recorder.values]
    gradients = {} if own is None else {id(v): _array(g) for v, g in zip(variables, own, strict=True) if g is not None}
    copies = []
    with np.errstate(all="ignore"):
        for site in sites:
            z, a = passed[site.z_tap], passed[site.a_tap]
            measure.take(site, z, a, site.unit_axis, full=full)
            if back is not None:
                site.dz, site.da = (None if back[at] is None else moments(_array(back[at])) for at in (site.z_tap, site.a_tap))
            copies.append(_copies(site, gradients))
        used = {id(p): p for site in sites for p in (site.weight, site.bias) if p is not None}
        weights = {key: moments(_array(p)) for key, p in used.items()}
        sizes = {key: moments(gradients[key]) for key in used if key in gradients}
        leaves = [_array(one) for one in keras.tree.flatten(batch)]
        first = next((one for one in leaves if one.dtype.kind == "f" and one.size), None)
        rows = next((len(one) for one in leaves if one.ndim), 1)
        return assembled(sites, first, weights, sizes, copies, said._replace(rows=rows))


def _array(tensor: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _copies(site: Any, gradients: dict[int, Any]) -> int:
    if site.weight_axis is None or not site.judged:
        return 0
    bias = None if site.bias is None else _array(site.bias)
    return measure.alike(_array(site.weight), bias, gradients.get(id(site.weight)), site.weight_axis)


def _named(loss: Any, recorder: Recorder) -> tuple[str, float | None]:
    """Return the name of a loss, and the cost of a network that favours no class."""
    if loss is None:
        return "none", None
    name, has = _LOSSES.get(type(loss).__name__, (str(getattr(loss, "__name__", type(loss).__name__)), False))
    judged = [site for site in recorder.sites if site.judged]
    classes = 2 if name == "binary_cross_entropy" else judged[-1].n_out if judged else 0
    return name, math.log(classes) if has and classes > 1 else None


def _gradients(
    model: Any, variables: list[Any], batch: Any, price: Callable[[Any], Any], training: bool, recorder: Recorder
) -> tuple[list[Any], list[Any]]:
    """Return the gradients of the parameters, and of what the recorder noted."""
    backend = keras.backend.backend()
    values = [variable.value for variable in variables]
    zeros = [keras.ops.zeros_like(one) for one in recorder.values]
    if backend == "torch":
        import torch

        taps = [one.detach().requires_grad_(True) for one in zeros]
        with torch.enable_grad(), recorder.adding(taps):
            cost = price(model(batch, training=training))
        found = torch.autograd.grad(cost, [*values, *taps], allow_unused=True)
    elif backend == "jax":
        import jax

        rest = [variable.value for variable in model.non_trainable_variables]

        def priced(own: list[Any], taps: list[Any]) -> Any:
            with recorder.adding(taps):
                return price(model.stateless_call(own, rest, batch, training=training)[0])

        slopes = jax.grad(priced, argnums=(0, 1))(values, zeros)
        found = [*slopes[0], *slopes[1]]
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(zeros)
            with recorder.adding(zeros):
                cost = price(model(batch, training=training))
        found = tape.gradient(cost, [*values, *zeros])
    else:
        raise NotImplementedError(f"gradients need the backend torch, jax or tensorflow, got {backend}")
    return list(found[: len(values)]), list(found[len(values) :])

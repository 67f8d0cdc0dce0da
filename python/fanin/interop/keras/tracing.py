"""What one batch does in a Keras model: the outputs of its layers, its parameters and, with a loss, their gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from fanin.interop.measured import Measured, summaries


def trace(model: Any, x: Any, y: Any = None, loss: Callable[[Any, Any], Any] | None = None, training: bool = False) -> Measured:
    """Send one batch through a model and summarize what comes out of every layer, and its parameters.

    Parameters
    ----------
    model : keras.Model
        Built; it is not changed. Layers inside of layers are part of these.
    x : array
        The batch.
    y : array, optional
        Targets; with `loss`, gradients are summarized too (backends torch, jax and tensorflow).
    loss : function, optional
        As ``keras.losses.MeanSquaredError()``, from (y, output) to a cost; its mean over the batch is taken.
    training : bool
        Whether dropout and its like are at work.

    Returns
    -------
    Measured
        Outputs by the layers' names, in the order in which they were called; a layer that is called again has ``"name/1"``.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from fanin.interop.keras import HeNormal, trace
    >>> dense = keras.layers.Dense(8, "relu", kernel_initializer=HeNormal(seed=1), name="first")
    >>> model = keras.Sequential([keras.Input((4,)), dense, keras.layers.Dense(1, name="last")])
    >>> list(trace(model, np.ones((2, 4))).outputs)
    ['first', 'last']
    """
    if (y is None) != (loss is None):
        raise ValueError("y and loss go together: give both, or neither")
    batch = keras.ops.convert_to_tensor(x)
    outputs: dict[str, Any] = {}
    with _watched(model, outputs):
        result = model(batch, training=training)
    arrays = {name: keras.ops.convert_to_numpy(tensor) for name, tensor in outputs.items()}
    variables = list(model.trainable_variables)
    names = _names([variable.path.removeprefix(f"{model.name}/") for variable in variables])
    parameters = dict(zip(names, map(keras.ops.convert_to_numpy, variables), strict=True))
    cost, gradients = None, {}
    if loss is not None:
        price = loss
        cost = float(keras.ops.convert_to_numpy(keras.ops.mean(price(y, result))))
        found = _gradients(model, variables, batch, lambda output: keras.ops.mean(price(y, output)), training)
        gradients = {name: one for name, one in zip(names, found, strict=True) if one is not None}
    return Measured(summaries(arrays), summaries(parameters), summaries(gradients), cost)


def _names(paths: list[str]) -> list[str]:
    """Number the paths that come again."""
    found: dict[str, int] = {}
    names = []
    for path in paths:
        again = found.get(path, 0)
        found[path] = again + 1
        names.append(f"{path}/{again}" if again else path)
    return names


@contextmanager
def _watched(model: Any, outputs: dict[str, Any]) -> Iterator[None]:
    """Note the outputs of the layers while inside."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    calls = [layer.call for layer in layers]

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            result = call(*arguments, **options)
            if keras.ops.is_tensor(result):
                again = sum(one == name or one.startswith(f"{name}/") for one in outputs)
                outputs[f"{name}/{again}" if again else name] = result
            return result

        return run

    try:
        for layer, call in zip(layers, calls, strict=True):
            object.__setattr__(layer, "call", noted(layer.name, call))
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)


def _gradients(
    model: Any, variables: list[Any], batch: Any, price: Callable[[Any], Any], training: bool
) -> list[np.ndarray[Any, Any] | None]:
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        values = [variable.value for variable in variables]
        found = torch.autograd.grad(price(model(batch, training=training)), values, allow_unused=True)
    elif backend == "jax":
        import jax

        rest = [variable.value for variable in model.non_trainable_variables]

        def cost(values: list[Any]) -> Any:
            return price(model.stateless_call(values, rest, batch, training=training)[0])

        found = jax.grad(cost)([variable.value for variable in variables])
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = price(model(batch, training=training))
        found = tape.gradient(value, [variable.value for variable in variables])
    else:
        raise NotImplementedError(f"gradients need the backend torch, jax or tensorflow, got {backend}")
    return [None if one is None else keras.ops.convert_to_numpy(one) for one in found]

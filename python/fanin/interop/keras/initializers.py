"""Keras' random initializers with fanin's draws: constructors, checks, configurations and names are Keras' own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from fanin.init import Law, LawLike, law

_STREAM = "keras"
_AXES = {"in_axis": -2, "out_axis": -1}
_registered = keras.saving.register_keras_serializable(package="fanin")


def _seed_of(seed: Any) -> int:
    """Return the number of a seed: an integer itself, or the next of a generator."""
    if isinstance(seed, int):
        return seed % 2**64
    words: list[int] = keras.ops.convert_to_numpy(seed.next()).astype(np.uint64).reshape(-1).tolist()
    return (words[0] << 32 ^ words[-1]) % 2**64


def _drawn(rule: Law, shape: Sequence[int], dtype: Any, seed: Any, axes: dict[str, Any]) -> Any:
    name = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    if name not in ("float16", "bfloat16", "float32", "float64"):
        raise TypeError(f"dtype must be float16, bfloat16, float32 or float64, got {name}")
    sizes = tuple(int(n) for n in shape)
    # A draw of 16 bits is that of float32, rounded once: not every backend takes NumPy's bfloat16.
    drawn = rule(sizes, seed=_seed_of(seed), stream=_STREAM, dtype="float32" if name == "bfloat16" else name, **axes)
    tensor = keras.ops.convert_to_tensor(drawn)
    return keras.ops.cast(tensor, name)


@_registered
class RandomNormal(keras.initializers.RandomNormal):  # type: ignore[misc]
    """Normal, of `mean` and `stddev`."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        rule = Law("normal", mean=float(self.mean), std=float(self.stddev))
        return _drawn(rule, shape, dtype, self.seed, {"in_axis": (), "out_axis": ()})


@_registered
class TruncatedNormal(keras.initializers.TruncatedNormal):  # type: ignore[misc]
    """Normal, cut at two sigmas; `stddev` is that before the cut."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        rule = Law("truncated_normal", mean=float(self.mean), std=float(self.stddev))
        return _drawn(rule, shape, dtype, self.seed, {"in_axis": (), "out_axis": ()})


@_registered
class RandomUniform(keras.initializers.RandomUniform):  # type: ignore[misc]
    """Uniform in (minval, maxval)."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        rule = Law("uniform", low=float(self.minval), high=float(self.maxval))
        return _drawn(rule, shape, dtype, self.seed, {"in_axis": (), "out_axis": ()})


class _Scaled:
    """The draw of `VarianceScaling` and its special cases."""

    scale: float
    mode: str
    distribution: str
    seed: Any

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        laws = {"truncated_normal": "truncated", "untruncated_normal": "normal", "uniform": "uniform"}
        mode, axes = self.mode, dict[str, Any](_AXES)
        inputs, outputs = getattr(self, "input_axes", None), getattr(self, "output_axes", None)
        if inputs is not None and outputs is not None:  # other axes count in no fan
            counted = [axis % len(shape) for axis in (*inputs, *outputs)]
            others = tuple(axis for axis in range(len(shape)) if axis not in counted)
            axes = {"in_axis": tuple(inputs), "out_axis": tuple(outputs), "batch_axis": others}
        elif len(shape) < 2:  # Keras takes the one axis for both fans
            mode, axes = "fan_in", {"in_axis": tuple(range(len(shape))), "out_axis": ()}
        rule = Law("variance_scaling", scale=float(self.scale), mode=mode, distribution=laws[self.distribution])
        return _drawn(rule, shape, dtype, self.seed, axes)


@_registered
class VarianceScaling(_Scaled, keras.initializers.VarianceScaling):  # type: ignore[misc]
    """Variance scale / fan; "truncated_normal", the default, is cut at two sigmas and has this variance after the cut."""


@_registered
class GlorotUniform(_Scaled, keras.initializers.GlorotUniform):  # type: ignore[misc]
    """`VarianceScaling` of 1, "fan_avg", "uniform"."""


@_registered
class GlorotNormal(_Scaled, keras.initializers.GlorotNormal):  # type: ignore[misc]
    """`VarianceScaling` of 1, "fan_avg", "truncated_normal"."""


@_registered
class LecunUniform(_Scaled, keras.initializers.LecunUniform):  # type: ignore[misc]
    """`VarianceScaling` of 1, "fan_in", "uniform"."""


@_registered
class LecunNormal(_Scaled, keras.initializers.LecunNormal):  # type: ignore[misc]
    """`VarianceScaling` of 1, "fan_in", "truncated_normal"."""


@_registered
class HeUniform(_Scaled, keras.initializers.HeUniform):  # type: ignore[misc]
    """`VarianceScaling` of 2, "fan_in", "uniform"."""


@_registered
class HeNormal(_Scaled, keras.initializers.HeNormal):  # type: ignore[misc]
    """`VarianceScaling` of 2, "fan_in", "truncated_normal"."""


@_registered
class Orthogonal(keras.initializers.Orthogonal):  # type: ignore[misc]
    """`gain` times orthonormal columns of the last axis, or rows where these are fewer."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        if len(shape) < 2:
            raise ValueError(
                f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of rank {len(shape)}."
            )
        return _drawn(Law("orthogonal", gain=float(self.gain)), shape, dtype, self.seed, _AXES)


@_registered
class FromLaw(keras.initializers.Initializer):  # type: ignore[misc]
    """An initializer of any law of `fanin.init`.

    Parameters
    ----------
    law : law
        A text, a function of `fanin.init`, or an object; configurations hold the text.
    seed : int or keras.random.SeedGenerator, optional
        As Keras' initializers take it.
    in_axis, out_axis : int or sequence of int
        Keras' layout by default: ``(*kernel, n_in, n_out)``.

    Examples
    --------
    >>> import keras
    >>> from fanin.interop.keras import FromLaw
    >>> layer = keras.layers.Dense(3, kernel_initializer=FromLaw("he_uniform(gain=tanh)", seed=7))
    >>> layer.build((None, 5))
    >>> keras.initializers.serialize(layer.kernel_initializer)["config"]
    {'law': 'he_uniform(gain=tanh)', 'seed': 7, 'in_axis': -2, 'out_axis': -1}
    """

    def __init__(self, law: LawLike, seed: Any = None, in_axis: Any = -2, out_axis: Any = -1) -> None:
        self.law = str(_law(law))
        self.in_axis, self.out_axis = in_axis, out_axis
        self._random = keras.initializers.RandomNormal(seed=seed)  # which knows what to do with a seed
        self.seed = self._random.seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return a tensor of this shape."""
        rule = _law(self.law)
        axes = {"in_axis": self.in_axis, "out_axis": self.out_axis}
        if len(shape) < 2 and not rule.needs_fans:
            axes = {"in_axis": (), "out_axis": ()}
        return _drawn(rule, shape, dtype, self.seed, axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        seed = self._random.get_config()["seed"]
        return {"law": self.law, "seed": seed, "in_axis": self.in_axis, "out_axis": self.out_axis}


_law = law

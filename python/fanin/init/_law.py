"""Laws as objects, and what the functions of the laws share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from inspect import Parameter, Signature, signature
from typing import Any, Literal, NamedTuple, SupportsFloat, SupportsIndex, TypeAlias, TypedDict, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from fanin import _core
from fanin.common import upward
from fanin.init._place import Block, Shape, placed, require_pair

Axes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Gain: TypeAlias = SupportsFloat | str
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
# A NumPy array, or what shares the CPU's memory through the buffer protocol or DLPack (a PyTorch tensor).
Out: TypeAlias = Any

_F = TypeVar("_F", bound=Callable[..., Any])
_functions: dict[Callable[..., Any], str] = {}

_SHARED = """
    Other parameters, the same for every law
    ----------------------------------------
    shape : int or tuple of int
        Shape of the whole parameter: ``(n_out, n_in, *kernel)``, or any other layout that `in_axis` and `out_axis` state.
    in_axis, out_axis : int or tuple of int
        The axes that count inputs and outputs; the others are the receptive field of a kernel. ``()`` for none.
    batch_axis : int or tuple of int
        Axes that number independent parameters (heads, experts) and that no fan counts.
    seed : int, optional
        In [0, 2^64). Needs `stream` too. Without both, fresh entropy is drawn at each call.
    stream : int or str, optional
        Names the parameter: an integer in [0, 2^63) or a name. Two parameters of one model need two streams.
    dtype : dtype, optional
        float32, float64, float16 or bfloat16; by default that of `out`, otherwise float32. The 16-bit ones are the float32
        draw, rounded once to nearest even. bfloat16 is ml_dtypes' type; without that package ``dtype="bfloat16"`` fills an
        `out` of uint16 with the bits.
    out : array, optional
        Where to write: a NumPy array (memory-mapped too), a buffer, or a CPU tensor with DLPack, as PyTorch's (one that
        requires gradients is written without a record); the shape of the block (of the parameter, without one), writable, any
        strides that do not meet.
    block : tuple of slice or int, optional
        Draws only this part of the parameter, with the bits that it has in the whole: one slice of step 1 an axis (an
        integer i is the slice i:i+1). A block that leaves the shape is an error.

    Returns
    -------
    array
        `out`, or a new C-contiguous NumPy array.

    Notes
    -----
    An element is a function of (seed, stream, its C-order position in `shape`, law, dtype) and of nothing else: the same
    bits on every CPU, for any number of threads, any strides of `out` and any `block`.
"""


class Drawing(TypedDict, total=False):
    """The keywords that every law takes; `Law.__call__` has their defaults."""

    in_axis: Axes
    out_axis: Axes
    batch_axis: Axes
    seed: SupportsIndex | None
    stream: SupportsIndex | str | None
    dtype: DTypeLike | None
    out: Out | None
    block: Block | None


def sampler(function: _F) -> _F:
    """Register a function as the law of its name, and complete its signature and documentation with what all laws share.

    The functions take the shared keywords as ``**drawing``, which type checkers read from `Drawing`. `help` and notebooks read
    the signature that is set here.
    """
    _functions[function] = function.__name__
    own = [p for p in signature(function).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    shared = [p for p in signature(Law.__call__).parameters.values() if p.kind is Parameter.KEYWORD_ONLY]
    function.__signature__ = Signature([*own, *shared], return_annotation="Any")  # type: ignore[attr-defined]
    if function.__doc__ is not None:
        function.__doc__ = f"{function.__doc__.rstrip()}\n{_SHARED}"
    return function


@lru_cache(maxsize=1024)
def _cached(name: str, **parameters: Any) -> Law:
    return Law(name, **parameters)


def drawn(name: str, shape: Shape, drawing: Drawing, **parameters: Any) -> Any:
    """Draw the law of this name and these parameters; the law is the same object for the same values, as far as they hash."""
    try:
        law = _cached(name, **parameters)
    except TypeError:
        law = Law(name, **parameters)  # says what is wrong with the value
    try:
        return law(shape, **drawing)
    except TypeError:
        unknown = drawing.keys() - Drawing.__annotations__.keys()
        if unknown:
            raise TypeError(f"{name}() got an unexpected keyword argument {min(unknown)!r}") from None
        raise


def refuse_no_memory(out: Out) -> None:
    """Say what to do with a tensor that has no memory on the CPU, before its own library says less."""
    if getattr(out, "is_meta", False) is True:
        raise ValueError("out must have memory, got a tensor on the meta device: module.to_empty(device='cpu') gives it some")
    if hasattr(out, "fake_mode"):
        raise ValueError("out must have memory of its own, got a FakeTensor: draw outside of its mode")
    if hasattr(out, "to_local"):
        raise ValueError(f"out must have memory of its own, got a {type(out).__name__}: pass out.to_local() and block=")
    if str(getattr(out, "layout", "torch.strided")) != "torch.strided":
        raise ValueError(f"out must be a dense array, got the layout {out.layout}")
    device = getattr(getattr(out, "device", None), "type", "cpu")
    if device != "cpu":
        raise ValueError(f"out must be in the CPU's memory, got a tensor on {device!r}: draw on the CPU and copy")


def written(out: Out) -> None:
    """Tell PyTorch that a tensor was written, so that autograd refuses to use values that it has saved from before."""
    torch = None if isinstance(out, np.ndarray) else sys.modules.get("torch")
    if torch is not None and isinstance(out, torch.Tensor):
        torch.autograd.graph.increment_version(out)


class Moments(NamedTuple):
    """Exact mean and variance of a law, and the bounds that no draw leaves."""

    mean: float
    variance: float
    bounds: tuple[float, float]


class Law:
    """A law of weights and its parameters: immutable, comparable, hashable, callable.

    Parameters
    ----------
    name : str
        A law's name, as ``"he_normal"``.
    **parameters : float or str
        Its parameters, as ``gain="tanh"``; the rest are the defaults.

    Raises
    ------
    ValueError
        For an unknown law or parameter (with what was probably meant), or a value out of range.

    Examples
    --------
    >>> import fanin as fi
    >>> law = fi.init.Law("he_normal", gain=2)
    >>> law
    he_normal(gain=2)
    >>> law == fi.init.law("he_normal(gain=2.0)")
    True
    >>> law((300, 784), seed=7, stream="hidden1.weight").shape
    (300, 784)
    """

    __slots__ = ("_core_law",)
    _core_law: _core.Law

    def __init__(self, name: str, **parameters: SupportsFloat | str | bool) -> None:
        object.__setattr__(self, "_core_law", _core.Law(name, parameters))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a law never changes: write Law({self.name!r}, {name}=...)")

    @property
    def name(self) -> str:
        """The law's name."""
        return self._core_law.name

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """All parameters, stated or by default."""
        return self._core_law.parameters

    @property
    def needs_fans(self) -> bool:
        """Whether the law's numbers depend on the fans of a shape."""
        return self._core_law.needs_fans

    def moments(self, shape: Shape, *, in_axis: Axes = 1, out_axis: Axes = 0, batch_axis: Axes = ()) -> Moments:
        """Return the mean, variance and bounds of the law in a parameter of this shape.

        Examples
        --------
        >>> import fanin as fi
        >>> fi.init.law("he_uniform").moments((300, 600))
        Moments(mean=0.0, variance=0.003333333333333334, bounds=(-0.1, 0.1))
        """
        d = _core.describe(self._core_law, shape, in_axis, out_axis, batch_axis)
        return Moments(d["mean"], d["variance"], (d["low"], d["high"]))

    def _own_moments(self) -> Moments:
        traits = _core.law_traits(self.name)
        if traits.needs_fans or traits.needs_shape:
            raise ValueError(f"{self!r} has moments that depend on the shape: write law.moments((n_out, n_in))")
        return self.moments(1)

    @property
    def mean(self) -> float:
        """The exact mean of a law whose numbers do not depend on a shape; of another, ValueError: see `moments`."""
        return self._own_moments().mean

    @property
    def variance(self) -> float:
        """The exact variance, as `mean`."""
        return self._own_moments().variance

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds that no draw leaves, as `mean`; infinite for a normal law."""
        return self._own_moments().bounds

    def to_dict(self) -> dict[str, Any]:
        """Return the law as plain values, for JSON, with the number of the algorithms that draw it.

        Examples
        --------
        >>> import fanin as fi
        >>> fi.init.Law("normal", std=0.01).to_dict()
        {'law': 'normal', 'parameters': {'mean': 0.0, 'std': 0.01}, 'algorithm_version': 2}
        """
        return {"law": self.name, "parameters": dict(self.parameters), "algorithm_version": _core.ALGORITHM_VERSION}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Law:
        """Return the law that `to_dict` has written.

        Raises
        ------
        ValueError
            Where another version of the algorithms drew it: this release would draw other bits. ``Law(state["law"],
            **state["parameters"])`` makes the law nevertheless.
        """
        missing = {"law", "parameters", "algorithm_version"} - set(state)
        if missing:
            raise ValueError(f"state must have law, parameters and algorithm_version, got {', '.join(sorted(state)) or 'none'}")
        version = state["algorithm_version"]
        if version != _core.ALGORITHM_VERSION:
            raise ValueError(
                f"algorithm_version must be {_core.ALGORITHM_VERSION}, that of this release, got {version}: the bits differ. "
                f"To draw the law with these algorithms, write Law({state['law']!r}, **{state['parameters']!r})"
            )
        return cls(state["law"], **state["parameters"])

    def __repr__(self) -> str:
        return self._core_law.text()

    def _repr_html_(self) -> str:
        return upward.html("law", self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and self._core_law.identity == other._core_law.identity

    def __hash__(self) -> int:
        return hash(self._core_law.identity)

    def __reduce__(self) -> tuple[Callable[[str], Law], tuple[str]]:
        return law, (repr(self),)

    def __call__(
        self,
        shape: Shape,
        *,
        in_axis: Axes = 1,
        out_axis: Axes = 0,
        batch_axis: Axes = (),
        seed: SupportsIndex | None = None,
        stream: SupportsIndex | str | None = None,
        dtype: DTypeLike | None = None,
        out: Out | None = None,
        block: Block | None = None,
    ) -> Any:
        """Draw the law into `shape`; the arguments are those of every law function."""
        if type(dtype).__module__ == "torch":
            dtype = str(dtype).removeprefix("torch.")  # of the same name in NumPy, or "bfloat16"
        if out is not None and not isinstance(out, np.ndarray):
            refuse_no_memory(out)
        require_pair(seed, stream)
        drawn = _core.draw(self._core_law, shape, seed, stream, dtype, out, placed(block, shape), in_axis, out_axis, batch_axis)
        if out is not None:
            written(out)
        return drawn


LawLike: TypeAlias = Law | str | Callable[..., Any]


def law(like: LawLike) -> Law:
    """Return the law that an object, a text or a function of `fanin.init` states.

    Parameters
    ----------
    like : Law, str or function
        A law; a text such as ``"he_normal"``, ``"normal(std=0.01)"`` or ``"xavier_uniform(gain=tanh)"``; or a function
        of this module such as ``fanin.init.he_normal``, which stands for its defaults.

    Examples
    --------
    >>> import fanin as fi
    >>> fi.init.law("normal(std=0.01)").parameters
    {'mean': 0.0, 'std': 0.01}
    >>> fi.init.law(fi.init.he_normal) == fi.init.law("he_normal")
    True
    """
    if isinstance(like, Law):
        return like
    if isinstance(like, str):
        stated = _core.law_from_text(like)
        return Law(stated.name, **stated.parameters)
    name = _functions.get(like) if callable(like) else None
    if name is None:
        raise TypeError(f"law must be a text such as 'he_normal', a law, or a function of fanin.init, got {like!r}")
    return Law(name)

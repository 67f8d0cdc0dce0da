"""Laws as objects, and the one function that draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

from numpy.typing import DTypeLike, NDArray

from fanin import _core
from fanin.random import seed_number, stream_id

Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Axes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Block: TypeAlias = Sequence[slice | SupportsIndex] | slice | SupportsIndex
Gain: TypeAlias = SupportsFloat | str
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg"]

_F = TypeVar("_F", bound=Callable[..., Any])
_functions: dict[Callable[..., Any], str] = {}

_SHARED = """
    Other parameters, the same for every law
    ----------------------------------------
    shape : int or tuple of int
        Shape of the whole parameter: ``(n_out, n_in, *kernel)``, or any other layout that `in_axis` and `out_axis` state.
    in_axis, out_axis : int or tuple of int
        The axes that count inputs and outputs; the others are the receptive field of a kernel. ``()`` for none.
    seed : int, optional
        In [0, 2^64). Needs `stream` too. Without both, fresh entropy is drawn at each call.
    stream : int or str, optional
        Names the parameter: an integer in [0, 2^63) or a name. Two parameters of one model need two streams.
    dtype : dtype, optional
        float32 or float64; by default that of `out`, otherwise float32.
    out : ndarray, optional
        Where to write: the shape of the block (of the parameter, without one), writable, any strides.
    block : tuple of slice or int, optional
        Draws only this part of the parameter, with the bits that it has in the whole: one slice of step 1 an axis (an
        integer i is the slice i:i+1). A block that leaves the shape is an error.

    Returns
    -------
    ndarray
        `out`, or a new C-contiguous array.

    Notes
    -----
    An element is a function of (seed, stream, its C-order position in `shape`, law, dtype) and of nothing else: the same
    bits on every CPU, for any number of threads, any strides of `out` and any `block`.
"""


def sampler(function: _F) -> _F:
    """Register a function as the law of its name, and complete its documentation."""
    _functions[function] = function.__name__
    if function.__doc__ is not None:
        function.__doc__ += _SHARED
    return function


def draw(
    law: _core.Law,
    shape: Shape,
    in_axis: Axes,
    out_axis: Axes,
    seed: SupportsIndex | None,
    stream: SupportsIndex | str | None,
    dtype: DTypeLike | None,
    out: NDArray[Any] | None,
    block: Block | None,
) -> NDArray[Any]:
    """Draw `law`; the arguments are those of every law."""
    if seed is None and stream is None:
        key, number = _core.fresh_seed(), 0
    elif stream is None:
        raise ValueError(
            f"seed={seed!r} needs stream= too, so that no two parameters are alike: write stream='hidden1.weight' or stream=0"
        )
    elif seed is None:
        raise ValueError(f"stream={stream!r} needs seed= too: write seed=0, or leave both out for fresh entropy")
    else:
        key, number = seed_number(seed), stream_id(stream)
    return _core.draw(law, shape, key, number, dtype, out, block, in_axis, out_axis)


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

    def __init__(self, name: str, **parameters: SupportsFloat | str) -> None:
        object.__setattr__(self, "_core_law", _core.Law(name, parameters))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a law never changes: write Law({self.name!r}, {name}=...)")

    @property
    def name(self) -> str:
        """The law's name."""
        return self._core_law.name

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """All parameters, stated or by default."""
        return self._core_law.parameters

    @property
    def needs_fans(self) -> bool:
        """Whether the law's numbers depend on the fans of a shape."""
        return self._core_law.needs_fans

    def __repr__(self) -> str:
        return self._core_law.text()

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
        seed: SupportsIndex | None = None,
        stream: SupportsIndex | str | None = None,
        dtype: DTypeLike | None = None,
        out: NDArray[Any] | None = None,
        block: Block | None = None,
    ) -> NDArray[Any]:
        """Draw the law into `shape`; the arguments are those of every law function."""
        return draw(self._core_law, shape, in_axis, out_axis, seed, stream, dtype, out, block)


LawLike: TypeAlias = Law | str | Callable[..., NDArray[Any]]


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

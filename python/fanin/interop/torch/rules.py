"""Which law a parameter is drawn from: the caller's rules by name or type of module, then defaults for PyTorch's modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeAlias

from torch import nn

from fanin.init import Law, LawLike, law
from fanin.interop.torch.activations import activation_of

Pattern: TypeAlias = str | type[nn.Module] | tuple[type[nn.Module], ...]
Rule: TypeAlias = tuple[Pattern, LawLike] | tuple[Pattern, LawLike, Mapping[str, Any]]
Rules: TypeAlias = LawLike | Mapping[Any, LawLike] | Sequence[Rule] | None

_AXES = ("in_axis", "out_axis", "batch_axis")
_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Stated(NamedTuple):
    """A rule as it was read."""

    pattern: Pattern
    law: Law
    axes: dict[str, Any]

    def matches(self, names: Sequence[str], owner: nn.Module, short: str) -> bool:
        """Whether the rule is for a parameter of these names: any of them; a type is for all but biases of its modules."""
        if isinstance(self.pattern, str):
            return any(_matches(name, self.pattern) for name in names)
        return isinstance(owner, self.pattern) and "bias" not in short


class Choice(NamedTuple):
    """A law for a parameter, its layout, and why."""

    law: Law
    axes: dict[str, Any]
    because: str


def stated(rules: Rules) -> list[Stated]:
    """Read rules: one law for all, a mapping, a sequence, or None for the defaults alone."""
    if rules is None:
        return []
    if isinstance(rules, str | Law) or callable(rules):
        return [Stated("*", law(rules), {})]
    return [_stated(rule) for rule in (rules.items() if isinstance(rules, Mapping) else rules)]


def _stated(rule: Any) -> Stated:
    if not isinstance(rule, tuple | list) or len(rule) not in (2, 3) or not _is_pattern(rule[0]):
        raise TypeError(f"rules must hold (pattern or module type, law) or (pattern, law, axes), got {rule!r}")
    axes = dict(rule[2]) if len(rule) == 3 else {}
    if wrong := set(axes) - set(_AXES):
        raise ValueError(f"axes of a rule must be among in_axis, out_axis and batch_axis, got {', '.join(sorted(wrong))}")
    return Stated(rule[0], law(rule[1]), axes)


def _is_pattern(one: Any) -> bool:
    if isinstance(one, tuple):
        return bool(one) and all(isinstance(part, type) and issubclass(part, nn.Module) for part in one)
    return isinstance(one, str) or (isinstance(one, type) and issubclass(one, nn.Module))


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or (pattern.startswith("*.") and fnmatchcase(name, pattern[2:]))


def layout(owner: nn.Module, short: str) -> dict[str, Any]:
    """Return the axes of a parameter's fans where they are not those of ``(n_out, n_in, *kernel)``."""
    if short == "weight":
        if isinstance(owner, _TRANSPOSED) or type(owner).__name__ == "Conv1D":  # that of transformers is a transposed Linear
            return {"in_axis": 0, "out_axis": 1}
        if isinstance(owner, nn.Bilinear):
            return {"in_axis": (1, 2)}
    return {"in_axis": 2, "out_axis": 1} if short in ("bias_k", "bias_v") else {}


def default(owner: nn.Module, short: str, ndim: int, follows: str | None) -> tuple[str, str] | None:
    """Return the law of a parameter of one of PyTorch's modules, and why; None where fanin has no default.

    Parameters
    ----------
    owner : Module
        Whose parameter it is; `short` is its name there.
    ndim : int
        Of the parameter.
    follows : str, optional
        fanin's name of the activation that follows the module, where that is known.
    """
    kind = type(owner).__name__
    if isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return "normal(std=0.02)", "embedding"
    if isinstance(owner, nn.PReLU):
        return "constant(value=0.25)", "slope of PReLU"
    if short in ("bias_k", "bias_v"):
        return "xavier_normal", "attention"
    if "bias" in short:
        return "zeros", "bias"
    if is_norm(owner) and ndim == 1:
        return "ones", "scale of a norm"
    if isinstance(owner, nn.MultiheadAttention):
        return "xavier_normal", "attention"
    if isinstance(owner, nn.RNNBase | nn.RNNCellBase):
        plain = isinstance(owner, nn.RNN | nn.RNNCell)
        return ("orthogonal", "recurrence") if plain and "hh" in short else ("xavier_normal", "recurrent cell")
    weighted = isinstance(owner, (nn.Linear, nn.Bilinear, *_CONVS, *_TRANSPOSED)) or kind == "Conv1D"
    if weighted and short == "weight":
        return _after(follows), f"{follows} follows" if follows else "no activation found"
    return None


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalizes, by its class or by the name of that."""
    known = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)
    return isinstance(module, known) or "norm" in type(module).__name__.lower()


def _after(activation: str | None) -> str:
    if activation is None or activation == "identity":
        return "xavier_normal"
    return {"relu": "he_normal", "selu": "lecun_normal"}.get(activation, f"xavier_normal(gain={activation})")


def following(module: nn.Module) -> dict[int, str]:
    """Return the activation that follows each weight layer, by its module's id.

    In a Sequential, the next activation before another weight layer; elsewhere, where a module has activations of one kind
    among its children, that one for the children before it.
    """
    found: dict[int, str] = {}
    for parent in module.modules():
        children = list(parent.children())
        if isinstance(parent, nn.Sequential):
            for i, child in enumerate(children):
                if (name := _next(children[i + 1 :])) is not None:
                    found.setdefault(id(child), name)
            continue
        names = [activation_of(child) for child in children]
        if len(kinds := {name for name in names if name is not None}) == 1:
            kind = kinds.pop()
            for child in children[: len(names) - 1 - names[::-1].index(kind)]:
                found.setdefault(id(child), kind)
    return found


def _next(later: Sequence[nn.Module]) -> str | None:
    for one in later:
        if (name := activation_of(one)) is not None:
            return name
        if any(True for _ in _weights(one)):
            return None
    return None


def _weights(module: nn.Module) -> Iterator[nn.Parameter]:
    return (p for m in module.modules() if not is_norm(m) for p in m.parameters(recurse=False) if p.dim() > 1)

"""What names and shapes say: which tensors belong together, what they are, in what order people count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fanin.weights.formats.tensors import Tensor

_PREFIX = re.compile(r"^(?:(?:module|_orig_mod)\.)+")  # of DataParallel and torch.compile
_TOKEN = re.compile(r"[A-Za-z]+")
_ROLES = {
    "weight": ("weight", "weights", "kernel", "kernels", "w", "coef", "coefs"),
    "bias": ("bias", "biases", "b", "intercept", "intercepts"),
}
_ROLE = {word: role for role, words in _ROLES.items() for word in words}
_ATTENTION = re.compile(
    r"(^|[._/])(self_?attn|attn|attention|multi_?head\w*|mha|in_proj|[qkv]_proj|qkv|c_attn|query|key|value)([._/]|\d|$)"
)
_EMBEDDING = re.compile(r"(^|[._/])(\w*embed\w*|wte|wpe|tok_\w+)([._/]|\d|$)")
_RECURRENT = re.compile(r"(weight|bias)_(ih|hh)_l\d|(^|[._/])(lstm|gru|rnn)\w*|recurrent_kernel")
_NORM = re.compile(
    r"(^|[._/])(ln|bn|norm|layernorm|layer_norm|batchnorm|batch_norm|rmsnorm|groupnorm)(_?\d+|_\w+)?([._/]|$)", re.I
)
_BATCH = ("running_mean", "running_var", "moving_mean", "moving_variance")


def bare(name: str) -> str:
    """Return a name without the prefixes that wrappers of a model put before it, and without ``:0``."""
    return _PREFIX.sub("", name).removesuffix(":0")


def natural(name: str) -> list[tuple[int, int, str]]:
    """Key that sorts names in the order of people: w2 before w10. Digits are 0 to 9; others are letters."""
    parts = (part for part in re.split(r"([0-9]+)", bare(name)) if part)
    return [(0, int(part), "") if re.fullmatch(r"[0-9]{1,4000}", part) else (1, 0, part) for part in parts]


def series(name: str) -> str:
    """Return what the names of one numbered series have in common: "fc#.weight"."""
    return re.sub(r"[0-9]+", "#", bare(name))


def role(name: str) -> tuple[str | None, str]:
    """Return "weight", "bias" or None, and the name with that word taken out: the same for both tensors of a layer."""
    name = bare(name)
    for found in reversed(list(_TOKEN.finditer(name))):
        word = _ROLE.get(found.group().lower())
        if word is not None:
            return word, f"{name[: found.start()]}*{name[found.end() :]}"
    return None, name


def may_belong(weight: str, bias: str) -> bool:
    """Whether names allow that a bias is of a weight: fc1.weight and fc1_bias, arr_0 and arr_1, not fc1.weight and fc2.bias."""
    (word, one), (other, two) = role(weight), role(bias)
    plain = [re.sub(r"[^a-z0-9]", "", stem.lower()) for stem in (one, two)]
    return (word, other) != ("weight", "bias") or plain[0] == plain[1]


def short(name: str) -> str:
    """Return what people call the layer of a tensor: "fc1" of "module.fc1.weight"."""
    return re.sub(r"[./](weight|kernel)$", "", bare(name))


def kinds(tensors: Sequence[Tensor]) -> list[str]:
    """Return what each tensor is, as far as names and shapes tell.

    Returns
    -------
    list of str
        "matrix", "bias", "convolution", "embedding", "attention", "attention bias", "recurrent", "norm" (of batches, layers or
        groups), "scalar", "vector" or "array".
    """
    groups: dict[str, set[str]] = {}
    for tensor in tensors:
        stem, _, last = bare(tensor.name).replace("/", ".").rpartition(".")
        groups.setdefault(stem, set()).add(last)
    return [_kind(tensor, groups[bare(tensor.name).replace("/", ".").rpartition(".")[0]]) for tensor in tensors]


def _kind(tensor: Tensor, beside: set[str]) -> str:
    if tensor.kind is not None:
        return tensor.kind
    name, rank = bare(tensor.name), len(tensor.shape)
    lower = name.lower()
    word = role(name)[0]
    last = lower.replace("/", ".").rpartition(".")[2]
    if rank == 0:
        return "scalar"
    if not beside.isdisjoint(_BATCH) or last in ("gamma", "beta"):
        return "norm"
    if rank == 1 and (_NORM.search(lower) or (word == "weight" and last in ("weight", "scale") and tensor.size > 1)):
        return "norm"
    if _RECURRENT.search(lower):
        return "recurrent"
    if rank >= 2 and _EMBEDDING.search(lower):
        return "embedding"
    if _ATTENTION.search(lower):
        return "attention" if rank >= 2 else "attention bias"
    if rank == 1:
        return "bias" if word == "bias" else "vector"
    return "matrix" if rank == 2 else "convolution" if rank <= 5 else "array"

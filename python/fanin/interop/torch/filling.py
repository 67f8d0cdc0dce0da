"""A module at once: a law for every parameter, shown before anything is drawn, then drawn from the name's own stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from math import nan
from typing import Any, SupportsIndex, TypeAlias

import torch
from torch import nn

from fanin.common import text
from fanin.common.progress import bar
from fanin.init import Law, law
from fanin.init import describe as law_of_shape
from fanin.interop.torch import rules as defaults
from fanin.interop.torch.drawing import Key, Shard, draw_shard, shard_of
from fanin.interop.torch.rules import Choice, Rules
from fanin.random import seed_number, stream_id

Progress: TypeAlias = Callable[[str, int, int], object]
Block: TypeAlias = tuple[tuple[int, ...], tuple[slice, ...]]


@dataclass(frozen=True)
class Planned:
    """One parameter of a plan.

    Attributes
    ----------
    name : str
        The qualified name, which is also its stream.
    also : tuple of str
        Further names of the same parameter (tied weights).
    shape, dtype, kind
        Of the whole parameter; the class of the module that owns it.
    law, axes, because
        What it is drawn from, the axes of its fans where they are stated, and which rule says so.
    std, n_var : float or None
        Of the law in this shape: its standard deviation, and fan_in Var(w), None where there are no fans.
    """

    name: str
    also: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    kind: str
    law: Law
    axes: Mapping[str, Any]
    because: str
    std: float
    n_var: float | None
    owners: tuple[tuple[nn.Module, str], ...] = field(repr=False, compare=False)
    parameter: nn.Parameter = field(repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """What `fill` would draw; print it for a table."""

    parameters: tuple[Planned, ...]

    @property
    def laws(self) -> dict[str, Law]:
        """The law of each parameter by its name."""
        return {one.name: one.law for one in self.parameters}

    def __str__(self) -> str:
        heads = ("parameter", "shape", "of", "law", "std", "n Var(w)", "because")
        rows = [
            (
                " = ".join((one.name, *one.also)),
                "x".join(map(str, one.shape)) or "1",
                one.kind,
                repr(one.law),
                text.brief(one.std),
                "-" if one.n_var is None else text.brief(one.n_var),
                one.because,
            )
            for one in self.parameters
        ]
        total = sum(one.parameter.numel() for one in self.parameters)
        return "\n".join([*text.table(heads, rows, right={4, 5}), f"{len(rows)} parameters, {total:,} elements"])


def describe(module: nn.Module, rules: Rules = None) -> Plan:
    """Tell what `fill` would draw into a module, parameter by parameter; nothing is drawn.

    Parameters
    ----------
    module : Module
        On any device, the meta device too.
    rules : optional
        As `fill` takes them.

    Raises
    ------
    TypeError
        If `module` is none, or `rules` are no rules.
    ValueError
        For parameters that neither a rule nor a default covers, laws that cannot be drawn into a shape, names whose streams
        collide, and lazy modules that have no shapes yet.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    stated = defaults.stated(rules)
    follows = defaults.following(module)
    found: dict[int, tuple[nn.Parameter, list[tuple[str, nn.Module, str]]]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for short, parameter in owner._parameters.items():
            if parameter is not None:
                name = f"{path}.{short}" if path else short
                found.setdefault(id(parameter), (parameter, []))[1].append((name, owner, short))
    _check_names(stated, [name for _, places in found.values() for name, _, _ in places])
    planned, missing, streams = [], [], dict[int, str]()
    for parameter, places in found.values():
        name, owner, short = places[0]
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(f"parameter {name!r} has no shape yet: send one batch through the lazy module first")
        if not parameter.is_floating_point():
            continue
        other = streams.setdefault(stream_id(name), name)
        if other != name:
            raise ValueError(f"parameters must have streams of their own, got {other!r} and {name!r}, whose names hash alike")
        choice = _choice(stated, parameter, places, follows.get(id(owner)))
        if choice is None:
            missing.append(f"{name!r} of {type(owner).__name__}")
            continue
        planned.append(_planned(choice, parameter, places))
    if missing:
        names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise ValueError(f"rules must cover every parameter, got none for {names}: add ('*', 'normal(std=0.02)') or the like")
    return Plan(tuple(planned))


def _check_names(stated: list[defaults.Stated], names: list[str]) -> None:
    """Refuse a rule for one parameter that the module does not have; a pattern may match none."""
    for rule in stated:
        pattern = rule.pattern
        if isinstance(pattern, str) and not set(pattern) & set("*?[") and pattern not in names:
            near = get_close_matches(pattern, names, 1)
            meant = f": did you mean {near[0]!r}?" if near else "; print(describe(module)) lists them"
            raise ValueError(f"rules must name parameters of the module, got {pattern!r}{meant}")


def _choice(
    stated: list[defaults.Stated], parameter: nn.Parameter, places: list[tuple[str, nn.Module, str]], follows: str | None
) -> Choice | None:
    names, (_, owner, short) = [name for name, _, _ in places], places[0]
    axes = defaults.layout(owner, short)
    for rule in stated:
        if rule.matches(names, owner, short):
            shown = rule.pattern if isinstance(rule.pattern, str) else "its type"
            return Choice(rule.law, {**axes, **rule.axes}, f"rule {shown}")
    own = defaults.default(owner, short, parameter.dim(), follows)
    return None if own is None else Choice(law(own[0]), axes, own[1])


def _planned(choice: Choice, parameter: nn.Parameter, places: list[tuple[str, nn.Module, str]]) -> Planned:
    (name, owner, _), shape = places[0], tuple(parameter.shape)
    try:
        figures = law_of_shape(choice.law, shape, **choice.axes) if parameter.numel() else None
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {name!r}, {choice.law}: {error}") from None
    return Planned(
        name=name,
        also=tuple(other for other, _, _ in places[1:]),
        shape=shape,
        dtype=str(parameter.dtype).removeprefix("torch."),
        kind=type(owner).__name__,
        law=choice.law,
        axes=choice.axes,
        because=choice.because,
        std=nan if figures is None else figures.std,
        n_var=None if figures is None else figures.n_var,
        owners=tuple((one, short) for _, one, short in places),
        parameter=parameter,
    )


def fill(
    module: nn.Module,
    rules: Rules = None,
    *,
    seed: SupportsIndex | None = None,
    device: torch.device | str | None = None,
    progress: bool | Progress | None = None,
    block: Mapping[str, Block] | None = None,
) -> Plan:
    """Fill all parameters of a module in place, each from the stream of its qualified name.

    Parameters
    ----------
    module : Module
        Its parameters may lie on the CPU, on an accelerator (they are drawn on the CPU in pieces of at most 2^24 elements and
        copied), on the meta device (each gets its memory just before it is drawn), or be DTensors (each process draws its own
        shard). Tied parameters are drawn once and stay tied.
    rules : law, mapping or sequence of (pattern, law) or (pattern, law, axes), optional
        One law for all; or patterns, of which the first that fits gives the law, before the defaults. A pattern is a text as
        in `fanin.init.fill` (``"*.bias"``), or a type of module or a tuple of types, for all parameters but biases that such
        modules own. Defaults: weights of Linear and Conv by the activation that follows (``he_normal`` before ReLU, else
        ``xavier_normal`` with the activation's gain), embeddings ``normal(std=0.02)``, norms 1, biases 0, attention and
        recurrent cells ``xavier_normal``, the recurrence of a plain RNN ``orthogonal``.
    seed : int, optional
        In [0, 2^64). Without it, 62 bits of PyTorch's generator.
    device : device, optional
        Where parameters of the meta device come to lie; the CPU by default.
    progress : bool or callable, optional
        True shows it on the standard error. A callable is called as ``progress(name, done, total)`` after each piece.
    block : mapping of str to (shape, slices), optional
        For parameters that are plain tensors but shards: the shape of the whole, and which part of it they are.

    Returns
    -------
    Plan
        What was drawn, as `describe` tells it before.

    Raises
    ------
    TypeError, ValueError
        Before anything is written: what `describe` refuses, parameters that share memory, buffers on the meta device that are
        not a norm's, and blocks that do not fit.

    Notes
    -----
    A parameter has the bits of ``law(shape, seed=seed, stream=name)``, whatever else the module holds, and a shard the bits
    that it has in the whole. Running statistics of norms start anew, and the row ``padding_idx`` of an embedding is 0.

    Examples
    --------
    >>> import torch
    >>> from fanin.interop.torch import fill
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> print(fill(net, seed=7))
    parameter  shape  of      law               std  n Var(w)  because
    0.weight   8x4    Linear  he_normal      0.7071         2  relu follows
    0.bias     8      Linear  zeros               0         -  bias
    2.weight   2x8    Linear  xavier_normal  0.3536         1  no activation found
    2.bias     2      Linear  zeros               0         -  bias
    4 parameters, 58 elements
    """
    blocks = dict(block or {})
    plan = describe(module, rules)
    for one in plan.parameters:
        if one.name in blocks:
            _check_block(one, blocks[one.name])
    if wrong := [name for name in blocks if name not in plan.laws]:
        raise ValueError(f"block must name parameters, got {', '.join(map(repr, wrong))}")
    _refuse_meta_buffers(module)
    _refuse_shared_memory(plan)
    number = Key(None, None, None).resolved()[0] if seed is None else seed_number(seed)
    total = sum(shard_size(one) for one in plan.parameters)
    if progress is True:
        with bar(total, "elements", "") as show:
            _run(module, plan, number, device, blocks, total, None if show is None else lambda name, k, _: show(k, name, ""))
    else:
        _run(module, plan, number, device, blocks, total, progress or None)
    return plan


def shard_size(one: Planned) -> int:
    """Return how many elements this process draws of a parameter."""
    local: Any = one.parameter
    return int(local.to_local().numel() if hasattr(local, "to_local") else local.numel())


def _run(
    module: nn.Module,
    plan: Plan,
    seed: SupportsIndex,
    device: torch.device | str | None,
    blocks: Mapping[str, Block],
    total: int,
    show: Progress | None,
) -> None:
    done = 0
    if show is not None:
        show(plan.parameters[0].name if plan.parameters else "", 0, total)

    def count(name: str) -> Callable[[int], object] | None:
        def add(n: int) -> None:
            nonlocal done
            done += n
            if show is not None:
                show(name, done, total)

        return add

    for one in plan.parameters:
        parameter = _with_memory(one, device)
        shard = shard_of(parameter)
        if one.name in blocks:
            shape, cut = blocks[one.name]
            shard = Shard(parameter, tuple(shape), tuple(part.indices(n)[0] for part, n in zip(cut, shape, strict=True)))
        draw_shard(shard, one.law, seed, one.name, dict(one.axes), count(one.name))
        _clear_padding(one, shard)
    for part in module.modules():
        _restart(part, device)


def _with_memory(one: Planned, device: torch.device | str | None) -> nn.Parameter:
    """Return a parameter that has memory: a new one, in all places of the old, for one of the meta device."""
    old = one.parameter
    if not old.is_meta:
        return old
    with torch.no_grad():
        new = nn.Parameter(torch.empty_like(old, device=device or "cpu"), requires_grad=old.requires_grad)
    for key, value in vars(old).items():
        setattr(new, key, value)
    for owner, short in one.owners:
        owner._parameters[short] = new
    return new


def _clear_padding(one: Planned, shard: Shard) -> None:
    owner = one.owners[0][0]
    row = getattr(owner, "padding_idx", None)
    if row is None or one.owners[0][1] != "weight" or not isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return
    row -= shard.start[0]
    if 0 <= row < shard.tensor.shape[0]:
        with torch.no_grad():
            shard.tensor[row] = 0


def _restart(module: nn.Module, device: torch.device | str | None) -> None:
    """Start the running statistics of a norm anew."""
    if not isinstance(module, nn.modules.batchnorm._NormBase):
        return
    for name, buffer in module._buffers.items():
        if buffer is not None and buffer.is_meta:
            module._buffers[name] = torch.empty_like(buffer, device=device or "cpu")
    module.reset_running_stats()


def _refuse_meta_buffers(module: nn.Module) -> None:
    lost = [
        f"{path}.{name}" if path else name
        for path, owner in module.named_modules()
        for name, buffer in owner._buffers.items()
        if buffer is not None and buffer.is_meta and not isinstance(owner, nn.modules.batchnorm._NormBase)
    ]
    if lost:
        raise ValueError(
            f"buffers must have memory, got {', '.join(map(repr, lost[:5]))} on the meta device: no law says what they hold; "
            "set them, then fill"
        )


def _check_block(one: Planned, block: Block) -> None:
    shape, cut = block
    if len(shape) != len(cut) or len(shape) != len(one.shape):
        raise ValueError(f"block of {one.name!r} must have a slice for each axis of {one.shape}, got {block!r}")
    ends = [part.indices(n) for part, n in zip(cut, shape, strict=True)]
    if any(step != 1 for _, _, step in ends) or tuple(max(b - a, 0) for a, b, _ in ends) != one.shape:
        raise ValueError(f"block of {one.name!r} must cut out the shape {one.shape} with slices of step 1, got {block!r}")


def _refuse_shared_memory(plan: Plan) -> None:
    """Refuse parameters that are different objects over the same memory."""
    extents = []
    for one in plan.parameters:
        tensor: Any = one.parameter
        if tensor.is_meta or hasattr(tensor, "to_local") or not tensor.numel() or tensor.layout != torch.strided:
            continue
        reach = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True)) + 1
        extents.append((str(tensor.device), tensor.data_ptr(), tensor.data_ptr() + reach * tensor.element_size(), one.name))
    for (device, _, end, name), (other, start, _, second) in pairwise(sorted(extents)):
        if device == other and start < end:
            raise ValueError(f"parameters must not share memory, got {name!r} and {second!r}: tie them, or fill one of them")

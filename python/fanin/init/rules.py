"""Rules that choose a law for each parameter by its name: what `fill` and its likes for other libraries share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from fanin.init._law import Law, LawLike, law

Rule: TypeAlias = tuple[str, LawLike] | tuple[str, LawLike, Mapping[str, Any]]
Rules: TypeAlias = LawLike | Mapping[str, LawLike] | Sequence[Rule]

AXES: Mapping[str, Any] = {"in_axis": 1, "out_axis": 0, "batch_axis": ()}


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern matches a name; a leading ``*.`` also stands for nothing."""
    return fnmatchcase(name, pattern) or (pattern.startswith("*.") and fnmatchcase(name, pattern[2:]))


def stated_rules(rules: Rules, axes: Mapping[str, Any]) -> list[tuple[str, Law, dict[str, Any]]]:
    """Return the rules as patterns, laws and axes, which are `axes` where a rule states none."""
    if isinstance(rules, str | Law) or callable(rules):
        return [("*", law(rules), dict(axes))]
    return [_rule(rule, axes) for rule in (rules.items() if isinstance(rules, Mapping) else rules)]


def _rule(rule: Rule, usual: Mapping[str, Any]) -> tuple[str, Law, dict[str, Any]]:
    if isinstance(rule, str) or len(rule) not in (2, 3) or not isinstance(rule[0], str):
        raise TypeError(f"rules must hold (pattern, law) or (pattern, law, axes), got {rule!r}")
    axes = dict(rule[2]) if len(rule) == 3 else {}
    if wrong := set(axes) - set(AXES):
        raise ValueError(f"axes of a rule must be among in_axis, out_axis and batch_axis, got {', '.join(sorted(wrong))}")
    return rule[0], law(rule[1]), {**usual, **axes}


def law_for(name: str, rules: Rules, axes: Mapping[str, Any] = AXES) -> tuple[Law, dict[str, Any]] | None:
    """Return the law and the axes of the first rule that matches a name, or None."""
    return next(((rule, own) for pattern, rule, own in stated_rules(rules, axes) if matches(name, pattern)), None)

"""From measured sites to a trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanin.interop.tracing.expecting import Unexpected, expectation_of
from fanin.interop.tracing.record import ModuleTrace, SiteTrace
from fanin.interop.tracing.site import Site, moments
from fanin.stats import Summary


class Said(NamedTuple):
    """What the loss says, and how many rows the batch has."""

    cost: float | None
    loss_name: str
    uninformed: float | None
    rows: int


def assembled(
    sites: Sequence[Site],
    data: NDArray[Any] | None,
    weights: Mapping[int, Summary],
    gradients: Mapping[int, Summary],
    alike: list[int],
    said: Said,
    *,
    theory: bool = True,
) -> ModuleTrace:
    """Put a trace together.

    Parameters
    ----------
    sites : sequence of Site
        In the order in which they ran; at least one is a weight layer.
    data : array or None
        The batch, where it is of real numbers.
    weights, gradients : mapping of int to Summary
        Of the parameters and their gradients, by the ids of `Site.weight` and `Site.bias`.
    alike : list of int
        Of each site, its units that are copies.
    said : Said
        The cost.
    theory : bool
        Whether theory is asked.
    """
    weighted = [site for site in sites if site.judged]
    expectation = expectation_of(sites, data, weights) if theory else Unexpected(said.rows)
    records = [
        _record(index, site, weighted, weights, gradients, expectation, copies)
        for index, (site, copies) in enumerate(zip(sites, alike, strict=True))
    ]
    x = moments(data) if data is not None else sites[0].z
    assert x is not None
    return ModuleTrace(tuple(records), x, None, said.rows, said.loss_name, said.cost, said.uninformed)


def _record(
    index: int,
    site: Site,
    weighted: Sequence[Site],
    weights: Mapping[int, Summary],
    gradients: Mapping[int, Summary],
    expectation: Any,
    copies: int,
) -> SiteTrace:
    """Return a site's line."""

    def of(p: Any) -> Summary | None:
        return None if p is None else weights[id(p)]

    def of_gradient(p: Any) -> Summary | None:
        return None if p is None else gradients.get(id(p))

    seen = site if site.norm is None else site.norm
    assert seen.z is not None
    assert site.a is not None
    w, dw = of(site.weight), of_gradient(site.weight)
    place = weighted.index(site) if site.judged else None
    before = weighted[place - 1] if place else None
    after = weighted[place + 1] if place is not None and place + 2 < len(weighted) else None
    limited = site.a.saturation is not None
    return SiteTrace(
        name=site.name,
        index=index,
        is_output=site is weighted[-1],
        activation=site.activation,
        n_in=site.n_in,
        n_out=site.n_out,
        z=seen.z,
        a=site.a,
        w=w,  # type: ignore[arg-type]  # None for a sum
        b=of(site.bias),
        dz=seen.dz,
        da=site.da,
        dw=dw,
        db=of_gradient(site.bias),
        n_var_w=math.nan if w is None else site.fan_in * float(w.rms) ** 2,
        saturated=site.a.saturated / site.a.count if limited and site.a.count else None,
        dead=site.dead,
        copies=copies,
        twins=copies,
        effective_rank=site.effective_rank,
        cosine=site.cosine,
        forward_ratio=_ratio(site.a, before.a) if before is not None and site is not weighted[-1] else None,
        backward_ratio=_ratio(site.da, after.da) if after is not None else None,
        units=None,
        expectation=expectation,
        gradient_scale=None if weighted[-1].da is None else float(weighted[-1].da.rms),
        kind=site.kind,
        judged=site.judged,
        normalizes=site.normalizes,
    )


def _ratio(over: Summary | None, under: Summary | None) -> float | None:
    if over is None or under is None or over.rms == under.rms == 0:
        return None
    return float(np.divide(over.rms, under.rms))

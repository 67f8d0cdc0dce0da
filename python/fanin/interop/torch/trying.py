"""`diagnose`: the verdict of a module's trace, and its outlook by trial on deep copies."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from fanin.common import require
from fanin.diagnosis import trial as trials
from fanin.diagnosis.attempt import Attempt
from fanin.diagnosis.diagnosis import Diagnosis
from fanin.diagnosis.diagnosis import diagnose as judge
from fanin.diagnosis.trial import Trial
from fanin.interop.torch.filling import fill
from fanin.interop.torch.tracing.take import LossFunction, forward, open_module, parts_of, trace
from fanin.interop.tracing.record import ModuleTrace, SiteTrace

_LAW = "the same module filled by fanin.interop.torch.fill"
_RATES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # steps are plain here: half a decade apart, one within reach of any best
_SEED = 0  # of the reference, and of PyTorch's generator in every attempt


def diagnose(
    module: nn.Module,
    batch: Any,
    loss_fn: LossFunction | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    trial: bool | int | None = None,
) -> Diagnosis:
    """Judge a module on one batch, and try on deep copies whether it trains.

    Parameters
    ----------
    module : Module
        It stays as it is.
    batch, loss_fn
        As `trace` takes them; without `loss_fn` only the activations are judged.
    optimizer : torch.optim.Optimizer, optional
        Of this module: the outlook is about a copy of it, with its state and rates. Otherwise about SGD at six rates from
        0.001 to 0.3, by successive halving. Not touched.
    trial : bool or int, optional
        Whether to train copies for 100 steps on the batch, or how many steps. By default where `loss_fn` is given and the
        estimated multiply-adds are at most ``fanin.diagnosis.trial.BUDGET``.

    Returns
    -------
    Diagnosis
        As `fanin.diagnose` returns: the outlook ("trains", "slow", "stuck", "diverges") holds the cost that was reached
        against that of the same module filled by fanin's defaults, and against the best constant prediction, where that is
        known (cross entropy, mean squared error), else against the first cost. With a trial the verdict is "healthy" where
        the module trains, else the word of the worst signal. Costs are those of the batch itself, so the trial tells whether
        the module can learn it, not how well it generalizes.

    Raises
    ------
    TypeError
        If a trial is asked for without `loss_fn`, or `optimizer` is none of PyTorch's.
    ValueError
        As `trace`; or if `optimizer` has no parameter of `module`.
    """
    module = open_module(module)
    if optimizer is not None:
        _check(optimizer, module)
    found = trace(module, batch, loss_fn)
    verdict = judge(found)
    if loss_fn is None:
        if trial:
            raise TypeError("loss_fn is needed for a trial: diagnose(module, batch, loss_fn, trial=True)")
        return verdict
    if trial is False:
        return verdict
    steps = trials.STEPS if trial is None or trial is True else require.integer("trial", trial, 1, ", or True or False")
    if trial is None and (work := _work(found, steps)) > trials.BUDGET:
        return replace(verdict, untried=f"{work:.1e} multiply-adds; diagnose(module, batch, loss_fn, trial=True)")
    return _tried(verdict, _Case(module, batch, loss_fn, optimizer, steps), found)


def _check(optimizer: Any, module: nn.Module) -> None:
    if not isinstance(optimizer, torch.optim.Optimizer):
        shown = f"the class {optimizer.__name__}" if isinstance(optimizer, type) else type(optimizer).__name__
        raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {shown}")
    if isinstance(optimizer, torch.optim.LBFGS):  # PyTorch's own cannot be copied, and wants a closure
        raise TypeError("optimizer must be one whose copy steps on gradients, got LBFGS: leave it out, or pass SGD or Adam")
    own = {id(p) for p in module.parameters()}
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(f"optimizer must have parameters of module, got {type(optimizer).__name__} with none of them")


def _work(found: ModuleTrace, steps: int) -> float:
    """Return the multiply-adds of a trial: two starts, 3.75 times the steps each, a backward pass twice a forward one."""
    once = sum(
        one.w.count * one.z.count / max(one.n_out, 1)
        for one in found.layers
        if isinstance(one, SiteTrace) and one.judged and one.w is not None
    )
    return 3 * once * steps * 3.75 * 2


class _Case:
    """What is tried: a module, its batch and loss, and how many steps."""

    def __init__(
        self, module: nn.Module, batch: Any, loss_fn: LossFunction, optimizer: torch.optim.Optimizer | None, steps: int
    ) -> None:
        self.module, self.batch, self.loss_fn, self.optimizer, self.steps = module, batch, loss_fn, optimizer, steps

    def reference(self) -> nn.Module | None:
        """Return a copy that is filled by the defaults; None where they do not cover it."""
        other = copy.deepcopy(self.module)
        try:
            fill(other, seed=_SEED)
        except ValueError:
            return None
        return other

    def attempt(
        self, start: nn.Module, optimizer: torch.optim.Optimizer | None, rates: Sequence[float] | None
    ) -> Attempt | None:
        """Train copies by successive halving; with an optimizer at its own rate. None where none stays finite."""
        runs = [_Course(self, start, optimizer, rate) for rate in rates or [math.nan]]
        left = runs
        for share, keep in ((4, (len(runs) + 1) // 2), (2, min(2, len(runs))), (1, len(runs))):
            for one in left:
                one.go(max(self.steps // share, 1))
            left = sorted(left, key=_Course.recent)[: max(keep, 1)]
        best = min(runs, key=_Course.recent)
        if not math.isfinite(best.recent()):
            return None
        limit = best.costs[0] - 0.8 * (best.costs[0] - best.recent())
        works = tuple(one.rate for one in runs if one.recent() <= limit)
        return Attempt(best.rate, 0.0, best.recent(), tuple(best.costs), works or (best.rate,))


class _Course:
    """One copy on its way."""

    def __init__(self, case: _Case, start: nn.Module, optimizer: torch.optim.Optimizer | None, rate: float) -> None:
        self._case, self.rate = case, rate
        if optimizer is not None:
            self._module, self._optimizer = copy.deepcopy((start, optimizer))
        else:
            self._module = copy.deepcopy(start)
            learned = [p for p in self._module.parameters() if p.requires_grad]
            self._optimizer = torch.optim.SGD(learned, lr=1.0 if math.isnan(rate) else rate)
        self._module.train()
        self.costs: list[float] = []

    def go(self, steps: int) -> None:
        """Step on, until so many steps are taken or the cost is not finite."""
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a copy diverges is a result
            torch.manual_seed(_SEED + len(self.costs))
            while len(self.costs) < steps and (not self.costs or math.isfinite(self.costs[-1])):
                self._optimizer.zero_grad()
                with torch.enable_grad():
                    loss = forward(self._module, self._case.batch, self._case.loss_fn)
                    assert loss is not None
                    loss.backward()
                self._optimizer.step()
                self.costs.append(float(loss.detach()))

    def recent(self) -> float:
        """Return the mean of the last tenth of the costs; infinite where one is not finite."""
        last = self.costs[-max(len(self.costs) // 10, 1) :]
        return float(np.mean(last)) if math.isfinite(self.costs[-1]) else math.inf


def _tried(verdict: Diagnosis, case: _Case, found: ModuleTrace) -> Diagnosis:
    assert found.cost is not None
    own = case.attempt(case.module, case.optimizer, None if case.optimizer is not None else _RATES)
    other = case.reference()
    best = None if other is None else case.attempt(other, None, _RATES)
    constant = _constant(found, case)
    if not math.isfinite(constant):
        constant = best.costs[0] if best is not None else found.cost
    own, best = _scored(own, constant), _scored(best, constant)
    outlook = _outlook(own, best, constant)
    named = None if case.optimizer is None else f"with {type(case.optimizer).__name__}"
    result = Trial(case.steps, own, best, _LAW, constant, 0.0, outlook, None, named, pace=1)
    if outlook is None:
        return replace(verdict, trial=result)
    if outlook == "trains":
        return replace(verdict, verdict="healthy", advice="", trial=result)
    word = verdict.signal if verdict.signal != "healthy" else "diverged" if outlook == "diverges" else "plateau"
    advice = verdict.advice
    if best is not None and best.cost < (math.inf if own is None else own.cost):
        before = "diverges now" if own is None else f"now {own.cost:.3g}"
        advice = f"fanin.interop.torch.fill(module): cost {best.cost:.3g} after {case.steps} steps, {before}"
    return replace(verdict, verdict=word, advice=advice, trial=result)


def _scored(one: Attempt | None, constant: float) -> Attempt | None:
    """Give an attempt its score: the part of the constant prediction's cost that it has taken away."""
    return None if one is None else replace(one, score=1 - one.cost / constant if constant else 0.0)


def _outlook(own: Attempt | None, best: Attempt | None, constant: float) -> str | None:
    """Hold what was gained over the constant prediction against the better of both: four fifths of it train, half is slow."""
    mine, other = (0.0 if one is None else max(constant - one.cost, 0.0) for one in (own, best))
    top = max(mine, other)
    if top < 0.1 * abs(constant):
        return None if own is not None else "diverges"
    if own is None:
        return "diverges"
    return "trains" if mine >= 0.8 * top else "slow" if mine >= 0.5 * top else "stuck"


def _constant(found: ModuleTrace, case: _Case) -> float:
    """Return the cost of the best constant prediction; NaN for losses that fanin does not know."""
    _, targets = parts_of(case.batch)
    if not targets or not isinstance(targets[0], torch.Tensor):
        return math.nan
    y = targets[0].detach()
    if found.loss_name == "cross_entropy" and not y.is_floating_point():
        share = torch.bincount(y[y >= 0].reshape(-1)).double()
        share = share[share > 0] / share.sum()
        return float(-(share * share.log()).sum())
    if found.loss_name == "mean_squared_error":
        return float(y.double().var(dim=0, correction=0).mean())
    return math.nan

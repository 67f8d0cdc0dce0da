"""`watch`: traces of every n-th step of somebody's training loop, and an early warning."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fanin.common import require
from fanin.diagnosis.diagnosis import Diagnosis
from fanin.diagnosis.diagnosis import diagnose as judge
from fanin.interop.torch.tracing.recording import Recorder
from fanin.interop.torch.tracing.sites import moments
from fanin.interop.torch.tracing.take import assembled, open_module, weights_of
from fanin.interop.tracing.record import ModuleTrace
from fanin.reports.pages.report import trace_page
from fanin.reports.pages.shell import check_path, write
from fanin.stats import Summary

_GRAVE = ("not finite", "no gradient", "dead", "saturated")
_SAMPLE = 1 << 14  # elements of a weight that are kept over a step to see how far it moves


@dataclass(frozen=True)
class Concern:
    """The first step at which something was found.

    Attributes
    ----------
    step : int
        Counted from 1.
    layer : str
        The first layer, in the order in which they run, that shows it.
    word : str
        "not finite", "no gradient", "dead", "saturated", or "vanishing" or "exploding" over the layers.
    """

    step: int
    layer: str
    word: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.word} ({self.layer})"


def watch(module: nn.Module, every: int = 50, *, stats: bool = False, warn: bool = True) -> Watch:
    """Watch a module while somebody's own loop trains it: ``with watch(net, every=50) as seen: ...``.

    Parameters
    ----------
    module : Module
        A step is a call of it in train mode with gradients; others (validation) are not looked at. The first step, and then
        every n-th, is traced as it runs: its own forward and backward, no second one.
    every : int
        n, at least 1.
    stats : bool
        Whether traces have histograms, effective ranks and cosines, as `trace` takes them; otherwise moments.
    warn : bool
        Whether a new `Concern` is a UserWarning at once.

    Returns
    -------
    Watch
        Its `traces`, `ratios`, `concerns`, `diagnosis` and `to_html`.

    Raises
    ------
    TypeError, ValueError
        For a module that `trace` refuses, or `every` below 1.

    Notes
    -----
    The loop is not changed: no value, no gradient and no random number is another. Memory besides that of the step: the
    summaries, and 2^14 elements of each weight during a traced step. Call ``seen.cost(loss)`` where the costs shall be on
    record; the pages then show the gradients beside them.

    Examples
    --------
    >>> import torch
    >>> from fanin.interop.torch import watch
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> x, y = torch.randn(32, 4), torch.arange(32) % 2
    >>> with watch(net, every=2) as seen:
    ...     for _ in range(5):
    ...         optimizer.zero_grad()
    ...         loss = torch.nn.functional.cross_entropy(net(x), y)
    ...         loss.backward()
    ...         optimizer.step()
    >>> [step for step, _ in seen.traces]
    [1, 3, 5]
    """
    if hasattr(module, "_orig_mod"):
        raise ValueError("module must not be compiled to be watched: watch the module, and compile it afterwards")
    return Watch(open_module(module), require.integer("every", every, 1), stats=stats, warn=warn)


class Watch:
    """What `watch` gives.

    Attributes
    ----------
    traces : list of (int, ModuleTrace)
        The traced steps.
    ratios : list of (int, dict of str to float)
        Of each traced step, how far it moved every weight layer: rms of the change over rms of the weight. About 1e-3 is usual.
    concerns : list of Concern
        What was found, each kind once, with the first step and layer.
    """

    def __init__(self, module: nn.Module, every: int, *, stats: bool, warn: bool) -> None:
        self.traces: list[tuple[int, ModuleTrace]] = []
        self.ratios: list[tuple[int, dict[str, float]]] = []
        self.concerns: list[Concern] = []
        self.step = 0
        self._module, self._every, self._full, self._warn = module, every, stats, warn
        self._hook: Any = None
        self._now: _Step | None = None

    def __enter__(self) -> Watch:
        self._hook = self._module.register_forward_pre_hook(self._before, with_kwargs=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hook.remove()
        self._finish()

    def cost(self, loss: Tensor | float) -> None:
        """Note the cost of this step."""
        if self._now is not None:
            self._now.cost = float(loss.detach()) if isinstance(loss, Tensor) else float(loss)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The verdict about the last traced step; None before the first."""
        return judge(self.traces[-1][1]) if self.traces else None

    def to_html(self, path: str | os.PathLike[str], *, title: str = "What became of the signal in training?") -> None:
        """Write a page of the last trace, with the concerns and the course of the ratios.

        Raises
        ------
        ValueError
            If nothing was traced, or the path does not end with .html.
        """
        check_path(path)
        found = self.diagnosis
        if found is None:
            raise ValueError("a step must have been traced before there is a page of it")
        about: dict[str, object] = {"steps": self.step, "traced": ", ".join(str(step) for step, _ in self.traces[-8:])}
        about["concerns"] = "; ".join(map(str, self.concerns)) or "none"
        if self.ratios:
            first, last = self.ratios[0][1], self.ratios[-1][1]
            for name in list(last)[:40]:
                about[f"change of {name}"] = f"{first.get(name, math.nan):.2g} to {last[name]:.2g}"
        lead = f"{type(self._module).__name__}, step {self.traces[-1][0]} of {self.step}."
        write(path, trace_page(found, about, title, lead))

    def __str__(self) -> str:
        lines = [f"{self.step} steps, {len(self.traces)} traced"]
        lines += [f"  {one}" for one in self.concerns] or ["  nothing found"]
        moved = {name: one for name, one in (self.ratios[-1][1] if self.ratios else {}).items() if math.isfinite(one)}
        if moved:
            least, most = min(moved, key=moved.__getitem__), max(moved, key=moved.__getitem__)
            lines.append(f"  a step moves weights by {moved[least]:.2g} ({least}) to {moved[most]:.2g} ({most})")
        return "\n".join(lines)

    def _before(self, module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Count the step; if it is to be traced, record the call that follows."""
        if self._now is not None and not self._now.called:
            return  # the module calls itself
        self._finish()
        if not (module.training and torch.is_grad_enabled()):
            return
        self.step += 1
        if (self.step - 1) % self._every == 0:
            self._now = _Step(module, self.step, inputs or named, full=self._full)

    def _finish(self) -> None:
        """Put the trace of the last step together, now that its backward pass and its update are over."""
        now, self._now = self._now, None
        if now is None:
            return
        now.close()
        if not any(site.judged for site in now.recorder.sites):
            return
        found = now.trace()
        self.traces.append((now.step, found))
        if ratios := now.ratios():
            self.ratios.append((now.step, ratios))
        for layer, word in _concerns(found):
            if all(one.word != word for one in self.concerns):
                self.concerns.append(Concern(now.step, layer, word))
                if self._warn:
                    warnings.warn(str(self.concerns[-1]), stacklevel=4)


class _Step:
    """One step on its way: hooks while the module is called, then on the gradients of its parameters."""

    def __init__(self, module: nn.Module, step: int, inputs: Any, *, full: bool) -> None:
        self.step, self.called = step, False
        self.cost: float | None = None
        self._inputs = _shapes(inputs)
        self.recorder = Recorder(module, full=full)
        self.gradients: dict[int, Summary] = {}
        self._before = {id(p): _sample(p) for p in module.parameters() if p.dim() > 1}
        self._handles = [p.register_hook(self._taking(id(p))) for p in module.parameters() if p.requires_grad]
        self.recorder.start()
        # After the recorder's own hooks, so that a module that is one layer is recorded too; also where the call fails.
        self._handles.append(module.register_forward_hook(self._after, always_call=True))

    def _taking(self, key: int) -> Any:
        def take(gradient: Tensor) -> None:
            self.gradients[key] = moments(gradient)

        return take

    def _after(self, _module: nn.Module, _inputs: Any, _out: Any) -> None:
        if not self.called:
            self.called = True
            self.recorder.finish()

    def close(self) -> None:
        """Take all hooks away."""
        for handle in self._handles:
            handle.remove()

    def trace(self) -> ModuleTrace:
        sites = self.recorder.sites
        with np.errstate(all="ignore"):
            alike = [0] * len(sites)
            weights = weights_of(sites)
            return assembled(sites, self._inputs, weights, self.gradients, alike, self.cost, "not known", None, theory=False)

    def ratios(self) -> dict[str, float]:
        """Return how far the step moved each weight; without one that did not move, nothing."""
        found = {}
        for site in self.recorder.sites:
            before = None if site.weight is None else self._before.get(id(site.weight))
            if before is None or site.weight is None:
                continue
            size = float(before.square().mean().sqrt())
            moved = float((_sample(site.weight) - before).square().mean().sqrt())
            found[site.name] = moved / size if size else math.nan
        return found if any(found.values()) else {}


def _sample(parameter: Tensor) -> Tensor:
    flat = parameter.detach().reshape(-1) if parameter.is_contiguous() else parameter.detach().flatten()
    return flat[:: max(1, -(-flat.numel() // _SAMPLE))].float().clone()


def _shapes(inputs: Any) -> Any:
    """Return the first tensors of the inputs, detached."""
    values = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
    return tuple(one.detach() for one in values if isinstance(one, Tensor))


def _concerns(found: ModuleTrace) -> list[tuple[str, str]]:
    """Return what a trace shows, each with the first layer that shows it."""
    verdict = judge(found)
    out: dict[str, str] = {}
    for layer in verdict.evidence:
        for word in (*layer.forward, *layer.backward):
            if word in _GRAVE:
                out.setdefault(word, layer.name)
    for side, way in ((verdict.forward, found.hidden), (verdict.backward, found.hidden[::-1])):
        if side in ("vanishing", "exploding") and way:
            out.setdefault(side, _worst(way, side, backward=side is verdict.backward))
    return [(layer, word) for word, layer in out.items()]


def _worst(way: Any, side: str, *, backward: bool) -> str:
    """Return the first layer on the way at which a scale has changed tenfold; else the last."""
    scales = [(one.name, one.da if backward else one.a) for one in way]
    known = [(name, float(summary.rms)) for name, summary in scales if summary is not None and summary.rms > 0]
    for name, rms in known:
        if (rms < known[0][1] / 10) if side == "vanishing" else (rms > known[0][1] * 10):
            return str(name)
    return str(way[-1].name)

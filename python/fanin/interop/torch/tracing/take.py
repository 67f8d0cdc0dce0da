"""`trace`: one batch through any PyTorch module, forward and backward, every place measured."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fanin.interop.torch.tracing.recording import Recorder
from fanin.interop.torch.tracing.sites import array, moments
from fanin.interop.tracing import assemble
from fanin.interop.tracing.assemble import Said
from fanin.interop.tracing.record import ModuleTrace
from fanin.interop.tracing.site import Site
from fanin.stats import Summary
from fanin.tracing import likeness

LossFunction = Callable[..., Tensor]
_LARGE = 1 << 16  # elements of a gradient


def trace(
    module: nn.Module, batch: Any, loss_fn: LossFunction | None = None, *, stats: Literal[True, "moments"] = True
) -> ModuleTrace:
    """Send one batch through a module, forward and backward, and measure every weight layer, norm and sum of streams.

    Parameters
    ----------
    module : Module
        In its present mode, train or eval; it stays as it is, with its gradients and running statistics, and so does PyTorch's
        generator. A compiled module runs without its compilation.
    batch : tensor, mapping, or pair
        ``(inputs, targets)`` as a DataLoader gives it; or the inputs alone. Inputs are a tensor, a tuple of positional
        arguments or a mapping of keywords.
    loss_fn : callable, optional
        Called as ``loss_fn(output, targets)`` (with a pair), else as ``loss_fn(output)``; returns a scalar. Without it the
        trace goes forward only.
    stats : True or "moments"
        "moments" leaves out histograms, effective ranks and cosines.

    Returns
    -------
    ModuleTrace
        A `fanin.Trace` with the names of the module: `fanin.diagnose`, `plot`, `to_html`, `to_json` and `to_csv` take it.
        Theory stands beside it where the module is a plain stack of Linear layers and activations on rows, or a stream of
        them with sums and layer norms whose branches end in a Linear layer; elsewhere the expected values are NaN.

    Raises
    ------
    TypeError
        If `module` is no module.
    ValueError
        For a module that fanin cannot look into (scripted, DataParallel, checkpointed with ``use_reentrant=True``), one in
        which no weight layer ran, and a loss that is no scalar.

    Notes
    -----
    Of every tensor only its summary is kept, and 32 rows by 256 columns of the outputs of at most 64 layers at a time; so the
    memory is that of one forward and backward, without large gradients of weights. Activations and sums are seen
    wherever they are written: as modules, functions, methods or operators. What leaves a layer (`a`) is its output after the
    norm and the activation that follow it at once. The projections into an attention are computed once more; their gradient
    of z is not measured.

    Examples
    --------
    >>> import torch
    >>> from fanin.interop.torch import trace
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> found = trace(net, (torch.randn(16, 4), torch.arange(16) % 2), torch.nn.functional.cross_entropy)
    >>> [(layer.name, layer.activation) for layer in found.layers]
    [('0', 'relu'), ('2', 'identity')]
    """
    if stats is not True and stats != "moments":
        raise ValueError(f'stats must be True or "moments", got {stats!r}')
    module = open_module(module)
    recorder = Recorder(module, full=stats is True)
    with ExitStack() as stack:
        stack.enter_context(_undisturbed(module))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad() if loss_fn is not None else torch.no_grad())
        with recorder.recording():
            loss = forward(module, batch, loss_fn)
        if not any(site.judged for site in recorder.sites):
            raise ValueError("module must run a layer with weights (Linear, Conv, attention, recurrent), got none that did")
        sites = recorder.sites
        weights: dict[int, Summary] = {}
        alike = []
        for site in sites:  # one weight at a time, while it is in a cache
            weights |= _weights(site, weights)
            alike.append(_alike(site, {}))
        wanted = {id(site.weight) for site, copies in zip(sites, alike, strict=True) if copies}
        gradients, sizes = ({}, {}) if loss is None else backward(loss, sites, wanted)
    inputs, _ = parts_of(batch)
    sizes |= {key: moments(gradient) for key, gradient in gradients.items()}
    with np.errstate(all="ignore"):
        alike = [copies and _alike(site, gradients) for site, copies in zip(sites, alike, strict=True)]
        cost = None if loss is None else float(loss.detach())
        return assembled(sites, inputs, weights, sizes, alike, cost, *_loss(loss_fn, sites))


def open_module(module: Any) -> nn.Module:
    """Return a module that hooks can look into, of a compiled one the original; refuse the others in words."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    module = getattr(module, "_orig_mod", module)
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        raise ValueError(f"module must run in one piece, got {type(module).__name__}: pass module.module")
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise ValueError("module must be Python, got one that is scripted: hooks do not see into it")
    return module


@contextmanager
def _undisturbed(module: nn.Module) -> Iterator[None]:
    """Leave buffers and generator as they were, and compiled parts uncompiled meanwhile."""
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()] if module.training else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):  # otherwise nothing is compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


def parts_of(batch: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the inputs of a batch, and the targets in a tuple: none where the batch is inputs alone."""
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return batch[0], (batch[1],)
    return batch, ()


def called(module: nn.Module, inputs: Any) -> Any:
    """Call a module on the inputs of a batch."""
    if isinstance(inputs, Mapping):
        return module(**inputs)
    return module(*inputs) if isinstance(inputs, tuple | list) else module(inputs)


def forward(module: nn.Module, batch: Any, loss_fn: LossFunction | None) -> Tensor | None:
    """Return the loss of a batch, or None where there is no loss."""
    inputs, targets = parts_of(batch)
    output = called(module, inputs)
    if loss_fn is None:
        return None
    loss = loss_fn(output, *targets)
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        shown = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(f"loss_fn must return a scalar tensor, got {shown}")
    return loss


def backward(loss: Tensor, sites: Sequence[Site], wanted: Container[int]) -> tuple[dict[int, Tensor], dict[int, Summary]]:
    """Return the gradients of the sites' parameters by their ids; the sites' hooks measure those of the activations.

    Large ones that are not wanted are measured as they arise, and are not kept: of these the moments are returned.
    """
    own = {id(p): p for site in sites for p in (site.weight, site.bias) if p is not None and p.requires_grad}
    if not own or not loss.requires_grad:
        return {}, {}
    sizes: dict[int, Summary] = {}
    large = {key: p for key, p in own.items() if p.is_leaf and p.numel() >= _LARGE and key not in wanted}
    handles = [p.register_hook(_measuring(key, sizes)) for key, p in large.items()]
    try:
        found = torch.autograd.grad(loss, list(own.values()), allow_unused=True)
    except RuntimeError as error:
        if "checkpoint" in str(error).lower():
            raise ValueError("module must be checkpointed with use_reentrant=False, or not at all, to be traced") from error
        raise
    finally:
        for handle in handles:
            handle.remove()
    # Those of an embedding may be sparse: rows that no index names are zeros, which count too.
    return {
        key: gradient.to_dense() if gradient.is_sparse else gradient
        for key, gradient in zip(own, found, strict=True)
        if gradient is not None and key not in sizes
    }, sizes


def _measuring(key: int, sizes: dict[int, Summary]) -> Callable[[Tensor], Tensor | None]:
    def take(gradient: Tensor) -> Tensor | None:
        if gradient.is_sparse:
            return None
        sizes[key] = moments(gradient)
        return gradient.new_zeros(()).expand_as(gradient)  # takes the place of what nobody needs any more

    return take


def assembled(
    sites: Sequence[Site],
    inputs: Any,
    weights: dict[int, Summary],
    gradients: dict[int, Summary],
    alike: list[int],
    cost: float | None,
    loss_name: str,
    uninformed: float | None,
    *,
    theory: bool = True,
) -> ModuleTrace:
    """Put the trace together; `weights` and `gradients` are of the parameters, by their ids, `alike` the sites' copies."""
    first = _first_tensor(inputs)
    data = None if first is None or not first.is_floating_point() or not first.numel() else array(first)
    rows = 1 if first is None or not first.dim() else first.shape[0]
    said = Said(cost, loss_name, uninformed, rows)
    return assemble.assembled(sites, data, weights, gradients, alike, said, theory=theory)


def weights_of(sites: Sequence[Site]) -> dict[int, Summary]:
    """Return the moments of the sites' weights and biases, by their ids; those of a weight that is used twice once."""
    found: dict[int, Summary] = {}
    for site in sites:
        found |= _weights(site, found)
    return found


def _weights(site: Site, known: Container[int]) -> dict[int, Summary]:
    return {id(p): moments(p) for p in (site.weight, site.bias) if p is not None and id(p) not in known}


def _alike(site: Site, gradients: dict[int, Tensor]) -> int:
    """Count units that are copies of another; where gradients are known, those that will stay so.

    A branch may start with equal weights, as with zeros: only equal gradients keep its units alike. Gradients only take from
    the count.
    """
    if not site.judged or site.weight is None or site.weight.dim() < 2 or not site.weight.numel():
        return 0
    own, gradient = array(site.weight), gradients.get(id(site.weight))
    turned = site.kind == "Conv1D" or site.kind.startswith("ConvTranspose")

    def rows(values: Any) -> Any:
        return (values.swapaxes(0, 1) if turned else values).reshape(values.shape[1 if turned else 0], -1)

    bias = None if site.bias is None or site.bias.shape[0] != rows(own).shape[0] else array(site.bias)
    return likeness.twins(rows(own), bias, None if gradient is None else rows(array(gradient)))


def _first_tensor(inputs: Any) -> Tensor | None:
    """Return the first tensor of the inputs, of floats if there is one."""
    values = inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, tuple | list) else [inputs]
    tensors = [one for one in values if isinstance(one, Tensor)]
    return next((one for one in tensors if one.is_floating_point()), tensors[0] if tensors else None)


def _loss(loss_fn: LossFunction | None, sites: Sequence[Site]) -> tuple[str, float | None]:
    """Return the name of a loss, and the cost of a network that favours no class."""
    if loss_fn is None:
        return "none", None
    output = [site for site in sites if site.judged][-1]
    if isinstance(loss_fn, nn.CrossEntropyLoss) or loss_fn is functional.cross_entropy:
        return "cross_entropy", math.log(output.n_out) if output.n_out > 1 else None
    if isinstance(loss_fn, nn.BCEWithLogitsLoss) or loss_fn is functional.binary_cross_entropy_with_logits:
        return "binary_cross_entropy", math.log(2)
    if isinstance(loss_fn, nn.MSELoss) or loss_fn is functional.mse_loss:
        return "mean_squared_error", None
    return str(getattr(loss_fn, "__name__", type(loss_fn).__name__)), None

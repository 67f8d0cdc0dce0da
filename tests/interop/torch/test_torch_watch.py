"""`watch` around a training loop, and networks carried there and back."""

from __future__ import annotations

import copy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

torch = pytest.importorskip("torch")
ft = pytest.importorskip("fanin.interop.torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import architectures as made  # noqa: E402


def _loop(net, batch, steps, lr=0.05, seen=None):
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(batch[0]), batch[1])
        loss.backward()
        if seen is not None:
            seen.cost(loss)
        optimizer.step()
        net.eval()
        with torch.no_grad():
            net(batch[0])  # a validation pass is no step
        net.train()


def test_every_nth_step_is_traced_and_nothing_is_changed():
    torch.manual_seed(0)
    one = made.resnet()
    two, batch = copy.deepcopy(one), made.images(8)
    _loop(one, batch, 7)
    with ft.watch(two, every=3, warn=False) as seen:
        _loop(two, batch, 7, seen=seen)
    assert seen.step == 7
    assert [step for step, _ in seen.traces] == [1, 4, 7]
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in two.modules())
    assert not any(p._backward_hooks for p in two.parameters())


def test_a_traced_step_is_the_trace_of_that_batch():
    torch.manual_seed(0)
    net, batch = made.mlp(nn.Tanh, 1.2, depth=4), made.rows()
    expected = ft.trace(net, batch, functional.cross_entropy)
    with ft.watch(net, every=1, warn=False) as seen:
        _loop(net, batch, 1, seen=seen)
    found = seen.traces[0][1]
    assert found.cost == expected.cost
    for a, b in zip(expected.layers, found.layers, strict=True):
        assert [getattr(a, key).rms for key in ("z", "a", "dz", "da", "dw", "db")] == [
            getattr(b, key).rms for key in ("z", "a", "dz", "da", "dw", "db")
        ]


def test_ratios_are_the_change_of_a_weight_over_its_size():
    torch.manual_seed(0)
    net, batch = made.mlp(nn.Tanh, 1.2, depth=3, width=16), made.rows()
    before = net[0].weight.detach().clone()
    with ft.watch(net, every=5, warn=False) as seen:
        _loop(net, batch, 1)
    moved = (net[0].weight - before).square().mean().sqrt() / before.square().mean().sqrt()
    assert seen.ratios[0][1]["0"] == pytest.approx(float(moved.detach()), rel=1e-6)


def test_weights_of_zero_have_no_ratio():
    net, batch = nn.Linear(64, 10), made.rows()
    nn.init.zeros_(net.weight)
    with ft.watch(net, every=1, warn=False) as seen:
        _loop(net, batch, 1, seen=seen)
    assert "nan" not in str(seen)


@pytest.mark.parametrize(
    ("net", "lr", "words"),
    [
        (lambda: made.mlp(nn.ReLU, 0.4), 0.01, {"vanishing"}),
        (lambda: made.mlp(nn.Tanh, 12.0), 0.01, {"saturated"}),
        (lambda: made.mlp(nn.ReLU, 1.4, bias=-8.0), 0.01, {"dead", "no gradient"}),
        (lambda: made.mlp(nn.ReLU, 2**0.5), 1e9, {"not finite"}),
    ],
)
def test_concerns_name_the_first_step_and_layer(net, lr, words):
    torch.manual_seed(0)
    net = net()
    with pytest.warns(UserWarning, match="step"), ft.watch(net, every=2) as seen:
        _loop(net, made.rows(), 6, lr=lr)
    found = {one.word: one for one in seen.concerns}
    assert words <= set(found)
    names = dict(net.named_modules())
    assert all(one.layer in names and one.step in (1, 3, 5) for one in found.values())
    if "not finite" in words:
        assert found["not finite"].step > 1


def test_a_healthy_loop_has_no_concerns_and_a_page(tmp_path):
    torch.manual_seed(0)
    net = made.mlp(nn.ReLU, 2**0.5, depth=4)
    with warnings.catch_warnings(), ft.watch(net, every=4, stats=True) as seen:
        warnings.simplefilter("error")
        _loop(net, made.rows(), 8, seen=seen)
    assert seen.concerns == []
    assert seen.diagnosis.verdict == "healthy"
    assert "nothing found" in str(seen)
    pytest.importorskip("bokeh")
    seen.to_html(tmp_path / "watch.html")
    assert "step 5 of 8" in (tmp_path / "watch.html").read_text()


def test_an_exception_in_the_loop_leaves_no_hooks():
    net = made.mlp(nn.ReLU, 1, depth=3)
    with pytest.raises(RuntimeError), ft.watch(net, every=1):
        net(torch.randn(3, 5))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    net(torch.randn(3, 64)).sum().backward()


def test_watch_refuses_in_words():
    with pytest.raises(ValueError, match="every"):
        ft.watch(nn.Linear(2, 2), every=0)
    with pytest.raises(TypeError, match="module"):
        ft.watch(3)
    with pytest.raises(ValueError, match="compiled"):
        ft.watch(torch.compile(nn.Linear(2, 2), backend="eager"))
    with pytest.raises(ValueError, match="traced"):
        ft.watch(nn.Linear(2, 2)).to_html("never.html")


@pytest.mark.parametrize("activation", fi.activation.names())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_goes_to_pytorch_and_back(activation, dtype):
    net = fi.Network([5, 7, 6, 3], activation, seed=1, dtype=dtype, bias_init="normal(std=0.1)")
    module = ft.to_torch(net)
    x = np.random.default_rng(1).standard_normal((9, 5)).astype(dtype)
    ours, theirs = net.forward(x), module(torch.from_numpy(x)).detach().numpy()
    # Products of 7 terms through three layers, and PyTorch's own activations: a few units in the last place.
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=40 * np.finfo(dtype).eps)
    back = ft.from_torch(module)
    assert back.activations == net.activations
    assert all(np.array_equal(a, b) for a, b in zip(net.weights + net.biases, back.weights + back.biases, strict=True))


def test_parameters_of_activations_are_carried():
    net = fi.Network([5, 7, 3], "leaky_relu(0.3)", seed=1, bias=False)
    module = ft.to_torch(net)
    assert module[1].negative_slope == 0.3
    assert module[0].bias is None
    assert ft.from_torch(module).activations == net.activations


def test_to_torch_names_an_activation_that_has_no_module(monkeypatch):
    """One that is new in the core, and not yet in the list."""
    monkeypatch.delitem(ft.sequential._MODULES, "elu")
    with pytest.raises(ValueError, match=r"activation must be one that has a PyTorch module here, got 'elu': relu, leaky_relu"):
        ft.to_torch(fi.Network([5, 7, 3], "elu(0.3)", seed=1))


def test_from_torch_refuses_what_is_no_plain_stack():
    for wrong, words in [
        (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), "BatchNorm1d"),
        (nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2)), "Dropout"),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU()), "end with a Linear"),
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2)), "must fit"),
        (nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2)), "biases"),
        (nn.Sequential(), "end with a Linear"),
    ]:
        with pytest.raises(ValueError, match=words):
            ft.from_torch(wrong)
    with pytest.raises(TypeError, match="Sequential"):
        ft.from_torch(nn.Linear(3, 4))

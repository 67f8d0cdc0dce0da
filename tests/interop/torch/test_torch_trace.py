"""`trace` and `diagnose` of PyTorch modules: what is measured is what PyTorch computes, and verdicts are right."""

from __future__ import annotations

import copy
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

torch = pytest.importorskip("torch")
ft = pytest.importorskip("fanin.interop.torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import architectures as made  # noqa: E402

CROSS = functional.cross_entropy


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


VERSIONS = {
    "mlp": {
        "healthy": lambda: made.mlp(nn.ReLU, 2**0.5),
        "vanishing": lambda: made.mlp(nn.ReLU, 0.7),
        "exploding": lambda: made.mlp(nn.ReLU, 3.0),
        "dead": lambda: made.mlp(nn.ReLU, 1.4, bias=-8.0),
        "saturated": lambda: made.mlp(nn.Tanh, 12.0),
    },
    "resnet": {
        "healthy": made.resnet,
        "vanishing": lambda: made.resnet(0.1, norm=False),
        "exploding": lambda: made.resnet(4.0, norm=False),
        "dead": lambda: made.resnet(bias=-9.0),
        "saturated": lambda: made.resnet(30.0, norm=False, activation=torch.tanh),
    },
    "encoder": {
        "healthy": made.encoder,
        "vanishing": lambda: made.encoder(norm=False, damp=0.5),
        "exploding": lambda: made.encoder(3.0, norm=False),
        "dead": lambda: made.encoder(bias=-9.0),
        "saturated": lambda: made.encoder(30.0, activation=torch.tanh),
    },
    "residual": {"exploding": made.Residual, "healthy": lambda: made.Residual(scale=12**-0.5)},  # sqrt(1 / blocks) tames it
}
BATCHES = {"mlp": made.rows, "resnet": made.images, "encoder": made.tokens, "residual": lambda: made.rows(width=128)}


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(("kind", "version"), [(kind, version) for kind, all_ in VERSIONS.items() for version in all_])
def test_verdicts_are_right(kind, version, mode):
    net, batch = VERSIONS[kind][version](), BATCHES[kind]()
    if mode == "eval":
        with torch.no_grad():
            for _ in range(40):  # running statistics come within 0.9^40 of the batch's: a norm without them does nothing
                net(batch[0])
        net.eval()
    found = ft.trace(net, batch, CROSS)
    assert fi.diagnose(found).verdict == version, f"{found}\n{fi.diagnose(found)}"


def test_an_mlp_has_the_trace_of_the_same_network():
    net = fi.Network([64, 40, 30, 10], ["tanh", "relu"], seed=1)
    x, y = made.rows()
    own, theirs = fi.trace(net, x.numpy(), y.numpy()), ft.trace(ft.to_torch(net), (x, y), CROSS)
    assert [one.name for one in theirs.layers] == ["0", "2", "4"]
    assert [one.activation for one in theirs.layers] == [one.activation for one in own.layers]
    assert theirs.cost == pytest.approx(own.cost, rel=1e-5)
    assert theirs.uninformed_cost == own.uninformed_cost == math.log(10)
    for a, b in zip(own.layers, theirs.layers, strict=True):
        for key in ("z", "a", "w", "b", "dz", "da", "dw", "db"):
            one, other = getattr(a, key), getattr(b, key)
            # Sums of 64 terms in float32, in another order: relative 64 * 2^-24 of the largest, well within 1e-4.
            assert other.rms == pytest.approx(one.rms, rel=1e-4), (a.name, key)
            assert other.count == one.count
        for key in (
            "n_in",
            "n_out",
            "n_var_w",
            "saturated",
            "dead",
            "expected_std",
            "forward_ratio",
            "backward_ratio",
            "copies",
        ):
            one, other = getattr(a, key), getattr(b, key)
            assert (one is None) == (other is None), (a.name, key)
            assert one is None or other == pytest.approx(one, rel=1e-4, nan_ok=True), (a.name, key)
        assert b.expected_da == pytest.approx(a.expected_da, rel=1e-4)


def test_gradients_and_activations_are_pytorchs():
    net, (x, y) = made.resnet().eval(), made.images()
    found = {one.name: one for one in ft.trace(net, (x, y), CROSS).layers}
    kept = {}
    net[3].bn1.register_forward_hook(lambda m, i, o: (o.retain_grad(), kept.update(z=o))[1])
    CROSS(net(x), y).backward()
    weight = net[3].conv1.weight
    rms = lambda t: float(t.detach().double().square().mean().sqrt())  # noqa: E731
    layer = found["3.conv1"]
    assert layer.z.rms == pytest.approx(rms(kept["z"]), rel=1e-6)  # a norm follows at once: z is what ReLU sees
    assert layer.a.rms == pytest.approx(rms(kept["z"].relu()), rel=1e-6)
    assert layer.dz.rms == pytest.approx(rms(kept["z"].grad), rel=1e-6)
    assert layer.dw.rms == pytest.approx(rms(weight.grad), rel=1e-6)
    assert layer.activation == found["3.bn1"].activation == found["3 +"].activation == "relu"
    assert layer.n_var_w == pytest.approx(144 * rms(weight) ** 2, rel=1e-6)
    assert [one.kind for one in found.values()][:7] == [
        "Conv2d",
        "BatchNorm2d",
        "Conv2d",
        "BatchNorm2d",
        "Conv2d",
        "BatchNorm2d",
        "sum",
    ]


def test_the_module_stays_as_it_is():
    net = made.resnet().train()
    net[0].weight.grad = torch.ones_like(net[0].weight)
    before, hooks = copy.deepcopy(net.state_dict()), [len(m._forward_hooks) for m in net.modules()]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    ft.trace(net, made.images(), CROSS)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(net[0].weight.grad, torch.ones_like(net[0].weight))
    assert net[3].conv1.weight.grad is None
    assert [len(m._forward_hooks) for m in net.modules()] == hooks


def test_results_of_a_trace_show_and_write_themselves(tmp_path):
    found = ft.trace(made.encoder(layers=2), made.tokens(), CROSS)
    text = str(found)
    assert "layers.0.attention.in_proj" in text
    assert "cost" in text
    found.to_csv(tmp_path / "t.csv")
    assert '"kind"' in found.to_json(tmp_path / "t.json")
    assert len(found.to_rows()) == len(found.layers)
    pytest.importorskip("bokeh")
    found.to_html(tmp_path / "t.html")
    assert "layers.0.up" in (tmp_path / "t.html").read_text()
    pytest.importorskip("matplotlib")
    found.plot(tmp_path / "t.png")
    assert found._repr_html_()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_float_dtype_is_measured(dtype):
    net = made.mlp(nn.ReLU, 2**0.5).to(getattr(torch, dtype))
    x, y = made.rows()
    found = ft.trace(net, (x.to(getattr(torch, dtype)), y), CROSS)
    assert fi.diagnose(found).verdict == "healthy"
    assert found.layers[0].a.count == 64 * 128


class _Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.cell, self.head = nn.LSTM(5, 8, batch_first=True), nn.GRUCell(8, 8), nn.Linear(8, 10)

    def forward(self, x):
        out, _ = self.lstm(x)
        state = torch.zeros(len(x), 8)
        for t in range(3):
            state = self.cell(out[:, t], state)
        return self.head(state)


def test_recurrent_layers_and_a_cell_that_is_used_again():
    found = ft.trace(_Recurrent(), (torch.randn(4, 3, 5), torch.arange(4)), CROSS)
    assert [one.name for one in found.layers] == ["lstm", "cell", "cell (2)", "cell (3)", "head"]
    assert all(one.da is not None and one.dw is not None for one in found.layers)
    assert found.layers[1].dw == found.layers[2].dw  # the sum over all uses


class _Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.norm, self.head = nn.Embedding(20, 8), nn.LayerNorm(8), nn.Linear(8, 20, bias=False)
        self.body, self.head.weight = nn.Linear(8, 8), self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens)
        return self.head(self.norm(x + functional.gelu(self.body(x)))).flatten(0, 1)


def test_token_numbers_and_tied_weights():
    tokens = torch.randint(0, 20, (4, 6))
    found = ft.trace(_Tied(), (tokens, tokens.flatten()), CROSS)
    assert [(one.name, one.activation) for one in found.layers] == [
        ("embedding", "identity"),
        ("body", "gelu"),
        ("+", "identity"),
        ("norm", "identity"),
        ("head", "identity"),
    ]
    assert found.layers[0].dw == found.layers[-1].dw
    assert found.x.count == 4 * 6 * 8


def test_inputs_as_keywords_and_a_loss_of_the_output_alone():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(3, 4)

        def forward(self, left, right):
            return {"loss": (self.a(left) * self.b(right)).square().mean()}

    found = ft.trace(Two(), {"left": torch.randn(5, 3), "right": torch.randn(5, 3)}, lambda out: out["loss"])
    assert [one.name for one in found.layers] == ["a", "b"]
    assert found.cost > 0
    forward = ft.trace(Two(), {"left": torch.randn(5, 3), "right": torch.randn(5, 3)})
    assert forward.cost is None
    assert forward.layers[0].da is None


class _Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.first, self.body, self.head = nn.Linear(64, 32), nn.Sequential(nn.Linear(32, 32), nn.ReLU()), nn.Linear(32, 10)
        self.reentrant = reentrant

    def forward(self, x):
        return self.head(checkpoint(self.body, self.first(x), use_reentrant=self.reentrant))


def test_checkpointed_modules_are_right_or_refused():
    net = _Checkpointed(False)
    found = ft.trace(net, made.rows(), CROSS)
    assert [one.name for one in found.layers] == ["first", "body.0", "head"]
    plain = ft.trace(nn.Sequential(net.first, *net.body, net.head), made.rows(), CROSS)
    for one, other in zip(found.layers, plain.layers, strict=True):
        assert (one.a, one.da, one.dw) == (other.a, other.da, other.dw)
    with pytest.raises(ValueError, match="use_reentrant=False"):
        ft.trace(_Checkpointed(True), made.rows(), CROSS)


def test_a_compiled_module_runs_without_its_compilation():
    net = made.mlp(nn.ReLU, 1.4, depth=3)
    assert ft.trace(torch.compile(net, backend="eager"), made.rows(), CROSS).layers[0].name == "0"


def test_what_cannot_be_looked_into_is_refused():
    batch = made.rows()
    with pytest.raises(ValueError, match=r"module\.module"):
        ft.trace(nn.DataParallel(made.mlp(nn.ReLU, 1)), batch, CROSS)
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        ft.trace(fi.Network([3, 2]), batch, CROSS)
    with pytest.raises(ValueError, match="scalar"):
        ft.trace(made.mlp(nn.ReLU, 1), batch, lambda out, y: out)
    with pytest.raises(ValueError, match="layer with weights"):
        ft.trace(nn.ReLU(), torch.randn(3))
    with pytest.raises(ValueError, match="stats"):
        ft.trace(made.mlp(nn.ReLU, 1), batch, CROSS, stats="all")


def test_a_branch_that_starts_closed_is_no_symmetry():
    net = made.Residual(blocks=4)
    for block in net.blocks:
        nn.init.zeros_(block[2].weight)
    assert fi.diagnose(ft.trace(net, made.rows(width=128), CROSS)).verdict == "healthy"
    flat = made.mlp(nn.ReLU, 1, depth=3)
    for p in flat.parameters():
        nn.init.constant_(p, 0.01)
    assert fi.diagnose(ft.trace(flat, made.rows(), CROSS)).verdict == "symmetric"


def test_values_that_are_not_finite_are_evidence():
    net = made.mlp(nn.ReLU, 1, depth=4)
    with torch.no_grad():
        net[2].weight[0, 0] = torch.nan
    assert fi.diagnose(ft.trace(net, made.rows(), CROSS)).verdict == "diverged"


def test_the_outlook_is_that_of_a_trial_on_copies():
    batch = made.rows()
    net = made.mlp(nn.ReLU, 0.4, width=32, depth=8)
    before = copy.deepcopy(net.state_dict())
    found = ft.diagnose(net, batch, CROSS, trial=30)
    assert (found.verdict, found.outlook) == ("vanishing", "stuck")
    assert "fill(module)" in found.advice
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    counts = np.bincount(batch[1].numpy()) / 64
    assert found.trial.constant_cost == pytest.approx(-(counts * np.log(counts)).sum())
    ft.fill(net, seed=1)
    found = ft.diagnose(net, batch, CROSS, trial=30)
    assert (found.verdict, found.outlook) == ("healthy", "trains")
    again = ft.diagnose(net, batch, CROSS, trial=30)
    assert again.trial == found.trial


def test_the_outlook_of_an_optimizer_is_about_a_copy_of_it():
    net = made.mlp(nn.ReLU, 2**0.5, width=32, depth=4)
    good, bad = torch.optim.Adam(net.parameters(), 1e-2), torch.optim.SGD(net.parameters(), 1e4)
    assert ft.diagnose(net, made.rows(), CROSS, good, trial=30).outlook == "trains"
    assert not good.state
    assert ft.diagnose(net, made.rows(), CROSS, bad, trial=30).outlook in ("diverges", "stuck")
    with pytest.raises(TypeError, match="loss_fn is needed"):
        ft.diagnose(net, made.rows(), trial=True)
    assert ft.diagnose(net, made.rows()[0]).backward is None
    assert ft.diagnose(net, made.rows(), CROSS, trial=False).trial is None


def test_sparse_gradients_count_their_zeros():
    torch.manual_seed(0)
    words, labels = torch.randint(0, 3, (32, 5)), torch.randint(0, 4, (32,))
    dense = nn.Sequential(nn.EmbeddingBag(50, 8), nn.Tanh(), nn.Linear(8, 4))
    sparse = nn.Sequential(nn.EmbeddingBag(50, 8, sparse=True), nn.Tanh(), nn.Linear(8, 4))
    sparse.load_state_dict(dense.state_dict())
    ours, theirs = (ft.trace(net, (words, labels), CROSS).layers[0].dw for net in (sparse, dense))
    assert ours.zeros == theirs.zeros >= 47 * 8
    assert ours.rms == pytest.approx(theirs.rms, rel=1e-6)  # both add up 160 float32 products, in an order of their own


def test_inference_mode_of_the_caller_is_left_meanwhile():
    net, batch = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (torch.randn(8, 3), torch.arange(8) % 2)
    with torch.inference_mode():
        found = ft.trace(net, batch, CROSS)
        assert torch.is_inference_mode_enabled()
    assert found.layers[0].dw is not None


def test_diagnose_names_inputs_that_are_not_finite_and_few_of_many_layers():
    torch.manual_seed(0)
    batch = (torch.full((8, 3), math.nan), torch.arange(8) % 2)
    net = nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(3, 3), nn.ReLU())], nn.Linear(3, 2))
    found = ft.diagnose(net, batch, CROSS)
    assert found.verdict == "diverged"
    assert "inputs are not finite: 24 NaN and 0 infinities of 24" in found.notes
    assert found.advice.startswith("inputs without NaN")
    assert "0, 2, 4 to 24 (13 layers): values that are not finite" in str(found)


def test_diagnose_refuses_optimizers_that_would_move_nothing():
    net, other = nn.Linear(3, 2), nn.Linear(3, 2)
    batch = (torch.randn(8, 3), torch.arange(8) % 2)
    for optimizer, words in (
        (torch.optim.SGD, "the class SGD"),
        (torch.optim.LBFGS(net.parameters()), "copy steps on gradients, got LBFGS"),
    ):
        with pytest.raises(TypeError, match=words):
            ft.diagnose(net, batch, CROSS, optimizer)
    with pytest.raises(ValueError, match="parameters of module, got SGD with none"):
        ft.diagnose(net, batch, CROSS, torch.optim.SGD(other.parameters(), 0.1))

"""A trace against the same in NumPy float64, and what it says about special networks."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest

import fanin as fi

RNG = np.random.default_rng(5)
X = RNG.standard_normal((30, 5))
LABELS = RNG.integers(0, 3, 30)
G = {
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "identity": (lambda z: z, np.ones_like),
}


def network(activation="tanh", sizes=(5, 7, 6, 3), **options):
    net = fi.Network(sizes, activation=activation, **{"init": "xavier_normal", "seed": 3, "dtype": "float64", **options})
    for b in net.biases:
        b[...] = RNG.standard_normal(b.shape) / 10
    return net


def by_hand(net, x, y):
    """z, a, dz, da, dw, db of every layer, cross-entropy, mean over the batch."""
    zs, activations = [], [x]
    for w, b, g in zip(net.weights, net.biases, net.activations, strict=True):
        zs.append(activations[-1] @ w.T + b)
        activations.append(G[g][0](zs[-1]))
    p = np.exp(zs[-1]) / np.exp(zs[-1]).sum(axis=1, keepdims=True)
    cost = -np.log(p[np.arange(len(y)), y]).mean()
    da = (p - np.eye(p.shape[1])[y]) / len(y)
    layers = []
    for a_in, a, z, w, b, g in reversed(
        list(zip(activations[:-1], activations[1:], zs, net.weights, net.biases, net.activations, strict=True))
    ):
        dz = da * G[g][1](z)
        layers.append({"z": z, "a": a, "dz": dz, "da": da, "w": w, "b": b, "dw": dz.T @ a_in, "db": dz.sum(axis=0)})
        da = dz @ w
    return cost, layers[::-1]


@pytest.mark.parametrize("activation", G)
def test_every_summary_equals_numpy(activation):
    net = network(activation)
    t = fi.trace(net, X, LABELS)
    cost, layers = by_hand(net, X, LABELS)
    assert t.cost == pytest.approx(cost, rel=1e-12)
    for layer, expected in zip(t.layers, layers, strict=True):
        for key, values in expected.items():
            summary = getattr(layer, key)
            # Sums of at most 7 terms and 30 rows in float64: a few ULP of the largest element.
            assert summary.count == values.size
            assert float(summary.rms) == pytest.approx(np.sqrt(np.mean(values**2)), rel=1e-12)
            assert float(summary.std) == pytest.approx(values.std(), rel=1e-11, abs=1e-17)
            assert float(summary.min) == pytest.approx(values.min(), rel=1e-11, abs=1e-17)
        assert layer.n_var_w == pytest.approx(layer.n_in * np.mean(expected["w"] ** 2), rel=1e-12)
        assert layer.dead == np.mean(np.all(expected["a"] == 0, axis=0))
    assert t.hidden[0].forward_ratio is None
    rms = [np.sqrt(np.mean(layer["a"] ** 2)) for layer in layers]
    assert t.hidden[1].forward_ratio == pytest.approx(rms[1] / rms[0], rel=1e-12)
    back = [np.sqrt(np.mean(layer["da"] ** 2)) for layer in layers]
    assert t.hidden[0].backward_ratio == pytest.approx(back[0] / back[1], rel=1e-12)
    assert t.hidden[1].backward_ratio is None


def test_gradients_are_those_of_the_network():
    net = network()
    t = fi.trace(net, X, LABELS)
    for layer, (dw, db) in zip(t.layers, net.gradients(X, LABELS), strict=True):
        assert layer.dw.rms == fi.summarize(dw).rms
        assert layer.db.rms == fi.summarize(db).rms


def test_saturation_is_counted():
    net = network("sigmoid", sizes=(5, 400, 3), init="normal(std=3)")
    a = net.forward(X)  # the first call only; the hidden layer by hand below
    hidden = 1 / (1 + np.exp(-(X @ net.weights[0].T + net.biases[0])))
    assert fi.trace(net, X).hidden[0].saturated == np.mean((hidden < 0.03) | (hidden > 0.97))
    assert a.shape == (30, 3)
    assert fi.trace(network("relu"), X).hidden[0].saturated is None


def test_forward_only():
    t = fi.trace(network(), X)
    assert t.cost is None
    assert t.uninformed_cost == pytest.approx(math.log(3))
    assert t.hidden[0].da is None
    assert t.hidden[0].backward_ratio is None
    assert "expected" in str(t)


def test_expected_spread_of_a_wide_network():
    """Within 4 relative standard deviations of one draw of the weights, forward and backward."""
    x = np.random.default_rng(0).standard_normal((500, 100))
    y = np.random.default_rng(1).integers(0, 10, 500)
    for activation, law in (("tanh", "xavier_normal"), ("relu", "he_normal"), ("sigmoid", "xavier_normal")):
        net = fi.Network([100, *[400] * 5, 10], activation=activation, init=law, seed=1)
        for layer in fi.trace(net, x, y).hidden:
            assert float(layer.a.std) == pytest.approx(layer.expected_std, rel=4 * layer.expected.a_error)
            assert float(layer.da.rms) == pytest.approx(layer.expected_da, rel=4 * layer.expected.da_error)


@pytest.mark.parametrize("rows", [256, 257, 300, 1000])
def test_many_rows_are_grouped_without_changing_the_expectation(rows):
    """Groups hold equal shares of the rows, whether or not their number divides the batch."""
    x = np.random.default_rng(0).standard_normal((rows, 20)) * np.linspace(0.1, 3, rows)[:, None]
    net = fi.Network([20, 50, 50, 2], seed=1, dtype="float64")
    t = fi.trace(net, x)
    q = np.mean(x**2, axis=1)
    for layer in t.layers:
        q = fi.theory.second_moment(layer.activation, layer.n_var_w * q)  # every row by itself
        assert layer.expected_std == pytest.approx(np.sqrt(q.mean()), rel=1e-3)
    assert fi.theory.expected_trace(net, x).hidden[1].a_std == pytest.approx(t.hidden[1].expected_std, rel=1e-12)


def test_nothing_is_expected_before_it_is_asked_for():
    t = fi.trace(network(), X, LABELS)
    assert "layers" not in vars(t.layers[0].expectation)
    assert t.hidden[0].expected is t.layers[0].expectation.layers[0]
    assert t.output.expected.name == "output"


def test_twins_and_dead_units():
    net = network("relu")
    net.weights[0][2] = net.weights[0][4]
    net.biases[0][2] = net.biases[0][4]
    assert fi.trace(net, X).hidden[0].twins == 2
    alike = fi.trace(net, X, LABELS).hidden[0]
    assert (alike.copies, alike.twins) == (2, 0), "unlike outgoing weights: unlike gradients, so they will part"
    net.biases[0][1] = -1e6
    assert fi.trace(net, X).hidden[0].dead == pytest.approx(1 / 7)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e30])
def test_table_fits_100_columns(scale):
    net = fi.Network([784, 2048, 2048, *[300] * 9, 10], activation="tanh" if scale < 1e30 else "identity", seed=1)
    for w in net.weights:
        w[...] *= np.float32(scale) if scale < 1e30 else np.float32(1e3)
    t = fi.trace(net, np.ones((3, 784)), [1, 2, 3])
    lines = str(t).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) == 2 + 12 + (2 if t.hidden[-1].cosine is not None else 1)
    json.dumps(t.to_dict())


@pytest.mark.parametrize(
    ("loss", "outputs", "y"),
    [
        ("mean_squared_error", 2, RNG.standard_normal((30, 2))),
        ("mean_squared_error", 1, RNG.standard_normal((30, 1))),
        ("binary_cross_entropy", 1, LABELS % 2),
        ("hinge", 1, LABELS % 2 * 2 - 1),
    ],
)
def test_every_loss(loss, outputs, y):
    net = fi.Network([5, 6, outputs], loss=loss, seed=1, dtype="float64")
    t = fi.trace(net, X, y)
    assert t.cost == net.loss(X, y)
    assert t.hidden[0].dw.rms == fi.summarize(net.gradients(X, y)[0][0]).rms


def test_without_biases():
    net = fi.Network([5, 6, 3], seed=1, bias=False)
    t = fi.trace(net, X, LABELS)
    assert t.hidden[0].b is None
    assert t.hidden[0].to_dict()["b"] is None


def test_values_that_are_not_finite_are_counted():
    net = network("identity")
    net.weights[1][0, 0] = np.inf
    t = fi.trace(net, X, LABELS)
    assert t.hidden[1].w.infs == 1
    assert math.isnan(t.hidden[1].expected_std)
    assert max(map(len, str(t).splitlines())) <= 100


def test_refusals():
    net = network()
    with pytest.raises(ValueError, match=r"x must have shape \(batch, n_in\) = \(1 or more, 5\), got \(30, 4\)"):
        fi.trace(net, X[:, :4])
    with pytest.raises(ValueError, match="got \\(0, 5\\)"):
        fi.trace(net, X[:0])
    bad = X.copy()
    bad[7, 2] = np.nan
    with pytest.raises(ValueError, match="row 7"):
        fi.trace(net, bad)
    with pytest.raises(ValueError, match="y must"):
        fi.trace(net, X, LABELS[:-1])
    for call in (fi.trace, fi.lsuv, fi.theory.expected_trace):
        with pytest.raises(TypeError, match=r"net must be a fanin.Network, got 'net'"):
            call("net", X)
    with pytest.raises(TypeError, match="file must be a path or a text file, got 3"):
        fi.trace(net, X).to_csv(3)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        fi.nonsense  # noqa: B018
    with pytest.raises(ValueError, match='stats must be True or "moments", got False'):
        fi.trace(net, X, stats=False)


@pytest.mark.parametrize("rows", [2, 6, 7, 8, 30])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e18])
def test_rank_and_cosine_equal_numpy(rows, scale):
    """A sum of squares of float32 terms, rounded about 30 times: 1e-5."""
    net = fi.Network([5, 7, 3], "identity", seed=3)
    layer = fi.trace(net, X[:rows] * scale).hidden[0]
    a = (X[:rows] * scale).astype(np.float32).astype(float) @ net.weights[0].T.astype(float)
    gram = a @ a.T
    norms = np.sqrt(np.diag(gram))
    assert layer.effective_rank == pytest.approx(np.trace(gram) ** 2 / np.sum(gram**2), rel=1e-5)
    assert layer.cosine == pytest.approx((gram / np.outer(norms, norms))[~np.eye(rows, dtype=bool)].mean(), abs=1e-5)


def test_rank_and_cosine_of_special_batches():
    net = network("relu")
    one = fi.trace(net, X[:1]).hidden[0]
    assert (one.effective_rank, one.cosine) == (pytest.approx(1), None)
    same = fi.trace(net, np.tile(X[:1], (2000, 1))).hidden[0]  # 1024 of the rows
    assert (same.effective_rank, same.cosine) == (pytest.approx(1), pytest.approx(1))
    net.biases[0][...] = -1e9
    off = fi.trace(net, X).hidden[0]
    assert (off.effective_rank, off.cosine) == (None, None)


def test_moments_alone():
    net = network()
    whole, few = fi.trace(net, X, LABELS), fi.trace(net, X, LABELS, stats="moments")
    assert few.neighbours is None
    for one, other in zip(whole.layers, few.layers, strict=True):
        assert (other.effective_rank, other.cosine) == (None, None)
        for key in ("z", "a", "w", "b", "dz", "da", "dw", "db"):
            assert getattr(other, key).std == getattr(one, key).std
            assert getattr(other, key).histogram is None
            assert math.isnan(getattr(other, key).kurtosis)
        assert (one.dead, one.saturated, one.expected_std) == (other.dead, other.saturated, other.expected_std)
    assert str(few).splitlines()[:5] == str(whole).splitlines()[:5]


@pytest.mark.parametrize("activation", G)
def test_forward_statistics_are_those_of_summarize(activation):
    """Measured while the layer is computed, the same bits as afterwards."""
    net = network(activation)
    layer = fi.trace(net, X, LABELS).hidden[0]
    f = fi.dense_forward(X, net.weights[0], net.biases[0], activation=activation)
    assert layer.z == fi.summarize(f.z)
    limits = {"tanh": (-0.97, 0.97), "sigmoid": (0.03, 0.97)}.get(activation)
    low, high = {"tanh": (-1, 1), "sigmoid": (0, 1)}.get(activation, (f.a.min(), f.a.max()))
    assert layer.a == fi.summarize(f.a, bins=64, range=(low, high), saturation=limits)


def test_per_unit():
    net = network()
    hidden = fi.trace(net, X, LABELS, per_unit=True).hidden
    layers = by_hand(net, X, LABELS)[1]
    for layer, expected in zip(hidden, layers, strict=False):
        for key in ("z", "a", "dz", "da"):
            np.testing.assert_allclose(layer.units[key].std, expected[key].std(axis=0), rtol=1e-9)
        for key in ("w", "dw"):
            np.testing.assert_allclose(layer.units[key].rms, np.sqrt((expected[key] ** 2).mean(axis=1)), rtol=1e-9)
    assert len(hidden[0].to_dict()["units"]["a"]["mean"]) == 7
    assert fi.trace(net, X).hidden[0].units is None
    assert set(fi.trace(net, X, per_unit=True).hidden[0].units) == {"z", "a", "w"}


def test_csv(tmp_path):
    t = fi.trace(network("relu"), X, LABELS, per_unit=True)
    text = io.StringIO()
    t.to_csv(text)
    t.to_csv(tmp_path / "trace.csv")
    assert (tmp_path / "trace.csv").read_text() == text.getvalue()
    rows = list(csv.DictReader(text.getvalue().splitlines()))
    assert [row["name"] for row in rows] == ["hidden 1", "hidden 2", "output"]
    assert float(rows[1]["da.rms"]) == t.hidden[1].da.rms
    assert rows[0]["saturated"] == ""


@pytest.mark.parametrize(
    ("activation", "limits"),
    [
        ("tanh", (-0.97, 0.97)),
        ("sigmoid", (0.03, 0.97)),
        ("hardtanh", (-0.97, 0.97)),
        ("softsign", (-0.97, 0.97)),
        ("elu", (-0.97, math.inf)),
        ("elu(alpha=0.5)", (-0.485, math.inf)),
        ("elu(2)", (-1.94, math.inf)),
        ("elu(0)", None),
        ("selu", (-0.97 * 1.7580993408473768, math.inf)),
        ("relu", None),
        ("leaky_relu(0.2)", None),
    ],
)
def test_saturation_table(activation, limits):
    found = fi.activation.traits(activation).limits
    assert found == (None if limits is None else pytest.approx(limits))


@pytest.mark.parametrize(
    ("depth", "activation", "law", "stats"),
    [
        (0, "tanh", "xavier_normal", True),  # the last layer stands in for hidden ones
        (1, "tanh", "zeros", True),  # nothing to scale an axis by, and spikes for histograms
        (4, "tanh", "xavier_normal", "moments"),  # without histograms
        (4, "tanh", "normal(std=3)", True),  # saturated
        (25, "relu", "normal(std=3)", True),  # a logarithmic scale, zeros above the top, more layers than places
    ],
)
def test_plot(tmp_path, depth, activation, law, stats):
    pytest.importorskip("matplotlib")
    net = fi.Network([5, *[12] * depth, 3], activation, law, seed=1)
    path, trace = tmp_path / "trace.png", fi.trace(net, X, LABELS, stats=stats)
    figure = trace.plot(path)
    assert path.stat().st_size > 5000
    panels = figure.subfigs[0].axes
    assert [axes.get_title() for axes in panels] == ["activations: standard deviation of a", "gradients: rms of da"]
    assert len(figure.subfigs[1].axes) == (min(depth, 18) or 1)
    assert panels[0].get_yscale() == ("log" if depth == 25 else "linear")
    if law == "xavier_normal" and depth:
        (dots,) = [line for line in panels[0].lines if line.get_marker() == "o"]
        assert dots.get_ydata() == pytest.approx([float(layer.a.std) for layer in trace.hidden])


def test_plot_without_targets():
    pytest.importorskip("matplotlib")
    assert len(fi.trace(network(), X).plot().subfigs[0].axes) == 1

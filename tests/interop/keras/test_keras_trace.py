"""Traces of Keras' models: fanin's own, with the names of the layers."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import layers

import fanin as fi
import fanin.interop.keras as fk

# Keras' torch backend meets a deprecation of NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:.*__array__.*copy keyword:DeprecationWarning")
X = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
Y = np.arange(64) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_it_is_fanins_own_trace(activation):
    """Beside `fi.trace` of the same network. Backends sum in other orders: 1e-4 is a hundred times what that changes."""
    net = fi.Network([5, 16, 12, 3], activation, "he_normal", seed=3)
    own = keras.Sequential([keras.Input((5,)), layers.Dense(16, activation), layers.Dense(12), layers.Activation(activation)])
    own.add(layers.Dense(3))
    own.set_weights([part for w, b in zip(net.weights, net.biases, strict=True) for part in (w.T, b)])
    wanted, found = fi.trace(net, X, Y), fk.trace(own, X, Y, LOSS)
    assert isinstance(found, fi.Trace)
    assert (found.loss_name, found.uninformed_cost) == (wanted.loss_name, wanted.uninformed_cost)
    assert found.cost == pytest.approx(wanted.cost, rel=1e-5)
    for one, other in zip(wanted.layers, found.layers, strict=True):
        assert (one.activation, one.n_in, one.n_out, one.copies) == (other.activation, other.n_in, other.n_out, other.copies)
        for name in ("z", "a", "w", "b", "dz", "da", "dw", "db"):
            assert getattr(other, name).rms == pytest.approx(getattr(one, name).rms, rel=1e-4), name
        for name in ("expected_std", "expected_da", "forward_ratio", "backward_ratio", "dead", "n_var_w", "saturated"):
            value = getattr(one, name)
            assert getattr(other, name) == (None if value is None else pytest.approx(value, rel=1e-4, nan_ok=True)), name
    assert fi.diagnose(found).signal == fi.diagnose(net, X, Y, trial=False).signal


def test_a_residual_stream_has_its_theory(tmp_path):
    inputs = keras.Input((5,))
    h = layers.Dense(64, kernel_initializer=fk.HeNormal(seed=1))(inputs)
    for i in range(2):
        b = layers.Dense(256, "relu", kernel_initializer=fk.HeNormal(seed=2 + i))(layers.LayerNormalization()(h))
        b = layers.Dense(64, kernel_initializer=fk.HeNormal(seed=5 + i))(b)
        h = layers.Add()([h, b]) if i else h + b
    model = keras.Model(inputs, layers.Dense(3, kernel_initializer=fk.LecunNormal(seed=9))(h))
    found = fk.trace(model, X, Y, LOSS)
    kinds = [layer.kind for layer in found.layers]
    assert kinds == ["Dense", *["LayerNormalization", "Dense", "Dense", "sum"] * 2, "Dense"]
    for layer in found.layers[:-1]:  # of 64 units: a spread is off by about 9 %, over sums
        assert layer.a.std == pytest.approx(layer.expected_std, rel=0.3), layer.name
    found.to_html(tmp_path / "page.html")
    assert [row["name"] for row in found.to_rows()] == [layer.name for layer in found.layers]


def test_a_model_in_training_stays_as_it_is():
    inputs = keras.Input((6, 6, 3))
    h = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs))
    h = layers.Dropout(0.5)(layers.ReLU()(h))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(h)))
    x = np.random.default_rng(0).normal(size=(64, 6, 6, 3)).astype("float32")
    before = [np.array(numpy(one)) for one in model.variables]
    found = fk.trace(model, x, Y, LOSS, training=True)
    for value, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(value, numpy(variable))
    assert [(layer.kind, layer.activation) for layer in found.layers] == [
        ("Conv2D", "relu"),
        ("BatchNormalization", "relu"),
        ("Dense", "identity"),
    ]
    assert found.layers[0].n_in == 3
    assert found.layers[0].z.std == pytest.approx(1, abs=1e-2)  # what the norm makes of it
    assert all("call" not in vars(layer) for layer in model.layers)


def test_nested_models_attention_and_recurrent_layers():
    inner = keras.Sequential([keras.Input((7, 16)), layers.Dense(16, "silu", name="inside")], name="part")
    inputs = keras.Input((7,), dtype="int32")
    h = inner(layers.Embedding(50, 16, name="words")(inputs))
    h = layers.LSTM(4, name="memory")(layers.MultiHeadAttention(2, 8, name="attention")(h, h))
    model = keras.Model(inputs, layers.Dense(3, "softmax", name="last")(h))
    loss = keras.losses.SparseCategoricalCrossentropy()
    found = fk.trace(model, np.random.default_rng(0).integers(0, 50, (64, 7)), Y, loss, stats="moments")
    names = [layer.name for layer in found.layers]
    parts = ("query", "key", "value", "attention_output")
    assert sorted(names[2:6]) == sorted(f"attention.{one}" for one in parts)
    assert [*names[:2], *names[6:]] == ["words", "part.inside", "memory", "last"]
    assert found.hidden[0].activation == "silu"
    assert all(layer.dw is not None for layer in found.hidden)
    assert found.output.activation == "identity"  # softmax is not of each element


def test_refusals():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="stats must be"):
        fk.trace(model, X, stats="all")
    with pytest.raises(ValueError, match="layer with weights"):
        fk.trace(keras.Sequential([keras.Input((5,)), layers.ReLU()]), X)

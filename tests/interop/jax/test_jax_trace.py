"""Traces of JAX's functions and of Flax's modules: fanin's own, with the names of the parameters' paths."""

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

import fanin as fi
import fanin.interop.jax as fj

X = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
Y = np.arange(64) % 3
ACTIVATIONS = {
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": jax.nn.gelu,
    "silu": lambda x: x * jax.nn.sigmoid(x),
    "mish": jax.nn.mish,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "hardtanh": lambda x: jnp.clip(x, -1, 1),
    "relu6": jax.nn.relu6,
    "hardswish": jax.nn.hard_swish,
    "sin": jnp.sin,
}


def cross_entropy(z):
    return -jax.nn.log_softmax(z)[jnp.arange(len(z)), jnp.asarray(Y)].mean()


def own_network(activation):
    """A network of fanin's and the same one as a function of JAX."""
    net = fi.Network([5, 16, 12, 3], activation, "he_normal", seed=3)
    params = [{"w": w.T.copy(), "b": b + 0.1} for w, b in zip(net.weights, net.biases, strict=True)]
    for b in net.biases:
        b += 0.1

    def model(params, x):
        for one in params[:-1]:
            x = ACTIVATIONS[activation](x @ one["w"] + one["b"])
        return x @ params[-1]["w"] + params[-1]["b"]

    return net, params, model


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_it_is_fanins_own_trace(activation):
    """Beside `fi.trace` of the same network. XLA sums in another order: 1e-4 is a hundred times what that changes."""
    net, params, model = own_network(activation)
    wanted, found = fi.trace(net, X, Y), fj.trace(model, params, X, loss=cross_entropy)
    assert isinstance(found, fi.Trace)
    assert [layer.name for layer in found.layers] == ["0", "1", "2"]
    assert found.cost == pytest.approx(wanted.cost, rel=1e-5)
    for own, other in zip(wanted.layers, found.layers, strict=True):
        assert (own.activation, own.n_in, own.n_out, own.copies) == (other.activation, other.n_in, other.n_out, other.copies)
        for name in ("z", "a", "w", "b", "dz", "da", "dw", "db"):
            one, two = getattr(own, name), getattr(other, name)
            assert two.rms == pytest.approx(one.rms, rel=1e-4), name
            assert two.count == one.count
        for name in ("expected_std", "expected_da", "forward_ratio", "backward_ratio", "dead", "n_var_w", "saturated"):
            value = getattr(own, name)
            assert getattr(other, name) == (None if value is None else pytest.approx(value, rel=1e-4, nan_ok=True)), name
        if not own.is_output:
            assert other.a.histogram is not None
            assert other.cosine == pytest.approx(own.cosine, abs=0.1)  # of 32 rows, not of all
    assert fi.diagnose(found).signal == fi.diagnose(net, X, Y, trial=False).signal


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_activations_are_known_by_their_values(name, dtype):
    params = {"a": jnp.full((5, 4), 0.3, dtype), "b": jnp.zeros(4, dtype), "c": jnp.ones((4, 4), dtype)}
    found = fj.trace(lambda w, x: ACTIVATIONS[name](x @ w["a"] + w["b"]) @ w["c"], params, jnp.asarray(X, dtype))
    assert [(layer.name, layer.activation) for layer in found.layers] == [("a", name), ("c", "identity")]
    assert found.cost is None


def test_what_is_no_activation_of_fanins_leaves_the_layer_plain():
    params = {"a": jnp.full((5, 4), 0.3), "c": jnp.ones((4, 4))}
    found = fj.trace(lambda w, x: jnp.exp(-((x @ w["a"]) ** 2)) @ w["c"], params, X)
    assert [layer.activation for layer in found.layers] == ["identity", "identity"]
    assert found.layers[1].expected is None


def test_scales_of_activations_and_dropout_keep_them():
    params = {"a": jnp.full((5, 4), 0.3), "c": jnp.ones((4, 4))}
    key = jax.random.key(0)

    def model(w, x):
        h = 1.7159 * jnp.tanh(x @ w["a"])
        return jnp.where(jax.random.bernoulli(key, 0.5, h.shape), h / 0.5, 0) @ w["c"]

    assert [layer.activation for layer in fj.trace(model, params, X).layers] == ["tanh", "identity"]


def test_weights_that_are_used_twice_vmapped_and_turned():
    w = jnp.asarray(fi.init.he_normal((5, 5), seed=0, stream="w"))

    def model(params, x):
        return jax.vmap(lambda row: params["w"] @ jnp.tanh(params["w"] @ row))(x)

    found = fj.trace(model, {"w": w}, X, loss=lambda z: (z**2).mean())
    assert [layer.name for layer in found.layers] == ["w", "w (2)"]
    slope = jax.grad(lambda w: (model({"w": w}, X) ** 2).mean())(w)
    assert found.layers[0].dw.rms == pytest.approx(float(jnp.sqrt((slope**2).mean())), rel=1e-5)
    assert fj.trace(model, {"w": jnp.ones((5, 5))}, X).layers[0].copies == 5


def test_a_loss_must_be_a_scalar_and_a_model_have_weights():
    with pytest.raises(ValueError, match="loss must return a scalar"):
        fj.trace(lambda w, x: x @ w, jnp.ones((5, 2)), X, loss=lambda z: z)
    with pytest.raises(ValueError, match="meets the batch, got none"):
        fj.trace(lambda w, x: x * 2, jnp.ones((5, 2)), X)
    with pytest.raises(ValueError, match="stats must be"):
        fj.trace(lambda w, x: x @ w, jnp.ones((5, 2)), X, stats="all")


def residual():
    nn = pytest.importorskip("flax.linen")

    class Block(nn.Module):
        @nn.compact
        def __call__(self, x):
            h = nn.gelu(nn.Dense(256)(nn.LayerNorm()(x)))
            return x + nn.Dense(64)(h)

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Dense(64, kernel_init=fj.he_normal())(x)
            for _ in range(3):
                x = Block()(x)
            return nn.Dense(3)(x)

    return Net()


def test_a_residual_stream_of_flax_has_its_theory(tmp_path):
    net = residual()
    variables = net.init(jax.random.key(0), X)
    found = fj.trace(net, variables, X, loss=cross_entropy)
    names = [layer.name for layer in found.layers]
    assert names[:5] == ["Dense_0", "Block_0.LayerNorm_0", "Block_0.Dense_0", "Block_0.Dense_1", "Block_0 +"]
    assert [layer.kind for layer in found.layers[:5]] == ["Dense", "LayerNorm", "Dense", "Dense", "sum"]
    assert found.layers[2].activation == "gelu_tanh"
    for layer in found.layers[:-1]:  # widths of 64 and 256: a spread is off by about 1 / sqrt(2 * 64) = 9 %, over sums
        assert layer.a.std == pytest.approx(layer.expected_std, rel=0.3), layer.name
    again = net.apply(variables, X)
    assert found.output.a.rms == pytest.approx(float(jnp.sqrt((again**2).mean())), rel=1e-5)
    assert "Block_2 +" in str(found)
    assert fi.diagnose(found).verdict
    found.to_html(tmp_path / "page.html")
    found.to_csv(tmp_path / "rows.csv")
    assert found.to_dict()["layers"][0]["name"] == "Dense_0"
    assert (tmp_path / "page.html").stat().st_size > 10000


def test_convolutions_and_norms_in_training():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train=True):
            for i in range(2):
                h = nn.Conv(8, (3, 3), use_bias=False)(x)
                h = nn.relu(nn.BatchNorm(use_running_average=not train)(h))
                x = x + h if i else h
            x = nn.Dropout(0.5, deterministic=not train)(x)
            return nn.Dense(3)(x.reshape(len(x), -1))

    x = jnp.asarray(np.random.default_rng(0).normal(size=(64, 6, 6, 3)).astype("float32"))
    variables = Net().init({"params": jax.random.key(0), "dropout": jax.random.key(1)}, x)
    for more in ({"rngs": {"dropout": jax.random.key(1)}}, {"train": False}):
        found = fj.trace(Net(), variables, x, loss=cross_entropy, **more)
        kinds = [(layer.name, layer.kind, layer.activation) for layer in found.layers]
        assert kinds == [
            ("Conv_0", "Conv", "relu"),
            ("BatchNorm_0", "BatchNorm", "relu"),
            ("Conv_1", "Conv", "relu"),
            ("BatchNorm_1", "BatchNorm", "relu"),
            ("+", "sum", "identity"),
            ("Dense_0", "Dense", "identity"),
        ]
        assert found.layers[0].n_in == 3
        assert found.layers[0].n_var_w == pytest.approx(27 * float((variables["params"]["Conv_0"]["kernel"] ** 2).mean()))
        if "rngs" in more:
            assert found.layers[0].z.std == pytest.approx(1, abs=1e-3)  # what the norm makes of it
        assert all(layer.da is not None for layer in found.layers)


def test_attention_embeddings_and_sequences():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, ids):
            x = nn.Embed(50, 16)(ids) + self.param("places", nn.initializers.normal(0.02), (7, 16))
            h = nn.LayerNorm()(x)
            x = x + nn.MultiHeadDotProductAttention(4)(h, h)
            return nn.Dense(3)(x.mean(1))

    ids = jnp.asarray(np.random.default_rng(0).integers(0, 50, (64, 7)))
    variables = Net().init(jax.random.key(0), ids)
    found = fj.trace(Net(), variables, ids, loss=cross_entropy)
    attention = "MultiHeadDotProductAttention_0"
    assert [layer.name for layer in found.layers] == [
        "Embed_0",
        "LayerNorm_0",
        *(f"{attention}.{one}" for one in ("query", "key", "value", "out")),
        "+",
        "Dense_0",
    ]
    assert found.hidden[0].name == f"{attention}.query"
    assert found.hidden[0].n_var_w == pytest.approx(16 * float((variables["params"][attention]["query"]["kernel"] ** 2).mean()))
    assert found.hidden[0].b is not None

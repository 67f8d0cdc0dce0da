"""fanin's initializers in JAX: JAX's laws, the same bits under jit as outside, pytrees by path."""

import inspect
import pickle

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

import fanin as fi
import fanin.interop.jax as fj

KEY = jax.random.key(3)
MAKERS = {
    "uniform": {},
    "normal": {},
    "truncated_normal": {"lower": -1.0, "upper": 3.0},
    "glorot_uniform": {},
    "glorot_normal": {},
    "lecun_uniform": {},
    "lecun_normal": {},
    "he_uniform": {},
    "he_normal": {},
    "orthogonal": {"scale": 2.0},
}


def made(name, **options):
    return getattr(fj, name)(**MAKERS[name], **options)


@pytest.mark.parametrize("name", [*MAKERS, "variance_scaling", "delta_orthogonal", "constant"])
def test_arguments_are_jaxs(name):
    def plain(function):
        return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]

    assert plain(getattr(fj, name)) == plain(getattr(jax.nn.initializers, name))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", MAKERS)
def test_the_same_bits_under_jit(name, dtype):
    init, shape = made(name), (6, 4, 12)
    outside = init(KEY, shape, dtype)
    assert outside.dtype == jnp.dtype(dtype)
    inside = jax.jit(init, static_argnums=(1, 2))(KEY, shape, dtype)
    assert np.asarray(inside).tobytes() == np.asarray(outside).tobytes()
    legacy = init(jax.random.PRNGKey(3), shape, dtype)
    assert np.asarray(legacy).tobytes() == np.asarray(outside).tobytes()
    keys = jax.random.split(KEY, 3)
    many = jax.jit(jax.vmap(lambda key: init(key, shape, dtype)))(keys)
    assert np.asarray(many[1]).tobytes() == np.asarray(init(keys[1], shape, dtype)).tobytes()
    assert jax.eval_shape(lambda key: init(key, shape), KEY).shape == shape


@pytest.mark.parametrize("name", MAKERS)
def test_the_law_is_jaxs(name):
    """Mean, std and extremes of 2^18 draws beside JAX's: the std of a sample of n is off by about std / sqrt(2 n) = 0.14 %,
    the mean by std / sqrt(n) = 0.2 %; five of each are left, twice for two samples. Extremes: bounds where there are any."""
    shape = (512, 512)
    own, peer = np.asarray(made(name)(KEY, shape)), np.asarray(getattr(jax.nn.initializers, name)(**MAKERS[name])(KEY, shape))
    std = float(peer.std())
    assert abs(own.std() - std) < 0.014 * std
    assert abs(own.mean() - peer.mean()) < 0.02 * std
    if "uniform" in name or "trunc" in name or name in ("glorot_normal", "lecun_normal", "he_normal"):
        assert abs(own.max() - peer.max()) < 0.02 * std
        assert abs(own.min() - peer.min()) < 0.02 * std


def test_fans_follow_the_axes():
    init = fj.variance_scaling(1.0, "fan_in", "normal", in_axis=(0, 1), out_axis=2, batch_axis=3)
    peer = jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=(0, 1), out_axis=2, batch_axis=3)
    shape = (8, 16, 64, 32)
    assert abs(init(KEY, shape).std() / peer(KEY, shape).std() - 1) < 0.01  # 2^18 draws each, as above


# Kind, mean square of the modulus in units of the variance, bound of the modulus. JAX divides by 0.9531 what has, cut at 2, the
# std 0.9620: the square of the modulus is an exponential law of mean 1, cut at 4, of mean 1 - 4 / (e^4 - 1) = 0.9254.
COMPLEX = [("normal", 1, np.inf), ("truncated_normal", 0.9254 / 0.9531**2, 2 / 0.9531), ("uniform", 1, 2**0.5)]


@pytest.mark.parametrize(("kind", "square", "most"), COMPLEX)
def test_complex(kind, square, most):
    """2^18 moduli, whose squares have a std below 1: their mean is within five times 0.002; every direction is as likely."""
    init = fj.variance_scaling(1.0, "fan_in", kind)
    z = np.asarray(init(KEY, (512, 512), "complex64")) * 512**0.5
    assert abs((abs(z) ** 2).mean() - square) < 0.01
    assert abs(z.mean()) < 0.01
    assert abs((z**2).mean()) < 0.01
    assert abs(z).max() < most * 1.0001
    inside = jax.jit(lambda key: init(key, (4, 4), "complex64"))(KEY)
    assert (inside == init(KEY, (4, 4), "complex64")).all()


def test_any_law_by_its_text():
    init = fj.Initializer("he_uniform(gain=tanh)")
    assert (init(KEY, (30, 20)) == fi.init.he_uniform((30, 20), gain="tanh", seed=3, stream="jax", in_axis=0, out_axis=1)).all()
    assert pickle.loads(pickle.dumps(init)) == init
    assert hash(init) == hash(fj.Initializer(fi.init.law("he_uniform(gain=tanh)")))


def test_refusals():
    with pytest.raises(ValueError, match="Must be at least 2D"):
        fj.he_normal()(KEY, (3,))
    with pytest.raises(ValueError, match="at least a 2D shape"):
        fj.orthogonal()(KEY, (3,))
    with pytest.raises(ValueError, match="invalid mode"):
        fj.variance_scaling(1.0, "fan", "normal")
    with pytest.raises(ValueError, match="invalid distribution"):
        fj.variance_scaling(1.0, "fan_in", "cauchy")
    with pytest.raises(TypeError, match="float32, float64, float16, bfloat16 or complex"):
        fj.he_normal()(KEY, (3, 3), "int32")


def test_fill_by_path():
    tree = {"params": {"Dense_0": {"kernel": jnp.zeros((5, 4)), "bias": jnp.ones(4)}, "steps": jnp.arange(3)}, "name": "net"}
    rules = {"*.bias": "zeros", "*": "he_normal"}
    filled = fj.fill(tree, rules, seed=9)
    kernel = filled["params"]["Dense_0"]["kernel"]
    wanted = fi.init.he_normal((5, 4), seed=9, stream="params.Dense_0.kernel", in_axis=0, out_axis=1)
    assert (np.asarray(kernel) == wanted).all()
    assert not filled["params"]["Dense_0"]["bias"].any()
    assert (filled["params"]["steps"] == jnp.arange(3)).all()
    assert filled["name"] == "net"
    shapes = {"w": jax.ShapeDtypeStruct((7, 3), jnp.bfloat16)}
    assert fj.fill(shapes, "lecun_normal", seed=1)["w"].dtype == jnp.bfloat16
    with pytest.raises(ValueError, match="rules must match every array, got none for 'w'"):
        fj.fill(shapes, {"b": "zeros"}, seed=1)
    with pytest.raises(ValueError, match="parameter 'b', he_normal"):
        fj.fill({"b": jnp.zeros(3)}, "he_normal", seed=1)


def test_shards_have_the_bits_of_the_whole():
    """On the devices that there are; the subprocess of the next test has four."""
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    init = fj.he_normal()
    assert (init(KEY, (8, 6), out_sharding=sharding) == init(KEY, (8, 6))).all()


def test_shards_on_four_devices():
    import subprocess
    import sys

    code = """
import jax
jax.config.update("jax_num_cpu_devices", 4)
import jax.numpy as jnp
import fanin.interop.jax as fj
mesh = jax.make_mesh((2, 2), ("a", "b"))
sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("a", "b"))
key, init = jax.random.key(1), fj.he_normal()
whole, parts = init(key, (8, 6)), init(key, (8, 6), out_sharding=sharding)
assert len(parts.sharding.device_set) == 4
assert (jax.device_get(parts) == jax.device_get(whole)).all()
tree = {"w": jax.device_put(jnp.zeros((8, 6)), sharding)}
filled = fj.fill(tree, "he_normal", seed=5)["w"]
assert len(filled.sharding.device_set) == 4
assert (jax.device_get(filled) == jax.device_get(fj.fill({"w": jnp.zeros((8, 6))}, "he_normal", seed=5)["w"])).all()
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_flax_uses_it():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            for width in (16, 8):
                x = nn.tanh(nn.Dense(width, kernel_init=fj.he_normal())(x))
            return nn.Dense(1, kernel_init=fj.orthogonal())(x)

    x = jnp.asarray(np.random.default_rng(0).normal(size=(32, 5)).astype("float32"))
    variables = jax.jit(Net().init)(KEY, x)
    again = Net().init(KEY, x)
    assert jax.tree_util.tree_all(jax.tree_util.tree_map(lambda a, b: bool((a == b).all()), variables, again))


def test_fill_knows_the_layout_of_equinox():
    """Weights (n_out, n_in) and (n_out, n_in, *kernel) in its layers; JAX's in arrays beside them; a rule's own word counts."""
    eqx = pytest.importorskip("equinox")

    class Wide(eqx.nn.Linear):
        pass

    class Net(eqx.Module):
        layers: list
        table: dict
        own: jax.Array

    layers = [eqx.nn.Linear(5, 40, key=KEY), Wide(40, 3, key=KEY), eqx.nn.Conv2d(2, 6, 3, key=KEY), jax.nn.relu]
    net = Net(layers, {"cell": eqx.nn.GRUCell(4, 7, key=KEY)}, jnp.zeros((5, 4)))
    filled = fj.fill(net, {"*bias*": "zeros", "*": "he_normal"}, seed=9)
    assert filled.layers[3] is jax.nn.relu
    assert not filled.layers[0].bias.any()
    for found, path, axes in (
        (filled.layers[0].weight, "layers.0.weight", (1, 0)),
        (filled.layers[1].weight, "layers.1.weight", (1, 0)),
        (filled.layers[2].weight, "layers.2.weight", (1, 0)),
        (filled.table["cell"].weight_ih, "table.cell.weight_ih", (1, 0)),
        (filled.own, "own", (0, 1)),
    ):
        wanted = fi.init.he_normal(found.shape, seed=9, stream=path, in_axis=axes[0], out_axis=axes[1])
        assert (np.asarray(found) == wanted).all(), path
    params, rest = eqx.partition(net, eqx.is_array)
    again = eqx.combine(fj.fill(params, {"*bias*": "zeros", "*": "he_normal"}, seed=9), rest)
    assert eqx.tree_equal(again, filled)
    rules = [("bias", "zeros"), ("*", "he_normal", {"in_axis": 0, "out_axis": 1})]
    wanted = fi.init.he_normal((40, 5), seed=9, stream="weight", in_axis=0, out_axis=1)
    assert (np.asarray(fj.fill(net.layers[0], rules, seed=9).weight) == wanted).all()


def test_a_function_of_an_equinox_module_is_traced():
    eqx = pytest.importorskip("equinox")
    net = eqx.nn.MLP(5, 3, 16, 2, activation=jnp.tanh, key=KEY)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(32, 5)).astype("float32"))
    found = fj.trace(lambda net, x: jax.vmap(net)(x), net, x, loss=lambda z: (z**2).mean())
    names = [(layer.name, layer.activation, layer.n_in, layer.n_out) for layer in found.layers]
    assert names == [("layers.0", "tanh", 5, 16), ("layers.1", "tanh", 16, 16), ("layers.2", "identity", 16, 3)]
    hidden = np.tanh(np.asarray(x) @ np.asarray(net.layers[0].weight).T + np.asarray(net.layers[0].bias))
    assert float(found.layers[0].a.std) == pytest.approx(hidden.std(), rel=1e-5)
    gradient = eqx.filter_grad(lambda net: (jax.vmap(net)(x) ** 2).mean())(net).layers[0].weight
    assert float(found.layers[0].dw.rms) == pytest.approx(float(jnp.sqrt((gradient**2).mean())), rel=1e-4)


def test_equinox_takes_it():
    eqx = pytest.importorskip("equinox")
    linear = eqx.nn.Linear(5, 4, key=KEY)
    weight = fj.Initializer("he_normal", in_axis=1, out_axis=0)(KEY, linear.weight.shape)
    linear = eqx.tree_at(lambda layer: layer.weight, linear, weight)
    assert linear(jnp.ones(5)).shape == (4,)

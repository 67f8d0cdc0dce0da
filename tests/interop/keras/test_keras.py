"""fanin's initializers in Keras: Keras' laws and configurations, one draw on every backend, traces of models."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

import fanin as fi
import fanin.interop.keras as fk

BACKENDS = [name for name in ("torch", "jax", "tensorflow") if find_spec(name) is not None]
# Keras' torch backend meets a deprecation of NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:.*__array__.*copy keyword:DeprecationWarning")
NAMES = [name for name in fk.__all__ if name not in ("trace", "FromLaw")]


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("name", NAMES)
def test_the_law_is_keras(name):
    """2^18 draws beside Keras': the std of a sample of n is off by about std / sqrt(2 n) = 0.14 %, the mean by 0.2 %; five of
    each are left, twice for two samples."""
    own = numpy(getattr(fk, name)(seed=5)((512, 512)))
    peer = numpy(getattr(keras.initializers, name)(seed=5)((512, 512)))
    std = float(peer.std())
    assert own.dtype == peer.dtype
    assert abs(own.std() - std) < 0.014 * std
    assert abs(own.mean() - peer.mean()) < 0.02 * std
    if name != "RandomNormal" and name != "Orthogonal":
        assert abs(own.max() - peer.max()) < 0.02 * std


@pytest.mark.parametrize("name", NAMES)
def test_configurations_are_keras(name):
    own, peer = getattr(fk, name)(seed=5), getattr(keras.initializers, name)(seed=5)
    assert own.get_config() == peer.get_config()
    text = keras.initializers.serialize(own)
    again = keras.initializers.deserialize(text)
    assert type(again) is type(own)
    assert (numpy(again((4, 3))) == numpy(own((4, 3)))).all()
    assert (numpy(own.clone()((3, 3, 2, 4))) == numpy(own((3, 3, 2, 4)))).all()


def test_fans_of_kernels_and_of_one_axis():
    """As above, for 2^17 and 2^18 draws."""
    for shape in ((4, 4, 64, 128), (8, 32, 1024), (2**18,)):
        own, peer = numpy(fk.HeNormal(seed=1)(shape)), numpy(keras.initializers.HeNormal(seed=1)(shape))
        assert abs(own.std() / peer.std() - 1) < 0.02


def test_axes_that_are_stated():
    """2^18 draws, whose std is off by 0.14 % as above."""
    init = fk.VarianceScaling(2.0, "fan_in", seed=1)
    if not hasattr(init, "input_axes"):
        pytest.skip("this Keras has no axes")
    init = fk.VarianceScaling(2.0, "fan_in", seed=1, input_axes=[0], output_axes=[2])
    assert abs(numpy(init((64, 16, 256))).std() - (2 / 64) ** 0.5) < 0.007 * (2 / 64) ** 0.5


def test_seeds():
    one = fk.HeNormal(seed=1)
    assert (numpy(one((3, 4))) == numpy(one((3, 4)))).all()
    generator = fk.HeNormal(seed=keras.random.SeedGenerator(1))
    assert (numpy(generator((3, 4))) != numpy(generator((3, 4)))).any()
    assert (numpy(fk.HeNormal()((3, 4))) != numpy(fk.HeNormal()((3, 4)))).any()
    wanted = fi.init.he_truncated((3, 4), seed=1, stream="keras", in_axis=0, out_axis=1)
    assert np.array_equal(numpy(one((3, 4))), wanted)


def test_dtypes():
    whole = numpy(fk.HeNormal(seed=1)((9, 4), "float32"))
    assert (numpy(fk.HeNormal(seed=1)((9, 4), "float16")) == whole.astype("float16")).all()
    assert numpy(fk.HeNormal(seed=1)((9, 4), "float64")).dtype in (np.float64, np.float32)  # JAX may have 32 bits alone
    half = numpy(keras.ops.cast(fk.HeNormal(seed=1)((9, 4), "bfloat16"), "float32"))
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert (half == whole.astype(ml_dtypes.bfloat16).astype("float32")).all()
    with pytest.raises(TypeError, match="got int32"):
        fk.HeNormal(seed=1)((3, 3), "int32")


def test_any_law():
    init = fk.FromLaw("uniform(low=0, high=2)", seed=3)
    assert keras.initializers.deserialize(keras.initializers.serialize(init)).get_config() == init.get_config()
    assert numpy(init((5,))).min() > 0
    with pytest.raises(ValueError, match="law"):
        fk.FromLaw("he_norml")


def model():
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(16, "tanh", kernel_initializer=fk.GlorotNormal(seed=1), name="first"),
            keras.layers.Dense(8, "relu", kernel_initializer=fk.HeNormal(seed=2), name="second"),
            keras.layers.Dense(1, kernel_initializer=fk.Orthogonal(seed=3), name="last"),
        ]
    )


def test_models_save_and_load(tmp_path):
    net = model()
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    assert isinstance(again.layers[0].kernel_initializer, fk.GlorotNormal)


def test_trace():
    net = model()
    x = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
    y = np.ones((32, 1), "float32")
    found = fk.trace(net, x, y, keras.losses.MeanSquaredError())
    assert isinstance(found, fi.Trace)
    assert [(layer.name, layer.activation) for layer in found.layers] == [
        ("first", "tanh"),
        ("second", "relu"),
        ("last", "identity"),
    ]
    assert found.output.a == fi.summarize(numpy(net(x)), moments="two", bins=64, range=(found.output.a.min, found.output.a.max))
    assert found.cost == pytest.approx(float(((numpy(net(x)) - 1) ** 2).mean()), rel=1e-5)
    assert found.output.db.mean == pytest.approx(2 * float((numpy(net(x)) - 1).mean()), rel=1e-4)
    assert "second" in str(found)
    assert fk.trace(net, x).output.dw is None
    assert net.layers[0].activation is keras.activations.tanh
    assert "call" not in vars(net.layers[0])
    with pytest.raises(ValueError, match="go together"):
        fk.trace(net, x, y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_draw_on_every_backend(backend):
    code = """
import hashlib, keras, numpy as np, fanin.interop.keras as fk
digest = hashlib.sha256()
for name in sorted(set(fk.__all__) - {"trace", "FromLaw"}):
    digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(getattr(fk, name)(seed=7)((6, 5)))).tobytes())
net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=fk.HeNormal(seed=1))])
found = fk.trace(net, np.ones((4, 3), "float32"), np.zeros((4, 2), "float32"), keras.losses.MeanSquaredError())
assert found.output.dw is not None
print(keras.backend.backend(), digest.hexdigest())
"""
    env = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    import hashlib

    digest = hashlib.sha256()
    for name in sorted(NAMES):
        digest.update(np.ascontiguousarray(numpy(getattr(fk, name)(seed=7)((6, 5)))).tobytes())
    assert done.stdout.split() == [backend, digest.hexdigest()]

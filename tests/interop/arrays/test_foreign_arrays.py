"""Arrays of other libraries go in wherever an array does; NumPy's come out, and nothing is copied that need not be."""

import array
import copy
import pickle

import numpy as np
import pytest

import fanin as fi
from fanin.common import foreign

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")


def torch(x):
    return pytest.importorskip("torch").from_numpy(np.ascontiguousarray(x))


def jax(x):
    return pytest.importorskip("jax.numpy").asarray(x)


def frame(x):
    pandas = pytest.importorskip("pandas")
    return pandas.Series(x) if x.ndim == 1 else pandas.DataFrame(x, columns=list("abc"))


def polars(x):
    library = pytest.importorskip("polars")
    return library.Series(x) if x.ndim == 1 else library.DataFrame(x, schema=list("abc"))


def xarray(x):
    return pytest.importorskip("xarray").DataArray(x)


MAKERS = [torch, jax, frame, polars, xarray, memoryview]


@pytest.mark.parametrize("make", MAKERS)
def test_networks_traces_and_summaries_take_it(make):
    x, y = make(X), make(Y if make is not jax else Y.astype("int32"))
    net, same = fi.Network([3, 5, 2], seed=1), fi.Network([3, 5, 2], seed=1)
    a = net.fit(x, y, epochs=2, optimizer=fi.Adam())
    b = same.fit(X, Y, epochs=2, optimizer=fi.Adam())
    assert (a.costs == b.costs).all()
    for name in ("predict", "predict_proba", "decision_function", "forward"):
        found = getattr(net, name)(x)
        assert type(found) is np.ndarray
        assert (found == getattr(same, name)(X)).all()
    assert net.score(x, y) == same.score(X, Y)
    assert fi.trace(net, x, y).layers == fi.trace(same, X, Y).layers
    assert fi.summarize(x) == fi.summarize(X)
    assert (fi.summarize(x, axis=0).mean == fi.summarize(X, axis=0).mean).all()
    stream = fi.Summarizer()
    stream.update(x)
    assert stream.summary == fi.summarize(X)


@pytest.mark.parametrize("make", MAKERS)
def test_kernels_take_it(make):
    w = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    x, z = make(X), make(X[:, :3])
    weight = w if make in (frame, polars) else make(w)
    a = fi.dense_forward(x, weight, activation="tanh")
    assert (a.a == fi.dense_forward(X, w, activation="tanh").a).all()
    assert (fi.dense_forward(x, fi.pack_weight(weight), activation="tanh").a == a.a).all()
    da = np.ones((40, 4), "float32")
    assert fi.dense_backward(da, x, weight, a.z, activation="tanh").dx is not None
    assert (fi.activation.evaluate("relu", z) == np.maximum(X, 0)).all()
    assert (fi.activation.derivative("relu", z) == (X > 0)).all()
    assert (fi.activation.softmax(z) == fi.activation.softmax(X)).all()
    labels = Y
    assert fi.loss.evaluate("cross_entropy", z, labels).cost == fi.loss.evaluate("cross_entropy", X, labels).cost


def test_a_buffer_of_one_axis():
    assert fi.summarize(array.array("d", [1.0, 2.0])).mean == 1.5
    assert fi.summarize(bytearray(b"\x01\x03")).mean == 2


def test_sixteen_bits_and_integers():
    """The summary is that of the same values, wider; C++ tests hold every format and stride against that."""
    for dtype in ("float16", "int8", "uint16", "int32", "int64", "bool"):
        x = (X * 50).astype(dtype)
        wide = x.astype("float64" if x.dtype.itemsize > 2 else "float32")
        assert fi.summarize(x) == fi.summarize(wide)
        assert fi.summarize(x[::2, ::-1], axis=1)[3] == fi.summarize(wide[6, ::-1], bins=None)
        stream = fi.Summarizer()
        stream.update(x)
        assert stream.summary == fi.summarize(x)
    small = np.array([2.0**-14, 2.0**-15, 2.0**-24, 0, -(2.0**-20), np.nan, np.inf], "float16")
    assert fi.summarize(small).subnormals == 3


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = X.astype(ml_dtypes.bfloat16)
    assert fi.summarize(x) == fi.summarize(x.astype("float32"))
    assert fi.summarize(x[:, 1], axis=0)[()] == fi.summarize(x[:, 1].astype("float32"), bins=None)
    eight = X.astype(ml_dtypes.float8_e4m3fn)
    assert fi.summarize(eight) == fi.summarize(eight.astype("float32"))
    net = fi.Network([3, 2], seed=0)
    assert (net.forward(x) == net.forward(x.astype("float32"))).all()
    tensor = pytest.importorskip("torch").tensor(x.astype("float32")).bfloat16().requires_grad_()
    assert fi.summarize(tensor) == fi.summarize(x)
    assert (net.forward(tensor) == net.forward(x)).all()


def test_nothing_is_copied():
    tensor = torch(X)
    found = foreign.view("x", tensor)
    assert found.__array_interface__["data"][0] == tensor.data_ptr()


def test_what_has_no_memory_is_refused():
    library = pytest.importorskip("torch")
    with pytest.raises((TypeError, ValueError, NotImplementedError), match=r"meta|memory"):
        fi.summarize(library.empty(3, device="meta"))
    with pytest.raises(TypeError, match="must have dtype"):
        fi.Network([3, 2], seed=0).forward(torch(X.astype("complex64")))


def test_threadpoolctl_sees_and_limits():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    import fanin.interop.threadpoolctl  # noqa: F401

    before = fi.num_threads()
    (found,) = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "fanin"]
    assert found["num_threads"] == before
    assert found["version"] == fi.__version__
    fi.set_num_threads(3)
    with threadpoolctl.threadpool_limits(1):
        assert fi.num_threads() == 1
    assert fi.num_threads() == 3
    fi.set_num_threads(before)


def test_pickles_copies_and_hashes():
    net = fi.Network([3, 4, 2], seed=1)
    stream = fi.Summarizer(bins=8, range=(-1, 1))
    stream.update(X)
    trace = fi.trace(net, X, Y)
    for one in (fi.init.law("normal(std=0.1)"), trace, fi.summarize(X), fi.summarize(X, axis=0), fi.diagnose(trace)):
        for again in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
            assert again == one
            assert hash(again) == hash(one)
    for again in (pickle.loads(pickle.dumps(stream)), copy.deepcopy(stream)):
        again.update(X)
        assert stream.summary.count * 2 == again.summary.count
    for again in (pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)):
        again.weights[0][...] = 0
        assert (net.weights[0] != 0).all()

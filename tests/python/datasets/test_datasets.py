"""Data sets: the article's descriptions, addressing by seed, and files that are whole, cut or damaged."""

from __future__ import annotations

import gzip
import struct
import sys
from functools import partial

import numpy as np
import pytest

import fanin as fi
from fanin import datasets

DRAWN = [datasets.circle, datasets.moon, datasets.square, datasets.gauss, partial(datasets.spirals, noise=0.1)]


@pytest.mark.parametrize("draw", DRAWN)
def test_form(draw):
    x, y = draw(100)
    assert x.shape == (100, 2)
    assert x.dtype == np.float32
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y, np.arange(100) % 2)  # 50 a class, and every even batch balanced
    wide = draw(100, dtype="float64").x
    np.testing.assert_array_equal(x, wide.astype(np.float32))  # rounded once
    assert draw(0).x.shape == (0, 2)
    assert draw(1).x.shape == (1, 2)


@pytest.mark.parametrize("draw", DRAWN)
def test_addressed_by_seed(draw):
    first = draw(64, seed=5)
    draw(7, seed=6)
    np.testing.assert_array_equal(first.x, draw(64, seed=5).x)
    assert not np.array_equal(first.x, draw(64, seed=6).x)
    if draw in (datasets.circle, datasets.square, datasets.gauss):  # its arms are laid out along n
        np.testing.assert_array_equal(first.x[:9], draw(9, seed=5).x)


def test_points_are_those_of_the_descriptions():
    """Four numbers a point, of a stream of each set's own; the rest is what the docstrings say, in order."""
    n = 31
    y = np.arange(n) % 2
    along = np.arange(n) // 2

    def numbers(name, fill, *law):
        out = np.empty((n, 4))
        fill(out, 9, fi._core.own_stream(f"fanin/datasets/{name}"), 0, *law)
        return out

    def uniform(name):
        return numbers(name, fi._core.fill_uniform, -1.0, 1.0)

    def normal(name):
        return numbers(name, fi._core.fill_normal, 0.0, 1.0)

    u = uniform("circle")
    radius, angle = 1 + 3 * y + 0.7 * u[:, 0], np.pi * u[:, 1]
    expected = {"circle": (radius * np.cos(angle), radius * np.sin(angle), {"noise": 0.7})}
    g, members = normal("moon"), np.where(y == 1, 15, 16)
    radius, angle = 4 * along / members + 1 + 0.2 * g[:, 0], np.pi * along / members + np.where(y == 1, 0, np.pi)
    expected["moon"] = (radius * np.cos(angle) + y - 0.5, radius * np.sin(angle) - y + 0.5, {"noise": 0.2})
    u = uniform("square")
    p, first, second = np.where(u[:, 2] < 0, -1, 1), 0.8 + 4.2 * (1 + u[:, 0]) / 2, 0.8 + 4.2 * (1 + u[:, 1]) / 2
    expected["square"] = (p * first, np.where(y == 1, p, -p) * second, {"gap": 0.8})
    g = normal("gauss")
    expected["gauss"] = (2 - 4 * y + 0.3 * g[:, 0], 2 - 4 * y + 0.3 * g[:, 1], {"noise": 0.3})
    g, t = normal("spirals"), 96 * along / (members - 1)
    radius, side = 6.5 * (104 - t) / 104, np.where(y == 1, 1, -1)
    first, second = (side * radius * f(np.pi * t / 16) for f in (np.sin, np.cos))
    expected["spirals"] = (first + 0.1 * g[:, 0], second + 0.1 * g[:, 1], {"noise": 0.1})
    for name, (first, second, options) in expected.items():
        x = getattr(datasets, name)(n, seed=9, dtype="float64", **options).x
        np.testing.assert_allclose(x, np.stack([first, second], axis=1), rtol=1e-12, atol=1e-13, err_msg=name)


def test_what_is_left_out():
    for draw, n, options in [
        (datasets.circle, 100, {"noise": 1.0}),
        (datasets.moon, 100, {"noise": 0.5}),
        (datasets.square, 100, {"gap": 0.5}),
        (datasets.gauss, 100, {"noise": 1.0}),
        (datasets.spirals, 194, {"noise": 0.0}),
    ]:
        np.testing.assert_array_equal(draw().x, draw(n, 0, dtype="float32", **options).x)
    assert datasets.square(8, gap=0).x.shape == (8, 2)
    for name in ("train", "held_out"):
        assert getattr(datasets.coursework_circles("float32"), name).x.dtype == np.float32


def test_same_points_everywhere(everywhere):
    first = datasets.gauss(50_000)
    for _ in everywhere(1, 2, 3):
        np.testing.assert_array_equal(first.x, datasets.gauss(50_000).x)


def test_sets_draw_from_streams_of_their_own():
    radius = {repr(draw): draw(16, seed=3, dtype="float64").x[:, 0] for draw in DRAWN}
    assert len({tuple(r) for r in radius.values()}) == len(DRAWN)
    with pytest.raises(ValueError, match="fanin/"):
        fi.random.stream_id("fanin/datasets/circle")


def test_spirals_are_the_published_points():
    x, y = datasets.spirals(dtype="float64")
    i = np.arange(97)  # Lang and Witbrock's program
    radius, angle = 6.5 * (104 - i) / 104, i * np.pi / 16
    outward = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    np.testing.assert_allclose(x[y == 1], outward, atol=1e-14)  # angles up to 6 pi: a few roundings of 20
    np.testing.assert_allclose(x[y == 0], -outward, atol=1e-14)
    noisy = datasets.spirals(20_000, noise=0.5, dtype="float64").x - datasets.spirals(20_000, dtype="float64").x
    assert abs(noisy.std() - 0.5) < 4 * 0.5 / np.sqrt(2 * noisy.size)


def test_circle_is_a_disc_in_a_ring():
    x, y = datasets.circle(10_000, seed=1, dtype="float64")
    radius = np.hypot(x[:, 0], x[:, 1])
    assert np.all(radius[y == 0] <= 2 + 1e-12)
    assert np.all((radius[y == 1] >= 3 - 1e-12) & (radius[y == 1] <= 5 + 1e-12))
    # The mean of 5000 U(-1, 1) has standard deviation 0.577 / sqrt(5000) = 0.0082; the angle's cosine 0.01. Five of each.
    assert abs(radius[y == 0].mean() - 1) < 0.041
    assert abs(radius[y == 1].mean() - 4) < 0.041
    assert np.all(np.abs((x / radius[:, None]).mean(axis=0)) < 0.036)


def test_moon_arms():
    x, y = datasets.moon(dtype="float64", noise=0)
    k = np.arange(50) / 50
    for label, delta in ((1, 0.0), (0, np.pi)):
        r, angle, shift = 4 * k + 1, k * np.pi + delta, label - 0.5
        np.testing.assert_allclose(x[y == label, 0], r * np.cos(angle) + shift, atol=1e-14)
        np.testing.assert_allclose(x[y == label, 1], r * np.sin(angle) - shift, atol=1e-14)
    noisy, y = datasets.moon(20_000, dtype="float64")
    back = np.hypot(noisy[:, 0] - (y - 0.5), noisy[:, 1] + (y - 0.5))
    arm = np.arange(20_000) // 2 / 10_000
    far = arm > 0.5  # radii of 3 and more: the absolute value in `back` changes nothing
    # Standard deviation 1/2, to five standard errors 0.5 / sqrt(2 * 10_000) each.
    assert abs((back - 4 * arm - 1)[far].std() - 0.5) < 0.018
    assert datasets.moon(7).x.shape == (7, 2)


def test_square_is_a_checkerboard():
    x, y = datasets.square(10_000, seed=2, dtype="float64")
    assert np.all((np.abs(x) >= 0.5) & (np.abs(x) <= 5))
    np.testing.assert_array_equal(np.sign(x[:, 0] * x[:, 1]), 2 * y - 1)
    assert abs(np.mean(x[:, 0] > 0) - 0.5) < 0.025  # five standard errors of a fair coin
    assert np.all(np.abs(np.abs(x).mean(axis=0) - 2.75) < 0.065)  # five of U(0.5, 5)


def test_gauss_clouds():
    x, y = datasets.gauss(20_000, seed=3, dtype="float64")
    for label, mean in ((0, 2.0), (1, -2.0)):
        assert np.all(np.abs(x[y == label].mean(axis=0) - mean) < 0.05)  # five standard errors, n = 10_000
        assert np.all(np.abs(x[y == label].std(axis=0) - 1) < 0.036)
    assert abs(np.corrcoef(x[y == 0].T)[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: datasets.circle(-1), ValueError, "n must be an integer of at least 0, got -1"),
        (lambda: datasets.circle(2.5), TypeError, "integer"),
        (lambda: datasets.circle(seed=-1), ValueError, "seed must be an integer"),
        (lambda: datasets.circle(noise=-0.1), ValueError, "noise must be finite and at least 0, got -0.1"),
        (lambda: datasets.moon(noise=float("nan")), ValueError, "noise must be finite"),
        (lambda: datasets.square(gap=5), ValueError, "gap must be in"),
        (lambda: datasets.gauss(dtype="float16"), TypeError, "dtype must be float32 or float64, got float16"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_coursework_circles_are_the_course_s_numbers():
    make_circles = pytest.importorskip("sklearn.datasets").make_circles
    before = np.random.get_state()  # noqa: NPY002  # the global state is what is looked at
    train, test = datasets.coursework_circles()
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    try:
        for part, seed, n in ((train, 1, 300), (test, 2, 100)):
            np.random.seed(seed)  # noqa: NPY002  # what the assignment does
            x, y = make_circles(n_samples=n, noise=0.05)
            np.testing.assert_array_equal(part.x, x)
            np.testing.assert_array_equal(part.y, y)
    finally:
        np.random.set_state(before)  # noqa: NPY002
    assert train.x.dtype == np.float64


def test_digits():
    pytest.importorskip("sklearn")
    x, y = datasets.digits()
    assert x.shape == (1797, 64)
    assert x.dtype == np.float32
    assert (x.min(), x.max()) == (0, 1)
    np.testing.assert_array_equal(np.bincount(y), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert abs(x.mean(dtype=np.float64) - 0.305) < 1e-3  # article.md 1.4: mean, spread, mean square
    assert abs(x.std(dtype=np.float64) - 0.376) < 1e-3
    assert abs(np.mean(x.astype(np.float64) ** 2) - 0.235) < 1e-3


@pytest.mark.parametrize("load", [datasets.digits, datasets.coursework_circles])
def test_missing_scikit_learn_names_the_extra(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"fanin\[report\]"):
        load()


def test_split():
    x, y = np.arange(1797.0)[:, None] * [1, -1], np.arange(1797)
    train, held = datasets.split(x, y, held_out=397, seed=4)
    assert len(train.y) == 1400
    assert len(held.y) == 397
    np.testing.assert_array_equal(np.sort(np.concatenate([train.y, held.y])), y)
    np.testing.assert_array_equal(train.x[:, 0], train.y)  # rows stay together
    again = datasets.split(x, y, held_out=397, seed=4)
    np.testing.assert_array_equal(again.train.y, train.y)
    assert not np.array_equal(datasets.split(x, y, held_out=397, seed=5).train.y, train.y)
    assert len(datasets.split(x, y).held_out.y) == 359
    assert len(datasets.split(x, y, np.int64(5)).held_out.y) == 5
    # The same permutation, cut elsewhere.
    fewer = datasets.split(x, y, held_out=10, seed=4)
    np.testing.assert_array_equal(fewer.held_out.y, held.y[-10:])


@pytest.mark.parametrize("held_out", [0, 10, -1, 0.0, 1.0, 1.5, 0.01, float("nan")])
def test_split_refuses(held_out):
    with pytest.raises(ValueError, match="held_out must"):
        datasets.split(np.zeros((10, 1)), np.zeros(10), held_out)


def test_split_refuses_types_and_lengths():
    with pytest.raises(TypeError, match="held_out must be a fraction"):
        datasets.split(np.zeros((10, 1)), np.zeros(10), "half")
    with pytest.raises(ValueError, match=r"same number of rows, got shapes \(10, 1\) and \(9,\)"):
        datasets.split(np.zeros((10, 1)), np.zeros(9))


IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    head = bytes([0, 0, IDX_CODES[array.dtype.str[1:]], array.ndim])
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("code", IDX_CODES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 4), ()])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_round_trip(tmp_path, code, shape, packed):
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) - 3).astype(code)
    path = tmp_path / "data"  # the name does not say whether it is packed
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    read = datasets.load_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)
    assert read.shape == shape


GOOD = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (GOOD[:3], "no IDX file"),
        (b"\1" + GOOD[1:], "no IDX file"),
        (GOOD[:2] + b"\x0a" + GOOD[3:], "no IDX file"),
        (GOOD[:9], "cut short: the sizes of 2 axes"),
        (GOOD[:-1], r"cut short: shape \(3, 4\) of int16 is 24 bytes, got 23"),
        (GOOD + b"\0", "too long"),
        (GOOD[:4] + b"\xff" * 8 + GOOD[12:], "cut short"),
        (gzip.compress(GOOD, mtime=0)[:-9], "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:20] + b"\xff" + gzip.compress(GOOD, mtime=0)[21:], "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:-6] + b"\0" * 6, "damaged gzip"),
        (gzip.compress(GOOD[:-1], mtime=0), "cut short"),
    ],
)
def test_idx_refuses(tmp_path, content, message):
    path = tmp_path / "data.idx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.load_idx(path)


def test_mnist_form(tmp_path):
    images = np.arange(5 * 6, dtype=np.uint8).reshape(5, 2, 3) * 8
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        datasets.mnist(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.arange(5, dtype=np.uint8))))
    x, y = datasets.mnist(tmp_path, "train")
    np.testing.assert_array_equal(x, images.reshape(5, 6).astype(np.float32) / np.float32(255))
    assert x.dtype == np.float32
    assert y.dtype == np.int64
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx_bytes(np.arange(4, dtype=np.uint8)))
    with pytest.raises(ValueError, match="images and labels"):
        datasets.mnist(tmp_path, "train")
    with pytest.raises(ValueError, match="part must be"):
        datasets.mnist(tmp_path, "valid")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(images[:2]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([7, 8], np.uint8)))
    for test in (datasets.mnist(tmp_path), datasets.mnist(tmp_path, "test", dtype="float64")):
        np.testing.assert_array_equal(test.x.astype(np.float32), x[:2])
        assert test.y.tolist() == [7, 8]


def test_mnist_images(mnist):
    x, y = datasets.mnist(mnist, dtype="float64")
    assert x.shape == (10_000, 784)
    np.testing.assert_array_equal(y[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    assert abs(x.mean() - 0.1325) < 5e-5  # article.md 1.4
    assert abs(x.std() - 0.3105) < 5e-5
    assert abs(np.mean(x**2) - 0.1140) < 5e-5
    assert abs(np.mean(x[:100] ** 2) - 0.1019) < 5e-5


def test_csv(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('\ufeffage, "kind" ,height\n1,cat, 2.5\n\n3,"a, dog",-4e1\n5,cat,0\n', encoding="utf-8")
    x, y = datasets.load_csv(path, "kind")
    np.testing.assert_array_equal(x, [[1, 2.5], [3, -40], [5, 0]])
    np.testing.assert_array_equal(y, [1, 0, 1])  # sorted: "a, dog", "cat"
    assert y.dtype == np.int64
    path.write_text("a;y\n1;2.0\n2;3\n")
    whole = datasets.load_csv(path, "y", delimiter=";")
    np.testing.assert_array_equal(whole.y, [2, 3])
    assert whole.y.dtype == np.int64
    path.write_text("a,y\n1,2.5\n2,3\n")
    assert datasets.load_csv(path, "y").y.dtype == np.float64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "got an empty file"),
        ("a,b\n1,2\n", "target must name one column of a, b, got 'y'"),
        ("y,y\n1,2\n", "every column must have a name of its own, got y more than once"),
        ("a,b,a,y\n1,2,3,4\n", "every column must have a name of its own, got a more than once"),
        ("a;y\n1;2\n", "target must name one column of a;y, got 'y'; its cells seem to be separated by ';'"),
        ("a,y\n", "at least one row"),
        ("y\n1\n", "a column beside 'y'"),
        ("a,y\n1,2\n3\n", "line 3: must have 2 cells as the header, got 1"),
        ("a,y\n1,2\nx,3\n", "line 3, column 'a': must be a finite number, got 'x'"),
        ("a,y\n1,2\n,3\n", "line 3, column 'a': must be a finite number, got ''"),
        ("a,y\n1,2\nnan,3\n", "line 3, column 'a': must be a finite number, got 'nan'"),
        ("a,y\n1,2\n3,\n", "line 3, column 'y': must be a finite number or the name of a class, got ''"),
        ("a,y\n1,NaN\n", "column 'y'"),
    ],
)
def test_csv_refuses(tmp_path, content, message):
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        datasets.load_csv(path, "y")


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.ones((4, 2, 3), np.uint8), y=np.array([0.0, 1, 2, 1]))
    x, y = datasets.load_npz(path)
    assert x.shape == (4, 6)
    assert x.dtype == np.float64
    assert y.dtype == np.int64
    np.savez_compressed(path, x=np.ones((4, 2), np.float32), y=np.full((4, 2), 0.5, np.float32))
    x, y = datasets.load_npz(path)
    assert x.dtype == np.float32
    assert y.shape == (4, 2)
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((3, 2))}, "must hold arrays x and y, got x"),
        ({"x": np.ones(3), "y": np.ones(3)}, r"shapes \(n, features\) and \(n,\), n > 0, got \(3,\) and \(3,\)"),
        ({"x": np.ones((3, 2)), "y": np.ones(2)}, r"got \(3, 2\) and \(2,\)"),
        ({"x": np.ones((0, 2)), "y": np.ones(0)}, "n > 0"),
        ({"x": np.full((3, 2), np.nan), "y": np.ones(3)}, "x must hold finite real numbers"),
        ({"x": np.ones((3, 2)), "y": np.array(["a", "b", "c"])}, "y must hold finite real numbers"),
        ({"x": np.ones((3, 2), complex), "y": np.ones(3)}, "x must hold finite real numbers"),
        ({"x": np.array([[None]]), "y": np.ones(1)}, "no NPZ file with x and y"),
    ],
)
def test_npz_refuses(tmp_path, arrays, message):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        datasets.load_npz(path)


def test_npz_refuses_other_files(tmp_path):
    path = tmp_path / "data.npz"
    for content in (b"", b"hello", b"PK\3\4 nothing"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no NPZ file with x and y"):
            datasets.load_npz(path)
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(ValueError, match="no NPZ file with x and y"):
        datasets.load_npz(tmp_path / "one.npy")
    with pytest.raises(FileNotFoundError):
        datasets.load_npz(tmp_path / "absent.npz")

"""Data sets: the article's descriptions, and addressing by seed."""

from __future__ import annotations

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

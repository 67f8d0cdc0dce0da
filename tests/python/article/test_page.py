"""The page of ``fanin article`` without a browser: what it holds, that it asks for nothing, and its command."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
import os
import re
import signal
import sys
import time
from itertools import pairwise

import numpy as np
import pytest

import fanin as fi
from fanin.article import digits, linear, playground, symmetry
from fanin.article.page import SEED, article
from fanin.cli import main
from fanin.reports.pages import pack, shell, words
from fanin.reports.pages.shell import View, assemble

pytest.importorskip("bokeh")
pytest.importorskip("sklearn")


def unpack(text: str):
    """What ``fanin.unpack`` does in the browser."""
    raw = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(raw[:4], "little")

    def array(value):
        if "$" not in value:
            return value
        dtype = np.dtype("<" + value["$"])
        size = int(np.prod(value["shape"]))
        start = 4 + length + value["at"]
        planes = np.frombuffer(raw[start : start + size * dtype.itemsize], np.uint8).reshape(dtype.itemsize, size)
        return np.ascontiguousarray(planes.T).view(dtype).reshape(value["shape"])

    return json.loads(raw[4 : 4 + length], object_hook=array)


def test_packed_data_keeps_its_bits():
    rng = np.random.default_rng(1)
    wide = rng.standard_normal((3, 5))
    wide[0, :3] = np.inf, np.nan, -0.0
    data = {
        "f8": wide,
        "f4": wide.astype(np.float32)[:, ::2],
        "u2": rng.integers(0, 65536, 7).astype(np.uint16),
        "u1": rng.integers(0, 256, (1, 1, 9)).astype(np.uint8),
        "none": np.zeros((0, 4)),
        "rest": [1, 2.5, "ä</script>", None, True, np.float32(0.5), np.int64(3), float("inf")],
    }
    out = unpack(pack.pack(data))
    for key in ("f8", "f4", "u2", "u1", "none"):
        assert out[key].dtype == data[key].dtype
        assert out[key].shape == data[key].shape
        assert out[key].tobytes() == data[key].tobytes()
    assert out["rest"] == [1, 2.5, "ä</script>", None, True, 0.5, 3, None]
    assert pack.pack(data) == pack.pack(data)
    with pytest.raises(TypeError, match="got int64"):
        pack.pack(np.arange(3))
    with pytest.raises(TypeError, match="got set"):
        pack.pack({"a": {1}})


class Sources(html.parser.HTMLParser):
    """Every attribute by which a document could ask for something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.policy = ""

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "srcset", "data", "action", "poster", "background", "formaction", "ping", "xlink:href"):
                self.found.append((tag, f"{name}={value}"))
        if ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"]


def test_a_page_asks_for_nothing_and_escapes_what_it_is_told():
    view = View("one", "<b>", "<p>{{text}}</p>", {"x": np.zeros(3)}, texts={"text": "a < b {{title}}"})
    page = assemble("T & <T>", "lead", [view], footer="<i>")
    sources = Sources()
    sources.feed(page)
    assert sources.found == []
    assert sources.policy.startswith("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'")
    assert "http" not in sources.policy
    own = page.replace(re.search(r'id="library">([^<]*)<', page)[1], "")
    assert not re.search(r"url\(|@import|\bimport\b|//cdn|https?://(?!www\.w3\.org/2000/svg)", own)
    assert "<title>T &amp; &lt;T&gt;</title>" in page
    assert "<p>a &lt; b {{title}}</p>" in page
    assert "&lt;b&gt;" in page
    with pytest.raises(ValueError, match="views must be at least one"):
        assemble("T", "", [])
    with pytest.raises(ValueError, match="each with a name of its own"):
        assemble("T", "", [view, view])
    with pytest.raises(ValueError, match="at most 6 MB"):
        assemble("T", "", [view._replace(data={"x": np.random.default_rng(1).standard_normal(700_000)})])


def test_numbers_in_words():
    values = [(0, "0"), (0.55, "0.55"), (972.4, "970"), (1e5, "1.0 × 10⁵"), (-1.65e-7, "−1.7 × 10⁻⁷")]
    assert [words.number(value) for value, _ in values] == [text for _, text in values]
    assert words.number(1328.12, 3) == "1330"
    assert [words.number(value) for value in (np.inf, np.nan)] == ["infinity", "not a number"]


def test_recorded_epochs_show_the_late_ones():
    epochs = playground.frames()
    assert len(epochs) >= 200
    assert (epochs[:5], epochs[-1]) == ([0, 1, 2, 3, 4], 2000)
    assert {100, 300, 1000} <= set(epochs)
    assert max(b - a for a, b in pairwise(epochs)) <= 20
    assert sum(epoch > 1000 for epoch in epochs) >= 50


@pytest.mark.parametrize(("name", "scale"), [("circle", "1"), ("moon", "0.01"), ("square", "100"), ("gauss", "0")])
def test_row_30_the_playground_is_fanins_own_run(name, scale):
    epochs = playground.frames()
    run = playground._run(playground.points(name, 5), scale, 5, epochs)
    x, y = getattr(fi.datasets, name)(100, 5, dtype="float64")
    law = "zeros" if scale == "0" else f"variance_scaling(scale={scale})"
    net, sgd = fi.Network([2, 6, 3, 1], "relu", law, "binary_cross_entropy", seed=5, dtype="float64"), fi.SGD(0.1)
    assert [round(layer.n_var_w, 6) for layer in fi.trace(net, x).layers] == pytest.approx(
        [float(scale) * n * np.mean(np.square(w)) if n else 0 for n, w in zip((2, 6, 3), net.weights, strict=True)]
        if scale == "1"
        else [n * np.mean(np.square(w)) for n, w in zip((2, 6, 3), net.weights, strict=True)],
        abs=1e-6,
    )
    costs = []
    for epoch in range(2001):
        if epoch in (0, 7, 100, 1000, 2000):
            i = epochs.index(epoch)
            for key, pairs in (("parameters", zip(net.weights, net.biases, strict=True)), ("gradients", net.gradients(x, y))):
                expected = np.concatenate([array.ravel() for pair in pairs for array in pair])
                assert np.array_equal(run[key][i], expected.astype(run[key].dtype))
            assert run["correct"][i] == np.count_nonzero(net.predict(x) == y)
            assert run["largest"][i] == np.float32(np.abs(net.decision_function(x)).max())
        costs.append(net.step(x, y, optimizer=sgd))
    assert run["costs"].tolist() == costs


def test_row_44_the_digits_are_fanins_own_run(monkeypatch):
    monkeypatch.setattr(digits, "BATCHES", 3)
    data = digits.record(8)
    x, y = fi.datasets.digits()
    assert data["rows"] == 1797
    for law in ("zeros", "fan_in_uniform", "xavier_normal", "normal"):
        net, run = fi.Network([64, 300, 300, 300, 300, 10], "tanh", law, seed=8), data["runs"][law]
        for k in range(3):
            rows = slice(100 * k, 100 * k + 100)
            t = fi.trace(net, x[rows], y[rows])
            assert run["cost"][k] == np.float32(t.cost)
            assert np.array_equal(run["right"][k], net.predict(x[rows]) == y[rows])
            for i, layer in enumerate(t.hidden):
                assert np.array_equal(run["histogram"][k, i], layer.a.histogram.counts)
                assert run["histogram"][k, i].sum() == 30_000
                assert run["std"][k, i] == np.float32(layer.a.std)
                assert run["expected"][k, i] == np.float32(layer.expected_std)
                assert run["gradient"][k, i] == np.float32(layer.da.rms)
            net.step(x[rows], y[rows], optimizer=fi.SGD(0.1))
    levels = np.stack([data["pictures"] >> 4, data["pictures"] & 15], axis=-1).reshape(300, 64)
    assert np.abs(levels / 15 - x[:300]).max() <= 0.5 / 15 + 1e-6
    assert np.array_equal(data["labels"][:300], y[:300])


def test_batches_go_around():
    data = digits.images(None)
    x, y = digits.batch(data, 17)
    assert np.array_equal(y, np.concatenate([data.y[1700:], data.y[:3]]))
    assert x.shape == (100, 64)


def test_the_linear_networks_numbers(monkeypatch):
    monkeypatch.setattr(linear, "FACTORS", (0.5, 1.0, 1.5))
    data = linear.record()
    layers = np.arange(1, 10)
    for i, factor in enumerate(linear.FACTORS):
        assert data["a"][i] == pytest.approx(factor**layers, rel=1e-12)
        assert data["da"][i] == pytest.approx(factor ** (9 - layers), rel=1e-12)
        assert data["dw"][i] == pytest.approx([data["dw"][i, 0]] * 9, rel=1e-12)
    assert data["verdicts"] == ["vanishing", "healthy", "exploding"]
    assert [round(rate, 4) for rate in data["diverges"]] == [0.1167, 0.0931, 0.0018]
    small, right, large = data["costs"][:, 0]
    assert (small[0], small[100]) == pytest.approx((3.99219, 3.98923), abs=5e-6)
    assert (right[0], right[10]) == pytest.approx((1, 1.65e-7), rel=1e-2)
    assert (large[0], large[1]) == pytest.approx((1328.12, 2.9e24), rel=1e-2)
    assert np.isinf(large[2])


def test_there_are_61_factors():
    assert len(linear.FACTORS) == 61
    assert (linear.FACTORS[0], linear.FACTORS[-1]) == (0.4, 1.6)


def test_symmetry_is_exact():
    data = symmetry.record(3)
    zeros, constant, random = (data["runs"][start] for start in ("zeros", "constant", "random"))
    for activation in ("relu", "tanh"):
        moved = np.flatnonzero(zeros[activation]["parameters"].any(axis=0))
        assert moved.tolist() == [30]  # the output's bias
        assert np.flatnonzero(zeros[activation]["gradients"].any(axis=0)).tolist() == [30]
        assert zeros[activation]["verdict"] == "no gradient"
    assert zeros["sigmoid"]["parameters"][1].any()
    assert zeros["sigmoid"]["parameters"][5].all()  # the third step has reached the first layer
    for runs in (zeros, constant):
        for run in runs.values():
            first = run["parameters"][:, :8].reshape(-1, 4, 2)
            assert (first == first[:, :1]).all()
            assert (run["copies"] == [4, 3]).all()
    assert all(run["verdict"] == "symmetric" for run in constant.values())
    assert not any(run["copies"].any() for run in random.values())


@pytest.fixture
def small(monkeypatch):
    """A page in a second: fewer epochs, batches and factors."""
    monkeypatch.setattr(playground, "frames", lambda: [0, 3, 9])
    monkeypatch.setattr(playground, "EPOCHS", 9)
    monkeypatch.setattr(playground, "_MEDIAN_OF", 2)
    monkeypatch.setattr(digits, "BATCHES", 2)
    monkeypatch.setattr(linear, "FACTORS", (0.5, 1.0, 1.5))
    monkeypatch.setattr(symmetry, "EPOCHS", 40)


def test_command_and_call_give_the_same_bytes_for_a_seed(small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["article"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("page: article.html (")
    assert out.count("\n") == 1
    page = (tmp_path / "article.html").read_bytes()
    assert len(page) < shell.MAX_BYTES == 6_000_000
    assert page.decode() == article(seed=SEED)
    other = article(seed=2**64 - 1)
    assert page.decode() != other
    assert "fanin article --seed 18446744073709551615<" in other
    with pytest.raises(SystemExit):
        main(["article", "--help"])
    text = capsys.readouterr().out
    assert all(option in text for option in ("--out", "--mnist", "--seed"))


def test_mnist_in_the_page(small, tmp_path, capsys):
    """Files as MNIST's, 28 x 28, of 250 images: shown at half the resolution."""
    rng = np.random.default_rng(2)
    images, labels = rng.integers(0, 256, (250, 28, 28)).astype(np.uint8), rng.integers(0, 10, 250).astype(np.uint8)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">i4").tobytes()
        (tmp_path / f"t10k-{name}-ubyte").write_bytes(head + array.tobytes())
    assert main(["article", "--mnist", str(tmp_path), "--out", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text()
    assert "MNIST&#x27;s test images" in page
    assert "784-300-300-300-300-10" in page
    data = unpack(re.search(r'id="data-digits">([^<]*)<', page)[1])
    assert data["pictures"].shape == (200, 98)  # of two batches
    halves = images.reshape(250, 14, 2, 14, 2).mean(axis=(2, 4)) / 255 * 15
    assert np.abs((data["pictures"] >> 4) - halves.reshape(250, -1)[:200, ::2]).max() <= 0.5 + 1e-5


def fails(capsys, *args):
    assert main(["article", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_errors_are_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "no folder nowhere" in fails(capsys, "--out", "nowhere/a.html")
    assert "must end with .html" in fails(capsys, "--out", "a.pdf")
    assert "seed" in fails(capsys, "--seed", "-1")
    assert "t10k-images" in fails(capsys, "--mnist", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["bokeh", "rich", "sklearn"])
def test_a_missing_extra_is_named(module, monkeypatch, tmp_path, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert "pip install 'fanin[report]'" in fails(capsys, "--out", str(tmp_path / "a.html"))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_with_130_and_one_line(tmp_path, ctrl_c):
    code = "import sys; from fanin.cli import main; print('ready', file=sys.stderr, flush=True); sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "article", "--out", str(tmp_path / "a.html")]
    run = ctrl_c(command, stdout=-1, stderr=-1, text=True)
    assert run.stderr.readline() == "ready\n"
    time.sleep(1)  # it takes many
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "fanin article: interrupted\n")
    assert list(tmp_path.iterdir()) == []

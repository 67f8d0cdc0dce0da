"""Rows 30 and 44, and the two other views: what the page shows is what fanin computed, and its controls work."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi

SEED = 0
SCALES = ("0", "0.01", "1", "100")


def playground(data: str, scale: str, epoch: int):
    """The network of the playground at an epoch, trained anew, and its points."""
    x, y = getattr(fi.datasets, data)(100, SEED, dtype="float64")
    law = "zeros" if scale == "0" else f"variance_scaling(scale={scale})"
    net = fi.Network([2, 6, 3, 1], "relu", law, "binary_cross_entropy", seed=SEED, dtype="float64")
    net.fit(x, y, epochs=epoch, batch_size=None, shuffle=False, optimizer=fi.SGD(0.1))
    return net, x, y


def test_row_30_the_map_is_the_networks_prediction(visit):
    grid = np.stack(np.meshgrid(np.linspace(-5, 5, 21), np.linspace(-5, 5, 21)), axis=-1).reshape(-1, 2)
    runs = [(data, scale, epoch) for data in ("circle", "gauss") for scale in SCALES for epoch in (0, 100, 2000)]
    maps = visit().run(
        """async ([runs, grid]) => {
            const data = await fanin.unpack("data-playground");
            return runs.map(([set, scale, epoch]) => {
                const row = fanin.row(data.runs[set][scale].parameters, data.epochs.indexOf(epoch));
                const predict = fanin.predictor(data.sizes, row);
                return grid.map(([x1, x2]) => predict(x1, x2));
            });
        }""",
        [runs, grid.tolist()],
    )
    for run, got in zip(runs, maps, strict=True):
        net, _, _ = playground(*run)
        expected = np.asarray(net.predict_proba(grid)).reshape(len(grid), -1)[:, -1]
        assert np.abs(np.array(got) - expected).max() < 1e-6


def test_row_30_every_choice(visit):
    tab = visit("view=playground&epoch=1000")
    for button, data in (("Circle", "circle"), ("Moon", "moon"), ("Square", "square"), ("Gauss", "gauss")):
        tab.pick(button)
        for label, scale in (("Zero: 0", "0"), ("Too small: 0.01", "0.01"), ("Appropriate: 1", "1"), ("Too large: 100", "100")):
            tab.pick(label)
            assert tab.said().startswith("Epoch 0:")  # a choice resets
            tab.slider().press("End")
            net, x, y = playground(data, scale, 2000)
            assert f"{np.count_nonzero(net.predict(x) == y)} of 100 points right" in tab.said()
            costs = tab.chart("costs", f"run {scale}")["y"]
            assert costs[-1] == pytest.approx(net.loss(x, y), rel=1e-12)
            if scale == "0":
                assert np.allclose(costs, math.log(2), atol=1e-6)
            sizes = []
            for links in ("Weight", "Gradient"):
                tab.pick(links)
                drawing = tab.part("network").locator("svg")
                assert drawing.locator("line").count() == 33
                arrays = net.weights if links == "Weight" else [dw for dw, _ in net.gradients(x, y)]
                sizes.append(np.concatenate([np.abs(array).ravel() for array in arrays]))
                zeros = np.count_nonzero(sizes[-1] == 0)
                assert f"; {zeros} are exactly 0" in drawing.get_attribute("aria-label")


def test_row_30_play_pause_step_reset_and_slider(visit):
    tab = visit("view=playground&data=circle&scale=1")
    tab.click("step")
    assert tab.said().startswith("Epoch 1:")
    assert "epoch=1" in tab.address()
    tab.click("play")
    tab.reaches(10)
    tab.click("play")  # pause
    said = tab.said()
    tab.page.wait_for_timeout(300)
    assert tab.said() == said != ""
    assert f"epoch={said.split()[1].rstrip(':')}" in tab.address()
    tab.click("reset")
    assert tab.said().startswith("Epoch 0:")
    tab.slider().focus()
    tab.page.keyboard.press("ArrowRight")
    assert tab.said().startswith("Epoch 1:")
    tab.page.keyboard.press("End")
    assert tab.said().startswith("Epoch 2000:")
    tab.click("play")  # from the end: again from the start
    tab.reaches(3)
    tab.page.locator("[data-do=play]").first.press("Space")
    assert tab.page.locator("[data-do=play]").first.inner_text() == "Play"


def test_row_30_a_cost_beyond_all_numbers_is_shown(visit, tmp_path):
    """Costs are finite in the article's runs, where the naive formula's are not; a page with others must not hide them."""
    from fanin.article import playground
    from fanin.reports.pages.shell import assemble, write

    view = playground.view(SEED)
    costs = view.data["runs"]["circle"]["100"]["costs"]
    costs[:3] = np.inf, np.nan, 1e7
    write(tmp_path / "odd.html", assemble("Odd", "", [view]))
    tab = visit("data=circle&scale=100", path=tmp_path / "odd.html")
    assert "more than a number of this size can say" in tab.said()
    assert tab.chart("costs", "over 100")["x"][:3] == [0, 1, 2]
    assert set(tab.chart("costs", "over 100")["y"]) == {1000}
    assert tab.chart("costs", "now 100") == {"x": [0], "y": [1000]}
    assert tab.chart("costs", "run 100")["y"][:3] == [None] * 3


def digits(law: str, k: int):
    x, y = fi.datasets.digits()
    net, sgd = fi.Network([64, *[300] * 4, 10], "tanh", law, seed=SEED), fi.SGD(0.1)
    rows = [np.arange(100 * i, 100 * i + 100) % len(y) for i in range(k + 1)]
    for batch in rows[:-1]:
        net.step(x[batch], y[batch], optimizer=sgd)
    return net, x[rows[-1]], y[rows[-1]]


def test_row_44_the_view_shows_the_networks_trace(visit):
    tab = visit("view=digits")
    for law in ("zeros", "fan_in_uniform", "xavier_normal", "normal"):
        tab.go(f"view=digits&init={law}&batch=21")
        tab.page.wait_for_selector("text=batch 21:")
        shows_trace(tab, law)


def shows_trace(tab, law):
    net, x, y = digits(law, 20)
    t = fi.trace(net, x, y)
    wrong = np.count_nonzero(net.predict(x) != y)
    assert f"batch 21: misclassified {wrong} of 100, cost {t.cost:.2f}" in tab.said()
    for i, layer in enumerate(t.hidden):
        text = tab.part(f"width-{i}").inner_text()
        assert text.startswith(f"std {float(layer.a.std):.3f}, expected {layer.expected_std:.3f}")
        counts = tab.chart(f"histogram-{i}", "counts")["y"][1:-1:2]
        assert counts == layer.a.histogram.counts.tolist()
        assert tab.chart(f"histogram-{i}", "expected")["x"][1] == pytest.approx(layer.expected_std, rel=1e-6)
        assert tab.chart(f"histogram-{i}", "measured")["x"][1] == pytest.approx(float(layer.a.std), rel=1e-6)
    assert tab.part("verdicts").get_attribute("aria-label") == f"{100 - wrong} of 100 images are right"
    shown = tab.run("""() => {
        const { data } = document.querySelector('[data-part="verdicts"]').getContext("2d").getImageData(0, 0, 400, 400);
        const red = (i) => data[4 * (400 * (40 * Math.floor(i / 10) + 6) + 40 * (i % 10) + 6)];
        return Array.from({ length: 100 }, (_, i) => red(i) === fanin.rgb(fanin.css("--good"))[0]);
    }""")
    assert shown == (net.predict(x) == y).tolist()


def test_row_44_the_batch_as_pictures(visit):
    tab = visit("view=digits&batch=3")
    x, y = fi.datasets.digits()
    label = tab.part("pictures").get_attribute("aria-label")
    assert label.endswith(", ".join(map(str, y[200:210])))
    shades = tab.run("""() => {
        const canvas = document.querySelector('[data-part="pictures"]');
        const { data } = canvas.getContext("2d").getImageData(11, 1, 8, 8);  // the second tile, inside its margin
        const [ink, paper] = ["--ink", "--card"].map((name) => fanin.rgb(fanin.css(name))[0]);
        return Array.from({ length: 64 }, (_, i) => (data[4 * i] - paper) / (ink - paper));
    }""")
    assert np.abs(np.array(shades) - x[201]).max() < 0.5 / 15 + 0.01  # 16 shades, then 8 bits


def test_row_44_play_pause_step_reset_and_slider(visit):
    tab = visit("view=digits")
    tab.click("step")
    assert "batch 2:" in tab.said()
    tab.click("play")
    tab.reaches(4)
    tab.click("play")
    tab.click("reset")
    assert "batch 1:" in tab.said()
    tab.slider().press("End")
    assert "batch 100:" in tab.said()
    assert "batch=100" in tab.address()
    tab.pick("Standard normal")
    assert tab.said().startswith("Standard normal, batch 100:")
    assert "init=normal" in tab.address()


def test_the_linear_network(visit):
    tab = visit("view=linear&factor=1.5")
    assert tab.chart("forward", "line")["y"] == pytest.approx([1.5**layer for layer in range(1, 10)], rel=1e-12)
    assert tab.chart("backward", "line")["y"] == pytest.approx([1.5**layer for layer in range(8, -1, -1)], rel=1e-12)
    assert tab.chart("backward", "dw")["y"] == pytest.approx([1] * 9, rel=1e-12)
    assert "exploding" in tab.said()
    assert tab.chart("costs", "over")["x"] == [1]  # at the second step beyond 10^6
    tab.slider().press("Home")
    assert "factor=0.4" in tab.address()
    assert tab.chart("forward", "line")["y"][-1] == pytest.approx(0.4**9, rel=1e-12)
    for _ in range(5):
        tab.slider().press("ArrowRight")
    assert "factor=0.5" in tab.address()
    assert "vanishing" in tab.said()
    costs = tab.chart("costs", "line")["y"]
    assert (costs[0], costs[100]) == pytest.approx((3.99219, 3.98923), abs=5e-6)
    tab.pick("0.05")
    assert "lr=0.05" in tab.address()


def test_symmetry(visit):
    tab = visit("view=symmetry&at=2000")
    assert tab.page.locator("#symmetry th", has_text="copy").count() == 7
    tab.pick("sigmoid")
    assert "31 of 31" in tab.said()
    tab.pick("0.5")
    assert "7 of 7 hidden neurons are copies" in tab.said()
    assert "verdict at the start: symmetric" in tab.said()
    lines = [tab.chart("paths", str(unit))["y"] for unit in range(4)]
    assert lines[0] == lines[1] == lines[2] == lines[3]
    tab.pick("random")
    assert "0 of 7 hidden neurons are copies" in tab.said()
    tab.pick("0")
    tab.pick("tanh")
    tab.click("reset")
    assert "1 of 31 numbers have a gradient that is not 0" in tab.said()
    tab.click("step")
    assert tab.said().startswith("Epoch 1:")
    tab.click("play")
    tab.reaches(4)
    tab.click("play")

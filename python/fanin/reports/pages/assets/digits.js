// The tanh network on handwritten digits: all was recorded by fanin; the page draws.
"use strict";

fanin.define("digits", (root, data, state) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const names = { zeros: "Zero", fan_in_uniform: "Uniform ±1/√n", xavier_normal: "Xavier", normal: "Standard normal" };
  const colors = { zeros: "--zero", fan_in_uniform: "--small", xavier_normal: "--right", normal: "--large" };
  const batches = data.runs[data.laws[0]].cost.shape[0];
  const layers = [0, 1, 2, 3];
  const side = Math.round(Math.sqrt(2 * data.pictures.shape[1]));
  const wrong = Object.fromEntries(
    data.laws.map((law) => {
      const right = (k) => fanin.row(data.runs[law].right, k).reduce((sum, one) => sum + one, 0);
      return [law, Array.from({ length: batches }, (_, k) => 100 - right(k))];
    }),
  );
  const steps = Array.from({ length: batches }, (_, k) => k);

  const curves = (place, label, y, values) => {
    const series = {};
    for (const law of data.laws) {
      series[law] = { color: colors[law], width: 2 };
      series[`now ${law}`] = { kind: "dots", color: colors[law], size: 9 };
    }
    const x = { title: "batch", range: [-1, batches] };
    const tips = [["batch", "@x"], ["", "@y"]];
    const chart = fanin.chart(part(place), { label, x, y, series, tips, height: 250 });
    for (const law of data.laws) chart.set({ [law]: { x: steps, y: values(law) } });
    return chart;
  };
  const bins = data.runs[data.laws[0]].histogram.shape[2];
  const edges = Array.from({ length: 2 * bins + 2 }, (_, i) => -1 + (2 / bins) * Math.floor(i / 2));
  const histograms = layers.map((layer) =>
    fanin.chart(part(`histogram-${layer}`), {
      label: `Histogram of layer ${layer + 1}`,
      height: 170,
      x: { range: [-1.1, 1.1], ticks: { "-1": "−1", 0: "0", 1: "1" } },
      y: { range: [0, 1], ticks: {} },
      series: {
        counts: { kind: "area", color: "--right", alpha: 0.55 },
        expected: { kind: "marks", color: "--ink", width: 1.5, dash: "dashed" },
        measured: { color: "--ink", width: 4 },
      },
    }),
  );
  const by = { title: "layer", range: [0.7, 4.3], ticks: { 1: "1", 2: "2", 3: "3", 4: "4" } };
  const forward = fanin.chart(part("forward"), {
    label: "Spread of the activations by layer",
    x: by,
    y: { range: [0, 1.05] },
    series: {
      expected: { color: "--ink", dash: "dashed", width: 1.5 },
      measured: { kind: "dots", color: "--right", size: 9 },
    },
    tips: [["layer", "@x"], ["std of a", "@y"]],
  });
  const backward = fanin.chart(part("backward"), {
    label: "Size of the gradients by layer",
    x: by,
    y: { type: "log", range: [1e-6, 1] },
    series: { line: { color: "--right" }, dots: { kind: "dots", color: "--right", size: 9 } },
    tips: [["layer", "@x"], ["rms of da", "@y"]],
  });
  const mistakes = curves("wrong", "Misclassified over the batches", { range: [0, 101] }, (law) => wrong[law]);
  const cost = curves("cost", "Cost over the batches", { type: "log" }, (law) => Array.from(data.runs[law].cost.values));

  const pictures = (k) => {
    const [tile, canvas] = [side + 2, part("pictures")];
    canvas.width = canvas.height = 10 * tile;
    const [ink, paper] = ["--ink", "--card"].map((name) => fanin.rgb(fanin.css(name)));
    const image = new ImageData(10 * tile, 10 * tile);
    for (let i = 0; i < 100; i += 1) {
      const packed = fanin.row(data.pictures, (100 * k + i) % data.rows);
      for (let pixel = 0; pixel < side * side; pixel += 1) {
        const shade = (pixel % 2 ? packed[pixel >> 1] & 15 : packed[pixel >> 1] >> 4) / 15;
        const row = Math.floor(i / 10) * tile + 1 + Math.floor(pixel / side);
        const at = 4 * (row * 10 * tile + (i % 10) * tile + 1 + (pixel % side));
        for (let c = 0; c < 3; c += 1) image.data[at + c] = paper[c] + (ink[c] - paper[c]) * shade;
        image.data[at + 3] = 255;
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    const labels = Array.from({ length: 100 }, (_, i) => data.labels.values[(100 * k + i) % data.rows]);
    canvas.setAttribute("aria-label", `The batch of 100 images; the first ten are ${labels.slice(0, 10).join(", ")}`);
  };
  const verdicts = (right) => {
    const canvas = part("verdicts");
    canvas.width = canvas.height = 400;
    const pen = canvas.getContext("2d");
    pen.lineWidth = 3;
    pen.strokeStyle = fanin.css("--card");
    right.forEach((good, i) => {
      const [x, y] = [40 * (i % 10) + 3, 40 * Math.floor(i / 10) + 3];
      pen.fillStyle = fanin.css(good ? "--good" : "--bad");
      pen.fillRect(x, y, 34, 34);
      if (good) return;
      pen.beginPath();
      pen.moveTo(x + 9, y + 9);
      pen.lineTo(x + 25, y + 25);
      pen.moveTo(x + 25, y + 9);
      pen.lineTo(x + 9, y + 25);
      pen.stroke();
    });
    canvas.setAttribute("aria-label", `${right.reduce((sum, one) => sum + one, 0)} of 100 images are right`);
  };

  const law = fanin.radios(root, "dg-init", state.get("init", "xavier_normal"), (value) => {
    state.set({ init: value });
    frame(player.frame());
  });
  const frame = (k) => {
    const run = data.runs[law.get()];
    const color = colors[law.get()];
    pictures(k);
    verdicts(Array.from(fanin.row(run.right, k)));
    const counts = layers.map((layer) => Array.from(fanin.row(run.histogram, k, layer)));
    const top = 1.1 * Math.max(...counts.flat());
    const [std, expected, da] = ["std", "expected", "gradient"].map((key) => Array.from(fanin.row(run[key], k)));
    const tops = Array.from({ length: 2 }, () => top);
    layers.forEach((layer) => {
      histograms[layer].range("y", 0, top);
      histograms[layer].color({ counts: color });
      histograms[layer].set({
        counts: { x: edges, y: [0, ...counts[layer].flatMap((count) => [count, count]), 0] },
        measured: { x: [-std[layer], std[layer]], y: tops.map((y) => 0.12 * y) },
        expected: { x: [-expected[layer], expected[layer]], y: [0, 0], top: tops },
      });
      const text = `std ${std[layer].toFixed(3)}, expected ${expected[layer].toFixed(3)}`;
      const ends = fanin.row(run.saturated, k)[layer];
      part(`width-${layer}`).textContent = ends >= 0.005 ? `${text}; ${Math.round(100 * ends)} % at the ends` : text;
      histograms[layer].label(`Histogram of layer ${layer + 1}: ${text}`);
    });
    const at = layers.map((layer) => layer + 1);
    forward.set({ expected: { x: at, y: expected }, measured: { x: at, y: std } });
    forward.color({ measured: color });
    backward.color({ line: color, dots: color });
    const seen = da.map((value) => (value > 0 ? value : Number.NaN));
    backward.set({ line: { x: at, y: seen }, dots: { x: at, y: seen } });
    const [ratio, miss] = [da[0] / da[3], wrong[law.get()][k]];
    backward.label(da[3] > 0 ? `Gradients: layer 1 has ${fanin.number(ratio)} times that of layer 4` : "All gradients are 0");
    for (const each of data.laws) {
      mistakes.fade({ [each]: each === law.get() ? 1 : 0.5 });
      cost.fade({ [each]: each === law.get() ? 1 : 0.5 });
      const now = (value) => ({ [`now ${each}`]: each === law.get() ? { x: [k], y: [value] } : { x: [], y: [] } });
      mistakes.set(now(wrong[each][k]));
      cost.set(now(data.runs[each].cost.values[k]));
    }
    const words = [`${names[law.get()]}, batch ${k + 1}: misclassified ${miss} of 100, cost ${run.cost.values[k].toFixed(2)}.`];
    if (da[3] > 0) {
      words.push(`Through the layers the spread goes from ${fanin.number(std[0])} to ${fanin.number(std[3])};`);
      words.push(`the gradient arrives at layer 1 with ${fanin.number(ratio)} times its size at layer 4.`);
    } else words.push("No gradient reaches a hidden layer: it is exactly 0 in each.");
    part("said").textContent = words.join(" ");
  };
  const clamp = (text) => Math.max(0, Math.min(batches - 1, Math.round(Number(text) - 1) || 0));
  const player = fanin.player(part("player"), {
    label: "Batch",
    count: batches,
    value: clamp(state.get("batch", 1)),
    text: (k) => `${k + 1}, epoch ${Math.floor((100 * k) / data.rows) + 1}`,
    shown: (k) => frame(k),
    rest: (k) => state.set({ batch: k + 1 }),
    rate: 8,
  });
  const apply = () => {
    law.set(state.get("init", law.get()));
    player.set(clamp(state.get("batch", player.frame() + 1)));
  };
  fanin.theme.listeners.add(() => frame(player.frame()));
  frame(player.frame());
  const tell = () => state.set({ view: "digits", init: law.get(), batch: player.frame() + 1 });
  return { apply, tell, hide: player.pause };
});

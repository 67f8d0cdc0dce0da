// The playground. The page evaluates the 2-6-3-1 network for the map; all else was recorded by fanin.
"use strict";

// The network's output probability at (x1, x2), from a row of parameters: w by rows, then b, layer by layer.
fanin.forward = (sizes, parameters, inputs) => {
  let a = inputs;
  let at = 0;
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const [n, m] = [sizes[layer - 1], sizes[layer]];
    const z = Array.from({ length: m }, (_, to) => {
      let sum = parameters[at + m * n + to];
      for (let from = 0; from < n; from += 1) sum += parameters[at + to * n + from] * a[from];
      return sum;
    });
    at += m * n + m;
    a = layer < sizes.length - 1 ? z.map((value) => Math.max(0, value)) : z;
  }
  return 1 / (1 + Math.exp(-a[0]));
};

// The same row as values[layer][to][from], without biases.
fanin.matrices = (sizes, parameters) => {
  let at = 0;
  return sizes.slice(1).map((m, layer) => {
    const n = sizes[layer];
    const rows = Array.from({ length: m }, (_, to) => parameters.subarray(at + to * n, at + to * n + n));
    at += m * n + m;
    return rows;
  });
};

fanin.paint = (canvas, points, probability) => {
  const reach = 6.5;
  const side = 100;
  const [one, two] = ["--class0", "--class1"].map((name) => fanin.rgb(fanin.css(name)));
  const paper = fanin.rgb(fanin.css("--card"));
  const small = fanin.element("canvas", { width: side, height: side });
  const image = new ImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const p = probability([((column + 0.5) / side) * 2 * reach - reach, reach - ((row + 0.5) / side) * 2 * reach]);
      const strength = Math.min(1, 2 * Math.abs(p - 0.5)) * 0.62;
      const toward = p < 0.5 ? one : two;
      for (let c = 0; c < 3; c += 1) image.data[4 * (row * side + column) + c] = paper[c] + (toward[c] - paper[c]) * strength;
      image.data[4 * (row * side + column) + 3] = 255;
    }
  }
  small.getContext("2d").putImageData(image, 0, 0);
  const pen = canvas.getContext("2d");
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  const scale = canvas.width / (2 * reach);
  points.y.values.forEach((label, i) => {
    const [x, y] = fanin.row(points.x, i);
    pen.beginPath();
    pen.arc((x + reach) * scale, (reach - y) * scale, 8, 0, 2 * Math.PI);
    pen.fillStyle = `rgb(${label ? two : one})`;
    pen.strokeStyle = `rgb(${paper})`;
    pen.lineWidth = 3;
    pen.stroke();
    pen.fill();
  });
};

fanin.rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

fanin.define("playground", (root, data, state) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const { sizes, epochs, scales } = data;
  const colors = { 0: "--zero", 0.01: "--small", 1: "--right", 100: "--large" };
  const names = { 0: "Zero", 0.01: "Too small", 1: "Appropriate", 100: "Too large" };
  const CAP = 1000; // costs above it, and those that are no number, are drawn at the top edge
  const network = fanin.diagram(part("network"), sizes, {
    names: ["input", "ReLU", "ReLU", "sigmoid"],
    kinds: ["input", "relu", "relu", "output"],
  });
  const series = {};
  for (const scale of scales) {
    series[`median ${scale}`] = { color: colors[scale], width: 1.5, dash: "dashed", alpha: 0.65 };
    series[scale] = { color: colors[scale], width: 2.5, legend: `${names[scale]}, ${scale}` };
    series[`over ${scale}`] = { kind: "dots", color: colors[scale], marker: "triangle", size: 10 };
    series[`now ${scale}`] = { kind: "dots", color: colors[scale], size: 11 };
  }
  const costs = fanin.chart(part("costs"), {
    label: "Cost over the epochs",
    height: 300,
    x: { title: "epoch", range: [-20, epochs.at(-1) + 20] },
    y: { title: "cost", type: "log", range: [1e-3, 1.2 * CAP], ticks: { 0.001: ".001", 0.01: ".01", 0.1: ".1", 0.6931: "ln 2", 10: "10", 100: "100", 1000: "1000" } },
    series,
    tips: [["epoch", "@x"], ["cost", "@y"]],
  });

  const pick = (key, value) => {
    player.pause();
    if (key !== "links") player.to(0);
    state.set({ [key]: value });
    draw();
  };
  const sets = fanin.radios(root, "pg-data", state.get("data", "circle"), (value) => pick("data", value));
  const scale = fanin.radios(root, "pg-scale", state.get("scale", "1"), (value) => pick("scale", value));
  const links = fanin.radios(root, "pg-links", state.get("links", "weight"), (value) => pick("links", value));
  const run = () => data.runs[sets.get()][scale.get()];
  const high = (cost) => !Number.isFinite(cost) || cost > CAP;

  const frame = (i) => {
    const now = run();
    const row = fanin.row(now.parameters, i);
    const values = links.get() === "weight" ? row : fanin.row(now.gradients, i);
    const mean = network.set(fanin.matrices(sizes, values), links.get());
    part("unit").textContent = mean > 0 ? `full width: ${fanin.number(2 * mean)} and more` : `all are exactly 0`;
    fanin.paint(part("map"), data.points[sets.get()], (at) => fanin.forward(sizes, row, at));
    const cost = now.costs.values[epochs[i]];
    const right = now.correct.values[i];
    part("map").setAttribute("aria-label", `Decision map: ${right} of 100 points on the right side`);
    for (const each of scales) {
      const value = data.runs[sets.get()][each].costs.values[epochs[i]];
      costs.set({ [`now ${each}`]: { x: [epochs[i]], y: [high(value) ? CAP : value] } });
    }
    const times = cost / Math.LN2;
    const words = [`Epoch ${epochs[i]}: ${right} of 100 points right, cost ${fanin.number(cost)}`];
    if (!Number.isFinite(cost)) words.push(": more than a number of this size can say");
    else if (times > 10) words.push(`, ${fanin.number(times)} times that of a coin toss`);
    else if (Math.abs(times - 1) < 1e-3) words.push(", that of a coin toss");
    words.push(".");
    const largest = now.largest.values[i];
    if (largest > 88) words.push(` The output neuron's input reaches ${fanin.number(largest)}: beyond 88 the textbook formula of the cost fails in 32-bit numbers; fanin's does not.`);
    part("said").textContent = words.join("");
  };
  const draw = () => {
    for (const each of scales) {
      const one = data.runs[sets.get()][each];
      const x = Array.from(one.costs.values.keys());
      const over = x.filter((epoch) => high(one.costs.values[epoch]));
      costs.set({
        [each]: { x, y: Array.from(one.costs.values, (cost) => (high(cost) ? Number.NaN : cost)) },
        [`median ${each}`]: { x: epochs, y: Array.from(one.median.values, (cost) => (high(cost) ? Number.NaN : cost)) },
        [`over ${each}`]: { x: over, y: over.map(() => CAP) },
      });
    }
    const last = fanin.number(run().costs.values.at(-1));
    const text = `${names[scale.get()]} on ${sets.get()}: cost ${fanin.number(run().costs.values[0])} at the start, ${last} after ${epochs.at(-1)} epochs.`;
    costs.label(`Cost over the epochs. ${text}`);
    part("costs-said").textContent = `${text} Solid: this draw of points and weights. Dashed: the median over ${data.seeds} draws. Triangles at the top edge: beyond ${CAP}, or no number.`;
    frame(player.frame());
  };
  const nearest = (epoch) => {
    const i = epochs.findIndex((each) => each >= epoch);
    return i < 0 ? epochs.length - 1 : i;
  };
  const player = fanin.player(part("player"), {
    label: "Epoch",
    count: epochs.length,
    value: nearest(Number(state.get("epoch", 0))),
    text: (i) => `${epochs[i]} of ${epochs.at(-1)}`,
    shown: frame,
    rest: (i) => state.set({ epoch: epochs[i] }),
    rate: 24,
  });
  const tell = () => state.set({ view: "playground", data: sets.get(), scale: scale.get(), links: links.get(), epoch: epochs[player.frame()] });
  state.listeners.add(() => {
    if (state.get("view", "playground") !== "playground") return;
    sets.set(state.get("data", sets.get()));
    scale.set(state.get("scale", scale.get()));
    links.set(state.get("links", links.get()));
    player.set(nearest(Number(state.get("epoch", epochs[player.frame()]))));
    draw();
  });
  fanin.theme.listeners.add(() => frame(player.frame()));
  draw();
  return { show: tell, hide: player.pause };
});

// The playground: everything but the map's predictions was recorded by fanin.
"use strict";

fanin.define("playground", (root, data, state) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const { sizes, epochs, scales } = data;
  const colors = { 0: "--zero", 0.01: "--small", 1: "--right", 100: "--large" };
  const names = { 0: "Zero", 0.01: "Too small", 1: "Appropriate", 100: "Too large" };
  const CAP = 1000; // costs above it, and those that are no number, are drawn at the top edge
  const network = fanin.diagram(part("network"), sizes, {
    names: ["input", "ReLU", "ReLU", "sigmoid"],
    kinds: ["input", "hidden-unit", "hidden-unit", "output"],
  });
  const series = {};
  for (const scale of scales) {
    series[`median ${scale}`] = { color: colors[scale], width: 1.5, dash: "dashed", alpha: 0.65 };
    series[`run ${scale}`] = { color: colors[scale], width: 2.5, legend: `${names[scale]}, ${scale}` };
    series[`over ${scale}`] = { kind: "dots", color: colors[scale], marker: "triangle", size: 10 };
  }
  for (const scale of scales) series[`now ${scale}`] = { kind: "dots", color: colors[scale], size: 11 };
  const costs = fanin.chart(part("costs"), {
    label: "Cost over the epochs",
    height: 300,
    x: { title: "epoch", range: [-20, epochs.at(-1) + 20] },
    y: {
      title: "cost",
      type: "log",
      range: [1e-3, 1.2 * CAP],
      ticks: { 0.001: "0.001", 0.01: "0.01", 0.1: "0.1", 0.6931: "ln 2", 10: "10", 100: "100", 1000: "1000" },
    },
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
    fanin.paint(part("map"), data.points[sets.get()], fanin.predictor(sizes, row));
    const cost = now.costs.values[epochs[i]];
    const right = now.correct.values[i];
    part("map").setAttribute("aria-label", `Decision map: ${right} of 100 points on the right side`);
    for (const each of scales) {
      const value = data.runs[sets.get()][each].costs.values[epochs[i]];
      costs.set({ [`now ${each}`]: each === scale.get() ? { x: [epochs[i]], y: [high(value) ? CAP : value] } : { x: [], y: [] } });
    }
    const times = cost / Math.LN2;
    const words = [`Epoch ${epochs[i]}: ${right} of 100 points right, cost ${fanin.number(cost)}`];
    if (!Number.isFinite(cost)) words.push(": more than a number of this size can say");
    else if (times > 10) words.push(`, ${fanin.number(times)} times that of a coin toss`);
    else if (Math.abs(times - 1) < 1e-3) words.push(", that of a coin toss");
    words.push(".");
    const largest = now.largest.values[i];
    if (largest > 88) {
      words.push(` The output neuron's input reaches ${fanin.number(largest)}: beyond 88 the textbook formula of the cost`);
      words.push(" fails in 32-bit numbers; fanin's does not.");
    }
    part("said").textContent = words.join("");
  };
  const draw = () => {
    for (const each of scales) {
      const one = data.runs[sets.get()][each];
      const x = Array.from(one.costs.values.keys());
      const over = x.filter((epoch) => high(one.costs.values[epoch]));
      costs.set({
        [`run ${each}`]: { x, y: Array.from(one.costs.values, (cost) => (high(cost) ? Number.NaN : cost)) },
        [`median ${each}`]: { x: epochs, y: Array.from(one.median.values, (cost) => (high(cost) ? Number.NaN : cost)) },
        [`over ${each}`]: { x: over, y: over.map(() => CAP) },
      });
    }
    for (const each of scales) {
      const [line, median] = each === scale.get() ? [1, 0.9] : [0.45, 0.3];
      costs.fade({ [`run ${each}`]: line, [`median ${each}`]: median });
    }
    const last = fanin.number(run().costs.values.at(-1));
    const first = fanin.number(run().costs.values[0]);
    const text = `${names[scale.get()]} on ${sets.get()}: cost ${first} at the start, ${last} after ${epochs.at(-1)} epochs.`;
    costs.label(`Cost over the epochs. ${text}`);
    part("costs-said").textContent = [
      `${text} Solid: this draw of points and weights. Dashed: the median over ${data.seeds} draws, this one among them.`,
      `Triangles at the top edge: beyond ${CAP}, or no number.`,
    ].join(" ");
    frame(player.frame());
  };
  const player = fanin.player(part("player"), {
    label: "Epoch",
    count: epochs.length,
    value: fanin.nearest(epochs, Number(state.get("epoch", 0))),
    text: (i) => `${epochs[i]} of ${epochs.at(-1)}`,
    shown: frame,
    rest: (i) => state.set({ epoch: epochs[i] }),
    rate: 24,
  });
  const tell = () => {
    const epoch = epochs[player.frame()];
    state.set({ view: "playground", data: sets.get(), scale: scale.get(), links: links.get(), epoch });
  };
  const apply = () => {
    sets.set(state.get("data", sets.get()));
    scale.set(state.get("scale", scale.get()));
    links.set(state.get("links", links.get()));
    player.set(fanin.nearest(epochs, Number(state.get("epoch", epochs[player.frame()]))));
    draw();
  };
  fanin.theme.listeners.add(() => frame(player.frame()));
  draw();
  return { apply, tell, hide: player.pause };
});

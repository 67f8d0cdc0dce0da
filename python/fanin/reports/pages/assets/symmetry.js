// Symmetry: units that start alike, unit by unit. The map's forward pass knows ReLU, tanh and sigmoid; all else was recorded.
"use strict";

fanin.define("symmetry", (root, data, state) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const { sizes, epochs } = data;
  const starts = Object.keys(data.runs);
  const network = fanin.diagram(part("network"), sizes, {
    names: ["input", "hidden 1", "hidden 2", "output"],
    kinds: ["input", "hidden-unit", "hidden-unit", "output"],
  });
  const units = Array.from({ length: sizes[1] }, (_, unit) => unit);
  const shades = ["--large", "--small", "--right", "--class1"];
  const paths = fanin.chart(part("paths"), {
    label: "Weights of layer 1",
    x: { title: "epoch", range: [-20, epochs.at(-1) + 20] },
    y: {},
    series: Object.fromEntries(
      units.map((unit) => [unit, { color: shades[unit], width: 11 - 3 * unit, legend: `neuron ${unit + 1}` }]),
    ),
    tips: [["epoch", "@x"], ["weight", "@y"]],
  });
  const cost = fanin.chart(part("cost"), {
    label: "Cost over the epochs",
    x: { title: "epoch", range: [-20, epochs.at(-1) + 20] },
    y: { type: "log", range: [1e-3, 1.5] },
    series: {
      ...Object.fromEntries(starts.map((start) => [start, { color: "--zero", width: 1.5, alpha: 0.7 }])),
      this: { color: "--right", width: 3 },
      now: { kind: "dots", color: "--large", size: 11 },
    },
    tips: [["epoch", "@x"], ["cost", "@y"]],
  });

  const tables = (values, gradients, copies) => {
    const all = sizes.slice(1).map((m, layer) => {
      const n = sizes[layer];
      const start = sizes.slice(1, layer + 1).reduce((sum, size, i) => sum + size * (sizes[i] + 1), 0);
      const cell = (at) => {
        const kind = values[at] === 0 ? "none" : values[at] > 0 ? "plus" : "minus";
        const gradient = fanin.element("small", {}, fanin.number(gradients[at]));
        return fanin.element("td", { class: kind }, values[at].toFixed(3).replace("-", "−"), gradient);
      };
      const titles = [...Array.from({ length: n }, (_, i) => `from ${i + 1}`), "bias"];
      const heads = titles.map((text) => fanin.element("th", { scope: "col" }, text));
      const rows = Array.from({ length: m }, (_, unit) => {
        const cells = Array.from({ length: n }, (_, from) => cell(start + unit * n + from));
        const name = copies[layer]?.has(unit) ? `neuron ${unit + 1}, copy` : `neuron ${unit + 1}`;
        return fanin.element("tr", {}, fanin.element("th", { scope: "row" }, name), ...cells, cell(start + m * n + unit));
      });
      const title = layer < sizes.length - 2 ? `Hidden layer ${layer + 1}` : "Output";
      const head = fanin.element("tr", {}, fanin.element("td", { class: "corner" }), ...heads);
      return fanin.element("table", {}, fanin.element("caption", {}, title), head, ...rows);
    });
    part("tables").replaceChildren(...all);
  };
  // Units whose row and bias another unit of the layer has too.
  const twins = (values) =>
    sizes.slice(1, -1).map((m, layer) => {
      const n = sizes[layer];
      const start = sizes.slice(1, layer + 1).reduce((sum, size, i) => sum + size * (sizes[i] + 1), 0);
      const weights = (unit) => values.subarray(start + unit * n, start + unit * n + n);
      const keys = Array.from({ length: m }, (_, unit) => [...weights(unit), values[start + m * n + unit]].join());
      return new Set(Array.from(keys.keys()).filter((unit) => keys.indexOf(keys[unit]) !== keys.lastIndexOf(keys[unit])));
    });

  const pick = (key, value) => {
    state.set({ [key]: value });
    draw();
  };
  const start = fanin.radios(root, "sy-start", state.get("start", "zeros"), (value) => pick("start", value));
  const act = fanin.radios(root, "sy-act", state.get("act", "relu"), (value) => pick("act", value));
  const run = () => data.runs[start.get()][act.get()];

  const frame = (i) => {
    const now = run();
    const [row, gradients] = [fanin.row(now.parameters, i), fanin.row(now.gradients, i)];
    network.set(fanin.matrices(sizes, row), "weight");
    fanin.paint(part("map"), data.points, fanin.predictor(sizes, row, act.get()));
    part("map").setAttribute("aria-label", `Decision map: ${now.right.values[i]} of 100 points on the right side`);
    tables(row, gradients, twins(row));
    cost.set({ now: { x: [epochs[i]], y: [now.costs.values[i]] } });
    const copies = fanin.row(now.copies, i);
    const moved = gradients.reduce((sum, value) => sum + (value !== 0), 0);
    const alike = copies[0] + copies[1];
    const words = [`Epoch ${epochs[i]}: ${alike} of ${sizes[1] + sizes[2]} hidden neurons are copies;`];
    words.push(`${moved} of ${row.length} numbers have a gradient that is not 0.`);
    words.push(`Cost ${fanin.number(now.costs.values[i])}, ${now.right.values[i]} of 100 points right.`);
    if (start.get() !== "random") words.push(`fanin's verdict at the start: ${now.verdict}.`);
    part("said").textContent = words.join(" ");
  };
  const draw = () => {
    const now = run();
    const weights = (unit) => epochs.map((_, i) => fanin.row(now.parameters, i)[unit * sizes[0]]);
    for (const unit of units) paths.set({ [unit]: { x: epochs, y: weights(unit) } });
    for (const each of starts) cost.set({ [each]: { x: epochs, y: Array.from(data.runs[each][act.get()].costs.values) } });
    cost.set({ this: { x: epochs, y: Array.from(now.costs.values) } });
    const all = units.flatMap(weights);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    paths.range("y", low - 0.1 - 0.1 * (high - low), high + 0.1 + 0.1 * (high - low));
    frame(player.frame());
  };
  const player = fanin.player(part("player"), {
    label: "Epoch",
    count: epochs.length,
    value: fanin.nearest(epochs, Number(state.get("at", 0))),
    text: (i) => `${epochs[i]} of ${epochs.at(-1)}`,
    shown: (i) => frame(i),
    rest: (i) => state.set({ at: epochs[i] }),
    rate: 12,
  });
  const apply = () => {
    start.set(state.get("start", start.get()));
    act.set(state.get("act", act.get()));
    player.set(fanin.nearest(epochs, Number(state.get("at", epochs[player.frame()]))));
    draw();
  };
  fanin.theme.listeners.add(() => frame(player.frame()));
  draw();
  const tell = () => state.set({ view: "symmetry", start: start.get(), act: act.get(), at: epochs[player.frame()] });
  return { apply, tell, hide: player.pause };
});

// Scales over depth and histograms of one network or of several.
"use strict";

fanin.define("layers", async (root, data) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const depth = data.at.length;
  const every = Math.ceil(depth / 12);
  const ticks = Object.fromEntries(data.at.filter((at) => (at - 1) % every === 0).map((at) => [at, String(at)]));
  const scale = (key, label) => {
    if (!part(key)) return;
    const all = data.runs.flatMap((run) => [...run[key], ...run[`${key}_expected`]]).filter((value) => value !== null);
    const series = {};
    data.runs.forEach((run, i) => {
      const color = `--law-${i % 8}`;
      const name = data.runs.length > 1 ? run.name : "";
      series[`expected ${i}`] = { color, dash: "dashed", width: 1.5, name: `${name} expected`.trim() };
      series[`line ${i}`] = { color, width: 1.5, alpha: 0.6, name };
      series[`dots ${i}`] = { kind: "dots", marker: i < 8 ? "circle" : "square", color, size: depth > 30 ? 4 : 8, name };
    });
    const chart = fanin.chart(part(key), {
      label,
      height: 280,
      x: { title: "layer", range: [0.5, depth + 0.5], ticks },
      y: { type: "log", ...fanin.decades(Math.min(...all), Math.max(...all)) },
      series,
      tips: [["layer", "@x"], ["value", "@y"]],
    });
    data.runs.forEach((run, i) => {
      const [seen, expected] = [run[key], run[`${key}_expected`]].map((list) => list.map((value) => value ?? Number.NaN));
      chart.set({ [`expected ${i}`]: { x: data.at, y: expected }, [`line ${i}`]: { x: data.at, y: seen }, [`dots ${i}`]: { x: data.at, y: seen } });
    });
  };
  scale("spread", "Standard deviation of the activations by layer");
  scale("gradient", "Root mean square of the gradients by layer");

  const histogram = (element, one, name, color) => {
    const chart = fanin.chart(element, {
      label: `Histogram of ${one.layer}, ${name}: ${one.words}`,
      height: 150,
      x: { range: one.range, ticks: fanin.few(...one.range) },
      y: { range: [0, 1.15], ticks: {} },
      series: {
        area: { kind: "area", color, alpha: 0.3 },
        line: { color, width: 1.2 },
        expected: { kind: "marks", color: "--ink", dash: "dashed", width: 1.2 },
        measured: { color: "--ink", width: 4 },
      },
    });
    chart.set({ expected: { x: [], y: [], top: [] } });
    if (one.edges === null) {
      if (one.mean !== null) chart.set({ line: { x: [one.mean, one.mean], y: [0, 1] } });
      return;
    }
    const edges = Array.from(one.edges.values);
    const heights = Array.from(one.heights.values);
    const outline = { x: [edges[0], ...heights.flatMap((_, k) => [edges[k], edges[k + 1]]), edges.at(-1)], y: [0, ...heights.flatMap((y) => [y, y]), 0] };
    chart.set({ area: outline, line: outline, measured: { x: [one.mean - one.std, one.mean + one.std], y: [0.05, 0.05] } });
    if (one.expected !== null) {
      const at = [one.mean - one.expected, one.mean + one.expected];
      chart.set({ expected: { x: at, y: [0, 0], top: [1.15, 1.15] } });
    }
  };
  for (const [i, run] of data.runs.entries()) {
    run.histograms.forEach((one, k) => histogram(part(`histogram-${i}-${k}`), one, run.name, `--law-${i % 8}`));
    await new Promise((done) => { setTimeout(done, 0); }); // the page stays alive while many are drawn
  }
  return {};
});

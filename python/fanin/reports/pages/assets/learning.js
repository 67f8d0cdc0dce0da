// Cost curves of a comparison.
"use strict";

fanin.define("learning", (root, data) => {
  const values = data.runs.flatMap((run) => run.costs).filter((cost) => cost !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const last = Math.max(2, ...data.runs.flatMap((run) => run.steps), ...data.runs.map((run) => run.not_finite?.[0] ?? 0));
  const series = {};
  data.runs.forEach((run, i) => {
    const dash = ["solid", "dashed", "dotted", "dotdash"][Math.floor(i / 8) % 4];
    series[i] = { color: `--law-${i % 8}`, dash, width: 2, name: run.name };
    series[`end ${i}`] = { kind: "dots", marker: "x", size: 12, color: `--law-${i % 8}` };
  });
  const chart = fanin.chart(root.querySelector('[data-part="costs"]'), {
    label: "Cost of the batches, step by step",
    height: 320,
    x: { title: "step", range: [0, last * 1.02] },
    y: { type: "log", title: "cost", ...fanin.decades(low, high) },
    series,
    tips: [["step", "@x{0}"], ["cost", "@y"]],
  });
  data.runs.forEach((run, i) => {
    const end = run.not_finite;
    chart.set({
      [i]: { x: run.steps, y: run.costs.map((cost) => cost ?? Number.NaN) },
      [`end ${i}`]: { x: end ? [end[0]] : [], y: end ? [end[1]] : [] },
    });
  });
  return {};
});

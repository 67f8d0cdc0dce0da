// The held-out error of a sweep's points over one side of its grid.
"use strict";

fanin.define("sweep", (root, data) => {
  const at = data.runs.flatMap((run) => run.at);
  const top = Math.max(0, ...data.runs.flatMap((run) => run.errors)) * 1.05 || 1;
  const [low, high] = at.length > 0 ? [Math.min(...at), Math.max(...at)] : [0, 1];
  const room = 0.04 * (high - low) || 0.5;
  const x = data.log ? { type: "log", ...fanin.decades(low, high) } : { range: [low - room, high + room], ticks: fanin.few(low - room, high + room) };
  const series = {};
  data.runs.forEach((run, i) => {
    const color = `--law-${i % 8}`;
    series[`line ${i}`] = { color, width: 2, name: `${run.name}, median` };
    series[`dots ${i}`] = { kind: "dots", color, size: 7, alpha: 0.5, name: run.name };
  });
  const chart = fanin.chart(root.querySelector('[data-part="errors"]'), {
    label: `${data.what} over ${data.axis}`,
    height: 340,
    x: { title: data.axis, ...x },
    y: { title: data.what, range: [0, top], ticks: fanin.few(0, top) },
    series,
    tips: [[data.axis, "@x"], [data.what, "@y"]],
  });
  data.runs.forEach((run, i) => {
    chart.set({ [`line ${i}`]: { x: run.line[0], y: run.line[1] }, [`dots ${i}`]: { x: run.at, y: run.errors } });
  });
  return {};
});

// The linear network: a slider over what fanin measured at 61 factors.
"use strict";

fanin.define("linear", (root, data, state) => {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const { factors, hidden } = data;
  const sizes = [...Array.from({ length: hidden + 1 }, () => 2), 1];
  const layers = Array.from({ length: hidden }, (_, i) => i + 1);
  const [TOP, BOTTOM] = [1e6, 1e-10];
  const network = fanin.diagram(part("network"), sizes, {
    names: ["x", ...layers.map(String), "ŷ"],
    kinds: ["input", ...layers.map(() => "hidden-unit"), "output"],
    step: 74,
  });
  const ticks = Object.fromEntries(layers.map((layer) => [layer, String(layer)]));
  const by = { title: "layer", range: [0.5, hidden + 0.5], ticks };
  const scales = { 1e-4: "10⁻⁴", 1e-3: "0.001", 0.01: "0.01", 0.1: "0.1", 1: "1", 10: "10", 100: "100" };
  const forward = fanin.chart(part("forward"), {
    label: "Scale of the activations by layer",
    x: by,
    y: { type: "log", range: [1e-4, 200], ticks: scales },
    series: { line: { color: "--right" }, dots: { kind: "dots", color: "--right" } },
    tips: [["layer", "@x"], ["rms of a", "@y"]],
  });
  const backward = fanin.chart(part("backward"), {
    label: "Scale of the gradients by layer",
    x: by,
    y: { type: "log", range: [1e-4, 200], ticks: scales },
    series: {
      dw: { color: "--zero", dash: "dashed", legend: "dJ/dW" },
      line: { color: "--large", legend: "dJ/da" },
      dots: { kind: "dots", color: "--large" },
    },
    tips: [["layer", "@x"], ["over layer 9's", "@y"]],
  });
  const costs = fanin.chart(part("costs"), {
    label: "Cost over the steps",
    x: { title: "step", range: [-1, 101] },
    y: {
      type: "log",
      range: [BOTTOM, 3 * TOP],
      ticks: { 1e-10: "10⁻¹⁰", 1e-7: "10⁻⁷", 1e-4: "10⁻⁴", 1: "1", 1000: "1000", 1e6: "10⁶" },
    },
    series: {
      "0.5": { color: "--zero", alpha: 0.7, width: 1.5 },
      1: { color: "--zero", alpha: 0.7, width: 1.5 },
      line: { color: "--right", width: 2.5 },
      dots: { kind: "dots", color: "--right", size: 4 },
      over: { kind: "dots", color: "--large", marker: "triangle", size: 12 },
    },
    tips: [["step", "@x"], ["cost", "@y"]],
  });
  const rates = fanin.chart(part("rates"), {
    label: "Smallest learning rate that diverges, by factor",
    x: { title: "factor c", range: [0.37, 1.63] },
    y: { type: "log", range: [7e-4, 0.3], ticks: { 0.001: "0.001", 0.01: "0.01", 0.1: "0.1" } },
    series: {
      line: { color: "--right" },
      used: { color: "--zero", dash: "dashed", legend: "the rate used" },
      now: { kind: "dots", color: "--large", size: 12 },
    },
    tips: [["factor", "@x"], ["rate", "@y"]],
    legend: "top_right",
  });
  rates.set({ line: { x: factors, y: data.diverges } });

  const draw = () => {
    const i = slider.get();
    const factor = factors[i];
    const lr = Number(rate.get());
    const [a, da, dw] = ["a", "da", "dw"].map((key) => Array.from(fanin.row(data[key], i)));
    const matrix = [[factor, 0], [0, factor]];
    network.set([...layers.map(() => matrix), [[1, 1]]], "weight");
    forward.set({ line: { x: layers, y: a }, dots: { x: layers, y: a } });
    backward.set({ line: { x: layers, y: da }, dots: { x: layers, y: da }, dw: { x: layers, y: dw.map((value) => value / dw.at(-1)) } });
    const course = Array.from(fanin.row(data.costs, i, lr));
    const lost = course.findIndex((cost) => !(cost <= TOP));
    const seen = course.map((cost, k) => (lost >= 0 && k >= lost ? Number.NaN : Math.max(cost, BOTTOM)));
    for (const other of ["0.5", "1"]) {
      const y = Array.from(fanin.row(data.costs, at(other), lr), (cost) => (cost <= TOP ? Math.max(cost, BOTTOM) : Number.NaN));
      costs.set({ [other]: { x: y.map((_, k) => k), y } });
    }
    const x = course.map((_, k) => k);
    costs.set({ line: { x, y: seen }, dots: { x, y: seen }, over: lost < 0 ? { x: [], y: [] } : { x: [lost], y: [TOP] } });
    const used = data.rates[lr];
    rates.set({ used: { x: [0.37, 1.63], y: [used, used] }, now: { x: [factor], y: [data.diverges[i]] } });
    const last = lost < 0 ? `${fanin.number(course.at(-1))} after 100 steps` : `beyond 10⁶ at step ${lost} (the triangle)`;
    const end = `${fanin.number(course[0])} at the start, ${last}`;
    part("costs-said").textContent = `Cost (half the mean square) with the rate ${used}: ${end}. Grey: c = 0.5 and c = 1, to compare.`;
    costs.label(`Cost over the steps: ${end}`);
    forward.label(`Activations: ${a.map(fanin.number).join(", ")} in layers 1 to 9`);
    backward.label(`Gradients of a over that of layer 9: ${da.map(fanin.number).join(", ")} in layers 1 to 9`);
    part("said").textContent = [
      `c = ${factor}: layer 9 has ${fanin.number(a.at(-1))} times the input's scale;`,
      `the gradient reaches layer 1 with ${fanin.number(da[0])} times its size at layer 9.`,
      `fanin's verdict: ${data.verdicts[i]}. Rates from ${fanin.number(data.diverges[i])} on diverge.`,
    ].join(" ");
  };
  const at = (text) => {
    const wanted = Number(text);
    return factors.reduce((best, factor, i) => (Math.abs(factor - wanted) < Math.abs(factors[best] - wanted) ? i : best), 0);
  };
  const told = () => ({ factor: factors[slider.get()], lr: data.rates[Number(rate.get())] });
  const slider = fanin.slider(part("factor"), {
    label: "Factor c",
    count: factors.length,
    value: at(state.get("factor", 1.5)),
    text: (i) => `${factors[i].toFixed(2)} × I`,
    picked: () => {
      state.set(told());
      draw();
    },
  });
  const index = (text) => String(Math.max(0, data.rates.indexOf(Number(text))));
  const rate = fanin.radios(root, "ln-lr", index(state.get("lr", data.rates[0])), () => {
    state.set(told());
    draw();
  });
  const apply = () => {
    slider.set(at(state.get("factor", factors[slider.get()])));
    rate.set(index(state.get("lr", data.rates[Number(rate.get())])));
    draw();
  };
  draw();
  return { apply, tell: () => state.set({ view: "linear", ...told() }) };
});

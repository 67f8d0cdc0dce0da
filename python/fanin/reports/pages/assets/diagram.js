// A dense network as a diagram: columns of neurons, a line for each weight, coloured by sign and thickened by size.
"use strict";

// diagram(element, sizes, { names, kinds, step }) with a name and a kind for each column.
// The scale is m, the mean of all |values|: lines have full colour and width from 2 m on.
fanin.diagram = (element, sizes, { names, kinds, step = 150 }) => {
  const tall = Math.max(...sizes);
  const gap = step > 100 ? 54 : 46;
  const side = step > 100 ? 56 : 40; // room for half a name
  const [width, height] = [step * (sizes.length - 1) + 2 * side, gap * tall + 44];
  const x = (layer) => side + step * layer;
  const y = (layer, unit) => 14 + gap * (tall / 2 - sizes[layer] / 2 + unit + 0.5);
  const svg = fanin.element("svg", { viewBox: `0 0 ${width} ${height}`, class: "diagram", role: "img", "aria-label": "Network" });
  const links = [];
  for (let layer = 1; layer < sizes.length; layer += 1) {
    for (let to = 0; to < sizes[layer]; to += 1) {
      for (let from = 0; from < sizes[layer - 1]; from += 1) {
        const title = fanin.element("title");
        const ends = { x1: x(layer - 1), y1: y(layer - 1, from), x2: x(layer), y2: y(layer, to) };
        const line = fanin.element("line", ends, title);
        svg.append(line);
        links.push({ line, title, layer: layer - 1, to, from });
      }
    }
  }
  sizes.forEach((size, layer) => {
    for (let unit = 0; unit < size; unit += 1) {
      svg.append(fanin.element("circle", { cx: x(layer), cy: y(layer, unit), r: 13, class: `node ${kinds[layer]}` }));
    }
    svg.append(fanin.element("text", { x: x(layer), y: height - 8 }, names[layer]));
  });
  element.append(svg);

  let shown = null;
  const paint = () => {
    if (!shown) return;
    const { values, what } = shown;
    const flat = links.map(({ layer, to, from }) => values[layer][to][from]);
    const m = flat.reduce((sum, value) => sum + Math.abs(value), 0) / flat.length;
    const [plus, none, minus] = ["--plus", "--none", "--minus"].map(fanin.css);
    links.forEach(({ line, title, layer, to, from }, i) => {
      const part = m > 0 ? Math.max(-1, Math.min(1, flat[i] / (2 * m))) : 0;
      const color = `color-mix(in srgb, ${part < 0 ? minus : plus} ${Math.round(100 * Math.abs(part))}%, ${none})`;
      line.setAttribute("style", `stroke:${color};stroke-width:${(1.2 + 8 * Math.abs(part)).toFixed(2)}`);
      title.textContent = `${what} from ${names[layer]} ${from + 1} to ${names[layer + 1]} ${to + 1}: ${fanin.number(flat[i])}`;
    });
    const zeros = flat.filter((value) => value === 0).length;
    svg.setAttribute("aria-label", `${links.length} lines: the mean size of a ${what} is ${fanin.number(m)}; ${zeros} are exactly 0`);
    return m;
  };
  fanin.theme.listeners.add(paint);
  return {
    // values[layer][to][from]; returns the mean size
    set(values, what) {
      shown = { values, what };
      return paint();
    },
  };
};

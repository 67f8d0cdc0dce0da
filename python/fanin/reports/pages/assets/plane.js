// A recorded network in the plane: its parameters as matrices, its prediction at a point, the map of its predictions.
"use strict";

fanin.activations = { relu: (z) => Math.max(0, z), tanh: Math.tanh, sigmoid: (z) => 1 / (1 + Math.exp(-z)) };

// (x1, x2) -> the probability of class 1, from a row of parameters: w by rows, then b, layer by layer.
fanin.predictor = (sizes, parameters, activation = "relu") => {
  const g = fanin.activations[activation];
  const columns = sizes.map((size) => new Float64Array(size));
  return (x1, x2) => {
    columns[0][0] = x1;
    columns[0][1] = x2;
    let at = 0;
    for (let layer = 1; layer < sizes.length; layer += 1) {
      const [a, z] = [columns[layer - 1], columns[layer]];
      const biases = at + z.length * a.length;
      for (let to = 0; to < z.length; to += 1) {
        let sum = parameters[biases + to];
        for (let from = 0; from < a.length; from += 1) sum += parameters[at + to * a.length + from] * a[from];
        z[to] = layer < sizes.length - 1 ? g(sum) : sum;
      }
      at = biases + z.length;
    }
    return fanin.activations.sigmoid(columns.at(-1)[0]);
  };
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

// Colours the square [-6.5, 6.5]^2 by probability(x1, x2), the points on top.
fanin.paint = (canvas, points, probability) => {
  const reach = 6.5;
  const side = 100;
  const [one, two] = ["--class0", "--class1"].map((name) => fanin.rgb(fanin.css(name)));
  const paper = fanin.rgb(fanin.css("--card"));
  const small = fanin.element("canvas", { width: side, height: side });
  const image = new ImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const p = probability(((column + 0.5) / side) * 2 * reach - reach, reach - ((row + 0.5) / side) * 2 * reach);
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

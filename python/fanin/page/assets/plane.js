// A recorded network in the plane: its parameters as matrices, its prediction at a point, the map of its predictions.
"use strict";

fanin.activations = { relu: (z) => Math.max(0, z), tanh: Math.tanh, sigmoid: (z) => 1 / (1 + Math.exp(-z)) };

// The probability of class 1 at a point, from a row of parameters: w by rows, then b, layer by layer.
fanin.forward = (sizes, parameters, point, activation = "relu") => {
  let a = point;
  let at = 0;
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const [n, m] = [sizes[layer - 1], sizes[layer]];
    const z = Array.from({ length: m }, (_, to) => {
      let sum = parameters[at + m * n + to];
      for (let from = 0; from < n; from += 1) sum += parameters[at + to * n + from] * a[from];
      return sum;
    });
    at += m * n + m;
    a = layer < sizes.length - 1 ? z.map(fanin.activations[activation]) : z;
  }
  return fanin.activations.sigmoid(a[0]);
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

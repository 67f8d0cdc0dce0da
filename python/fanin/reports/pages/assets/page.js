// The frame: views as tabs, state in the address, light and dark, data and library unpacked.
"use strict";

const fanin = { setups: new Map() };

// setup(root, data, state) builds a view once, when it is first shown, as the address says. It may return { apply(), tell(),
// hide() }: take the address's state, what it does not say staying as it is; write one's own into the address; leave.
fanin.define = (name, setup) => fanin.setups.set(name, setup);

// base64 of gzip -> bytes
fanin.inflate = async (id) => {
  const text = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};

// What fanin.reports.pages.pack wrote: a length, JSON, and the planes of the arrays.
fanin.unpack = async (id) => {
  const buffer = await fanin.inflate(id);
  const length = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  const types = { f8: Float64Array, f4: Float32Array, u2: Uint16Array, u1: Uint8Array };
  return JSON.parse(text, (_, value) => {
    if (value === null || typeof value !== "object" || !("$" in value)) return value;
    const size = value.shape.reduce((product, n) => product * n, 1);
    const width = types[value.$].BYTES_PER_ELEMENT;
    const planes = new Uint8Array(buffer, 4 + length + value.at, size * width);
    const bytes = new Uint8Array(size * width);
    for (let plane = 0; plane < width; plane += 1) {
      for (let i = 0; i < size; i += 1) bytes[i * width + plane] = planes[plane * size + i];
    }
    return { shape: value.shape, values: new types[value.$](bytes.buffer) };
  });
};

// array.values along its first axes: row(a, 2, 5) is a[2, 5]
fanin.row = (array, ...index) => {
  let size = array.values.length;
  let at = 0;
  index.forEach((i, axis) => {
    size /= array.shape[axis];
    at += i * size;
  });
  return array.values.subarray(at, at + size);
};

// The address: #view=playground&data=circle&epoch=40. Keys that nobody knows stay.
fanin.state = {
  read: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
  get: (key, fallback) => fanin.state.read()[key] ?? fallback,
  set(changes) {
    const all = new URLSearchParams({ ...fanin.state.read(), ...changes });
    const hash = `#${all}`;
    if (hash === location.hash) return;
    try {
      history.replaceState(null, "", hash);
    } catch {
      // Safari refuses more than 100 changes in 10 seconds: the address follows a little later.
    }
  },
};

fanin.raised = (exponent) => [...String(exponent)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

// A short number for people: three digits, powers of ten where zeros would have to be counted.
fanin.number = (value) => {
  if (value === null || Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  if (value === 0) return "0";
  if (value < 0) return `−${fanin.number(-value)}`;
  if (value < 1e-3 || value >= 1e5) {
    const [mantissa, exponent] = value.toExponential(1).split("e");
    return `${mantissa} × 10${fanin.raised(Number(exponent))}`;
  }
  return String(Number(value.toPrecision(3)));
};

fanin.element = (tag, attributes = {}, ...children) => {
  const space = ["svg", "g", "line", "circle", "text", "title", "rect", "path"].includes(tag) && "http://www.w3.org/2000/svg";
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

fanin.css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// "#1f2732" -> [31, 39, 50]
fanin.rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

fanin.theme = {
  listeners: new Set(),
  dark: () => (document.documentElement.dataset.theme ?? fanin.theme.system()) === "dark",
  system: () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  changed() {
    const button = document.getElementById("theme");
    button.textContent = fanin.theme.dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${fanin.theme.dark() ? "light" : "dark"} colours`);
    button.setAttribute("aria-pressed", String(fanin.theme.dark()));
    for (const listener of fanin.theme.listeners) listener();
  },
};

fanin.notice = (text) => {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.hidden = text === "";
};

fanin.views = {
  built: new Map(),
  shown: null,
  names: () => [...document.querySelectorAll("[role=tabpanel]")].map((panel) => panel.id),
  current: () => (fanin.views.names().includes(fanin.state.get("view")) ? fanin.state.get("view") : fanin.views.names()[0]),
  select(name) {
    for (const other of fanin.views.names()) {
      const tab = document.getElementById(`tab-${other}`);
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      document.getElementById(other).hidden = other !== name;
    }
  },
  async show() {
    const name = fanin.views.current();
    const views = fanin.views;
    views.select(name);
    if (views.shown !== name) views.built.get(views.shown)?.then((view) => view.hide?.());
    views.shown = name;
    const first = !views.built.has(name);
    if (first) views.built.set(name, views.build(name));
    const view = await views.built.get(name);
    if (views.shown !== name) return;
    if (!first) view.apply?.();
    view.tell?.();
  },
  async build(name) {
    const root = document.getElementById(name);
    root.setAttribute("aria-busy", "true");
    const [data] = await Promise.all([fanin.unpack(`data-${name}`), fanin.ready]);
    const view = (await fanin.setups.get(name)(root, data, fanin.state)) ?? {};
    root.removeAttribute("aria-busy");
    root.dataset.built = "";
    return view;
  },
};

fanin.start = () => {
  document.getElementById("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = fanin.theme.dark() ? "light" : "dark";
    fanin.theme.changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", fanin.theme.changed);
  fanin.theme.changed();

  document.querySelector("[role=tablist]").addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) fanin.goto(tab.getAttribute("aria-controls"));
  });
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const names = fanin.views.names();
    const at = names.indexOf(fanin.views.current());
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    fanin.goto(names[(to + names.length) % names.length]);
    document.getElementById(`tab-${fanin.views.current()}`).focus();
  });
  addEventListener("hashchange", () => fanin.views.show());

  fanin.views.select(fanin.views.current());
  if (typeof DecompressionStream === "undefined") {
    fanin.notice("This page needs a browser of 2023 or later: this one cannot unpack its data.");
    return;
  }
  // Two frames later the text is on the screen.
  fanin.ready = new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(done));
  }).then(async () => {
    const text = new TextDecoder().decode(await fanin.inflate("library"));
    document.body.append(fanin.element("script", {}, text));
  });
  fanin.views.show().catch((error) => {
    fanin.notice(`The page could not be drawn: ${error.message}`);
    throw error;
  });
};

fanin.goto = (name) => {
  location.hash = new URLSearchParams({ view: name });
};

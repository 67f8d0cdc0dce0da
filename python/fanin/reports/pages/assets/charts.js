// Charts by BokehJS: lines, dots, areas and marks, with colours from the page's style, again when light turns to dark.
"use strict";

fanin.charts = new Set();

// A chart in `element`. options: label (for those who hear the page), height, x and y: { title, type: "linear" | "log",
// range: [from, to] or undefined, ticks: { value: "text" } }, series: { name: { kind: "line" | "dots" | "area" | "marks",
// color: "--name", width, dash, alpha, legend, name: of the tips } }, tips: [[name, "@x"], ...], legend: "top_right" and the like.
// chart.set({ name: { x, y } }) shows data: an area lies between y and 0, marks are vertical lines from y to top.
// chart.fade({ name: 0.3 }) sets how strong a line is.
fanin.chart = (element, options) => {
  const { Plotting, Range1d, FixedTicker, HoverTool } = { ...Bokeh, ...Bokeh.Plotting };
  const axis = (of) => (of.range ? new Range1d({ start: of.range[0], end: of.range[1] }) : undefined);
  const ranges = {};
  if (options.x.range) ranges.x_range = axis(options.x);
  if (options.y.range) ranges.y_range = axis(options.y);
  const figure = Plotting.figure({
    ...ranges,
    height: options.height ?? 240,
    sizing_mode: "stretch_width",
    min_width: 120,
    toolbar_location: null,
    tools: "",
    x_axis_label: options.x.title ?? null,
    y_axis_label: options.y.title ?? null,
    x_axis_type: options.x.type ?? "linear",
    y_axis_type: options.y.type ?? "linear",
    min_border_right: 12,
  });
  for (const [of, place] of [[options.x, figure.xaxis], [options.y, figure.yaxis]]) {
    if (!of.ticks) continue;
    const ticker = new FixedTicker({ ticks: Object.keys(of.ticks).map(Number) });
    place.ticker = ticker;
    place.major_label_overrides = new Map(Object.entries(of.ticks).map(([at, text]) => [Number(at), text]));
    const grid = of === options.x ? figure.xgrid : figure.ygrid;
    grid.ticker = ticker; // lines where the ticks are, and nowhere else
  }

  const sources = new Map();
  const drawn = new Map();
  const painted = new Map();
  for (const [name, one] of Object.entries(options.series)) {
    const source = new Bokeh.ColumnDataSource({ data: { x: [], y: [] } });
    sources.set(name, source);
    const common = { source, ...(one.legend ? { legend_label: one.legend } : {}) };
    const stroke = { line_width: one.width ?? 2, line_alpha: one.alpha ?? 1, line_dash: one.dash ?? "solid" };
    let glyph;
    if (one.kind === "dots") {
      const look = { size: one.size ?? 8, line_width: 0, fill_alpha: one.alpha ?? 1, marker: one.marker ?? "circle" };
      glyph = figure.scatter({ field: "x" }, { field: "y" }, { ...common, ...look });
    } else if (one.kind === "area") {
      glyph = figure.varea({ field: "x" }, { value: 0 }, { field: "y" }, { ...common, fill_alpha: one.alpha ?? 0.5 });
    } else if (one.kind === "marks") {
      glyph = figure.segment({ field: "x" }, { field: "y" }, { field: "x" }, { field: "top" }, { ...common, ...stroke });
    } else {
      glyph = figure.line({ field: "x" }, { field: "y" }, { ...common, ...stroke });
    }
    drawn.set(name, glyph);
    painted.set(glyph, one.color);
    if (options.tips && (one.kind ?? "line") !== "marks") {
      const tooltips = one.name ? [["", "@name"], ...options.tips] : options.tips;
      figure.add_tools(new HoverTool({ renderers: [glyph], tooltips, mode: "mouse" }));
    }
  }
  if (figure.legend) figure.legend.location = options.legend ?? "top_right";

  const chart = {
    element,
    set(series) {
      for (const [name, { x, y, top }] of Object.entries(series)) {
        const words = options.series[name].name;
        sources.get(name).data = { x, y, ...(top ? { top } : {}), ...(words ? { name: Array.from(x, () => words) } : {}) };
      }
    },
    // chart.color({ name: "--right" }) paints a series anew
    color(series) {
      for (const [name, color] of Object.entries(series)) painted.set(drawn.get(name), color);
      chart.restyle();
    },
    range(which, from, to) {
      const range = which === "x" ? figure.x_range : figure.y_range;
      if (range.start !== from || range.end !== to) range.setv({ start: from, end: to });
    },
    fade(series) {
      for (const [name, alpha] of Object.entries(series)) drawn.get(name).glyph.line_alpha = { value: alpha };
    },
    data: (name) => sources.get(name).data,
    label: (text) => element.setAttribute("aria-label", text),
    restyle() {
      const [ink, faint, grid, paper] = ["--ink", "--faint", "--grid", "--card"].map(fanin.css);
      figure.setv({ background_fill_color: paper, border_fill_color: paper, outline_line_color: null });
      const font = "12px";
      for (const each of [...figure.xaxes, ...figure.yaxes]) {
        each.setv({
          axis_label_text_color: faint, axis_label_text_font_style: "normal", axis_label_text_font: fanin.css("--sans"),
          axis_label_text_font_size: font, major_label_text_color: faint, major_label_text_font: fanin.css("--sans"),
          major_label_text_font_size: font, axis_line_color: grid, major_tick_line_color: grid, minor_tick_line_color: null,
        });
      }
      for (const each of figure.center) {
        if (each.type === "Grid") each.setv({ grid_line_color: grid, grid_line_alpha: 0.7 });
        if (each.type === "Legend") {
          each.setv({
            label_text_color: ink, label_text_font: fanin.css("--sans"), label_text_font_size: font, spacing: 1, padding: 6,
            background_fill_color: paper, background_fill_alpha: 0.8, border_line_color: null, glyph_width: 18, margin: 4,
          });
        }
      }
      for (const [glyph, color] of painted) {
        const paint = fanin.css(color);
        const filled = glyph.glyph.type === "Scatter" || glyph.glyph.type === "VArea";
        if (filled) glyph.glyph.fill_color = { value: paint };
        else glyph.glyph.line_color = { value: paint };
      }
    },
  };
  element.setAttribute("role", "img");
  chart.label(options.label);
  chart.restyle();
  fanin.charts.add(chart);
  chart.drawn = Plotting.show(figure, element);
  return chart;
};

fanin.theme.listeners.add(() => fanin.charts.forEach((chart) => chart.restyle()));

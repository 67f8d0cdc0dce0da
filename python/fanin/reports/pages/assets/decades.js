// Ticks of the reports' axes.
"use strict";

// At most five round ticks of a linear axis: a power of ten times 1, 2 or 5 apart.
fanin.few = (low, high) => {
  const power = 10 ** Math.floor(Math.log10((high - low) / 3));
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => (high - low) / by < (high > 3000 || high - low < 0.01 ? 4 : 6));
  const ticks = {};
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) ticks[k * step] = fanin.number(Number((k * step).toPrecision(6)));
  return ticks;
};

// Range and ticks of a logarithmic axis that holds low ... high: powers of ten, a few between where there is room.
fanin.decades = (low, high) => {
  if (!(low > 0) || !Number.isFinite(high)) return { range: [0.1, 10], ticks: { 0.1: "0.1", 1: "1", 10: "10" } };
  const room = Math.max((high / low) ** 0.06, 1.15);
  const range = [low / room, high * room];
  const [from, to] = range.map(Math.log10);
  const steps = to - from < 1 ? [1, 1.5, 2, 3, 4, 5, 7] : to - from < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((to - from) / 7));
  const ticks = {};
  for (let power = Math.floor(from); power <= Math.ceil(to); power += 1) {
    if (steps.length === 1 && power % every !== 0) continue;
    for (const step of steps) {
      const at = Number(`${step}e${power}`);
      const plain = at >= 1e-3 && at < 1e5;
      const text = plain ? fanin.number(at) : `${step === 1 ? "" : `${step} × `}10${fanin.raised(power)}`;
      if (at >= range[0] && at <= range[1]) ticks[at] = text;
    }
  }
  return { range, ticks };
};

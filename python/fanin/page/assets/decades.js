// Range and ticks of a logarithmic axis that holds low ... high: powers of ten, a few between where there is room.
"use strict";

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
      if (at >= range[0] && at <= range[1]) ticks[at] = fanin.number(at);
    }
  }
  return { range, ticks };
};

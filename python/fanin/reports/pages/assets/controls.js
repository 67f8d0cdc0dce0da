// Controls that the views share: groups of radio buttons, sliders, and the player (play, pause, step, reset, slider).
"use strict";

// The radio buttons of one name inside root. picked(value) is called when the reader picks another.
fanin.radios = (root, name, value, picked) => {
  const inputs = [...root.querySelectorAll(`input[name="${name}"]`)];
  const group = {
    get: () => inputs.find((input) => input.checked).value,
    set(to) {
      const input = inputs.find((one) => one.value === to);
      if (input) input.checked = true;
    },
  };
  inputs[0].checked = true;
  group.set(value);
  for (const input of inputs) input.addEventListener("change", () => picked(input.value));
  return group;
};

// A slider over 0 ... count - 1 with its reading beside it.
fanin.slider = (root, { label, count, value, text, picked }) => {
  const id = `slider-${Math.random().toString(36).slice(2)}`;
  const input = fanin.element("input", { type: "range", id, min: 0, max: count - 1, step: 1 });
  const reading = fanin.element("output", { for: id });
  root.append(fanin.element("label", { for: id }, label), input, reading);
  const slider = {
    input,
    get: () => Number(input.value),
    set(i) {
      input.value = i;
      reading.textContent = text(Number(input.value));
      input.setAttribute("aria-valuetext", reading.textContent);
    },
  };
  slider.set(value);
  input.addEventListener("input", () => {
    slider.set(Number(input.value));
    picked(Number(input.value));
  });
  return slider;
};

// The first of the recorded epochs that is not before `epoch`; past the end the last one.
fanin.nearest = (epochs, epoch) => {
  const i = epochs.findIndex((each) => each >= epoch);
  return i < 0 ? epochs.length - 1 : i;
};

// Plays frames 0 ... count - 1. shown(i) draws a frame; text(i) names it; rest(i) is called when a frame is there to stay.
fanin.player = (root, { label, count, value, text, shown, rest, rate = 20 }) => {
  const button = (name, words) => fanin.element("button", { type: "button", "data-do": name }, words);
  const play = button("play", "Play");
  const step = button("step", "Step");
  const reset = button("reset", "Reset");
  const bar = fanin.element("div", { class: "slider" });
  root.classList.add("player");
  root.append(fanin.element("div", { class: "buttons", role: "group", "aria-label": "Training" }, play, step, reset), bar);
  let running = 0;
  let from = 0;

  const player = {
    frame: () => slider.get(),
    playing: () => running !== 0,
    set(i) {
      slider.set(Math.max(0, Math.min(count - 1, i)));
      shown(slider.get());
    },
    to(i) {
      player.set(i);
      rest(slider.get());
    },
    pause() {
      if (!running) return;
      cancelAnimationFrame(running);
      running = 0;
      play.textContent = "Play";
      rest(slider.get());
    },
    play() {
      if (running) return;
      if (slider.get() === count - 1) player.set(0);
      play.textContent = "Pause";
      from = performance.now();
      running = requestAnimationFrame(tick);
    },
  };
  const tick = (now) => {
    running = requestAnimationFrame(tick);
    const frames = Math.floor(((now - from) * rate) / 1000);
    if (frames < 1) return;
    from = now;
    player.set(slider.get() + Math.min(frames, 3));
    if (slider.get() === count - 1) player.pause();
  };
  const picked = (i) => {
    player.pause();
    player.to(i);
  };
  const slider = fanin.slider(bar, { label, count, value, text, picked });
  play.addEventListener("click", () => (running ? player.pause() : player.play()));
  step.addEventListener("click", () => picked(slider.get() + 1));
  reset.addEventListener("click", () => picked(0));
  return player;
};

// The network, unrolled over time: the cell of the current step is lit, what goes in stands below it,
// what it then holds for likely above; and the state after the step as bars, a picture for each part.

import { draw, during, make, numbersOf, percent, shortened, visible } from "./core.js";

const COLUMN = 84, WIDE = 58, CELL = 34, LAYER = 58, LIKELY = 5, HIGH = 48;
const ROOM = { likely: 112, output: 30, input: 44, side: 8 };

// A view of steps. `begin(signal, follow)` gives them one after the other: `reads`, what goes in; `text`,
// what comes out; `likely`, pairs of a text and its share; `feeds`, whether what comes out goes in next;
// and `state`. It is called with whether the view follows them as they come. Then `onStep(step, place)`
// is called with each, `onMove(place)` with the one that is shown, and `onEnd()` after the last.
export function unrolled(model, panel, begin, { onStep = () => {}, onMove = () => {}, onEnd = () => {} } = {}) {
  let steps = [], cursor = -1, coming = null, wanted = -1, timer = 0, queued = false;
  const layers = Math.max(1, ...model.state.map((part) => part.layer)), aside = () => steps.some((each) => each.about && each.about !== each.reads);
  const stage = make("div", { className: "stage" });
  const caption = make("p", { className: "note" });
  caption.setAttribute("role", "status");
  const parts = model.state.map((part) => stateBars(part));
  const button = (text, onclick) => make("button", { textContent: text, onclick });
  const back = button("◀ Back", () => { pause(); go(cursor - 1); });
  const step = button("Step ▶", () => { pause(); forward(); });
  const run = button("Run", () => { if (timer) pause(); else play(); });
  const anew = button("From the start", () => { pause(); start(false); });
  const speed = make("input", { type: "range", min: 1, max: 20, value: 4, ariaLabel: "steps a second" });
  speed.oninput = () => { if (timer) play(); };
  const controls = make("div", { className: "row" }, back, step, run, anew, make("label", {}, "speed ", speed));
  const box = make("section", { className: "unrolled", ariaLabel: "the unrolled network", tabIndex: 0 },
    make("h3", { textContent: "One step at a time" }), controls, stage, caption, make("div", { className: "parts" }, ...parts.map((part) => part.element)));
  box.onkeydown = (event) => {
    if (event.target !== box) return;
    if (event.key === "ArrowRight") { event.preventDefault(); step.click(); }
    if (event.key === "ArrowLeft") { event.preventDefault(); back.click(); }
  };
  panel.append(box);
  const resized = new ResizeObserver(soon);
  resized.observe(stage);
  panel.addEventListener("leave", () => { resized.disconnect(); pause(); stop(); }, { once: true });

  function pause() {
    clearInterval(timer);
    timer = 0;
    run.textContent = "Run";
  }
  function play() {
    pause();
    run.textContent = "Pause";
    timer = setInterval(() => { if (!forward()) pause(); }, 1000 / speed.valueAsNumber);
    forward();
  }

  // Go on by a step, which may have to come first. False where there is none.
  function forward() {
    if (cursor + 1 < steps.length) { go(cursor + 1); return true; }
    if (coming) { wanted = cursor + 1; return true; }
    if (steps.length) return false;
    start(false);
    return true;
  }

  async function start(follow) {
    clear();
    const mine = coming = new AbortController();
    wanted = follow ? -1 : 0;
    await during(model.writes ? "writing" : "reading", async () => {
      for await (const each of await begin(mine.signal, follow)) {
        if (coming !== mine) return;
        add(each, follow);
      }
    });
    if (coming !== mine) return;
    coming = null;
    if (!steps.length) pause();
    onEnd();
  }

  function add(each, follow) {
    const step = { ...each, state: each.state.map(numbersOf) }, place = steps.push(step) - 1;
    onStep(step, place);
    if (follow || wanted === place) { wanted = -1; go(place); } else soon();
  }

  function go(place) {
    if (!steps.length) return;
    cursor = Math.max(0, Math.min(place, steps.length - 1));
    onMove(cursor);
    soon();
  }

  function stop() {
    if (!coming) return;
    coming.abort();
    coming = null;
    onEnd();
  }

  function clear() {
    stop();
    [steps, cursor, wanted] = [[], -1, -1];
    soon();
  }

  // Once a frame, however many steps come.
  function soon() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; paint(); });
  }

  function paint() {
    back.disabled = cursor <= 0;
    stage.replaceChildren(network(model, layers, steps, cursor, stage.clientWidth || 600, aside()));
    caption.textContent = cursor < 0 ? "Step shows the first step; the arrow keys go on and back." : sentence(steps, cursor);
    parts.forEach((part, n) => part.show(steps[cursor]?.state[n], steps[cursor - 1]?.state[n]));
  }
  soon();
  return { start: (follow) => { pause(); start(follow); }, stop, clear: () => { pause(); clear(); }, go, busy: () => coming !== null };
}

function sentence(steps, cursor) {
  const { reads, numbers, about, text, likely } = steps[cursor];
  const into = reads ? `“${visible(reads)}” goes in` : numbers?.length ? `${numbers.slice(0, 6).map((value) => value.toFixed(2)).join(", ")}${numbers.length > 6 ? " …" : ""} go in` : "the next input goes in";
  if (!likely.length && !text) return `Step ${cursor + 1}: ${into}; nothing is told yet.`;
  const most = likely.length ? `, with ${percent(likely[0][1])} for “${visible(String(likely[0][0]))}”` : "";
  return `Step ${cursor + 1} of ${steps.length}: ${into}, “${visible(String(text))}” comes out${about && about !== reads ? ` for “${visible(about)}”` : ""}${most}.`;
}

function network(model, layers, steps, cursor, width, aside) {
  const count = Math.max(3, Math.floor((width - 2 * ROOM.side) / COLUMN));
  const current = Math.max(0, cursor), first = Math.max(0, Math.min(current - count + 2, Math.max(0, steps.length - count)));
  const height = ROOM.likely + ROOM.output + (aside ? 16 : 0) + layers * LAYER + ROOM.input + 16;
  const bottom = height - ROOM.input;
  const svg = draw("svg", { class: "network", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": cursor < 0 ? "The network before its first step" : `The network at step ${cursor + 1}` });
  for (const [name, lit] of [["tip", ""], ["tip-lit", " lit"]]) {
    svg.append(draw("marker", { id: name, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { class: `tip${lit}`, d: "M0 0L8 4L0 8z" })));
  }
  const edge = (d, lit, name = "") => svg.append(draw("path", { class: `edge${lit ? " lit" : ""}${name}`, d, "marker-end": `url(#tip${lit ? "-lit" : ""})` }));
  const word = (text, x, y, name) => svg.append(draw("text", { x, y, class: name, "text-anchor": "middle" }, shortened(visible(String(text)), 9)));
  for (let column = 0; column < count; column++) {
    const place = first + column, each = steps[place], lit = place === cursor;
    const x = ROOM.side + column * COLUMN + COLUMN / 2, state = lit ? " lit" : place < cursor ? " past" : " later";
    for (let layer = 0; layer < layers; layer++) {
      const y = bottom - 22 - (layer + 1) * LAYER + (LAYER - CELL);
      svg.append(draw("rect", { class: `cell${state}`, x: x - WIDE / 2, y, width: WIDE, height: CELL, rx: 7 }));
      svg.append(draw("text", { x, y: y + 21, class: `name${state}`, "text-anchor": "middle" }, shortened((model.cell || "cell").replaceAll("_", " "), 11)));
      if (each || place === 0) edge(`M${x} ${y + CELL + (layer ? LAYER - CELL : 20)}V${y + CELL + 1}`, lit);
      if (column + 1 < count) edge(`M${x + WIDE / 2} ${y + CELL / 2}H${x + COLUMN - WIDE / 2 - 1}`, place + 1 === cursor);
    }
    if (!each || place > cursor) continue;
    const top = bottom - 22 - layers * LAYER + (LAYER - CELL);
    word(each.reads || `x${place + 1}`, x, bottom + 16, `token${state}`);
    if (each.text !== "") {
      edge(`M${x} ${top}V${top - 16}`, lit);
      word(each.text, x, top - 22, `token out${state}`);
      if (aside && each.about) word(`of ${each.about}`, x, top - 38, "token past");
      if (each.feeds && column + 1 < count) edge(`M${x + 20} ${top - 26}Q${x + COLUMN / 2} ${top - 26} ${x + COLUMN / 2} ${top}V${bottom}Q${x + COLUMN / 2} ${bottom + 12} ${x + COLUMN - 24} ${bottom + 12}`, lit, " fed");
    }
    if (lit && each.likely.length) likely(svg, each, x, width);
  }
  return svg;
}

// What the current step holds for likely, above it.
function likely(svg, each, x, width) {
  const wide = Math.min(210, width - 8), left = Math.max(4, Math.min(x - wide / 2, width - wide - 4));
  each.likely.slice(0, LIKELY).forEach(([name, share], n) => {
    const y = 4 + n * 20, chosen = String(name) === String(each.text);
    svg.append(draw("text", { x: left + 70, y: y + 13, class: `share${chosen ? " chosen" : ""}`, "text-anchor": "end" }, shortened(visible(String(name)), 10)));
    svg.append(draw("rect", { class: `share${chosen ? " chosen" : ""}`, x: left + 76, y: y + 3, width: Math.max(1, (wide - 130) * share), height: 12, rx: 3 }));
    svg.append(draw("text", { x: left + wide, y: y + 13, class: "share", "text-anchor": "end" }, percent(share)));
  });
}

// A part of the state: a bar for each unit, up or down, in rows of as many as can be told apart. A
// thin line is where a bar was a step before.
function stateBars(part) {
  const canvas = make("canvas", { className: "bars" });
  canvas.setAttribute("role", "img");
  const title = part.place ? `${part.name}, ${part.place}` : part.name;
  const many = make("span"), below = make("output");
  let values = null, before = null, most = 1;
  const element = make("figure", {}, make("figcaption", {}, make("b", { textContent: title }), many, below), canvas);
  // What is looked at has as many places as the input.
  const units = () => values?.length ?? part.units;
  const perRow = () => Math.max(16, Math.min(units(), 16 * Math.floor((canvas.clientWidth || 600) / 16 / 5)));

  function paint() {
    const width = canvas.clientWidth || 600, each = perRow(), rows = Math.ceil(units() / each), high = HIGH;
    const sharp = devicePixelRatio || 1, pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
    canvas.style.height = `${rows * high}px`;
    [canvas.width, canvas.height] = [width * sharp, rows * high * sharp];
    pen.scale(sharp, sharp);
    const [up, down, line, ink] = ["--up", "--down", "--line", "--ink"].map((name) => style.getPropertyValue(name));
    for (let row = 0; row < rows; row++) {
      pen.fillStyle = line;
      pen.fillRect(0, row * high + high / 2, width, 1);
    }
    if (!values) return;
    const bar = width / each;
    values.forEach((value, n) => {
      const x = (n % each) * bar, middle = Math.floor(n / each) * high + high / 2, size = (high / 2 - 2) * value / most;
      pen.fillStyle = value < 0 ? down : up;
      pen.fillRect(x + 0.1 * bar, middle - Math.max(0, size), Math.max(1, 0.8 * bar), Math.max(1, Math.abs(size)));
      if (before) { pen.fillStyle = ink; pen.fillRect(x, middle - (high / 2 - 2) * before[n] / most, bar, 1); }
    });
  }

  function show(now, past) {
    [values, before] = [now || null, past || null];
    many.textContent = ` ${units()} ${units() === 1 ? "unit" : "units"} `;
    if (!values) { most = 1; below.textContent = ""; canvas.setAttribute("aria-label", `${title}: nothing yet`); paint(); return; }
    let [low, high, changed, change] = [Infinity, -Infinity, 0, 0];
    values.forEach((value, n) => {
      low = Math.min(low, value);
      high = Math.max(high, value);
      if (before && Math.abs(value - before[n]) > change) [changed, change] = [n, Math.abs(value - before[n])];
    });
    // One scale for all steps, which only grows, so that bars can be compared.
    most = Math.max(most, Math.abs(low), Math.abs(high));
    below.textContent = `from ${low.toFixed(2)} to ${high.toFixed(2)}${change ? `; unit ${changed} changed most, by ${change.toFixed(2)}` : ""}; a full bar is ${most.toFixed(1)}`;
    canvas.setAttribute("aria-label", `${title}, ${units()} units as bars, ${below.textContent}`);
    paint();
  }
  canvas.onmousemove = (event) => {
    const unit = Math.floor(event.offsetY / HIGH) * perRow() + Math.floor(event.offsetX * perRow() / canvas.clientWidth);
    if (values && unit < values.length) canvas.title = `unit ${unit}: ${values[unit].toFixed(3)}`;
  };
  return { element, show };
}

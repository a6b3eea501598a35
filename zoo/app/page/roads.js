// The five roads at a glance: a picture of each, and its models.

import { draw, make } from "./core.js";

// Of each road: at which of its steps something goes in, and at which something comes out; a road
// that reads before it writes has its change of sides.
const PICTURES = {
  one_to_one: { title: "One to one", steps: 1, into: [0], out: [0] },
  one_to_many: { title: "One to many", steps: 4, into: [0], out: [0, 1, 2, 3] },
  many_to_one: { title: "Many to one", steps: 4, into: [0, 1, 2, 3], out: [3] },
  many_to_many: { title: "Many to many", steps: 4, into: [0, 1, 2, 3], out: [0, 1, 2, 3] },
  seq2seq: { title: "Sequence to sequence", steps: 5, into: [0, 1], out: [2, 3, 4], turns: 2 },
};
const SIDE = 26, GAP = 46;

function picture({ title, steps, into, out, turns }) {
  const parts = [];
  for (let step = 0; step < steps; step++) {
    const x = 8 + step * GAP, middle = x + SIDE / 2;
    const writes = turns !== undefined && step >= turns;
    if (into.includes(step)) parts.push(draw("rect", { class: "input", x, y: 92, width: SIDE, height: SIDE, rx: 5 }), draw("path", { class: "edge", d: `M${middle} 92V77` }));
    parts.push(draw("rect", { class: writes ? "cell writes" : "cell", x, y: 50, width: SIDE, height: SIDE, rx: 5 }));
    if (step + 1 < steps) parts.push(draw("path", { class: "edge", d: `M${x + SIDE} 63H${x + GAP - 1}` }));
    if (out.includes(step)) parts.push(draw("path", { class: "edge", d: `M${middle} 50V35` }), draw("rect", { class: "output", x, y: 8, width: SIDE, height: SIDE, rx: 5 }));
  }
  const arrow = draw("marker", { id: `tip-${title.replaceAll(" ", "-")}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { class: "tip", d: "M0 0L8 4L0 8z" }));
  for (const part of parts) if (part.getAttribute("class") === "edge") part.setAttribute("marker-end", `url(#${arrow.id})`);
  const label = `${title}: ${into.length === 1 ? "one input" : `inputs at ${into.length} steps`} below, ${out.length === 1 ? "one output" : `outputs at ${out.length} steps`} above ${steps === 1 ? "one step" : `${steps} steps in a row`}`;
  return draw("svg", { class: "road", viewBox: `0 0 ${5 * GAP} 126`, role: "img", "aria-label": label }, draw("defs", {}, arrow), ...parts);
}

// How to get a model that is not on the page.
function howTo({ name, ready }) {
  const line = ready ? `zoo app ${name}` : `zoo fit ${name}`;
  return make("li", {}, make("code", { textContent: line }), ready ? "" : ", then ", ready ? "" : make("code", { textContent: `zoo app runs/${name}/1` }));
}

function listed(model, address) {
  return model.shown.map((name) => make("li", {}, make("a", { textContent: name, href: address(name), className: "open" }), ` ${model.summary}`));
}

export function roads(all, address) {
  const cards = all.map((road) => {
    const there = road.models.filter((model) => model.shown.length), others = road.models.filter((model) => !model.shown.length);
    const more = others.length ? make("details", {}, make("summary", { textContent: `${others.length} more that are not loaded` }),
      make("ul", {}, ...others.sort((a, b) => b.ready - a.ready).map(howTo))) : null;
    return make("article", { className: "card" }, make("h3", { textContent: PICTURES[road.name].title }), picture(PICTURES[road.name]),
      make("p", { textContent: road.summary }), make("ul", { className: "there" }, ...there.flatMap((model) => listed(model, address))), more);
  });
  return [make("h2", { textContent: "Five roads", tabIndex: -1 }),
    make("p", { textContent: "Blue goes in, green is the cell, step after step, and red comes out. Choose a model to try it." }),
    make("div", { className: "cards" }, ...cards)];
}

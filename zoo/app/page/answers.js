// What a model answers: spans are coloured, probabilities are bars, alignments can be hovered over.

import { ask, at, bars, colours, draw, during, linesOf, make } from "./core.js";
import { inputs } from "./inputs.js";
import { unrolled } from "./unrolled.js";

export function answering(model, panel) {
  const shown = make("div", { id: "answer" });
  shown.setAttribute("aria-live", "polite");
  const picture = make("div");
  let last = null, turn = 0;

  async function answer(raw, seen, file = "") {
    const mine = ++turn;
    last = [raw, file];
    picture.replaceChildren();
    view?.clear();
    const result = await during("thinking", async () => (await ask(at(model, "answer", `&file=${encodeURIComponent(file)}`), raw)).json());
    if (result && mine === turn) show(result, seen, shown);
  }

  inputs(model, panel, answer);
  panel.append(shown);
  if (model.draws) {
    const button = make("button", { textContent: "How it came to this" });
    button.onclick = () => last !== null && during("drawing", async () => {
      const blob = await (await ask(at(model, "picture", `&file=${encodeURIComponent(last[1])}`), last[0])).blob();
      picture.replaceChildren(make("img", { className: "picture", alt: "how the model came to its answer", src: URL.createObjectURL(blob) }));
    });
    panel.append(make("div", { className: "row" }, button), picture);
  }
  const view = model.steps ? unrolled(model, panel, async (signal) => {
    if (last === null) throw new Error("first give it something to read, above");
    return linesOf(await ask(at(model, "steps", `&file=${encodeURIComponent(last[1])}`), last[0], signal));
  }) : null;
}

function show(result, seen, shown) {
  shown.replaceChildren();
  if (result.span_begins) shown.append(...spans(result, seen));
  else if (result.source_tokens && result.alignment) shown.append(...aligned(result));
  else if (result.tokens && result.alignment && seen) shown.append(...looked(result, seen));
  else if (String(result.text).startsWith("<svg")) {
    shown.append(make("img", { className: "picture", width: 288, alt: "the strokes", src: `data:image/svg+xml,${encodeURIComponent(result.text)}` }));
  } else shown.append(make("p", { className: "text", textContent: result.text }));
  if (result.labels && result.probabilities && !result.words && !Array.isArray(result.probabilities[0])) shown.append(bars(result.labels, result.probabilities));
  if (result.confidence && result.labels) shown.append(lines(result.confidence, result.classes || result.labels));
  if (result.forecast) shown.append(table(result));
}

function spans(result, text) {
  const letters = Array.from(text), kinds = [...new Set(result.span_labels)];
  const colour = (kind) => colours[kinds.indexOf(kind) % colours.length];
  const whole = make("p", { className: "text" });
  let place = 0;
  result.span_begins.forEach((begin, n) => {
    whole.append(letters.slice(place, begin).join(""));
    whole.append(make("span", { textContent: letters.slice(begin, result.span_ends[n]).join(""), title: result.span_labels[n], style: `background:${colour(result.span_labels[n])}` }));
    place = result.span_ends[n];
  });
  whole.append(letters.slice(place).join(""));
  return [whole, make("p", { className: "legend" }, ...kinds.map((kind) => make("span", { textContent: kind, style: `background:${colour(kind)}` })))];
}

function aligned(result) {
  const source = result.source_tokens.map((word) => make("span", { className: "plain", textContent: word }));
  const target = result.target_tokens.map((word, row) => {
    const part = make("span", { className: "plain", textContent: word, tabIndex: 0 });
    part.onmouseenter = part.onfocus = () => source.forEach((other, n) => {
      const weight = result.alignment[row][n] || 0;
      other.style.background = `rgba(255, 200, 0, ${weight})`;
      other.title = weight.toFixed(2);
    });
    return part;
  });
  return [make("p", { className: "text", ariaLabel: "answer" }, ...target), make("p", { textContent: "What it looked at: hover over a word above." }), make("p", { className: "text" }, ...source)];
}

function looked(result, url) {
  const picture = make("img", { alt: "the picture", src: url }), frame = make("div", { className: "seen" }, picture);
  let cells = [];
  picture.onload = () => {
    // The grid of so many places that is nearest to the picture's form.
    const places = result.alignment[0].length, ideal = Math.sqrt(places * picture.naturalHeight / picture.naturalWidth);
    const all = Array.from({ length: places }, (_, n) => n + 1).filter((n) => places % n === 0);
    const rows = all.reduce((best, n) => Math.abs(n - ideal) < Math.abs(best - ideal) ? n : best), columns = places / rows;
    cells = result.alignment[0].map((_, n) => make("i", { style: `left:${(n % columns) * 100 / columns}%;top:${Math.floor(n / columns) * 100 / rows}%;width:${100 / columns}%;height:${100 / rows}%;opacity:0` }));
    frame.append(...cells);
  };
  const words = result.tokens.flatMap((word, row) => {
    const part = make("span", { className: "plain", textContent: word, tabIndex: 0 });
    const most = Math.max(...result.alignment[row]);
    part.onmouseenter = part.onfocus = () => cells.forEach((cell, n) => { cell.style.opacity = 0.8 * result.alignment[row][n] / most; });
    return [part, " "];
  });
  return [make("p", { className: "text", ariaLabel: "answer" }, ...words), make("p", { textContent: "Where it looked: hover over a word." }), frame];
}

function lines(rows, names) {
  const svg = draw("svg", { viewBox: "0 0 600 200", class: "lines", preserveAspectRatio: "none", role: "img", "aria-label": `how sure it was of ${names.slice(0, rows[0].length).join(", ")}, from the first step to the last` });
  rows[0].forEach((_, n) => {
    const step = 600 / Math.max(1, rows.length - 1);
    svg.append(draw("polyline", { points: rows.map((row, t) => `${t * step},${195 - 190 * row[n]}`).join(" "), fill: "none", stroke: colours[n % colours.length], "stroke-width": 3 }));
  });
  const legend = names.slice(0, rows[0].length).map((name, n) => make("span", { textContent: name, style: `background:${colours[n % colours.length]}` }));
  return make("div", {}, make("p", { textContent: "How sure it was, from the first step to the last" }), svg, make("p", { className: "legend" }, ...legend));
}

function table(result) {
  const columns = Object.keys(result).filter((key) => Array.isArray(result[key]) && result[key].length === result.forecast.length && !Array.isArray(result[key][0]));
  const cell = (value) => typeof value === "number" ? value.toPrecision(5) : value;
  return make("table", {}, make("tr", {}, ...columns.map((name) => make("th", { textContent: name, scope: "col" }))),
    ...result.forecast.slice(0, 24).map((_, n) => make("tr", {}, ...columns.map((name) => make("td", { textContent: cell(result[name][n]) })))));
}

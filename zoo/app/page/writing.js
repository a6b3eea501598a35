// A language model writes: at once or one step at a time, coloured by what a unit of it holds.

import { ask, at, linesOf, make } from "./core.js";
import { unrolled } from "./unrolled.js";

export function writing(model, panel) {
  const example = model.examples.find((each) => each.text) || { text: "" };
  const prompt = make("textarea", { ariaLabel: "beginning", value: example.text.slice(0, 200) });
  const slider = (name, least, most, step, value) => {
    const input = make("input", { type: "range", min: least, max: most, step, value, ariaLabel: name });
    const shown = make("output", { textContent: value });
    input.oninput = () => { shown.textContent = input.value; };
    return [input, make("label", {}, `${name} `, input, shown)];
  };
  const [temperature, one] = slider("temperature", 0, 1.5, 0.05, 0.7);
  const [topP, two] = slider("top p", 0.05, 1, 0.05, 0.95);
  const [length, three] = slider("tokens", 20, 800, 20, 300);
  const text = make("p", { className: "text", ariaLabel: "text" });
  const part = make("select", { ariaLabel: "part of the state" }, ...model.state.map((each) =>
    make("option", { textContent: `${each.name}${each.place ? `, ${each.place}` : ""}, ${each.units} units` })));
  const unit = make("input", { type: "number", min: 0, max: model.state[0].units - 1, value: 0, ariaLabel: "unit" });
  const finds = make("div", { className: "row" });
  let tokens = [], stepping = false;

  // What a token did to a unit is in the state before the next one.
  const values = (place) => tokens[place + 1]?.state[part.selectedIndex];
  function paint(place) {
    const value = Math.tanh(values(place)?.[unit.valueAsNumber || 0] || 0);
    const style = tokens[place].element.style;
    style.background = value < 0 ? `rgba(70, 130, 255, ${-value})` : `rgba(255, 120, 60, ${value})`;
  }
  const paintAll = () => tokens.forEach((_, place) => paint(place));
  part.onchange = () => { unit.max = model.state[part.selectedIndex].units - 1; paintAll(); find(); };
  unit.oninput = paintAll;

  function add(step, place) {
    const element = make("span", { className: step.added ? "plain added" : "plain", textContent: step.text });
    if (stepping) element.classList.add("later");
    element.onmouseenter = element.onclick = () => { if (!element.classList.contains("later")) view.go(place); };
    text.append(element);
    tokens.push({ text: step.text, element, state: step.state });
    if (place) paint(place - 1);
  }

  function move(place) {
    tokens.forEach(({ element }, n) => {
      element.classList.toggle("now", n === place);
      if (stepping && n <= place) element.classList.remove("later");
    });
  }

  // Units whose values go with something that can be seen in the text.
  function find() {
    finds.replaceChildren();
    if (tokens.length < 50) return;
    let quoted = 0, column = 0, depth = 0;
    const features = { "within quotes": [], "place in the line": [], "within brackets": [], "start of a word": [], "capitals": [] };
    const known = tokens.slice(0, -1);
    for (const { text: letter } of known) {
      if (letter === '"' || letter === "'") quoted = 1 - quoted;
      if ("([{".includes(letter)) depth += 1;
      if (")]}".includes(letter)) depth = Math.max(0, depth - 1);
      column = letter.includes("\n") ? 0 : column + 1;
      features["within quotes"].push(quoted);
      features["place in the line"].push(column);
      features["within brackets"].push(depth);
      features["start of a word"].push(/\s/.test(letter) ? 1 : 0);
      features["capitals"].push(/\p{Lu}/u.test(letter) ? 1 : 0);
    }
    for (const [name, seen] of Object.entries(features)) {
      let best = 0, which = 0;
      for (let n = 0; n < model.state[part.selectedIndex].units; n++) {
        const r = Math.abs(correlation(known.map((_, place) => values(place)[n]), seen));
        if (r > best) [best, which] = [r, n];
      }
      if (best > 0.3) finds.append(make("button", { textContent: `${name}: unit ${which} (r ${best.toFixed(2)})`, onclick: () => { unit.value = which; paintAll(); } }));
    }
  }

  async function* write(signal, follow) {
    stepping = !follow;
    tokens = [];
    text.replaceChildren();
    finds.replaceChildren();
    go.textContent = "Stop";
    const body = JSON.stringify({ prompt: prompt.value, length: +length.value, temperature: +temperature.value, top_p: +topP.value, seed: Math.floor(Math.random() * 2 ** 31) });
    let reads = "start";
    for await (const line of linesOf(await ask(at(model, "write"), body, signal))) {
      yield { ...line, reads, feeds: line.added };
      reads = line.text;
    }
  }

  const go = make("button", { className: "main", textContent: "Write", onclick: () => { if (view.busy()) view.stop(); else view.start(true); } });
  panel.append(prompt, make("div", { className: "row" }, go, one, two, three), text,
    make("div", { className: "row" }, make("label", {}, "colour by ", part), make("label", {}, "unit ", unit)), finds);
  const view = unrolled(model, panel, write, { onStep: add, onMove: move, onEnd: () => { go.textContent = "Write"; find(); } });
}

function correlation(a, b) {
  const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  a.forEach((value, n) => { ab += (value - ma) * (b[n] - mb); aa += (value - ma) ** 2; bb += (b[n] - mb) ** 2; });
  return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
}

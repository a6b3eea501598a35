"use strict";
// What an answer looks like is told by what it holds: spans are coloured, probabilities are bars,
// alignments can be hovered over. Nothing here knows a task.

const token = new URLSearchParams(location.search).get("token");
const colours = ["#a8d1ff", "#ffd59e", "#b7e4b0", "#f4b6c2", "#d7c2f5", "#ffe98a", "#9fe3dc", "#e2cbb4", "#c9ced6", "#ffb38a"];
const $ = (id) => document.getElementById(id);
let asked = 0;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function say(text, wrong = false) {
  $("said").textContent = text;
  $("said").className = wrong ? "wrong" : "";
}

async function ask(path, body) {
  const headers = { "x-zoo": "1" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, body === undefined ? { headers } : { method: "POST", headers, body });
  if (!response.ok) {
    const told = await response.json().catch(() => ({ error: response.statusText }));
    throw new Error(told.error);
  }
  return response;
}

async function during(what, work) {
  say(`${what} …`);
  try {
    const result = await work();
    say("");
    return result;
  } catch (error) {
    say(error.message, true);
    return null;
  }
}

const at = (model, path, more = "") => `api/${path}?model=${encodeURIComponent(model.name)}${more}`;

async function open(name, button) {
  const mine = ++asked;
  for (const other of $("models").children) other.setAttribute("aria-current", String(other === button));
  $("panel").replaceChildren();
  const model = await during(`loading ${name}`, async () => (await ask(at({ name }, "about"))).json());
  if (!model || mine !== asked) return;
  const panel = $("panel");
  panel.append(make("h2", { textContent: model.name }), make("p", { textContent: `${model.model}, ${model.task.replaceAll("_", " ")}` }));
  if (model.writes) writing(model, panel);
  else answering(model, panel);
}

// Answers

function answering(model, panel) {
  const shown = make("div", { id: "answer" });
  const picture = make("div");
  let last = null, turn = 0;

  async function answer(raw, seen, file = "") {
    const mine = ++turn;
    last = [raw, file];
    picture.replaceChildren();
    const told = await during("thinking", async () => (await ask(at(model, "answer", `&file=${encodeURIComponent(file)}`), raw)).json());
    if (told && mine === turn) show(told, seen, shown);
  }

  if (model.input === "text") textInput(model, panel, answer);
  else fileInput(model, panel, answer);
  panel.append(shown);
  if (model.draws) {
    const button = make("button", { textContent: "How it came to this" });
    button.onclick = () => last !== null && during("drawing", async () => {
      const blob = await (await ask(at(model, "picture", `&file=${encodeURIComponent(last[1])}`), last[0])).blob();
      picture.replaceChildren(make("img", { className: "picture", alt: "how the model came to its answer", src: URL.createObjectURL(blob) }));
    });
    panel.append(make("div", { className: "row" }, button), picture);
  }
}

function textInput(model, panel, answer) {
  const text = make("textarea", { ariaLabel: "text", placeholder: "Type here …" });
  let timer = 0;
  const go = () => text.value.trim() && answer(new TextEncoder().encode(text.value), text.value);
  text.oninput = () => { clearTimeout(timer); timer = setTimeout(go, 350); };
  const examples = model.examples.filter((each) => each.text !== null).map((each) =>
    make("button", { textContent: each.text.slice(0, 40), onclick: () => { text.value = each.text; go(); } }));
  panel.append(text, make("div", { className: "row" }, ...examples));
}

function fileInput(model, panel, answer) {
  const take = async (file, name = file.name) => {
    const url = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    answer(await file.arrayBuffer(), url, name);
  };
  const choose = make("input", { type: "file", ariaLabel: "file", onchange: () => choose.files[0] && take(choose.files[0]) });
  const drop = make("div", { className: "drop" }, `Drop a file (${model.input}) here, or `, choose);
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  };
  panel.append(drop);
  const row = make("div", { className: "row examples" });
  for (const example of model.examples) {
    const button = make("button", { textContent: `example ${example.number + 1}`, ariaLabel: `example ${example.number + 1}` });
    const fetched = ask(at(model, "example", `&number=${example.number}`)).then((response) => response.blob());
    if (model.input === "image") fetched.then((blob) => button.replaceChildren(make("img", { alt: "", src: URL.createObjectURL(blob) })));
    button.onclick = async () => take(await fetched, example.file);
    row.append(button);
  }
  panel.append(row);
  if (model.input === "image") panel.append(pad(take));
}

function pad(take) {
  const canvas = make("canvas", { className: "pad", width: 224, height: 224, ariaLabel: "draw here" });
  const pen = canvas.getContext("2d");
  const clear = () => { pen.fillStyle = "#000"; pen.fillRect(0, 0, 224, 224); };
  clear();
  Object.assign(pen, { strokeStyle: "#fff", lineWidth: 20, lineCap: "round", lineJoin: "round" });
  let down = false;
  canvas.onpointerdown = (event) => { down = true; canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(event.offsetX, event.offsetY); };
  canvas.onpointermove = (event) => { if (down) { pen.lineTo(event.offsetX, event.offsetY); pen.stroke(); } };
  canvas.onpointerup = () => { down = false; };
  const go = make("button", { className: "main", textContent: "What is it?", onclick: () => canvas.toBlob((blob) => take(blob, "drawn.png"), "image/png") });
  return make("div", { className: "row" }, canvas, make("div", {}, go, " ", make("button", { textContent: "Clear", onclick: clear })));
}

function show(told, seen, shown) {
  shown.replaceChildren();
  if (told.span_begins) shown.append(...spans(told, seen));
  else if (told.source_tokens && told.alignment) shown.append(...aligned(told));
  else if (told.tokens && told.alignment && seen) shown.append(...looked(told, seen));
  else if (String(told.text).startsWith("<svg")) {
    shown.append(make("img", { className: "picture", width: 288, alt: "the strokes", src: `data:image/svg+xml,${encodeURIComponent(told.text)}` }));
  } else shown.append(make("p", { className: "text", textContent: told.text }));
  if (told.labels && told.probabilities && !told.words && !Array.isArray(told.probabilities[0])) shown.append(bars(told.labels, told.probabilities));
  if (told.confidence && told.labels) shown.append(lines(told.confidence, told.classes || told.labels));
  if (told.forecast) shown.append(table(told));
}

function spans(told, text) {
  const letters = Array.from(text), kinds = [...new Set(told.span_labels)];
  const colour = (kind) => colours[kinds.indexOf(kind) % colours.length];
  const whole = make("p", { className: "text" });
  let place = 0;
  told.span_begins.forEach((begin, n) => {
    whole.append(letters.slice(place, begin).join(""));
    whole.append(make("span", { textContent: letters.slice(begin, told.span_ends[n]).join(""), title: told.span_labels[n], style: `background:${colour(told.span_labels[n])}` }));
    place = told.span_ends[n];
  });
  whole.append(letters.slice(place).join(""));
  return [whole, make("p", { className: "legend" }, ...kinds.map((kind) => make("span", { textContent: kind, style: `background:${colour(kind)}` })))];
}

function aligned(told) {
  const source = told.source_tokens.map((word) => make("span", { className: "plain", textContent: word }));
  const target = told.target_tokens.map((word, row) => {
    const part = make("span", { className: "plain", textContent: word, tabIndex: 0 });
    part.onmouseenter = part.onfocus = () => source.forEach((other, n) => {
      const weight = told.alignment[row][n] || 0;
      other.style.background = `rgba(255, 200, 0, ${weight})`;
      other.title = weight.toFixed(2);
    });
    return part;
  });
  return [make("p", { className: "text", ariaLabel: "answer" }, ...target), make("p", { textContent: "What it looked at: hover over a word above." }), make("p", { className: "text" }, ...source)];
}

function looked(told, url) {
  const frame = make("div", { className: "seen" }, make("img", { alt: "the picture", src: url }));
  const side = Math.round(Math.sqrt(told.alignment[0].length));
  const cells = told.alignment[0].map((_, n) => make("i", { style: `left:${(n % side) * 100 / side}%;top:${Math.floor(n / side) * 100 / side}%;width:${100 / side}%;height:${100 / side}%;opacity:0` }));
  frame.append(...cells);
  const words = told.tokens.flatMap((word, row) => {
    const part = make("span", { className: "plain", textContent: word, tabIndex: 0 });
    const most = Math.max(...told.alignment[row]);
    part.onmouseenter = part.onfocus = () => cells.forEach((cell, n) => { cell.style.opacity = 0.8 * told.alignment[row][n] / most; });
    return [part, " "];
  });
  return [make("p", { className: "text", ariaLabel: "answer" }, ...words), make("p", { textContent: "Where it looked: hover over a word." }), frame];
}

function bars(labels, shares) {
  return make("div", {}, ...labels.slice(0, 8).map((label, n) => make("div", { className: "bar" },
    make("span", { textContent: label }), make("i", { style: `width:${100 * shares[n]}%` }), make("span", { textContent: `${(100 * shares[n]).toFixed(1)} %` }))));
}

function lines(rows, names) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 600 200");
  svg.setAttribute("class", "lines");
  svg.setAttribute("preserveAspectRatio", "none");
  rows[0].forEach((_, n) => {
    const line = document.createElementNS(space, "polyline");
    const step = 600 / Math.max(1, rows.length - 1);
    line.setAttribute("points", rows.map((row, t) => `${t * step},${195 - 190 * row[n]}`).join(" "));
    line.setAttribute("fill", "none");
    line.setAttribute("stroke", colours[n % colours.length]);
    line.setAttribute("stroke-width", "3");
    svg.append(line);
  });
  const legend = names.slice(0, rows[0].length).map((name, n) => make("span", { textContent: name, style: `background:${colours[n % colours.length]}` }));
  return make("div", {}, make("p", { textContent: "How sure it was, from the first step to the last" }), svg, make("p", { className: "legend" }, ...legend));
}

function table(told) {
  const columns = Object.keys(told).filter((key) => Array.isArray(told[key]) && told[key].length === told.forecast.length && !Array.isArray(told[key][0]));
  const cell = (value) => typeof value === "number" ? value.toPrecision(5) : value;
  return make("table", {}, make("tr", {}, ...columns.map((name) => make("th", { textContent: name }))),
    ...told.forecast.slice(0, 24).map((_, n) => make("tr", {}, ...columns.map((name) => make("td", { textContent: cell(told[name][n]) })))));
}

// Writing

function writing(model, panel) {
  const prompt = make("textarea", { ariaLabel: "beginning", value: (model.examples.find((each) => each.text) || { text: "" }).text.slice(0, 200) });
  const slider = (name, least, most, step, value) => {
    const input = make("input", { type: "range", min: least, max: most, step, value, ariaLabel: name });
    const told = make("output", { textContent: value });
    input.oninput = () => { told.textContent = input.value; };
    return [input, make("label", {}, `${name} `, input, told)];
  };
  const [temperature, one] = slider("temperature", 0, 1.5, 0.05, 0.7);
  const [topP, two] = slider("top p", 0.05, 1, 0.05, 0.95);
  const [length, three] = slider("tokens", 20, 800, 20, 300);
  const text = make("p", { className: "text", ariaLabel: "text" });
  const likely = make("div");
  const units = make("canvas", { className: "units", width: 800, height: 60 });
  const part = make("select", { ariaLabel: "part of the state" });
  const unit = make("input", { type: "number", min: 0, value: 0, ariaLabel: "unit" });
  const finds = make("div", { className: "row" });
  let tokens = [], stop = null;

  const value = (token) => (token.parts[part.selectedIndex] || [])[unit.valueAsNumber || 0] || 0;
  const paint = () => tokens.forEach((token) => {
    const v = value(token) / 127;
    token.element.style.background = v < 0 ? `rgba(70, 130, 255, ${-v})` : `rgba(255, 120, 60, ${v})`;
  });
  part.onchange = unit.oninput = () => { paint(); find(); };

  function look(token) {
    likely.replaceChildren(make("p", { textContent: `in the place of ${JSON.stringify(token.text)} it expected` }), bars(token.likely.map(([word]) => JSON.stringify(word)), token.likely.map(([, share]) => share)));
    const values = token.parts[part.selectedIndex] || [], pen = units.getContext("2d"), width = 800 / values.length;
    pen.clearRect(0, 0, 800, 60);
    values.forEach((v, n) => { pen.fillStyle = v < 0 ? "#4682ff" : "#ff783c"; pen.fillRect(n * width, 30 - Math.max(0, v) * 30 / 127, Math.max(1, width - 0.5), Math.abs(v) * 30 / 127); });
  }

  function add(line) {
    const told = JSON.parse(line);
    const parts = told.state.map((coded) => Array.from(new Int8Array(Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)).buffer)));
    const element = make("span", { className: "plain", textContent: told.text, tabIndex: -1 });
    if (told.added) element.style.textDecoration = "underline";
    const token = { ...told, parts, element };
    element.onmouseenter = () => look(token);
    if (part.options.length !== parts.length) {
      part.replaceChildren(...parts.map((values, n) => make("option", { textContent: `state_${n}, ${values.length} units` })));
      unit.max = parts[0].length - 1;
    }
    tokens.push(token);
    text.append(element);
    const v = value(token) / 127;
    element.style.background = v < 0 ? `rgba(70, 130, 255, ${-v})` : `rgba(255, 120, 60, ${v})`;
    return token;
  }

  // Units whose values go with something that can be seen in the text.
  function find() {
    finds.replaceChildren();
    if (tokens.length < 50) return;
    let quoted = 0, column = 0, depth = 0;
    const features = { "within quotes": [], "place in the line": [], "within brackets": [], "start of a word": [], "capitals": [] };
    for (const { text: letter } of tokens) {
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
    const size = tokens[0].parts[part.selectedIndex].length;
    for (const [name, seen] of Object.entries(features)) {
      let best = 0, which = 0;
      for (let n = 0; n < size; n++) {
        const r = Math.abs(correlation(tokens.map((token) => token.parts[part.selectedIndex][n]), seen));
        if (r > best) [best, which] = [r, n];
      }
      if (best > 0.3) finds.append(make("button", { textContent: `${name}: unit ${which} (r ${best.toFixed(2)})`, onclick: () => { unit.value = which; paint(); } }));
    }
  }

  async function write() {
    if (stop) { stop.abort(); return; }
    stop = new AbortController();
    go.textContent = "Stop";
    tokens = [];
    text.replaceChildren();
    const headers = { "x-zoo": "1", ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const body = JSON.stringify({ prompt: prompt.value, length: +length.value, temperature: +temperature.value, top_p: +topP.value, seed: Math.floor(Math.random() * 2 ** 31) });
    say("writing …");
    try {
      const response = await fetch(at(model, "write"), { method: "POST", headers, body, signal: stop.signal });
      if (!response.ok) throw new Error((await response.json()).error);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { done, value: piece } = await reader.read();
        if (done) break;
        const whole = (rest + piece).split("\n");
        rest = whole.pop();
        for (const line of whole) look(add(line));
      }
      say("");
    } catch (error) {
      say(error.name === "AbortError" ? "stopped" : error.message, error.name !== "AbortError");
    }
    stop = null;
    go.textContent = "Write";
    find();
  }

  const go = make("button", { className: "main", textContent: "Write", onclick: write });
  panel.append(prompt, make("div", { className: "row" }, go, one, two, three), text,
    make("div", { className: "row" }, make("label", {}, "colour by ", part), make("label", {}, "unit ", unit)), finds, units, likely);
}

function correlation(a, b) {
  const mean = (x) => x.reduce((sum, v) => sum + v, 0) / x.length;
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  a.forEach((v, n) => { ab += (v - ma) * (b[n] - mb); aa += (v - ma) ** 2; bb += (b[n] - mb) ** 2; });
  return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
}

during("asking", async () => {
  const names = await (await ask("api/models")).json();
  for (const name of names) {
    const button = make("button", { textContent: name });
    button.onclick = () => open(name, button);
    $("models").append(button);
  }
  if (names.length) open(names[0], $("models").firstChild);
});

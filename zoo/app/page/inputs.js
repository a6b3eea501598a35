// How an input is made: typed, drawn, dropped as a file, or taken from the examples.

import { ask, at, draw, make } from "./core.js";

const SVG = 256;

// An input that a model's task says how to make. `answer` takes its bytes, what is seen of it, and
// the name of its file.
export function inputs(model, panel, answer) {
  if (model.panel.made === "text") textInput(model, panel, answer);
  else fileInput(model, panel, answer);
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
  if (model.panel.note) panel.append(make("p", { className: "note", textContent: model.panel.note }));
  const row = make("div", { className: "row examples" });
  for (const example of model.examples) {
    const name = `example ${example.number + 1}`, button = make("button", { textContent: name, ariaLabel: name });
    const fetched = ask(at(model, "example", `&number=${example.number}`)).then((response) => response.blob());
    if (example.file.endsWith(".png")) fetched.then((blob) => button.replaceChildren(make("img", { alt: "", src: URL.createObjectURL(blob) })));
    button.onclick = async () => take(await fetched, example.file);
    row.append(button);
  }
  panel.append(row);
  if (model.panel.made === "picture") panel.append(pad(take));
  if (model.panel.movement) panel.append(plane(model.panel.movement, answer));
}

function pad(take) {
  const canvas = make("canvas", { className: "pad", width: 224, height: 224, ariaLabel: "draw here" });
  canvas.setAttribute("role", "img");
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

// A plane in which points are moved: the first is dragged, the others go with it; where one of the
// others is dragged, all turn and grow about the first.
function plane(movement, answer) {
  const svg = draw("svg", { class: "plane", viewBox: `0 0 ${SVG} ${SVG}`, tabindex: 0, role: "application",
    "aria-label": "Draw a movement: drag with the mouse, or move with the arrow keys and end with Enter" });
  const note = make("p", { className: "note", role: "status" });
  const several = movement.points.length > 1;
  const how = several ? "Drag anywhere to move the points, or one of the outer points to turn and stretch them about the first." : "Draw a movement with the mouse.";
  note.textContent = `${how} It becomes ${movement.steps} steps, evenly along the way, of ${movement.numbers}${movement.wraps ? "; what leaves on one side comes in on the other" : ""}.`;
  const rest = movement.points.map(([x, y]) => [x, y]);
  let now = rest, path = [], grabbed = null;

  const shown = ([x, y]) => movement.wraps ? [x - Math.floor(x), y - Math.floor(y)] : [x, y];
  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };

  function dots(points, name, radius) {
    return points.map((point, n) => {
      const [x, y] = shown(point);
      return draw("circle", { class: `${name} ${n ? "outer" : "first"}`, cx: x * SVG, cy: y * SVG, r: n ? radius * 0.8 : radius });
    });
  }
  function paint(steps = []) {
    svg.replaceChildren(...steps.flatMap((points) => dots(points, "step", 3)), ...dots(now, "now", several ? 8 : 6));
  }

  // The points after the pointer went from `begin` to `end`; `held` is the one that it holds.
  function moved(points, held, begin, end) {
    const [px, py] = points[0];
    if (!held) return points.map(([x, y]) => [x + end[0] - begin[0], y + end[1] - begin[1]]);
    const [ax, ay, bx, by] = [begin[0] - px, begin[1] - py, end[0] - px, end[1] - py], size = ax * ax + ay * ay || 1e-9;
    const [re, im] = [(ax * bx + ay * by) / size, (ax * by - ay * bx) / size];
    return points.map(([x, y]) => [px + re * (x - px) - im * (y - py), py + im * (x - px) + re * (y - py)]);
  }

  // As many places as the model has steps, evenly along the way.
  function resampled() {
    const way = [0];
    for (let n = 1; n < path.length; n++) {
      way.push(way[n - 1] + path[n].reduce((sum, [x, y], k) => sum + Math.hypot(x - path[n - 1][k][0], y - path[n - 1][k][1]), 0));
    }
    return Array.from({ length: movement.steps }, (_, step) => {
      const gone = way.at(-1) * step / Math.max(1, movement.steps - 1);
      const after = Math.max(1, way.findIndex((each) => each >= gone - 1e-9)), span = way[after] - way[after - 1];
      const share = span > 0 ? (gone - way[after - 1]) / span : 1;
      return path[after - 1].map(([x, y], n) => [x + share * (path[after][n][0] - x), y + share * (path[after][n][1] - y)]);
    });
  }

  function finish() {
    if (path.length < 3) { note.textContent = "That was too short for a movement: hold the button while you draw."; return; }
    const steps = resampled();
    const scaled = (value, axis) => movement.low[axis] + value * (movement.high[axis] - movement.low[axis]);
    const numbers = steps.flatMap((points) => points.flatMap((point) => {
      const [across, down] = shown(point).map(scaled);
      return movement.down_first ? [down, across] : [across, down];
    }));
    paint(steps);
    note.textContent = `${path.length} places of the pointer became ${movement.steps} steps, evenly along the way, of ${movement.numbers}.`;
    answer(arrayFile(numbers, [movement.steps, numbers.length / movement.steps]), "", "drawn.npy");
    path = [];
  }

  svg.onpointerdown = (event) => {
    const pointer = place(event);
    svg.setPointerCapture(event.pointerId);
    svg.focus();
    now = several ? now : [pointer];
    const near = now.findIndex((point, n) => n && Math.hypot(shown(point)[0] - pointer[0], shown(point)[1] - pointer[1]) < 0.07);
    if (near > 0 || (several && movement.wraps)) now = now.map((point) => movement.wraps ? [point[0] - Math.floor(now[0][0]), point[1] - Math.floor(now[0][1])] : point);
    grabbed = { held: near > 0, last: near > 0 ? now[near] : pointer };
    path = [now];
    paint();
  };
  svg.onpointermove = (event) => {
    if (!grabbed) return;
    const pointer = place(event);
    now = moved(now, grabbed.held, grabbed.last, pointer);
    grabbed.last = pointer;
    path.push(now);
    paint();
  };
  svg.onpointerup = svg.onpointercancel = () => {
    if (grabbed) { grabbed = null; finish(); }
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  svg.onkeydown = (event) => {
    if (event.key === "Enter" && path.length) { event.preventDefault(); finish(); }
    if (!(event.key in arrows)) return;
    event.preventDefault();
    if (!path.length) path = [now];
    now = moved(now, false, [0, 0], arrows[event.key].map((way) => way * 0.08));
    path.push(now);
    paint();
  };
  paint();
  const reset = make("button", { textContent: "Back to the middle", onclick: () => { now = rest; path = []; paint(); } });
  return make("div", { className: "movement" }, svg, note, reset);
}

// Numbers as the bytes of a .npy file, version 1.0, float32.
function arrayFile(numbers, shape) {
  const start = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const header = `${start}${" ".repeat(63 - (10 + start.length) % 64)}\n`;
  const bytes = new Uint8Array(10 + header.length + 4 * numbers.length), view = new DataView(bytes.buffer);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  view.setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  numbers.forEach((value, n) => view.setFloat32(10 + header.length + 4 * n, value, true));
  return bytes;
}

// What all parts of the page share: making elements, asking the server, saying how it goes.

const token = new URLSearchParams(location.search).get("token");
export const colours = ["#a8d1ff", "#ffd59e", "#b7e4b0", "#f4b6c2", "#d7c2f5", "#ffe98a", "#9fe3dc", "#e2cbb4", "#c9ced6", "#ffb38a"];
export const $ = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").className = wrong ? "wrong" : "";
}

export async function ask(path, body, signal) {
  const headers = { "x-zoo": "1" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, body === undefined ? { headers } : { method: "POST", headers, body, signal });
  if (!response.ok) {
    const answer = await response.json().catch(() => ({ error: response.statusText }));
    throw new Error(answer.error);
  }
  return response;
}

export async function during(what, work) {
  say(`${what} …`);
  try {
    const result = await work();
    say("");
    return result;
  } catch (error) {
    const stopped = error.name === "AbortError";
    say(stopped ? "stopped" : error.message, !stopped);
    return null;
  }
}

export const at = (model, path, more = "") => `api/${path}?model=${encodeURIComponent(model.name)}${more}`;

// The lines of an answer, each as it comes.
export async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    yield* whole.map((line) => JSON.parse(line));
  }
}

// A part of a state: [scale, bytes in base64], a byte for each unit.
export function numbersOf([scale, coded]) {
  const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
  return Float32Array.from(new Int8Array(bytes.buffer), (value) => value * scale / 127);
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

// A token as it can be seen: spaces and ends of lines have signs.
export const visible = (text) => text.replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
export const shortened = (text, most) => Array.from(text).length > most ? `${Array.from(text).slice(0, most - 1).join("")}…` : text;

export function bars(labels, shares) {
  return make("div", { className: "bars" }, ...labels.slice(0, 8).map((label, n) => make("div", { className: "bar" },
    make("span", { textContent: label }), make("i", { style: `width:${100 * shares[n]}%` }), make("span", { textContent: percent(shares[n]) }))));
}

"use strict";
// The page: what it begins with, and a panel for the model that is open. What a panel takes is told
// by the model's task, and what an answer looks like by what it holds: nothing here knows a task.

import { answering } from "./answers.js";
import { $, ask, at, during, make } from "./core.js";
import { roads } from "./roads.js";
import { writing } from "./writing.js";

let opened = 0;

const address = (name) => `#model=${encodeURIComponent(name)}`;

function clear() {
  const panel = $("panel");
  panel.dispatchEvent(new Event("leave"));
  panel.replaceChildren();
  return panel;
}

async function open(name) {
  const mine = ++opened, panel = clear();
  const model = await during(`loading ${name}`, async () => (await ask(at({ name }, "about"))).json());
  if (!model || mine !== opened) return;
  const title = make("h2", { textContent: model.name, tabIndex: -1 });
  panel.append(title, make("p", { textContent: `${model.model}, ${model.task.replaceAll("_", " ")}` }));
  if (model.writes) writing(model, panel);
  else answering(model, panel);
  title.focus({ preventScroll: true });
}

async function home() {
  const mine = ++opened, panel = clear();
  const all = await during("asking", async () => (await ask("api/roads")).json());
  if (all && mine === opened) panel.append(...roads(all, address));
}

function route() {
  const name = location.hash.startsWith("#model=") ? decodeURIComponent(location.hash.slice(7)) : "";
  for (const link of $("models").querySelectorAll("a")) {
    if (link.dataset.name === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = name ? `${name} · sequence-zoo` : "sequence-zoo";
  if (name) open(name);
  else home();
}

// Not by the address, which says what is open.
document.querySelector(".skip").onclick = (event) => { event.preventDefault(); $("panel").querySelector("h2")?.focus(); };

during("asking", async () => {
  const names = await (await ask("api/models")).json();
  const link = (name, text, href) => {
    const element = make("a", { textContent: text, href });
    element.dataset.name = name;
    return element;
  };
  $("models").append(link("", "All roads", "#"), ...names.map((name) => link(name, name, address(name))));
  addEventListener("hashchange", route);
  route();
});

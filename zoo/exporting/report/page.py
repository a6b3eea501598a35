"""The page around the sections of a report: no network, light and dark, phone and paper."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from zoo.utils.html import element


class Section(NamedTuple):
    """A part of a page.

    Attributes:
        title: its heading, a text.
        content: safe HTML; a section without any is left out.
    """

    title: str
    content: str


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return a whole HTML document.

    Args:
        title: of the page, a text.
        subtitle: what stands under it, a text.
        sections: in order.

    Example:
        >>> whole = page("<run>", "", [Section("Metrics", "<p>none</p>"), Section("Empty", "")])
        >>> "<h1>&lt;run&gt;</h1>" in whole, "Empty" in whole, "http" in whole
        (True, False, False)
    """
    there = [section for section in sections if section.content]
    links = "".join(
        element("a", escape(section.title), href=f"#part{number}")
        for number, section in enumerate(there, start=1)
    )
    parts = "".join(
        element("section", element("h2", escape(section.title)) + section.content, id=f"part{n}")
        for n, section in enumerate(there, start=1)
    )
    header = element("h1", escape(title)) + element("p", escape(subtitle))
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><header>{header}</header><nav>{links}</nav><main>{parts}</main></body></html>\n"
    )


_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1d2129; --soft: #5b6472;
  --edge: #d8dde5; --plate: #f4f6f9; --accent: #1f5fbf; --right: #1a7f37; --wrong: #b42318;
  --l0: #2f6fdb; --l1: #c2571a; --l2: #2d8a4e; --l3: #a8329e; --l4: #8a6d00; --l5: #00808a;
  --l6: #b3263e; --l7: #5f5f6b; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181d; --ink: #e6e9ee; --soft: #9aa4b2;
  --edge: #343b46; --plate: #1e2329; --accent: #7fb0ff; --right: #56d364; --wrong: #ff8a80;
  --l0: #7fb0ff; --l1: #ffab70; --l2: #6fd08c; --l3: #e59be0; --l4: #e3c65b; --l5: #5fd3dc;
  --l6: #ff9aa8; --l7: #b5b5c0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0; font-size: 1.6rem; } h2 { margin: 2rem 0 0.5rem; font-size: 1.2rem; }
header p, .note, caption { color: var(--soft); } caption { text-align: left; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; } a { color: var(--accent); }
pre { padding: 0.75rem; background: var(--plate); border-radius: 6px; white-space: pre-wrap; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--edge);
  text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th, td { overflow-wrap: normal; } tbody th { font-weight: 500; } figure { margin: 0 0 0.5rem; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
svg { width: 100%; max-width: 24rem; background: var(--plate); border-radius: 4px; }
.line { fill: none; stroke: var(--l7); stroke-width: 1.5; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr));
  gap: 1rem; }
article { padding: 0.75rem; border: 1px solid var(--edge); border-radius: 6px; min-width: 0; }
article.right { border-left: 4px solid var(--right); }
article.wrong { border-left: 4px solid var(--wrong); }
.verdict { font-weight: 600; } .right .verdict { color: var(--right); }
.wrong .verdict { color: var(--wrong); }
dl { margin: 0.5rem 0 0; } dt { color: var(--soft); font-size: 0.85rem; }
dd { margin: 0; white-space: pre-wrap; }
.text { white-space: pre-wrap; margin: 0 0 0.5rem; }
mark { padding: 0 0.15em; border-radius: 3px; color: inherit; background: var(--plate);
  border-bottom: 2px solid; } mark sub { font-size: 0.65em; color: var(--soft); }
mark.label0 { border-color: var(--l0); } mark.label1 { border-color: var(--l1); }
mark.label2 { border-color: var(--l2); } mark.label3 { border-color: var(--l3); }
mark.label4 { border-color: var(--l4); } mark.label5 { border-color: var(--l5); }
mark.label6 { border-color: var(--l6); } mark.label7 { border-color: var(--l7); }
.line.label0 { stroke: var(--l0); } .line.label1 { stroke: var(--l1); }
.line.label2 { stroke: var(--l2); } .line.label3 { stroke: var(--l3); }
.line.label4 { stroke: var(--l4); } .line.label5 { stroke: var(--l5); }
.line.label6 { stroke: var(--l6); } .line.label7 { stroke: var(--l7); }
.alignment td { width: 1.6rem; height: 1.4rem; padding: 0; border: 1px solid var(--edge);
  background: color-mix(in srgb, var(--accent) calc(var(--weight) * 100%), var(--ground)); }
.alignment th { white-space: nowrap; }
.alignment thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left;
  padding: 0.25rem 0; border: 0; font-weight: 500; }
.alignment td:hover, .alignment tr:hover th { outline: 2px solid var(--accent); }
.looked { position: relative; max-width: 18rem; } .looked > img { display: block; width: 100%;
  margin-bottom: 0.5rem; image-rendering: pixelated; } .looked .text { margin: 0; }
.word { padding: 0 0.15em; border-radius: 3px; border-bottom: 2px dotted var(--accent); }
.word:hover, .word:focus { background: var(--plate); outline: 2px solid var(--accent); }
.word img { position: absolute; inset: 0 0 auto 0; width: 100%; height: auto;
  aspect-ratio: var(--form); visibility: hidden; pointer-events: none; background: none;
  image-rendering: pixelated; }
.word:hover img, .word:focus img { visibility: visible; }
@media print { :root { --ground: #fff; --ink: #000; --soft: #444; --edge: #bbb; --plate: #f6f6f6; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  .wide { overflow: visible; } article, figure, img, tr { break-inside: avoid; }
  .looked .note { display: none; } .word { border: 0; display: inline-block; }
  .word img { position: static; width: 2rem; margin-left: 0.25rem; vertical-align: middle;
  visibility: visible; border: 1px solid var(--edge); border-radius: 0; }
  h2 { break-after: avoid; } mark, .alignment td { print-color-adjust: exact; } }
"""

"""The few pieces of HTML the reports are made of; everything inline, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from hiermap.report.pictures import data_uri, png

STYLE = """
:root { --ink: #1c2430; --soft: #667085; --line: #e3e7ee; --good: #1b7f3b; --bad: #b3261e; --ground: #f5f6f9; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 28px 24px 80px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 34px 0 8px; }
h3 { font-size: 16px; margin: 0 0 10px; }
p.lead { color: var(--soft); margin: 0 0 18px; }
section.card { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin: 14px 0; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 14px 5px 0; vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: 13px; border-bottom: 1px solid var(--line); }
td { border-bottom: 1px solid #f0f2f6; }
.yes { color: var(--good); font-weight: 600; }
.no { color: var(--bad); font-weight: 600; }
.note { color: var(--soft); font-size: 13px; }
.row { display: flex; gap: 18px; flex-wrap: wrap; align-items: flex-start; }
figure { margin: 0 0 8px; }
figcaption { color: var(--soft); font-size: 13px; }
img { max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
.strip { display: grid; grid-template-columns: repeat(5, 1fr); gap: 6px; margin-bottom: 8px; font-size: 13px; }
.bar { position: relative; width: 220px; height: 14px; background: #eceff4; border-radius: 7px; margin-top: 4px; }
.bar i { position: absolute; top: 0; bottom: 0; left: 0; background: #9ccaae; border-radius: 7px 0 0 7px; }
.bar b { position: absolute; top: 5px; height: 4px; background: #1c2430; border-radius: 2px; opacity: .75; }
svg.graph text.note { font: 12px system-ui, sans-serif; fill: #667085; }
svg.graph text.step { font: 600 12px system-ui, sans-serif; text-anchor: middle; }
details { margin: 10px 0; }
summary { cursor: pointer; color: var(--soft); }
pre { font-size: 12px; white-space: pre-wrap; }
"""


def document(title: str, body: str) -> str:
    """A whole HTML page."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body><main>{body}</main></body></html>\n'


def card(*parts: str, anchor: str = "") -> str:
    """A white box around `parts`."""
    name = f' id="{escape(anchor)}"' if anchor else ""
    return f'<section class="card"{name}>{"".join(parts)}</section>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are HTML already, heads are text."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture(image: np.ndarray, caption: str) -> str:
    """A figure holding an `[h, w, 3]` uint8 picture inline."""
    return file_picture(png(image), caption)


def file_picture(content: bytes, caption: str) -> str:
    """A figure holding the content of a PNG file inline."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{data_uri(content)}" alt="{escape(caption)}">{below}</figure>'


def verdict(value: bool | None, yes: str = "yes", no: str = "no") -> str:
    """A coloured word; a dash when unknown."""
    if value is None:
        return '<span class="note">-</span>'
    return f'<span class="yes">{escape(yes)}</span>' if value else f'<span class="no">{escape(no)}</span>'


def interval_bar(percent: float, low: float, high: float) -> str:
    """A percentage as a bar with its interval drawn over it, all in 0..100."""
    return f'<div class="bar"><i style="width:{percent:.1f}%"></i><b style="left:{low:.1f}%;width:{max(high - low, 0.6):.1f}%"></b></div>'


def folded(title: str, content: str) -> str:
    """A part that opens on a click."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"

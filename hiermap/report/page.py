"""The few pieces every page is made of; text is escaped where it enters, pictures lie inside the page."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import chain, repeat
from pathlib import Path
from string import Template

from hiermap.worlds.errors import DataError

MAX_PNG_BYTES = 1 << 26
"""A larger picture (64 MiB) is not ours and is left out."""
_TEMPLATE = Path(__file__).with_name("template.html")


class Html(str):
    """Text that is HTML already; any other text is escaped where it enters a page."""


def html(form: str, *parts: object) -> Html:
    """`form.format(*parts)` with every text escaped unless it is Html."""
    return Html(form.format(*(escape(part) if isinstance(part, str) and not isinstance(part, Html) else part for part in parts)))


def joined(parts: Iterable[str]) -> Html:
    """Pieces one after another."""
    return Html("\n".join(html("{}", part) for part in parts))


def document(title: str, body: Html) -> str:
    """A whole page."""
    return Template(_TEMPLATE.read_text()).substitute(title=escape(title), body=body)


def card(title: str, *parts: str) -> Html:
    """A box with a title."""
    return html("<section><h3>{}</h3>{}</section>", title, joined(parts))


def row(*parts: str) -> Html:
    """Pieces beside each other where there is room."""
    return html('<div class="row">{}</div>', joined(html("<div>{}</div>", part) for part in parts))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], data: Iterable[Mapping[str, str]] = ()) -> Html:
    """A table of texts, numbers, truths (coloured) and what is not known (a dash); `data` are attributes of its rows, see `attributes`."""
    top = joined(html("<th>{}</th>", head) for head in heads)
    pairs = zip(rows, chain(data, repeat({})), strict=False)
    body = joined(html("<tr{}>{}</tr>", attributes(own), joined(html("<td>{}</td>", _shown(cell)) for cell in row)) for row, own in pairs)
    return html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", top, body)


def _shown(cell: object) -> object:
    if isinstance(cell, bool):
        return html('<b class="{0}">{0}</b>', "yes" if cell else "no")
    return f"{cell:.2f}" if isinstance(cell, float) else "-" if cell in (None, "") else cell


def attributes(data: Mapping[str, str]) -> Html:
    """What a script may ask of an element: name -> value."""
    return Html("".join(html(' data-{}="{}"', name, value) for name, value in data.items()))


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: "1 episode", "2 episodes"."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def picture(png: Path, caption: str, wide: bool = False) -> Html:
    """The content of a PNG file inside the page, with its caption below and as the text for those who do not see it; a wide one keeps its
    words legible on a narrow screen, where it can be pushed aside.
    """
    try:
        source = b64encode(png.read_bytes() if png.stat().st_size <= MAX_PNG_BYTES else b"").decode()
    except OSError as error:
        raise DataError(f"{png} cannot be read ({error.strerror}); run the command that left it again") from error
    kind = Html(' class="wide" tabindex="0"' if wide else "")
    return html('<figure{2}><img src="data:image/png;base64,{0}" alt="{1}"><figcaption>{1}</figcaption></figure>', source, caption, kind)


def folded(title: str, content: str) -> Html:
    """A part that opens on a click."""
    return html('<details><summary>{}</summary><div class="scroll">{}</div></details>', title, content)


def settings(values: Mapping) -> Html:
    """What a run was started with and on which versions, folded."""
    return folded("Settings", html("<pre>{}</pre>", json.dumps(values, indent=2)))

"""Markdown as tests read it: the code blocks, links and anchors of a page."""

import re
from dataclasses import dataclass

FENCED = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CODE = re.compile(r"```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ENTRY = re.compile(r"^::: (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of code: its language, the file that its title names or "", its text, and the line it begins at."""

    language: str
    title: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Every fenced block, in order."""
    return [Block(*found.groups(""), page.count("\n", 0, found.start()) + 1) for found in FENCED.finditer(page)]  # type: ignore[call-arg]


def links(page: str) -> list[str]:
    """What links and pictures point to, those in code left out."""
    return LINK.findall(CODE.sub("", page))


def anchors(page: str) -> set[str]:
    """Names by which headings can be linked, and entries of the reference."""
    page = FENCED.sub("", page)
    headings = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page)}
    return headings | set(ENTRY.findall(page))

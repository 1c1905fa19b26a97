"""Every relative link of every Markdown file leads to a file that is there, and to a heading of it."""

from pathlib import Path

import pytest

from tests.markdown import anchors, blocks, links

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "configs", "docs", "examples", "hiermap", "planners", "primitives", "tests", "worlds")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
TEMPLATES = {"hiermap/data/exchange/card.md", "hiermap/training/card.md"}
"""Their links are of what is written from them."""


def dead(page: Path) -> list[str]:
    """Links that lead nowhere; the network is not asked."""
    wrong = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target.read_text()))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_no_link_is_dead(page: str) -> None:
    if page not in TEMPLATES:
        assert not dead(ROOT / page)


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, with `code`\n\n```sh\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md) [b](there.md#a-heading-with-code) `[c](in-code.md)` [d](https://far.away)\n")
    assert not dead(page)
    page.write_text("![e](missing.png) [f](there.md#no-heading) [g](#nowhere)\n\n```md\n[h](in-a-block.md)\n```\n")
    assert dead(page) == ["missing.png", "there.md#no-heading", "#nowhere"]


def test_blocks_know_what_they_are() -> None:
    page = 'Text.\n\n```python title="a/b.py"\nx = 1\n```\n\n```sh\nls\n```\n'
    assert [(block.language, block.title, block.text, block.line) for block in blocks(page)] == [
        ("python", "a/b.py", "x = 1\n", 3),
        ("sh", "", "ls\n", 7),
    ]

"""Runs what a page of the documentation tells its reader to type, block by block, in the present directory.

`sh`: commands; those of hiermap must end with exit code 0, or with the one that a comment behind them names. `python`: one program a page;
with a title it is a file. `xml`: a file, too. `diff`: a change of the source, which must fit it. `text`: lines that the last block printed.
"""

import contextlib
import importlib
import io
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

from hiermap.cli import main
from tests.markdown import Block, blocks

ROOT = Path(__file__).parents[2]
MADE = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def run(page: Path, start: int = 0, written: bool = False) -> None:
    """Run the blocks of a page from number `start` on, up to a change of the source; `written`: whatever has a title is there already."""
    program: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    sys.path.insert(0, os.getcwd())
    for block in blocks(page.read_text())[start:]:
        if block.language == "text":
            missing = [line for line in block.text.splitlines() if line not in printed]
            assert not missing, f"{page.name}, line {block.line}: not printed: {missing}; printed was\n{printed}"
        elif block.title and not written:
            if block.language == "diff":
                return
            write(block, Path())
            join(block.title)
        elif not block.title:
            with contextlib.redirect_stdout(io.StringIO()) as stdout:
                if block.language == "python":
                    # As many lines before it, so that errors name the line of the page.
                    exec(compile("\n" * block.line + block.text, str(page), "exec"), program)
                else:
                    commands(block.text)
            printed = stdout.getvalue()


def join(title: str) -> None:
    """Let a new module of a package of ours be found where it was written."""
    folder = Path(title).parent
    if folder.parts:
        package = importlib.import_module(".".join(("hiermap", *folder.parts)))
        package.__path__.append(str(folder.absolute()))


def commands(text: str) -> None:
    """Run the lines of a shell."""
    for line in text.replace("\\\n", " ").splitlines():
        match shlex.split(line, comments=True):
            case ["hiermap", *words]:
                told = re.search(r"# .*exit code (\d)", line)
                code = main(words)
                assert code == (int(told[1]) if told else 0), f"exit code {code}: {line}"
            case ["make", target]:
                assert target in MADE, line
            case ["pip", "install", what]:
                assert re.fullmatch(r"hiermap\[(\w+)\]", what)[1] in EXTRAS, line  # type: ignore[index]
            case ["source", ".venv/bin/activate"] | []:
                pass
            case _:
                raise AssertionError(f"nobody has tried {line!r}")


def write(block: Block, root: Path) -> None:
    """Make the file that a block is, or the change of one that it tells."""
    path = root / block.title
    if block.language != "diff":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    lines = block.text.splitlines(keepends=True)
    before, after = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
    source = path.read_text()
    assert source.count(before) == 1, f"line {block.line}: does not fit {block.title}"
    path.write_text(source.replace(before, after))

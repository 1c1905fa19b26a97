"""Every code block of the documentation is run as it is written, and prints what it is said to print."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.running import run, write
from tests.markdown import Block, blocks

ROOT = Path(__file__).parents[2]
PAGES = {str(page.relative_to(ROOT / "docs")): page for page in sorted((ROOT / "docs").rglob("*.md")) if blocks(page.read_text())}
SOURCES = ("hiermap", "worlds", "primitives", "planners", "configs")


def changes(page: Path) -> int | None:
    """The number of the first block that changes the source."""
    return next((number for number, block in enumerate(blocks(page.read_text())) if block.language == "diff"), None)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_as_it_is_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to where the source is changed."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    run(PAGES[name])


CHANGING = [name for name, page in PAGES.items() if changes(page) is not None]
SLOW = {"how-to/arm.md"}
"""What is compiled of the primitives has to be compiled anew, and this one drives the arm."""


@pytest.mark.parametrize("name", sorted(SLOW))
def test_the_changes_of_a_slow_page_fit(name: str, tmp_path: Path) -> None:
    changed_copy([block for block in blocks(PAGES[name].read_text()) if block.title], tmp_path)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CHANGING])
def test_the_changes_of_a_page_fit_and_what_follows_runs_in_a_changed_copy(name: str, tmp_path: Path) -> None:
    titled = [block for block in blocks(PAGES[name].read_text()) if block.title]
    sources = changed_copy(titled, tmp_path)
    script = f"from pathlib import Path; from tests.docs.running import run; run(Path({str(PAGES[name])!r}), {changes(PAGES[name])}, True)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if any(block.title.startswith("primitives/") for block in titled):
        # What is compiled is kept by the primitives' sources: changed ones must not take its place.
        environment["NUMBA_CACHE_DIR"] = str(tmp_path / "compiled")
    done = subprocess.run([sys.executable, "-c", script], cwd=sources, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def changed_copy(titled: list[Block], place: Path) -> Path:
    """A folder from which a changed copy of the source is imported."""
    copy, sources = place / "copy", place / "sources"
    copy.mkdir()
    for folder in SOURCES:
        if any(block.title.startswith(f"{folder}/") for block in titled):
            shutil.copytree(ROOT / folder, copy / folder)  # with what is compiled already
        else:
            (copy / folder).symlink_to(ROOT / folder)
    for block in titled:
        write(block, copy)
    make = ["make", "--silent", "-f", ROOT / "Makefile", "-C", copy, "sources", f"SOURCES={sources}"]
    subprocess.run(make, check=True, capture_output=True)
    return sources

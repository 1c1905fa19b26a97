"""Every code block of the documentation is run as it is written, and says what comes of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.running import run, write
from tests.markdown import blocks

ROOT = Path(__file__).parents[2]
PAGES = {str(page.relative_to(ROOT / "docs")): page for page in sorted((ROOT / "docs").rglob("*.md")) if blocks(page.read_text())}
CHANGING = {name for name, page in PAGES.items() if any(block.language == "diff" for block in blocks(page.read_text()))}
"""They change the source, so a copy of it is what runs."""
SOURCES = ("hiermap", "worlds", "primitives", "planners", "configs")


def test_there_are_pages_of_both_kinds() -> None:
    assert "tutorial.md" in PAGES.keys() - CHANGING and CHANGING


@pytest.mark.parametrize("name", sorted(PAGES.keys() - CHANGING))
def test_a_page_runs_as_it_is_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    run(PAGES[name])


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_a_page_that_changes_the_source_runs_in_a_changed_copy(name: str, tmp_path: Path) -> None:
    copy, sources = tmp_path / "copy", tmp_path / "sources"
    titled = [block for block in blocks(PAGES[name].read_text()) if block.title]
    changed = {block.title.split("/")[0] for block in titled}
    copy.mkdir()
    for folder in SOURCES:
        if folder in changed:  # with what is compiled already
            shutil.copytree(ROOT / folder, copy / folder)
        else:
            (copy / folder).symlink_to(ROOT / folder)
    for block in titled:
        write(block, copy)
    subprocess.run(["make", "--silent", "-f", ROOT / "Makefile", "-C", copy, "sources", f"SOURCES={sources}"], check=True)
    script = f"from pathlib import Path; from tests.docs.running import run; run(Path({str(PAGES[name])!r}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=sources, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

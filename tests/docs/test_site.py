"""The site builds without a warning, asks the network for nothing, and knows every public name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hiermap
import hiermap.training

pytest.importorskip("mkdocs", reason="needs the extra docs, which constraints.txt has")

ROOT = Path(__file__).parents[2]
PUBLIC = [f"hiermap.{name}" for name in hiermap.__all__] + [f"hiermap.training.{name}" for name in hiermap.training.__all__]
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\ssrc=[\"']?(?:https?:)?//|<link\b[^>]*\shref=[\"']?(?:https?:)?//|@import|url\([\"']?https?:"
)
"""What makes a browser ask another machine."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, sources = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("sources") / "all"
    subprocess.run(["make", "--silent", "-C", ROOT, "sources", f"SOURCES={sources}"], check=True)
    environment = {**os.environ, "HIERMAP_SOURCES": str(sources), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    return out


def test_its_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    pages = [path for kind in ("*.html", "*.css") for path in site.rglob(kind)]
    assert len(pages) > 15
    assert not {str(page.relative_to(site)): FETCHED.findall(page.read_text()) for page in pages if FETCHED.search(page.read_text())}


def test_every_public_name_has_an_entry(site: Path) -> None:
    entries = set(re.findall(r'<h\d id="([\w.]+)"', "".join(page.read_text() for page in (site / "api").glob("*.html"))))
    assert set(PUBLIC) <= entries

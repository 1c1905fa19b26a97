"""The page that stands alone: everything is inside it, with or without the extra."""

import re
import sys
from pathlib import Path

import pytest

from hiermap.cli import main
from hiermap.primitives.specs import PRIMITIVES
from tests.hiermap.view.browser import MEASURE, opened
from tests.hiermap.view.conftest import KNOWN

GOAL = "goal=open(left_drawer_1) and closed(left_drawer_2)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a plan that was carried out, in 3-D where viser is installed."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    assert main(["view", *KNOWN, GOAL, "execute=true", f"export={path}"]) == 0
    return path


def ours(text: str) -> str:
    """A page without the frame that holds viser's own."""
    return re.sub(r"<iframe.*?</iframe>", "", text, flags=re.DOTALL)


def test_every_future_is_told_with_every_map_and_nothing_lies_elsewhere(page: Path) -> None:
    text = ours(page.read_text())
    futures = re.findall(r"<article>.*?</article>", text, re.DOTALL)
    assert len(futures) >= 3 and "<h3>now</h3>" in futures[0]
    for part in futures:
        words = re.findall(r'<img src="data:image/png;base64,iVBOR[^"]*" alt="([^"]+)"', part)
        assert len(words) == part.count("<img") >= 6 and all(any(f"Map of {name}," in word for word in words) for name in PRIMITIVES)
    assert f'type="range" min="0" max="{len(futures) - 1}"' in text
    assert text.count("after step") == len(futures) - 1 and "it truly does." in text
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]', text)


def test_without_the_extra_a_page_shows_photographs_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "viser", None)
    path = tmp_path / "page.html"
    assert main(["view", *KNOWN, f"export={path}"]) == 0
    assert "needs the package viser; run: pip install 'hiermap[view]'" in capsys.readouterr().err
    text = path.read_text()
    assert "<iframe" not in text and "The kitchen with the robot at first" in text and text.count("<article>") == 1
    assert main(["view", *KNOWN, f"port={8088}"]) == 2
    assert "needs the package viser; run: pip install 'hiermap[view]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "word", ["kitchen=toy", "task=sequel-2", "port=0", "port=70000", "execute=true", "task=goal", "maps=oracle", "seed=-1"]
)
def test_what_cannot_be_viewed_is_a_usage_error(word: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["view", word]) == 2
    assert word.partition("=")[0] in capsys.readouterr().err


def test_a_file_of_somebody_else_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    assert main(["view", *KNOWN, f"export={mine}"]) == 2 and mine.read_text() == "mine"
    assert main(["view", *KNOWN, f"export={tmp_path}"]) == 2
    told = capsys.readouterr().err
    assert "was not written by hiermap" in told and "is a directory" in told


@pytest.mark.parametrize("width", [1400, 390])
def test_nothing_is_cut_off_and_the_slider_shows_one_future_at_a_time(page: Path, width: int, tmp_path: Path) -> None:
    with opened(page.as_uri(), tmp_path) as tab:
        tab.size(width, 900)
        tab.wait("document.readyState === 'complete' && document.querySelector('.futures input')?.ariaValueText")
        shown = "[...document.querySelectorAll('article')].map((part) => part.getBoundingClientRect().height > 0)"
        last = tab.run("document.querySelector('.futures input').max")
        for value in ("0", last):
            tab.run(f"s = document.querySelector('.futures input'); s.value = {value}; s.dispatchEvent(new Event('input'))")
            found = tab.run(MEASURE)
            assert found["cut"] == [] and found["scroll"] <= width and all(found["images"]) and found["loaded"]
            assert found["narrowest"] >= 190
            assert [index for index, is_shown in enumerate(tab.run(shown)) if is_shown] == [int(value)]
        if "<iframe" in page.read_text():
            inside = "document.querySelector('iframe').contentDocument"
            tab.wait(f"[...{inside}.querySelectorAll('canvas')].some((canvas) => canvas.width > 300)")
            assert tab.run(f"{inside}.documentElement.scrollWidth <= {inside}.documentElement.clientWidth")

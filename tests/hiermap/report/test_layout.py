"""A page in a real browser, where one is installed: wide and narrow, nothing is cut off, everything has its words."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

from hiermap.evaluation.results import EpisodeRow, episodes_csv, eval_info
from hiermap.report import recording as recordings
from hiermap.report.report import report
from hiermap.report.storyboard import story
from hiermap.system.files import write_json
from tests.hiermap.report.test_report import recorded
from tests.hiermap.report.test_storyboard import filmed, photographed

BROWSER = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None)
GOAL = "the mug is in the right cabinet with the latch, and the latch of the right cabinet is off, and the lower left drawer is shut"

PAGE = """<!doctype html><body style="margin:0"><iframe id="page" style="border:0;width:{width}px;height:3000px" srcdoc="{page}"></iframe>
<pre id="found"></pre><script>
addEventListener("load", () => {{
  const inner = document.getElementById("page").contentDocument, width = {width}, cut = [], small = [];
  const style = (element) => inner.defaultView.getComputedStyle(element);
  const scrolls = (element) => element && (["auto", "scroll"].includes(style(element).overflowX) || scrolls(element.parentElement));
  for (const part of inner.querySelectorAll("details")) part.open = true;
  {script}
  for (const element of inner.body.querySelectorAll("*")) {{
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > width + 1 || box.left < -1) && !scrolls(element.parentElement)) cut.push(element.outerHTML.slice(0, 80));
    const wider = style(element).display !== "inline" && element.scrollWidth > element.clientWidth + 1;
    if (wider && !scrolls(element)) cut.push(element.tagName);
    if (box.width && element.childElementCount === 0 && element.textContent.trim() && parseFloat(style(element).fontSize) < 11)
      small.push(element.textContent);
  }}
  const rows = [...inner.querySelectorAll("[data-outcome]")].filter((item) => item.getBoundingClientRect().height).length;
  const unnamed = [...inner.images].filter((image) => !image.alt || !image.naturalWidth).length;
  document.getElementById("found").textContent = JSON.stringify({{
    cut, small, rows, unnamed, images: inner.images.length, scroll: inner.documentElement.scrollWidth,
    narrowest: Math.min(...[...inner.images].map((image) => image.getBoundingClientRect().width)),
    output: inner.querySelector("output")?.textContent ?? "", ground: style(inner.body).backgroundColor,
  }});
}});
</script></body>"""


def measured(page: str, width: int, tmp_path: Path, script: str = "", *options: str) -> dict:
    """What a browser of so many pixels makes of a page after a script of ours ran in it."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    file = tmp_path / "measure.html"
    file.write_text(PAGE.format(width=width, page=escape(page), script=script))
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", *options, "--dump-dom", file.as_uri()]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return json.loads(unescape(re.search(r'<pre id="found">(.*?)</pre>', text, re.DOTALL)[1]))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Six episodes, of which two failed and three are told."""
    out = tmp_path_factory.mktemp("evaluation")
    rows = [
        EpisodeRow(i, 7 + i, "chain-2", 2, 0, i > 1, 2 + i % 2, 2, 0, 0.01, "" if i > 1 else "too_many_replans", "", 1.0) for i in range(6)
    ]
    write_json(out / "eval_info.json", eval_info(rows, {"config": {"suite": "chain-2", "seed": 7, "weights": "runs/" + "long" * 30}}))
    (out / "episodes.csv").write_text(episodes_csv(rows))
    (out / "storyboards").mkdir()
    for row in rows[:3]:
        about = {"task": row.task, "seed": row.seed, "goal": GOAL, "outcome": row.failure_reason or "solved", "success": row.success}
        (out / "storyboards" / f"{row.episode:04d}_chain-2_{row.seed}.json").write_text(story(filmed(), photographed, about))
    return report(out).read_text()


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("plan")
    recordings.save(recorded(goal_words=GOAL), out)
    about = {"task": "chain-2", "seed": 7, "goal": GOAL, "outcome": "solved", "success": True}
    (out / "storyboard.json").write_text(story(filmed(), photographed, about))
    return report(out).read_text()


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("which", ["evaluation", "plan"])
def test_nothing_is_cut_off_and_every_picture_has_words(which: str, width: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found = measured(request.getfixturevalue(which), width, tmp_path)
    assert found["cut"] == [] and found["small"] == [] and found["unnamed"] == 0
    assert found["scroll"] <= width and found["images"] >= 9 and found["narrowest"] >= 150


def test_the_filters_show_what_they_are_asked_for(evaluation: str, tmp_path: Path) -> None:
    def asked(name: str, value: str) -> dict:
        chosen = f'const field = inner.querySelector("[name={name}]"); field.value = "{value}";'
        return measured(evaluation, 1400, tmp_path, chosen + 'field.dispatchEvent(new Event("change", {bubbles: true}));')

    failed, with_pull, of_three = asked("outcome", "failed"), asked("primitive", "pull"), asked("length", "3")
    assert failed["rows"] == 4 and failed["output"] == "2 of 6 shown"  # of the table and of the storyboards
    assert with_pull["rows"] == 6 and with_pull["images"] == 9
    assert of_three["rows"] == 3


def test_a_dark_screen_gets_a_dark_page(evaluation: str, tmp_path: Path) -> None:
    light = measured(evaluation, 390, tmp_path)["ground"]
    dark = measured(evaluation, 390, tmp_path, "", "--blink-settings=preferredColorScheme=0")["ground"]
    assert sum(map(int, re.findall(r"\d+", light))) > 600 > 200 > sum(map(int, re.findall(r"\d+", dark)))


def test_failures_are_told_first_with_outcome_and_plural_forms(evaluation: str) -> None:
    told = re.findall(r'<details class="episode"[^>]*><summary><b class="(yes|no)">(.*?)</b>', evaluation)
    assert [mark for mark, _ in told] == ["no", "no", "yes"]
    assert told[0][1] == "Episode 0, seed 7: too many replans after 2 primitives"
    assert "of 6 episodes</h1>" in evaluation

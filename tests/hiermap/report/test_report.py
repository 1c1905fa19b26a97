"""The report: one page that needs no other file, from plans and from evaluations."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import networkx
import numpy as np
import pytest

from hiermap.evaluation.evaluate import finish
from hiermap.evaluation.results import EpisodeRow, episodes_csv, eval_info, read_run
from hiermap.primitives.specs import PRIMITIVES
from hiermap.report import recording as recordings
from hiermap.report.page import html, table
from hiermap.report.pictures import Picture, png
from hiermap.report.recording import RecordedView, Recording, StepRecord
from hiermap.report.report import report
from hiermap.system.files import write_json
from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError, DataError

SHAPE = (96, 128)


def view(seed: int, truth: bool = False) -> RecordedView:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(90, 200, (*SHAPE, 3), dtype=np.uint8)
    heats = np.zeros((len(PRIMITIVES), *SHAPE), np.float32)
    for heat in heats:
        row, column = rng.integers(10, 80, 2)
        heat[row : row + 8, column : column + 12] = rng.uniform(0.3, 1.0)
    return RecordedView(rgb, heats, {"open(drawer)": 0.25}, {"open(drawer)": truth})


def recorded(task: str = "chain-2", goal_words: str = "the drawer is open", status: str = "solved") -> Recording:
    mask = np.zeros(SHAPE, bool)
    mask[40:60, 30:70] = True
    graph = networkx.DiGraph()
    graph.add_node(0, progress=0.3, depth=0, on_plan=True, solved=False)
    for child in range(1, 12):
        graph.add_node(child, progress=child / 12, depth=1, on_plan=child == 11, solved=child == 11)
        graph.add_edge(0, child, primitive="pull", row=50, column=40 + child, success=child / 12)
    planned = StepRecord(0, Action("pull", (50, 41), 1), (0.6, 0.2, 0.2), 0.97, {"before": view(1), "imagined": view(2)})
    executed = replace(planned, action=Action("push", (50, 41), 1), views={**planned.views, "after": view(3, truth=True)}, reason="done")
    summary = {
        "task": task, "seed": 7, "goal_words": goal_words, "status": status, "message": "nothing to do", "n_planned": 2,
        "success_probability": 0.93, "cost": 21.0, "plan_seconds": 0.8, "metrics": {"expansions": 41}, "shortest": 2, "detours": 0,
        "execution": {"success": True, "primitives": 2, "replans": 0, "failure_reason": ""}, "settings": {"config": {"seed": 7}},
        "sensing_notes": ["camera 1 recalibrated", "<b>"],
    }  # fmt: skip
    return Recording(summary, [planned, executed], Picture(view(0).rgb, outlines={"drawer": mask}), graph)


def pictures_in(text: str) -> list[bytes]:
    return [b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]*)"', text)]


def assert_self_contained(text: str) -> None:
    """Well-formed tags and no address but data and anchors in it."""
    open_tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list) -> None:
            if tag not in ("meta", "img", "br", "link"):
                open_tags.append(tag)

        def handle_startendtag(self, tag: str, attrs: list) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Tags().feed(text)
    assert open_tags == []
    assert all(address.startswith(("data:", "#")) for address in re.findall(r'(?:src|href)="([^"]*)"', text))
    assert "url(" not in text and "@import" not in text


def test_a_recording_says_what_was_chosen_believed_and_true(tmp_path: Path) -> None:
    recordings.save(recorded(), tmp_path)
    planned, executed = json.loads((tmp_path / "plan.json").read_text())["steps"]
    assert (planned["primitive"], planned["cell"], planned["rotation"], planned["reason"]) == ("pull", [50, 41], "roll_90", "")
    assert list(planned["views"]) == ["before", "imagined"]
    assert executed["views"]["after"] == {"predicates": {"open(drawer)": 0.25}, "truth": {"open(drawer)": True}}
    graph = networkx.read_graphml(tmp_path / "graph.graphml")
    assert graph.number_of_edges() == 11
    assert graph.edges["0", "3"]["column"] == 43
    assert [node for node, on_plan in graph.nodes("on_plan") if on_plan] == ["0", "11"]


def test_the_same_recording_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("first", "second"):
        recordings.save(recorded(), tmp_path / name)
    for path in sorted((tmp_path / "first").iterdir()):
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_a_plan_becomes_one_page_with_every_picture_of_every_step_and_the_search(tmp_path: Path) -> None:
    recordings.save(recorded(), tmp_path)
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    names = ("view.png", "step_01.png", "step_01_maps.png", "step_02.png", "step_02_maps.png", "graph.png")
    assert pictures_in(text) == [(tmp_path / name).read_bytes() for name in names]
    assert len(set(pictures_in(text))) == len(names)
    assert all(re.findall(r'<img [^>]*alt="([^"]+)">', text)) and text.count("<img ") == text.count('alt="')
    for words in (
        "not executed",
        "motor program says done",
        "truly after",
        ">yes<",
        "recalibrated; &lt;b&gt;",
        "the drawer is open",
        "nothing to do",
    ):
        assert words in text


def test_folders_of_plans_become_one_page(tmp_path: Path) -> None:
    for name in ("first", "second"):
        recordings.save(recorded(task=name), tmp_path / name)
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert '<a href="#plan-1">second</a>' in text and 'id="plan-1"' in text
    first_row = re.findall(r"<td>(.*?)</td>", text)[:11]
    assert first_row[1:6] == ["7", "the drawer is open", "solved", "2", "0.93"] and first_row[6:9] == ["0.80", "2", "0"]


def test_a_plan_without_steps_says_why(tmp_path: Path) -> None:
    nothing = replace(recorded(status="timeout"), steps=[], graph=networkx.DiGraph())
    recordings.save(nothing, tmp_path)
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert "nothing to do" in text and "timeout" in text


def test_text_from_a_run_cannot_put_markup_into_the_page(tmp_path: Path) -> None:
    recordings.save(recorded(goal_words="<script>alert(1)</script>", task='$title"<script>', status="<script>"), tmp_path)
    assert "<script" not in report(tmp_path).read_text()


def test_only_what_is_html_already_is_not_escaped() -> None:
    assert html("<i title='{}'>{:.1f}{}</i>", '"&', 0.25, html("<b></b>")) == "<i title='&quot;&amp;'>0.2<b></b></i>"
    assert table(("<",), [("&", None), (True, 0.256)]) == (
        "<table><thead><tr><th>&lt;</th></tr></thead><tbody><tr><td>&amp;</td>\n<td>-</td></tr>\n"
        '<tr><td><b class="yes">yes</b></td>\n<td>0.26</td></tr></tbody></table>'
    )


def test_an_evaluation_becomes_a_page_with_intervals_reasons_and_pictures(tmp_path: Path) -> None:
    rows = [EpisodeRow(i, i, "primitive-pull", 1, 0, i > 0, 1, 1, 0, 0.01, "" if i else "stalled", "drawer", 1.0) for i in range(4)]
    write_json(tmp_path / "eval_info.json", eval_info(rows, {"config": {"suite": "primitive-pull", "seed": 0}}))
    (tmp_path / "episodes.csv").write_text(episodes_csv(rows))
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "primitive-pull_000_stalled.png").write_bytes(png([Picture(view(0).rgb)]))
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert "75.0 %" in text and "stalled" in text and "primitive-pull drawer" in text
    assert pictures_in(text) == [png([Picture(view(0).rgb)])] and 'alt="primitive-pull 000 stalled"' in text


@pytest.mark.parametrize("name", ["run.json", "eval_info.json", "episodes.csv", "plan.json"])
def test_a_flipped_outcome_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture) -> None:
    rows = [EpisodeRow(i, 7 + i, "chain-1", 1, 0, i > 0, 1, 1, 0, 0.5) for i in range(4)]
    finish(rows, {"config": {"suite": "chain-1", "seed": 7}}, tmp_path)
    recordings.save(recorded(), tmp_path)
    read_run(tmp_path), report(tmp_path)
    path, old, new = tmp_path / name, *{"episodes.csv": ("1,0,0,1,1", "1,0,1,1,1"), "eval_info.json": ("75.0", "100.0")}.get(name, ("", ""))
    text = path.read_text()
    changed = text.replace(old, new, 1) if old else re.sub(r"true|false", lambda found: {"true": "false", "false": "true"}[found[0]], text)
    assert changed != text
    path.write_text(changed)
    with pytest.raises((DataError, ConfigError), match=rf"{name} is (damaged .*what its sha256 says|not the file that)"):
        read_run(tmp_path) if name == "run.json" else report(tmp_path)


def test_an_older_evaluation_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    run = read_run(Path(__file__).parents[3] / "docs" / "results" / "chain-3-oracle")
    assert run.rows and "run.json has no sha256 of its content" in caplog.text


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="eval_info"):
        report(tmp_path)
    with pytest.raises(DataError, match="no directory"):
        report(tmp_path / "absent")


@pytest.mark.parametrize("name", ["plan.json", "step_02_maps.png"])
def test_a_damaged_recording_is_refused(tmp_path: Path, name: str) -> None:
    recordings.save(recorded(), tmp_path)
    text = (tmp_path / name).read_bytes()[:100]
    (tmp_path / name).unlink()
    if name == "plan.json":
        (tmp_path / name).write_bytes(text)
    with pytest.raises(DataError, match=rf"{name} (is damaged|cannot be read).*run the command that left it again"):
        report(tmp_path)

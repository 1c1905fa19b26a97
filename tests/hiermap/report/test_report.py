"""The report: one page that needs no other file, from plans and from evaluations."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import networkx
import numpy as np
import pytest

from hiermap.evaluation.results import EpisodeRow, episodes_csv, eval_info
from hiermap.primitives.specs import PRIMITIVES
from hiermap.report import recording as recordings
from hiermap.report.recording import Look, Recording, StepRecord
from hiermap.report.report import report
from hiermap.system.files import write_json
from hiermap.worlds.errors import DataError
from hiermap.worlds.goals import Goal, Predicate, Target

SHAPE = (96, 128)


def look(seed: int) -> Look:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(90, 200, (*SHAPE, 3), dtype=np.uint8)
    heats = np.zeros((len(PRIMITIVES), *SHAPE), np.float32)
    for heat in heats:
        row, column = rng.integers(10, 80, 2)
        heat[row : row + 8, column : column + 12] = rng.uniform(0.3, 1.0)
    return Look(rgb, heats, {"open(drawer)": 0.25}, {"open(drawer)": False})


def recorded(task: str = "chain-2", goal_words: str = "the drawer is open") -> Recording:
    mask = np.zeros(SHAPE, bool)
    mask[40:60, 30:70] = True
    goal = Goal((Predicate("open", ("drawer",)),), {"drawer": Target("drawer", mask)})
    graph = networkx.DiGraph()
    graph.add_node(0, progress=0.3, depth=0)
    for child in range(1, 12):
        graph.add_node(child, progress=child / 12, depth=1)
        graph.add_edge(0, child, primitive="pull", row=50, column=40 + child, success=child / 12, cost=9.5)
    planned = StepRecord(0, "pull", (50, 41), 1, "roll_90", (0.6, 0.2, 0.2), 0.97, look(1), look(2))
    executed = replace(planned, primitive="push", after=look(3), reason="done")
    summary = {
        "task": task, "seed": 7, "goal": goal.to_json(), "goal_words": goal_words, "status": "solved", "n_planned": 2,
        "success_probability": 0.93, "cost": 21.0, "plan_seconds": 0.8, "metrics": {"expansions": 41}, "shortest": 2, "detours": 0,
        "execution": {"success": True, "primitives": 2, "replans": 0, "failure_reason": ""}, "settings": {},
    }  # fmt: skip
    return Recording(summary, [planned, executed], look(0), graph, [0, 11])


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


def test_a_recording_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    original = recorded()
    recordings.save(original, tmp_path)
    loaded = recordings.load(tmp_path)
    assert loaded.summary == original.summary
    assert [(s.primitive, s.cell, s.point_world, s.reason) for s in loaded.steps] == [
        (s.primitive, s.cell, s.point_world, s.reason) for s in original.steps
    ]
    assert loaded.steps[0].after is None
    np.testing.assert_array_equal(loaded.first.rgb, original.first.rgb)
    np.testing.assert_allclose(loaded.steps[1].after.heats, original.steps[1].after.heats, atol=0.5 / 255 + 1e-6)
    assert loaded.graph.number_of_edges() == 11
    assert loaded.graph.edges["0", "3"]["column"] == 43


def test_a_plan_becomes_one_page_with_every_step_both_maps_and_the_search(tmp_path: Path) -> None:
    recordings.save(recorded(), tmp_path)
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert text.count("data:image/png") == 1 + (1 + 2 * 5) + (2 + 3 * 5)
    assert text.index("<table") < text.index("The five maps")
    for words in ("The maps imagined", "The maps really seen", "believed before", "truly after", "<svg", "the drawer is open"):
        assert words in text


def test_folders_of_plans_become_one_page(tmp_path: Path) -> None:
    for name in ("first", "second"):
        recordings.save(recorded(task=name), tmp_path / name)
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert '<a href="#plan-1">second</a>' in text


def test_text_from_a_run_cannot_put_markup_into_the_page(tmp_path: Path) -> None:
    recordings.save(recorded(goal_words="<script>alert(1)</script>"), tmp_path)
    assert "<script" not in report(tmp_path).read_text()


def test_an_evaluation_becomes_a_page_with_intervals_reasons_and_pictures(tmp_path: Path) -> None:
    rows = [EpisodeRow(i, i, "primitive-pull", 1, 0, i > 0, 1, 1, 0, 0.01, "" if i else "stalled", "drawer", 1.0) for i in range(4)]
    write_json(tmp_path / "eval_info.json", eval_info(rows, {"config": {"suite": "primitive-pull", "seed": 0}}))
    (tmp_path / "episodes.csv").write_text(episodes_csv(rows))
    text = report(tmp_path).read_text()
    assert_self_contained(text)
    assert "75.0 %" in text and "stalled" in text and "primitive-pull drawer" in text


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="eval_info"):
        report(tmp_path)
    with pytest.raises(DataError, match="no directory"):
        report(tmp_path / "absent")


def test_a_truncated_recording_is_refused_by_name(tmp_path: Path) -> None:
    recordings.save(recorded(), tmp_path)
    arrays = tmp_path / recordings.ARRAYS
    arrays.write_bytes(arrays.read_bytes()[:300])
    with pytest.raises(DataError, match="no readable plan"):
        report(tmp_path)

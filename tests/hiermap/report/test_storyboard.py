"""Storyboards: read as they were written, told in words, refused where damaged."""

import json
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hiermap.report.page import counted
from hiermap.report.storyboard import Story, deed, fitting, jpeg, read_story, story, strip
from hiermap.worlds.base import Action
from hiermap.worlds.errors import DataError
from hiermap.worlds.simulator.film import Shot

ABOUT = {"task": "chain-2", "seed": 7, "goal": "the drawer is <open>", "outcome": "solved", "success": True}


def filmed() -> SimpleNamespace:
    shots = [
        Shot(Action("pull", (1, 2), 0), "left_drawer_1", [np.zeros(2), np.ones(2)]),
        Shot(Action("place", (1, 2), 0), "", [np.ones(2)]),
    ]
    return SimpleNamespace(shots=shots, scene=SimpleNamespace(called=lambda: {"left_drawer_1": "left drawer"}))


def photographed(state: np.ndarray) -> np.ndarray:
    return np.full((12, 16, 3), np.uint8(200 * state[0]))


def told(tmp_path: Path) -> Story:
    path = tmp_path / "0000_chain-2_7.json"
    path.write_text(story(filmed(), photographed, ABOUT))
    return read_story(path)


def test_a_story_begins_before_the_first_primitive_and_goes_on_after_each(tmp_path: Path) -> None:
    record = told(tmp_path)
    assert [scene["words"] for scene in record["scenes"]] == ["at first", "pull the left drawer", "set it down"]
    assert record["primitives"] == ["pull", "place"]
    assert {key: record[key] for key in ABOUT} == ABOUT
    pictures = [scene["jpeg"] for scene in record["scenes"]]
    assert pictures[0] != pictures[1] == pictures[2] == b64encode(jpeg(photographed(np.ones(2)))).decode()


def test_every_photograph_has_a_number_words_and_an_alternative_of_its_own(tmp_path: Path) -> None:
    page = strip(told(tmp_path))
    assert page.count("<img ") == page.count('alt="The kitchen with the robot ') == 3
    assert "<figcaption>at first</figcaption>" in page and "<figcaption>1. pull the left drawer</figcaption>" in page
    assert 'alt="The kitchen with the robot after step 2: set it down"' in page


@pytest.mark.parametrize("primitive", ["grasp", "place", "push", "pull", "rotate"])
def test_every_primitive_can_be_told_with_and_without_a_thing(primitive: str) -> None:
    action = Action(primitive, (0, 0), 0)
    assert "the mug" in deed(Shot(action, "mug"), {}) and "{}" not in deed(Shot(action, ""), {})


@pytest.mark.parametrize(
    "change",
    [{"scenes": [{"words": "x", "jpeg": "no base64!"}]}, {"scenes": [{"words": "x", "jpeg": "aGk="}]}, {"seed": "7"}, {"scenes": 3}],
)
def test_a_damaged_story_is_refused(change: dict, tmp_path: Path) -> None:
    path = tmp_path / "0000.json"
    path.write_text(json.dumps({**told(tmp_path), **change}))
    with pytest.raises(DataError, match=r"0000\.json.*(damaged|expected)"):
        read_story(path)


def test_a_page_takes_as_many_stories_as_have_room(tmp_path: Path) -> None:
    record = told(tmp_path)
    size = sum(len(scene["jpeg"]) for scene in record["scenes"])
    assert len(fitting([record] * 5, 3 * size)) == 3
    assert fitting([record], size - 1) == []


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(n, "episode") for n in (0, 1, 2)] == ["0 episodes", "1 episode", "2 episodes"]
    assert counted(2, "story", "stories") == "2 stories"

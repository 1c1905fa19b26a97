"""What is seen of things: where, how far away, and in which plain colours."""

import json
from pathlib import Path

import numpy as np
import pytest

from hiermap.worlds.perception.fusion import see
from hiermap.worlds.tasks.kitchens import FREE, GOAL, KITCHENS
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS
from hiermap.worlds.words import seen
from hiermap.worlds.words.seen import colours

STORED = json.loads((Path(__file__).parent / "kitchens.json").read_text())


@pytest.mark.parametrize(
    ("rgb", "names"),
    [
        ((200, 20, 20), {"red"}),
        ((230, 220, 30), {"yellow"}),
        ((20, 160, 40), {"green"}),
        ((30, 60, 200), {"blue"}),
        ((130, 40, 190), {"purple"}),
        ((110, 60, 20), {"orange", "brown"}),
        ((20, 160, 160), {"turquoise"}),
        ((10, 10, 12), {"black"}),
        ((120, 120, 118), {"grey"}),
        ((240, 240, 235), {"white"}),
    ],
)
def test_plain_colours_have_their_plain_names(rgb: tuple[int, int, int], names: set[str]) -> None:
    assert set(colours(np.array([rgb] * 10, np.uint8))) == names


def test_a_thing_of_many_colours_has_none_that_few_of_its_pixels_have() -> None:
    assert colours(np.array([(200, 20, 20)] * 7 + [(30, 60, 200)] * 3, np.uint8)) == ("red",)


def test_the_stored_kitchens_are_what_is_seen_in_them() -> None:
    scene = KITCHENS["hiermap"](FREE, 160004).scene
    masks = {name: mask for name, mask in scene.masks().items() if mask.sum() >= MIN_VISIBLE_CELLS}
    for thing, stored in zip(seen(see(scene.observe(), scene.frame), masks), STORED["160004"]["seen"], strict=True):
        assert (thing.name, list(thing.colours)) == (stored["name"], stored["colours"])
        assert [thing.top, thing.row, thing.column, thing.distance] == pytest.approx(
            [stored[key] for key in ("top", "row", "column", "distance")], abs=0.01
        )
    assert [[p.kind, *p.arguments] for p in scene.vocabulary()] == STORED["160004"]["vocabulary"]


def test_a_task_asks_for_the_same_in_words_as_in_predicates() -> None:
    words, predicates = "put the cup in the drawer, then shut it", "inside(mug, left_drawer_1) and closed(left_drawer_1)"
    tasks = [KITCHENS["hiermap"](GOAL, 160004, goal=goal) for goal in (words, predicates)]
    assert tasks[0].predicates == tasks[1].predicates

"""Thresholds of the goals, and what counts as inside, on top and moved."""

import pytest

from hiermap.worlds.goals import PREDICATES, Predicate
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.rules.judge import JUDGES, effect, holds, truth, vocabulary
from hiermap.worlds.rules.moves import Move
from tests.worlds.rules.small_kitchen import COUNTER_Z, FRONT, place, scene, small_kitchen

SPEC = small_kitchen()


def at(fraction: float, name: str) -> SceneState:
    state = scene(SPEC)
    return SceneState({**state.fractions, name: fraction}, state.poses)


@pytest.mark.parametrize(
    ("fraction", "is_open", "is_closed"), [(0.0, 0, 1), (0.02, 0, 1), (0.03, 0, 0), (0.89, 0, 0), (0.9, 1, 0), (1.0, 1, 0)]
)
def test_a_drawer_is_open_from_nine_tenths_and_closed_up_to_a_fiftieth(fraction, is_open, is_closed):
    assert holds(SPEC, at(fraction, "top"), Predicate("open", ("top",))) == bool(is_open)
    assert holds(SPEC, at(fraction, "top"), Predicate("closed", ("top",))) == bool(is_closed)


@pytest.mark.parametrize(("fraction", "on", "off"), [(0.2, 0, 1), (0.21, 0, 0), (0.79, 0, 0), (0.8, 1, 0)])
def test_a_knob_is_on_from_eight_tenths_and_off_up_to_two(fraction, on, off):
    assert holds(SPEC, at(fraction, "knob"), Predicate("on", ("knob",))) == bool(on)
    assert holds(SPEC, at(fraction, "knob"), Predicate("off", ("knob",))) == bool(off)


def test_inside_follows_the_drawer_and_on_top_ends_at_the_edge_of_the_surface():
    state = scene(SPEC, ("top",))
    in_top = SceneState(state.fractions, {**state.poses, "can": (FRONT - 0.1, 0.3, 0.17, 0.0)})
    assert holds(SPEC, in_top, Predicate("inside", ("can", "top")))
    assert not holds(SPEC, SceneState({**state.fractions, "top": 0.0}, in_top.poses), Predicate("inside", ("can", "top")))
    for y, expected in ((0.1 + 0.059, True), (0.1 + 0.061, False)):
        on_board = SceneState(state.fractions, {**state.poses, "can": (FRONT + 0.07, y, COUNTER_Z, 0.0)})
        assert holds(SPEC, on_board, Predicate("on_top", ("can", "board"))) == expected


def test_what_is_held_is_nowhere_else():
    state = scene(SPEC, held="can", can=2)
    assert holds(SPEC, state, Predicate("held", ("can",)))
    assert not holds(SPEC, state, Predicate("on_top", ("can", "board")))


def test_the_vocabulary_names_each_predicate_that_makes_sense_once():
    keys = vocabulary(SPEC, ("box", "can"))
    assert len(keys) == len(set(keys)) == 2 * 6 + 2 * (1 + 2 + 1)
    assert set(truth(SPEC, scene(SPEC))) == set(keys)


def test_every_registered_predicate_has_a_judge():
    assert set(JUDGES) == set(PREDICATES)


def test_nonsense_is_refused_by_name():
    with pytest.raises(ValueError, match="can be open"):
        holds(SPEC, scene(SPEC), Predicate("open", ("knob",)))
    with pytest.raises(ValueError, match="board"):
        holds(SPEC, scene(SPEC), Predicate("on_top", ("can", "top")))
    with pytest.raises(KeyError, match="this kitchen has"):
        holds(SPEC, scene(SPEC), Predicate("open", ("fridge",)))


def test_an_effect_is_what_was_not_true_before():
    shut, opened = scene(SPEC), scene(SPEC, ("top",))
    assert effect(SPEC, shut, opened, Move("pull", "top", to="open"))
    assert not effect(SPEC, opened, opened, Move("pull", "top", to="open"))
    assert not effect(SPEC, shut, at(0.8, "top"), Move("pull", "top", to="open"))


def test_placing_counts_within_five_centimetres_and_only_out_of_the_hand():
    held, move = scene(SPEC, held="can"), Move("place", "can", place=place(SPEC, "spot_3"))
    near = scene(SPEC, can=3)
    assert effect(SPEC, held, near, move)
    assert not effect(SPEC, scene(SPEC), near, move)
    x, y, z, yaw = near.poses["can"]
    assert not effect(SPEC, held, SceneState(near.fractions, {**near.poses, "can": (x, y + 0.06, z, yaw)}), move)

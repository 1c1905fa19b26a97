"""The exact rules on a kitchen small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import effect, holds
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import shortest, steps_to_predicates
from hiermap.worlds.rules.slabs import LOOSE, NOMINAL, STRICT
from tests.worlds.rules.small_kitchen import FRONT, place, scene, small_kitchen, turning

SPEC = small_kitchen()


def meant(move):
    return move.to or move.side or (move.place.name if move.place else "")


def allowed(state, primitive=None, target=None):
    found = {(m.primitive, m.target, meant(m)) for m in transitions.legal_moves(SPEC, state)}
    return {m for m in found if primitive in (None, m[0]) and target in (None, m[1])}


def test_a_shut_kitchen_allows_exactly_what_its_geometry_leaves_free():
    assert allowed(scene(SPEC, can=2, box=3)) == {
        ("pull", "top", "open"),
        ("pull", "bottom", "open"),
        ("rotate", "knob", "on"),
        ("rotate", "latch", "on"),
        ("grasp", "can", ""),
        ("grasp", "box", ""),
        ("push", "can", "left"),
        ("push", "can", "right"),
        ("push", "box", "right"),  # farther left the hand could not take it
    }


def test_an_open_upper_drawer_covers_the_lower_one():
    assert ("pull", "bottom", "open") not in allowed(scene(SPEC, ("top",)))
    assert ("push", "top", "closed") in allowed(scene(SPEC, ("top",)))


def test_a_latched_door_opens_only_once_its_latch_is_on_and_the_latch_stays_while_it_is_open():
    clear = {"can": 2, "box": 3}
    assert ("pull", "door", "open") not in allowed(scene(SPEC, **clear))
    assert ("pull", "door", "open") in allowed(scene(SPEC, ("latch",), **clear))
    assert not allowed(scene(SPEC, ("latch", "door"), **clear), "rotate", "latch")


def test_an_object_in_the_sweep_keeps_a_door_from_opening_and_beside_it_does_not():
    assert ("pull", "cabinet", "open") in allowed(scene(SPEC, can=0, box=1))
    assert ("pull", "cabinet", "open") not in allowed(scene(SPEC, can=3, box=1))


def test_a_door_that_stands_open_over_a_spot_keeps_the_hand_away():
    state = scene(SPEC, ("cabinet",), can=3, box=1)
    assert ("grasp", "can", "") not in allowed(state)


def test_everything_but_placing_needs_a_free_hand():
    state = scene(SPEC, held="can")
    assert {m[0] for m in allowed(state)} == {"place"}
    assert ("place", "can", "spot_0") in allowed(state) and ("place", "can", "top") not in allowed(state)
    assert ("place", "can", "top") in allowed(scene(SPEC, ("top",), held="can"))


def test_what_is_in_a_closed_drawer_is_enclosed_and_moves_with_it():
    state = scene(SPEC, ("top",), held="can")
    state = transitions.apply(SPEC, state, Move("place", "can", place=place(SPEC, "top")))
    assert holds(SPEC, state, Predicate("inside", ("can", "top")))
    shut = transitions.apply(SPEC, state, Move("push", "top", to="closed"))
    assert shut.poses["can"][0] == pytest.approx(state.poses["can"][0] + 0.22)
    assert holds(SPEC, shut, Predicate("inside", ("can", "top")))
    assert ("grasp", "can", "") not in allowed(shut) and ("grasp", "can", "") in allowed(state)


def test_two_objects_do_not_fit_one_place():
    assert ("place", "can", "spot_1") not in allowed(scene(SPEC, held="can", box=1))


def test_directions_of_turning_are_as_seen_by_the_robot():
    turn = {m.target: m for m in transitions.legal_moves(SPEC, scene(SPEC)) if m.primitive == "rotate"}
    assert turn["knob"].rotation_index == 0  # counter-clockwise, ridge upright
    assert turn["latch"].rotation_index == 1  # clockwise
    back = next(m for m in transitions.legal_moves(SPEC, scene(SPEC, ("knob",))) if m.target == "knob")
    assert back.rotation_index == 3  # clockwise, ridge level


def test_a_push_moves_an_object_by_ten_centimetres_to_its_side():
    before = scene(SPEC, can=2, box=0)
    after = transitions.apply(SPEC, before, Move("push", "can", side="right"))
    assert after.poses["can"][:2] == pytest.approx((FRONT + 0.07, 0.0))
    assert effect(SPEC, before, after, Move("push", "can", side="right"))
    assert not effect(SPEC, before, after, Move("push", "can", side="left"))


def test_a_drawer_that_is_ajar_can_be_pulled_and_pushed():
    state = scene(SPEC)
    ajar = type(state)({**state.fractions, "top": 0.5}, state.poses)
    assert {("pull", "top", "open"), ("push", "top", "closed")} <= allowed(ajar)
    assert ("pull", "bottom", "open") not in allowed(ajar)


def test_a_move_that_is_not_allowed_is_refused_with_what_is():
    with pytest.raises(ValueError, match=r"not possible .* rotate"):
        transitions.apply(SPEC, scene(SPEC), Move("pull", "door", to="open"))


def test_least_steps_count_what_has_to_come_first():
    steps = steps_to_predicates(transitions.table_for(SPEC, scene(SPEC, can=0, box=1)), 5)
    assert steps["closed", "top"] == 0 and steps["open", "top"] == 1
    assert steps["inside", "can", "top"] == 3 and steps["on_top", "can", "board"] == 2
    # The can stands in the sweep, even after a push of 10 cm: turn the latch, take it, put it elsewhere, pull.
    assert steps["open", "door"] == 4
    now = steps_to_predicates(transitions.table_for(SPEC, scene(SPEC)), 0)
    assert ("held", "can") in steps and now == {k: 0 for k, v in steps.items() if v == 0}


def test_a_solution_replays_to_its_goal():
    state = scene(SPEC, ("top",), can=0, box=1)
    goal = (Predicate("inside", ("can", "bottom")), Predicate("closed", ("bottom",)), Predicate("open", ("top",)))
    solution = shortest(transitions.table_for(SPEC, state), goal, 10)
    assert solution is not None and len(solution) == 6
    for move in solution:
        state = transitions.apply(SPEC, state, move)
    assert all(holds(SPEC, state, p) for p in goal)


def test_a_contradiction_has_no_solution():
    goal = (Predicate("open", ("top",)), Predicate("closed", ("top",)))
    assert shortest(transitions.table_for(SPEC, scene(SPEC)), goal, 10) is None


@pytest.mark.parametrize("seed", [0, 3, 200_001])
def test_more_room_never_forbids_a_move_and_every_allowed_move_has_its_effect(seed):
    spec = sample_kitchen(seed)
    for index in range(3):
        state = random_scene(spec, np.random.default_rng([seed, index]))
        nominal = {(m.primitive, m.target, meant(m)) for m in transitions.legal_moves(spec, state)}
        assert {(m.primitive, m.target, meant(m)) for m in transitions.legal_moves(spec, state, STRICT)} <= nominal
        loose = {(m.primitive, m.target, meant(m)) for m in transitions.legal_moves(spec, state, LOOSE)}
        assert nominal <= loose | {n for n in nominal if n[0] == "place"}
        for move in transitions.legal_moves(spec, state):
            assert effect(spec, state, transitions.apply(spec, state, move), move), move


def beside_a_tap(gap: float, above: float = 0.0):
    """The small kitchen with a tap whose level lever ends `gap` beside the latch and `above` its middle [m]."""
    latch, length, radius = SPEC.fixture("latch"), 0.09, 0.007
    x, y, z = latch.face_world
    pivot = (x, y - gap - length, z + above)
    lever = {"handle": "lever", "handle_world": (x - 0.05, pivot[1], pivot[2] + 0.07), "handle_radius": radius, "handle_length": length}
    tap = replace(turning("tap", "tap", pivot, on_is_ccw=True), size=(2 * radius, length, 0.042), **lever)
    return replace(SPEC, fixtures=(*SPEC.fixtures, tap))


@pytest.mark.parametrize(
    ("gap", "above", "clearances"),
    [
        (0.04, 0.0, ()),
        (0.051, 0.0, (LOOSE,)),
        (0.057, 0.0, (LOOSE, NOMINAL)),
        (0.07, 0.0, (LOOSE, NOMINAL, STRICT)),
        (0.04, 0.012, (LOOSE,)),
        (0.04, -0.03, (LOOSE, NOMINAL, STRICT)),
    ],
)
def test_the_lever_of_a_tap_that_is_on_keeps_the_fingers_from_a_latch_beside_it(gap, above, clearances):
    spec, turn = beside_a_tap(gap, above), Move("rotate", "latch", to="on")
    for clearance in (LOOSE, NOMINAL, STRICT):
        flowing = transitions.rotations(spec, scene(spec, ("tap",)), turn, clearance)
        assert bool(flowing) == (clearance in clearances)
        assert transitions.rotations(spec, scene(spec), turn, clearance)
        # Turned back it is gripped from above and below.
        assert transitions.rotations(spec, scene(spec, ("tap", "latch")), Move("rotate", "latch", to="off"), clearance)


def test_a_tap_is_shut_first_where_its_lever_bars_the_latch():
    spec = beside_a_tap(0.04)
    table = transitions.table_for(spec, scene(spec, ("tap",)))
    solution = shortest(table, [Predicate("on", ("latch",)), Predicate("on", ("tap",))], 4)
    assert solution is not None and [(m.target, m.to) for m in solution] == [("tap", "off"), ("latch", "on"), ("tap", "on")]

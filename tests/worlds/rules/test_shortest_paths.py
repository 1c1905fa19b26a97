"""Shortest lengths against an independent exhaustive search that only uses moves and apply."""

import numpy as np
import pytest

from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import truth
from hiermap.worlds.rules.shortest_paths import GoalBound, best_moves, levels, shortest, steps_to_predicates
from tests.worlds.rules.small_kitchen import scene, small_kitchen

SPEC = small_kitchen()


def signature(state):
    poses = tuple((n, *(round(c / 0.005) for c in p[:3])) for n, p in sorted(state.poses.items()) if n != state.held)
    return tuple(sorted(state.fractions.items())), poses, state.held


def by_hand(spec, state, depth):
    """Scenes by least number of moves, found without tables of states."""
    seen, frontier, found = {signature(state)}, [state], [[state]]
    for _ in range(depth):
        following = []
        for here in frontier:
            for move in transitions.legal_moves(spec, here):
                there = transitions.apply(spec, here, move)
                if signature(there) not in seen:
                    seen.add(signature(there))
                    following.append(there)
        frontier = following
        found.append(frontier)
    return found


def test_steps_to_every_predicate_agree_with_a_search_over_scenes():
    state = scene(SPEC, can=0, box=2)
    by_level = by_hand(SPEC, state, 3)
    expected = {}
    for depth, some in enumerate(by_level):
        for here in some:
            for key, value in truth(SPEC, here).items():
                if value:
                    expected.setdefault(key, depth)
    assert steps_to_predicates(transitions.table_for(SPEC, state), 3) == expected


def test_levels_hold_each_state_once_and_begin_with_the_scene():
    table = transitions.table_for(SPEC, scene(SPEC))
    found = levels(table, 4)
    everything = np.concatenate([level.states for level in found])
    assert found[0].states.tolist() == [table.start] and len(np.unique(everything)) == len(everything)


@pytest.mark.parametrize("seed", range(4))
def test_the_bounded_search_is_as_short_as_the_unbounded_one_and_its_bound_is_admissible(seed):
    spec, rng = sample_kitchen(seed), np.random.default_rng(seed)
    table = transitions.table_for(spec, random_scene(spec, rng))
    by_level = levels(table, 4)
    keys = [key for key in truth(spec, random_scene(spec, rng)) if key[0] != "held"]
    for _ in range(12):
        goal = [Predicate(k[0], k[1:]) for k in (keys[int(i)] for i in rng.choice(len(keys), 2, replace=False))]
        reached = [depth for depth, level in enumerate(by_level) if _all_hold(table, level.states, goal).any()]
        found = shortest(table, goal, 4)
        assert (None if found is None else len(found)) == (reached[0] if reached else None), goal
        bound = GoalBound(table, goal)
        assert not reached or bound.contradictory or bound(by_level[0].states)[0] <= reached[0]


def test_best_moves_are_those_that_leave_one_step_less():
    state = scene(SPEC, can=0, box=1)
    goal = (Predicate("inside", ("box", "top")), Predicate("on", ("knob",)))
    length, best = best_moves(transitions.table_for(SPEC, state), goal, 6)
    assert length == 4
    assert {(m.primitive, m.target) for m in best} == {("pull", "top"), ("rotate", "knob")}


def _all_hold(table, states, goal):
    return np.logical_and.reduce([table.holds(states, (p.kind, *p.arguments)) for p in goal])

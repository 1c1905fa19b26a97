"""Walks with an aim."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.data.walks.goal_directed import Purpose
from hiermap.data.walks.transitions import look
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.oracle.affordances import move_cells, move_for
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.judge import holds
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.simulator.kitchen import Kitchen


@pytest.fixture(scope="module")
def kitchen():
    made = Kitchen(5)
    made.set_scene(random_scene(made.spec, np.random.default_rng(5)))
    return made


def purpose_in(kitchen: Kitchen, share: float) -> Purpose:
    masks = kitchen.masks()
    return Purpose(lambda now, move, rotation: move_cells(kitchen.spec, now.scene, now.view, move, rotation, masks)[0], masks, share)


def test_the_actions_of_a_purpose_are_allowed_and_mean_its_moves(kitchen):
    now, rng = look(kitchen), np.random.default_rng(0)
    seen = 0
    for _ in range(20):
        purpose = purpose_in(kitchen, share=1.0)
        action = purpose.next(now, rng)
        if action is None:
            continue
        seen += 1
        assert now.maps[list(PRIMITIVES).index(action.primitive), action.rotation_index][action.cell]
        assert transitions.rotations(kitchen.spec, now.scene, move_for(kitchen.spec, now.scene, action, now.view))
        assert len(purpose.moves) < purpose.walk.longest
    assert seen > 10


def test_the_moves_drawn_lead_to_a_goal_that_did_not_hold(kitchen, monkeypatch):
    now, goals = look(kitchen), []

    def watched(table, goal, limit):
        goals.append(goal)
        return shortest(table, goal, limit)

    monkeypatch.setattr("hiermap.data.walks.goal_directed.shortest", watched)
    purpose = purpose_in(kitchen, share=1.0)
    moves = next(drawn for seed in range(20) if (drawn := purpose._draw(now, np.random.default_rng(seed))))
    scene = now.scene
    for move in moves:
        assert not all(holds(kitchen.spec, scene, p) for p in goals[-1])
        scene = transitions.apply(kitchen.spec, scene, move)
    assert all(holds(kitchen.spec, scene, p) for p in goals[-1])


def test_without_a_share_a_walk_only_wanders(kitchen):
    purpose = purpose_in(kitchen, share=0.0)
    assert purpose.next(look(kitchen), np.random.default_rng(0)) is None


def test_a_way_that_is_no_longer_open_is_given_up(kitchen):
    now, rng = look(kitchen), np.random.default_rng(1)
    purpose = purpose_in(kitchen, share=1.0)
    while len(purpose.moves) < 2:
        purpose.moves.clear()
        purpose.next(now, rng)
    hidden = replace(now, maps=np.zeros_like(now.maps))
    purpose.share = 0.0
    assert purpose.next(hidden, rng) is None and not purpose.moves

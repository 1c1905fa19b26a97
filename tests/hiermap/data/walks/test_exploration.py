from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hiermap.data.collect import CollectSettings
from hiermap.data.episodes import NOT_APPLICABLE, SHAPES, check_episode
from hiermap.data.walk_options import WalkOptions
from hiermap.data.walks import procedural
from hiermap.data.walks.action_choice import choose, guided_action
from hiermap.data.walks.exploration import explored
from hiermap.data.walks.transitions import any_effect, look
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.config import load_config, typed
from hiermap.worlds.base import Action
from hiermap.worlds.errors import DataError, PhysicsError
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.oracle.affordances import move_for
from hiermap.worlds.perception.fusion import depth_to_tenth_mm, view_from_arrays
from hiermap.worlds.simulator.kitchen import Kitchen

SEED = 3
POINT = (0.0, 0.0, 0.0)
"""Where the hand was told to go matters for placing only."""


def settings(*words):
    return typed(CollectSettings, load_config("collect", ["out=unused", "interactions_per_episode=8", *words]))


@cache
def walked():
    return explored(SEED, settings())


@cache
def first_look():
    return look(Kitchen(SEED))


def test_a_rules_episode_is_a_consistent_record_of_the_length_asked_for():
    episode = walked()
    check_episode(episode, f"rules-{SEED:09d}.npz")
    assert len(episode.effect) == 8 and episode.rgb.shape[1:] == (96, 128, 3)
    assert episode.meta["walks"] == "purpose 0.4 random 0.15 branch 0.3"


def test_what_the_cameras_lack_is_a_key_of_collecting_and_stands_in_the_record():
    noisy = explored(SEED, settings("config=realistic", "interactions_per_episode=1"))
    assert " depth_noise_m 0.003 depth_dropout 0.02 camera_shift_m 0.005 " in noisy.meta["walks"]
    assert not np.array_equal(noisy.depth_mm[0], walked().depth_mm[0])


def test_bumped_doors_stand_half_open_and_are_neither_open_nor_closed():
    bumped = explored(SEED, settings("walk.bump_share=1"))
    check_episode(bumped, f"rules-{SEED:09d}.npz")
    view, joint = np.argwhere((bumped.fractions > 0.1) & (bumped.fractions < 0.8) & (bumped.fractions != bumped.fractions[0]))[0]
    name = bumped.meta["joints"][joint]
    labels = bumped.unary[view, list(bumped.names).index(name)]
    assert labels[UNARY.index("open")] == labels[UNARY.index("closed")] == 0
    assert " bump_share 1" in bumped.meta["walks"]


def test_the_same_seed_gives_the_same_episode():
    again = explored(SEED, settings())
    for key in SHAPES:
        np.testing.assert_array_equal(getattr(again, key), getattr(walked(), key))


def test_effects_follow_the_oracle_maps_and_failures_change_nothing():
    episode = walked()
    for t in range(len(episode.effect)):
        row, column = episode.cell[t]
        allowed = np.unpackbits(episode.maps_packed[episode.before[t], episode.primitive[t], episode.rotation[t], row])[column]
        assert episode.effect[t] == allowed
        assert episode.effect[t] == (episode.before[t] != episode.after[t])


def test_an_effective_transition_changes_some_truth_or_an_objects_place():
    episode = walked()
    for t in np.flatnonzero(episode.effect):
        before, after = episode.before[t], episode.after[t]
        changed = (episode.depth_mm[before] != episode.depth_mm[after]).any()
        assert changed or (episode.unary[before] != episode.unary[after]).any()


def test_predicates_that_hold_need_no_steps_and_others_at_least_one():
    episode = walked()
    for truth, steps in ((episode.unary, episode.steps_unary), (episode.binary, episode.steps_binary)):
        assert (steps[truth == 1] == 0).all()
        assert (steps[truth == 0] >= 1).all()
        assert (steps[truth == NOT_APPLICABLE] == NOT_APPLICABLE).all()


def test_only_objects_are_held_and_only_fixtures_open():
    episode = walked()
    objects = np.isin(episode.kinds, ("mug", "bowl", "can", "pot", "box"))
    assert (episode.unary[:, ~objects, UNARY.index("held")] == NOT_APPLICABLE).all()
    assert (episode.unary[:, objects, UNARY.index("open")] == NOT_APPLICABLE).all()
    assert (episode.binary[:, ~objects] == NOT_APPLICABLE).all() and episode.binary.shape[-1] == len(BINARY)


def test_the_stored_view_gives_the_network_the_same_channels():
    now = first_look()
    stored = view_from_arrays(now.view.rgb, depth_to_tenth_mm(now.view), now.view.holding)
    np.testing.assert_allclose(stored.channels(), now.view.channels(), atol=0.06)


def test_guided_actions_lie_in_the_map_up_to_the_jitter():
    now, rng = first_look(), np.random.default_rng(0)
    for _ in range(50):
        action = guided_action(now.maps, now, rng, WalkOptions())
        layer = now.maps[list(PRIMITIVES).index(action.primitive), action.rotation_index]
        row, column = action.cell
        assert layer[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3].any()


def test_every_kind_of_choice_is_a_valid_action():
    now, rng = first_look(), np.random.default_rng(0)
    for random_share in (0.0, 1.0):
        for _ in range(50):
            action = choose(now, rng, CollectSettings(out="", random_share=random_share), None)
            assert 0 <= action.rotation_index < len(PRIMITIVES[action.primitive].rotations)
            assert now.view.valid[action.cell]


def test_model_guided_actions_go_to_the_models_peak():
    now = first_look()
    maps = np.zeros(now.maps.shape, np.float32)
    maps[3, 1, 40, 60] = 0.9
    chosen = [
        choose(now, np.random.default_rng(seed), CollectSettings(out="", random_share=0.0, model_share=1.0), lambda view: maps)
        for seed in range(10)
    ]
    assert {(a.primitive, a.rotation_index) for a in chosen} == {("pull", 1)}
    assert all(abs(a.cell[0] - 40) <= 2 and abs(a.cell[1] - 60) <= 2 for a in chosen)


def test_a_diverging_simulation_voids_the_action_and_restores_the_kitchen(monkeypatch):
    calls = []
    real = Kitchen.set_scene

    def sometimes(self, scene):
        calls.append(scene)
        if len(calls) in (4, 6):  # 1 builds, 2 sets the first scene
            raise PhysicsError("diverged")
        real(self, scene)

    monkeypatch.setattr(Kitchen, "set_scene", sometimes)
    episode = explored(SEED, settings())
    check_episode(episode)
    assert episode.meta["flags"] == ["voided:2"] and len(episode.effect) == 8


def test_an_episode_of_which_everything_is_void_is_an_error(monkeypatch):
    def diverge(*_):
        raise PhysicsError("diverged")

    monkeypatch.setattr(procedural, "teleported", diverge)
    with pytest.raises(DataError, match="voided"):
        explored(SEED, settings())


def test_the_judge_labels_the_effect_by_what_moved_and_how_far():
    kitchen = Kitchen(SEED)
    now = look(kitchen)
    rows, columns = np.nonzero(now.maps[3].any(axis=0))
    cell = int(rows[0]), int(columns[0])
    action = Action("pull", cell, int(np.flatnonzero(now.maps[3, :, cell[0], cell[1]])[0]))
    target = move_for(kitchen.spec, now.scene, action, now.view).target
    opened = replace(now.scene, fractions={**now.scene.fractions, target: 1.0})
    assert any_effect(kitchen.spec, now.scene, opened, action, POINT)
    assert not any_effect(kitchen.spec, now.scene, replace(now.scene, fractions={**now.scene.fractions, target: 0.7}), action, POINT)
    assert not any_effect(kitchen.spec, now.scene, now.scene, action, POINT)


@pytest.mark.slow
def test_a_play_episode_is_a_consistent_record():
    episode = explored(SEED, settings("source=play", "interactions_per_episode=3"))
    check_episode(episode, f"play-{SEED:09d}.npz")
    assert len(episode.effect) == 3 and (episode.duration >= 0).all()


def test_placing_is_judged_at_the_point_asked_for():
    kitchen = Kitchen(SEED)
    scene = look(kitchen).scene
    name, (x, y, z, yaw) = next(iter(scene.poses.items()))
    held = replace(scene, held=name)
    action, point = Action("place", (40, 60), 0), (x, y + 0.03, z)
    assert any_effect(kitchen.spec, held, scene, action, point)
    moved = replace(scene, poses={**scene.poses, name: (x, y + 0.2, z, yaw)})
    assert not any_effect(kitchen.spec, held, moved, action, point)
    assert not any_effect(kitchen.spec, held, held, action, point)


def test_a_purpose_is_given_up_when_an_action_is_voided(monkeypatch):
    drawn, asked = [], []

    def draw(self, now, rng):
        operators = now.table.operators
        drawn.append([operators[number].move for number in now.table.applicable(np.array([now.table.start]))[0][:2]])
        return drawn[-1]

    def attempt(kitchen, here, action):
        asked.append(action)
        raise PhysicsError("diverged")

    monkeypatch.setattr("hiermap.data.walks.goal_directed.Purpose._draw", draw)
    monkeypatch.setattr(procedural, "teleported", attempt)
    with pytest.raises(DataError):
        explored(SEED, settings("purpose_share=1"))
    assert len(drawn) == len(asked) > 1 and all(len(moves) == 2 for moves in drawn)

"""Random scenes are valid: latches, stacks, sweeps and free spots."""

import numpy as np
import pytest

from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import drawer_pose, in_sweep, initial_scene, random_scene
from hiermap.worlds.kitchen.spec import HINGED

SEEDS = [*range(12), *range(200_000, 200_006)]


def test_the_initial_scene_is_shut_off_and_on_the_counter():
    spec = sample_kitchen(4)
    scene = initial_scene(spec)
    assert set(scene.fractions.values()) == {0.0} and scene.held is None
    assert all(pose[2] == spec.counter_world[4] for pose in scene.poses.values())


def test_the_same_generator_gives_the_same_scene():
    spec = sample_kitchen(2)
    assert random_scene(spec, np.random.default_rng(5)) == random_scene(spec, np.random.default_rng(5))


@pytest.mark.parametrize("seed", SEEDS)
def test_open_latched_doors_have_their_latch_on_and_nothing_overlaps(seed):
    spec, rng = sample_kitchen(seed), np.random.default_rng(seed)
    for _ in range(30):
        scene = random_scene(spec, rng)
        assert set(scene.fractions) == {f.name for f in spec.fixtures} and set(scene.poses) == {o.name for o in spec.objects}
        for fixture in spec.fixtures:
            if fixture.latch and scene.fractions[fixture.name] > 0:
                assert scene.fractions[fixture.latch] == 1.0
        for i, first in enumerate(spec.objects):
            on_counter = scene.poses[first.name][2] == spec.counter_world[4]
            assert not on_counter or not any(in_sweep(f, scene.fractions[f.name], first, scene.poses[first.name]) for f in spec.fixtures)
            for second in spec.objects[:i]:
                gap = np.array(scene.poses[first.name][:3]) - scene.poses[second.name][:3]
                assert np.hypot(gap[0], gap[1]) >= first.radius + second.radius or abs(gap[2]) >= 0.09


def test_random_scenes_open_and_fill_things():
    spec, rng = sample_kitchen(0), np.random.default_rng(0)
    scenes = [random_scene(spec, rng) for _ in range(60)]
    assert all(any(s.fractions[f.name] > 0.9 for s in scenes) for f in spec.fixtures)
    assert any(pose[2] < spec.counter_world[4] for s in scenes for pose in s.poses.values())


def test_what_is_in_a_drawer_moves_with_it():
    spec = sample_kitchen(0)
    drawer = next(f for f in spec.fixtures if f.kind == "drawer")
    shut, opened = (drawer_pose(drawer, fraction, spec.objects[0], np.random.default_rng(0)) for fraction in (0.0, 1.0))
    assert np.allclose(np.subtract(shut, opened), (drawer.joint_range, 0.0, 0.0, 0.0))


def test_a_door_sweeps_what_stands_before_it_only_while_open():
    spec = sample_kitchen(3)
    door = next(f for f in spec.fixtures if f.kind in HINGED)
    thing, z = spec.objects[0], spec.counter_world[4]
    before = (*spec.spots_world[0 if door.face_world[1] < 0 else 4], z, 0.0)
    other_side = (*spec.spots_world[4 if door.face_world[1] < 0 else 0], z, 0.0)
    assert in_sweep(door, 1.0, thing, before) and not in_sweep(door, 0.0, thing, before) and not in_sweep(door, 1.0, thing, other_side)

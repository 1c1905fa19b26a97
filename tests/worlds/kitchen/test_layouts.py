"""Sampled kitchens: pure, disjoint between training and testing, varied, and within a Panda's reach."""

import numpy as np
import pytest

from hiermap.worlds.kitchen.layouts import CENTRE_HALF, TEST_FAMILIES, TEST_SEED_START, TRAIN_FAMILIES, families, sample_kitchen
from hiermap.worlds.kitchen.spec import DOORS, HINGED, OPENABLE, SWITCHABLE

SEEDS = [*range(40), *range(TEST_SEED_START, TEST_SEED_START + 20)]


def test_the_same_seed_gives_the_same_kitchen():
    assert sample_kitchen(17) == sample_kitchen(17)
    assert sample_kitchen(17) != sample_kitchen(18)


def test_a_negative_seed_is_an_error_that_names_it():
    with pytest.raises(ValueError, match="-3"):
        sample_kitchen(-3)


def test_training_and_testing_families_are_disjoint_even_when_mirrored():
    def layouts(group):
        return {(f.lower[::s], f.upper[::s]) for f in group for s in (1, -1)}

    assert not layouts(TRAIN_FAMILIES) & layouts(TEST_FAMILIES)
    assert {sample_kitchen(s).family.split("_")[0] for s in range(TEST_SEED_START, TEST_SEED_START + 60)} == {f.name for f in TEST_FAMILIES}
    assert families(TEST_SEED_START - 1) == TRAIN_FAMILIES


def test_both_splits_contain_every_kind_of_fixture():
    for first in (0, TEST_SEED_START):
        kinds = {f.kind for s in range(first, first + 60) for f in sample_kitchen(s).fixtures}
        assert kinds == set(OPENABLE) | set(SWITCHABLE)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kitchen_has_what_tasks_need(seed):
    spec = sample_kitchen(seed)
    assert 5 <= len(spec.fixtures) <= 8
    assert 2 <= len(spec.objects) <= 3
    assert 1 <= len(spec.surfaces) <= 3
    names = [t.name for t in (*spec.fixtures, *spec.objects, *spec.surfaces)]
    assert len(set(names)) == len(names)
    assert any(f.kind == "drawer" for f in spec.fixtures)
    for fixture in spec.fixtures:
        assert fixture.latch is None or spec.fixture(fixture.latch).kind == "latch"
        assert fixture.above is None or spec.fixture(fixture.above).kind == "drawer"


@pytest.mark.parametrize("seed", SEEDS)
def test_handles_are_within_reach_and_leave_each_other_room(seed):
    spec = sample_kitchen(seed)
    lower = [f for f in spec.fixtures if f.handle_world[2] < spec.counter_world[4]]
    upper = [f for f in spec.fixtures if f not in lower]
    for fixture in spec.fixtures:
        x, y, z = fixture.handle_world
        assert 0.5 < x < 0.8 and abs(y) <= 0.40 and 0.10 < z < 0.59, fixture.name
    for tier in (lower, upper):
        for i, first in enumerate(tier):
            for second in tier[:i]:
                gap = np.array(first.handle_world) - np.array(second.handle_world)
                room = 0.09 if {first.above, second.above} != {None} else 0.11
                assert np.hypot(gap[1], gap[2]) >= room, (first.name, second.name)


@pytest.mark.parametrize("seed", SEEDS)
def test_grips_fit_the_hand_and_objects_fit_the_drawers(seed):
    spec = sample_kitchen(seed)
    for thing in spec.objects:
        assert thing.grip_width <= 0.055 and thing.height <= 0.08
    for fixture in spec.fixtures:
        if fixture.kind == "drawer":
            assert 0.21 <= fixture.joint_range <= 0.25 and fixture.size[1] - 0.008 > 0.08
        if fixture.handle.startswith("bar"):
            assert 0.029 <= fixture.clearance <= 0.042 and 0.004 <= fixture.handle_radius <= 0.009
        if fixture.kind in HINGED:
            assert 1.15 <= fixture.joint_range <= 1.35


@pytest.mark.parametrize("kind", ["drawer", *(d for d in DOORS if d != "sliding_door")])
def test_opening_moves_the_handle_towards_the_robot(kind):
    fixture = next(f for s in SEEDS for f in sample_kitchen(s).fixtures if f.kind == kind)
    assert fixture.handle_at(0.5)[0] < fixture.handle_world[0] - 0.05


def test_hinges_are_on_the_side_their_kind_says():
    for seed in SEEDS:
        for fixture in sample_kitchen(seed).fixtures:
            if fixture.kind == "left_door":
                assert fixture.joint_anchor_world[1] > fixture.handle_world[1]
            if fixture.kind == "right_door":
                assert fixture.joint_anchor_world[1] < fixture.handle_world[1]


def test_things_of_a_kitchen_differ_in_colour():
    for seed in SEEDS:
        objects = [np.array(o.rgba[:3]) for o in sample_kitchen(seed).objects]
        for i, first in enumerate(objects):
            for second in objects[:i]:
                assert np.abs(first - second).max() > 0.1


def test_stove_knobs_stay_in_the_middle_column():
    knobs = [f for s in SEEDS for f in sample_kitchen(s).fixtures if f.kind == "knob"]
    assert knobs and all(abs(k.handle_world[1]) < CENTRE_HALF for k in knobs)

import numpy as np
import pytest

from hiermap.evaluation.goal_masks import as_told
from hiermap.evaluation.problem import pose
from hiermap.evaluation.suites import MASKS, GoalOptions, RunOptions
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.simulator.kitchen import Kitchen

LEAST_CELLS = 20
"""Less of a thing is a sliver beside what hides it."""


@pytest.fixture(scope="module")
def looks():
    """Views and masks of four kitchens with some things open."""
    found = []
    for seed in range(100200, 100204):
        kitchen = Kitchen(seed)
        kitchen.set_scene(random_scene(kitchen.spec, np.random.default_rng(seed)))
        found.append((kitchen.view(), {name: mask for name, mask in kitchen.masks().items() if mask.sum() >= LEAST_CELLS}))
    return found


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def test_clicked_things_overlap_the_exact_ones(looks):
    overlaps = [
        overlap(told, masks[name])
        for view, masks in looks
        for seed in range(2)
        for name, told in as_told(masks, view, "click", seed).items()
    ]
    assert np.mean(overlaps) > 0.8
    assert np.mean(np.array(overlaps) < 0.5) < 0.08


def test_a_cell_is_taken_from_every_edge_or_added_to_it(looks):
    view = looks[0][0]
    square = np.zeros(view.valid.shape, bool)
    square[20:30, 40:50] = True
    sizes = {how: as_told({"thing": square}, view, how, 0)["thing"].sum() for how in ("exact", "eroded", "dilated")}
    assert sizes == {"exact": 100, "eroded": 64, "dilated": 144}


def test_what_is_too_thin_to_lose_a_cell_stays(looks):
    view = looks[0][0]
    line = np.zeros(view.valid.shape, bool)
    line[20, 40:50] = True
    np.testing.assert_array_equal(as_told({"thing": line}, view, "eroded", 0)["thing"], line)


@pytest.mark.parametrize("how", MASKS)
def test_the_same_seed_gives_the_same_masks(looks, how):
    view, masks = looks[1]
    first, second = as_told(masks, view, how, 3), as_told(masks, view, how, 3)
    assert list(first) == list(masks)
    assert all((first[name] == second[name]).all() for name in masks)


def test_an_unknown_way_is_an_error():
    with pytest.raises(ConfigError, match="exact, eroded, dilated, click"):
        GoalOptions("clicks")


def test_a_clicked_goal_is_the_exact_goal_seen_in_the_same_view():
    exact, clicked = pose("chain-1", 115000), pose("chain-1", 115000, RunOptions(goal=GoalOptions("click")))
    assert clicked.goal.predicates == exact.goal.predicates
    for name, target in exact.goal.targets.items():
        assert (target.mask == exact.task.scene.masks()[name]).all()
        assert 0.5 < overlap(clicked.goal.targets[name].mask, target.mask) < 1

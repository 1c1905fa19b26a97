"""Every registered kitchen gives tasks whose scenes keep the contract of a scene."""

import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.tasks.kitchens import KITCHENS


@pytest.mark.parametrize("name", KITCHENS)
def test_a_task_is_posed_and_its_scene_goes_back_to_where_it_was(name):
    task = KITCHENS[name]("chain-1", 110_003, None)
    scene = task.scene
    assert task.shortest == 1 and not all(scene.truth(task.predicates).values())
    assert set(scene.truth(task.predicates)) == {str(predicate) for predicate in task.predicates}
    masks = scene.masks()
    for argument in {a for predicate in task.predicates for a in predicate.arguments}:
        assert masks[argument].shape == scene.frame.shape and masks[argument].any()
    before = scene.snapshot()
    scene.restore(before)
    again = scene.masks()
    assert all(np.array_equal(masks[thing], again[thing]) for thing in masks)


@pytest.mark.parametrize("name", KITCHENS)
def test_the_same_seed_gives_the_same_task(name):
    one, two = (KITCHENS[name]("chain-3", 110_004, None) for _ in range(2))
    assert (one.predicates, one.shortest, one.detours) == (two.predicates, two.shortest, two.detours)


def test_a_chain_the_toy_does_not_have_says_which_it_has():
    with pytest.raises(ConfigError, match="chains of"):
        KITCHENS["toy"]("chain-7", 0, None)

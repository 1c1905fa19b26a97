"""Every registered kitchen gives tasks whose scenes keep the contract of a scene."""

from pathlib import Path

import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.tasks.chain_names import GOAL
from hiermap.worlds.tasks.chains import sample_task
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.kitchens import KITCHENS, hiermap_task, mjcf_task

EXAMPLE = Path(__file__).parents[3] / "examples/bring_your_own_kitchen/kitchen.xml"
CHAINED = sorted(set(KITCHENS) - {"mjcf"})
"""Kitchens whose shortest ways are known."""


def one_task(name: str, seed: int) -> PosedTask:
    if name in CHAINED:
        return KITCHENS[name]("chain-1", seed, None)
    return mjcf_task(GOAL, seed, None, KitchenOptions("mjcf", str(EXAMPLE)), "open(cupboard) and on_top(mug, tray)")


@pytest.mark.parametrize("name", KITCHENS)
def test_a_task_is_posed_and_its_scene_goes_back_to_where_it_was(name):
    task = one_task(name, 110_003)
    scene = task.scene
    assert task.shortest == (1 if name in CHAINED else 0) and not all(scene.truth(task.predicates).values())
    assert set(scene.truth(task.predicates)) == {str(predicate) for predicate in task.predicates}
    masks = scene.masks()
    for argument in {a for predicate in task.predicates for a in predicate.arguments}:
        assert masks[argument].shape == scene.frame.shape and masks[argument].any()
    assert {argument for predicate in scene.vocabulary() for argument in predicate.arguments} <= set(masks)
    assert set(task.predicates) <= set(scene.vocabulary()) and len(scene.truth(scene.vocabulary())) == len(scene.vocabulary())
    before = scene.snapshot()
    scene.restore(before)
    again = scene.masks()
    assert all(np.array_equal(masks[thing], again[thing]) for thing in masks)


@pytest.mark.parametrize("name", KITCHENS)
def test_the_same_seed_gives_the_same_task(name):
    one, two = (one_task(name, 110_004) for _ in range(2))
    assert (one.predicates, one.shortest, one.detours) == (two.predicates, two.shortest, two.detours)
    assert one.scene.truth(one.scene.vocabulary()) == two.scene.truth(two.scene.vocabulary())


@pytest.mark.parametrize("name", KITCHENS)
def test_a_goal_of_ones_own_is_asked_of_the_kitchen_of_a_seed(name):
    options = KitchenOptions("mjcf", str(EXAMPLE)) if name == "mjcf" else KitchenOptions(name)
    wanted = Predicate("open", ("drawer",)) if name == "toy" else KITCHENS[name]("free", 110_003, None, options).scene.vocabulary()[0]
    task = KITCHENS[name](GOAL, 110_003, None, options, str(wanted))
    assert task.predicates == (wanted,) and task.shortest == 0
    with pytest.raises(ConfigError, match=f"no 'sesame' in this kitchen.*{wanted.kind}"):
        KITCHENS[name](GOAL, 110_003, None, options, "open(sesame)")


@pytest.mark.parametrize("options", [KitchenOptions("mjcf", str(EXAMPLE)), KitchenOptions("wide")])
def test_scenes_without_rules_of_their_own_have_no_goals_in_a_row(options: KitchenOptions) -> None:
    with pytest.raises(ConfigError, match="suite=goal"):
        KITCHENS[options.name]("sequel-2", 0, None, options)


def test_a_chain_the_toy_does_not_have_says_which_it_has():
    with pytest.raises(ConfigError, match="chains of"):
        KITCHENS["toy"]("chain-7", 0, None)


@pytest.mark.parametrize("seed", [3, 200_003])
def test_a_sequel_asks_for_more_of_what_was_seen_at_first_wherever_it_is_by_then(seed: int) -> None:
    posed, task = hiermap_task("sequel-2", seed), sample_task("chain-3", seed)
    assert posed.predicates == task.goal_predicates and posed.shortest == 3
    seen = {name for name, mask in posed.scene.masks().items() if mask.any()}
    left = task.scene
    for move in task.solution:
        left = transitions.apply(task.spec, left, move)
    posed.scene.set_scene(left)
    further = posed.next(1)
    assert further is not None and further.scene is posed.scene and further.suite == "sequel-2"
    assert not all(further.scene.truth(further.predicates).values())
    assert {name for predicate in further.predicates for name in predicate.arguments} <= seen
    truly = posed.scene.scene()
    assert len(shortest(transitions.table_for(task.spec, truly), further.predicates, 3)) == further.shortest == 3
    assert posed.next(1).predicates == further.predicates
    assert hiermap_task("chain-3", seed).predicates == task.goal_predicates

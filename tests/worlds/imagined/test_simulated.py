"""The simulator as a world: it keeps the contract, plans chains, and what it imagines really happens."""

import numpy as np
import pytest

from hiermap.planners import PLANNERS, Budget, SearchOptions
from hiermap.worlds.check import check_world
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Goal, Target
from hiermap.worlds.imagined.simulated import SimulatedWorld, observe
from hiermap.worlds.rules.judge import satisfied
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.tasks.chains import sample_task


def posed(suite, seed):
    task = sample_task(suite, seed)
    kitchen = Kitchen(task.spec)
    kitchen.set_scene(task.scene)
    masks = kitchen.masks()
    targets = {name: Target(name, masks[name]) for predicate in task.goal_predicates for name in predicate.arguments}
    return task, kitchen, Goal(task.goal_predicates, targets)


def test_it_keeps_the_contract_of_a_world():
    task, kitchen, goal = posed("chain-1", 200_000)
    check_world(SimulatedWorld(Kitchen(task.spec)), observe(kitchen), goal, depth=1)


def test_a_plan_made_in_it_solves_the_real_kitchen():
    task, kitchen, goal = posed("chain-2", 200_002)
    observation = observe(kitchen)
    world = SimulatedWorld(Kitchen(task.spec))
    result = PLANNERS["best_first"](world, observation, goal, Budget(300, 60), np.random.default_rng(0), SearchOptions())
    assert result and len(result.plan.steps) == 2
    for step in result.plan.steps:
        kitchen.act(step.action)
    assert satisfied(task.spec, kitchen.scene(), task.goal_predicates)


def test_without_the_true_state_it_says_what_it_needs():
    task, kitchen, goal = posed("chain-1", 200_000)
    world = SimulatedWorld(Kitchen(task.spec))
    with pytest.raises(InvalidObservationError, match="Snapshot"):
        world.root(kitchen.observe(), goal)


def test_maps_may_come_from_anywhere_but_must_have_their_shape():
    task, kitchen, goal = posed("chain-1", 200_000)
    observation = observe(kitchen)
    given = np.full((5, 4, 96, 128), 0.25, np.float32)
    assert np.array_equal(SimulatedWorld(Kitchen(task.spec), maps=lambda seen: given).root(observation, goal).maps, given)
    with pytest.raises(ValueError, match="expected"):
        SimulatedWorld(Kitchen(task.spec), maps=lambda seen: given[:2]).root(observation, goal)
    with pytest.raises(ValueError, match="oracle"):
        SimulatedWorld(Kitchen(task.spec), maps="guess")

"""A policy acts one step at a time: the likeliest action, less likely where it failed; worlds without one are told apart."""

import numpy as np
import pytest

from hiermap.planners import PLANNERS, Avoid, Budget, SearchOptions, Status, Tree
from hiermap.planners.candidates import candidates
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyWorld

DRAWER = TOY_INSTANCES["put_in_drawer"]


class Policy(ToyWorld):
    """Always would take the likelier of two possible actions."""

    def policy(self, node, goal):
        found = [c.action for c in candidates(self.maps([node])[0], SearchOptions().peaks)]
        return {found[0]: 0.3, found[1]: 0.7}


def acted(world, instance=DRAWER, budget=None, avoid=()):
    tree = Tree(world, world.root(instance.view, instance.goal), instance.goal, budget or Budget(), SearchOptions(avoid=avoid))
    return PLANNERS["vector"](tree, np.random.default_rng(0))


@pytest.fixture
def world() -> Policy:
    return Policy(DRAWER.kitchen)


def test_one_step_that_execution_leaves_as_it_is(world):
    result = acted(world)
    (step,) = result.plan.steps
    likely = world.policy(result.root, DRAWER.goal)
    assert step.action == max(likely, key=likely.get) and step.affordance == 0.7 and step.success == 0.0
    assert result.metrics["expansions"] == 1 and result.status is Status.UNSOLVABLE_WITHIN_BUDGET


def test_what_failed_is_less_likely(world):
    first = acted(world).plan.actions[0]
    again = acted(world, avoid=(Avoid(first.primitive, first.cell, first.rotation_index),)).plan.actions[0]
    assert again != first and again in world.policy(world.root(DRAWER.view, DRAWER.goal), DRAWER.goal)


def test_nothing_is_done_without_need_or_budget(world):
    assert acted(world, budget=Budget(expansions=0)).plan.steps == ()
    solved = TOY_INSTANCES["already_solved"]
    result = acted(Policy(solved.kitchen), solved)
    assert result.status is Status.SOLVED and result.plan.steps == ()


def test_a_world_without_a_policy_is_refused():
    with pytest.raises(ConfigError, match="ToyWorld has none"):
        acted(ToyWorld(DRAWER.kitchen))

"""The toy world keeps the contract and its known answers are exact."""

import numpy as np
import pytest

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action, GripperState, Observation
from hiermap.worlds.check import check_world
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.imagined.toy import BESIDE, ESTIMATES, SURE, TOY_INSTANCES, ToyRobot, ToyWorld, holds, steps_to_go


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("name", TOY_INSTANCES)
def test_the_toy_world_keeps_the_contract(name, estimate):
    instance = TOY_INSTANCES[name]
    check_world(ToyWorld(instance.kitchen, estimate), instance.observation, instance.goal)


@pytest.mark.parametrize("name", TOY_INSTANCES)
def test_the_shortest_lengths_are_exact(name):
    instance = TOY_INSTANCES[name]
    assert steps_to_go(instance.kitchen, instance.kitchen.start, instance.predicates) == instance.shortest


def test_there_are_solvable_solved_and_unsolvable_instances():
    lengths = [instance.shortest for instance in TOY_INSTANCES.values()]
    assert None in lengths and 0 in lengths and max(n for n in lengths if n is not None) == 8


def test_an_action_beside_a_handle_works_less_often_and_elsewhere_never():
    instance = TOY_INSTANCES["open_drawer"]
    world = ToyWorld(instance.kitchen)
    root = world.root(instance.observation, instance.goal)
    actions = [Action("pull", cell, 1) for cell in [(12, 4), (12, 5), (0, 0)]]
    outcomes = world.expand(root, actions, instance.goal)
    assert [o.success for o in outcomes] == pytest.approx([SURE, SURE * BESIDE, 0.0])
    assert [o.node.progress for o in outcomes] == [1.0, 1.0, 0.5]
    assert outcomes[0].cost == PRIMITIVES["pull"].typical_seconds


def test_a_map_value_is_the_success_of_its_action():
    instance = TOY_INSTANCES["long_detour"]
    world = ToyWorld(instance.kitchen)
    root = world.root(instance.observation, instance.goal)
    names = list(PRIMITIVES)
    cells = np.argwhere(root.maps > 0)
    outcomes = world.expand(root, [Action(names[p], (int(i), int(j)), int(r)) for p, r, i, j in cells], instance.goal)
    assert [o.success for o in outcomes] == [float(root.maps[tuple(index)]) for index in cells]


def test_a_foreign_observation_is_refused_with_the_remedy():
    instance = TOY_INSTANCES["open_drawer"]
    with pytest.raises(InvalidObservationError, match="extras"):
        ToyWorld(instance.kitchen).root(Observation((), GripperState(0.0, False)), instance.goal)


def test_the_robot_does_what_the_world_says():
    instance = TOY_INSTANCES["latched_door"]
    robot = ToyRobot(instance.kitchen)
    assert robot.act(Action("pull", (4, 19), 0)).reason == "missed"
    assert robot.act(Action("rotate", (4, 15), 0)).succeeded
    assert robot.act(Action("pull", (4, 19), 0)).succeeded
    assert all(holds(instance.kitchen, robot.state, p) for p in instance.predicates)


def test_a_robot_with_luck_fails_as_often_as_it_should():
    instance = TOY_INSTANCES["open_drawer"]
    rng = np.random.default_rng(0)
    done = sum(ToyRobot(instance.kitchen, rng).act(Action("pull", (12, 4), 1)).succeeded for _ in range(400))
    assert abs(done / 400 - SURE) < 0.04


def test_an_unknown_estimate_is_named():
    with pytest.raises(ValueError, match="guess"):
        ToyWorld(TOY_INSTANCES["open_drawer"].kitchen, "guess")

"""The toy world keeps the contract and its known answers are exact."""

import numpy as np
import pytest

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.check import check_world
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.imagined.toy import BESIDE, ESTIMATES, TOY_FRAME, TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.imagined.toy_kitchen import SURE, holds, steps_to_go
from hiermap.worlds.perception.fusion import SpatialView


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("name", TOY_INSTANCES)
def test_the_toy_world_keeps_the_contract(name, estimate):
    instance = TOY_INSTANCES[name]
    check_world(ToyWorld(instance.kitchen, estimate), instance.view, instance.goal)


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
    root = world.root(instance.view, instance.goal)
    actions = [Action("pull", cell, 1) for cell in [(12, 4), (12, 5), (0, 0)]]
    outcomes = world.expand([root], [actions], instance.goal)[0]
    assert [o.success for o in outcomes] == pytest.approx([SURE, SURE * BESIDE, 0.0])
    assert [o.node.progress for o in outcomes] == [1.0, 1.0, 0.5]
    assert outcomes[0].cost == PRIMITIVES["pull"].typical_seconds


def test_a_map_value_is_the_success_of_its_action():
    instance = TOY_INSTANCES["long_detour"]
    world = ToyWorld(instance.kitchen)
    root = world.root(instance.view, instance.goal)
    names = list(PRIMITIVES)
    maps = world.maps([root])[0]
    cells = np.argwhere(maps > 0)
    actions = [Action(names[p], (int(i), int(j)), int(r)) for p, r, i, j in cells]
    assert [o.success for o in world.expand([root], [actions], instance.goal)[0]] == [float(maps[tuple(index)]) for index in cells]


def test_a_foreign_view_is_refused_with_the_remedy():
    instance = TOY_INSTANCES["open_drawer"]
    blank = np.zeros(TOY_FRAME.shape, np.float32)
    view = SpatialView(np.zeros((*TOY_FRAME.shape, 3), np.uint8), blank, blank > 0, False, TOY_FRAME)
    with pytest.raises(InvalidObservationError, match="use `toy_view"):
        ToyWorld(instance.kitchen).root(view, instance.goal)


def test_a_scene_goes_back_to_a_snapshot_and_knows_its_truth():
    instance = TOY_INSTANCES["put_in_drawer"]
    scene = ToyScene(instance.kitchen)
    before, named = scene.snapshot(), instance.goal.targets
    assert scene.act(Action("grasp", (8, 4), 0), scene.observe()).succeeded
    assert scene.truth((Predicate("held", ("mug",)),)) == {"held(mug)": True} and "mug" not in scene.masks()
    scene.restore(before)
    assert scene.truth(instance.predicates) == {"inside(mug, drawer)": False}
    assert all(np.array_equal(scene.masks()[name], target.mask) for name, target in named.items())


def test_the_robot_does_what_the_world_says():
    instance = TOY_INSTANCES["latched_door"]
    robot = ToyScene(instance.kitchen)
    assert robot.act(Action("pull", (4, 19), 0), robot.observe()).reason == "missed"
    assert robot.act(Action("rotate", (4, 15), 0), robot.observe()).succeeded
    assert robot.act(Action("pull", (4, 19), 0), robot.observe()).succeeded
    assert all(holds(instance.kitchen, robot.state, p) for p in instance.predicates)


def test_a_robot_with_luck_fails_as_often_as_it_should():
    instance = TOY_INSTANCES["open_drawer"]
    rng = np.random.default_rng(0)
    done = sum(ToyScene(instance.kitchen, rng).act(Action("pull", (12, 4), 1), instance.view).succeeded for _ in range(400))
    assert abs(done / 400 - SURE) < 0.04


def test_an_unknown_estimate_is_named():
    with pytest.raises(ValueError, match="guess"):
        ToyWorld(TOY_INSTANCES["open_drawer"].kitchen, "guess")

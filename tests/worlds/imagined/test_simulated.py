"""The simulator as a world: it keeps the contract, plans chains, and what it imagines really happens."""

import numpy as np
import pytest

from hiermap.planners import PLANNERS, Budget, PeakOptions, SearchOptions, Tree, candidates
from hiermap.worlds.check import check_world
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Goal, Target
from hiermap.worlds.imagined.simulated import KnownKitchen, SimulatedWorld
from hiermap.worlds.oracle.affordances import move_for
from hiermap.worlds.rules.judge import holds
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.tasks.chains import sample_task

NOTHING = Goal((), {})


def posed(suite, seed):
    task = sample_task(suite, seed)
    kitchen = Kitchen(task.spec)
    kitchen.set_scene(task.scene)
    masks = kitchen.masks()
    targets = {name: Target(name, masks[name]) for predicate in task.goal_predicates for name in predicate.arguments}
    return task, kitchen, Goal(task.goal_predicates, targets)


def test_it_keeps_the_contract_of_a_world():
    task, kitchen, goal = posed("chain-1", 110_000)
    check_world(SimulatedWorld(Kitchen(task.spec)), KnownKitchen(kitchen).observe(), goal, depth=1, actions=1)


def test_a_plan_made_in_it_solves_the_real_kitchen():
    task, kitchen, goal = posed("chain-2", 110_002)
    scene = KnownKitchen(kitchen)
    world = SimulatedWorld(Kitchen(task.spec))
    tree = Tree(world, world.root(scene.observe(), goal), goal, Budget(300, 60), SearchOptions.learned())
    result = PLANNERS["best_first"](tree, np.random.default_rng(0))
    assert result and len(result.plan.steps) == 2
    for step in result.plan.steps:
        scene.act(step.action, scene.observe())
    assert all(holds(task.spec, kitchen.scene(), p) for p in task.goal_predicates)


def test_without_the_true_state_it_says_what_it_needs():
    task, kitchen, goal = posed("chain-1", 110_000)
    world = SimulatedWorld(Kitchen(task.spec))
    with pytest.raises(InvalidObservationError, match="KnownKitchen"):
        world.root(kitchen.view(), goal)


def test_maps_may_come_from_anywhere_but_must_have_their_shape():
    task, kitchen, goal = posed("chain-1", 110_000)
    view = KnownKitchen(kitchen).observe()

    def maps_of(source):
        world = SimulatedWorld(Kitchen(task.spec), maps=source)
        return world.maps([world.root(view, goal)])[0]

    given = np.full((5, 4, 96, 128), 0.25, np.float32)
    assert np.array_equal(maps_of(lambda seen: given), given)
    with pytest.raises(ValueError, match="expected"):
        maps_of(lambda seen: given[:2])
    with pytest.raises(ValueError, match="oracle"):
        maps_of("guess")


def test_what_it_sees_is_what_the_kitchen_shows_with_something_in_the_hand_too():
    kitchen = Kitchen(110_000)
    real, copy = KnownKitchen(kitchen), SimulatedWorld(Kitchen(kitchen.spec))
    root = copy.root(real.observe(), NOTHING)
    grasp = next(c.action for c in candidates(copy.maps([root])[0], PeakOptions()) if c.action.primitive == "grasp")
    imagined = copy.view(copy.expand([root], [[grasp]], NOTHING)[0][0].node.state)
    real.act(grasp, root.state.view)
    assert imagined.holding and np.array_equal(imagined.depth, kitchen.view().depth)


def test_a_program_without_effect_is_a_dead_end(monkeypatch):
    task, kitchen, goal = posed("chain-1", 110_000)
    world = SimulatedWorld(Kitchen(task.spec))
    root = world.root(KnownKitchen(kitchen).observe(), goal)
    action = candidates(world.maps([root])[0], PeakOptions())[0].action
    monkeypatch.setattr(Kitchen, "act", lambda *_: None)
    child = world.expand([root], [[action]], goal)[0][0].node
    assert world.view(child.state) is None and not world.maps([child]).any() and world.point(child, (48, 64)) is None
    assert [o.success for o in world.expand([child], [[action]], goal)[0]] == [0.0]


def test_every_action_is_judged_for_itself_not_by_whether_it_leads_to_the_goal():
    task, kitchen, goal = posed("chain-1", 110_000)
    world = SimulatedWorld(Kitchen(task.spec))
    root = world.root(KnownKitchen(kitchen).observe(), goal)
    found = candidates(world.maps([root])[0], PeakOptions())
    helpful = {move.target for move in task.solution}
    other = next(c.action for c in found if move_for(task.spec, task.scene, c.action, root.state.view).target not in helpful)
    outcome = world.expand([root], [[other]], goal)[0][0]
    assert outcome.success == 1.0 and outcome.node.progress <= root.progress

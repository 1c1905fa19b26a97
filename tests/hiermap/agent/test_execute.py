"""Execution looks again after every primitive, notices what went wrong, remembers it and replans."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from hiermap.agent.comparison import aim, believe_effect, came_back, stands_elsewhere
from hiermap.agent.execute import execute
from hiermap.agent.options import ExecutionOptions
from hiermap.agent.planner import Planner
from hiermap.planners import Budget, PlanResult, PlanStep, SearchOptions, Status
from hiermap.planners.failure_memory import MemoryOptions
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import Action, GripperState, Node, Observation
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.imagined.toy_kitchen import ToyState, holds
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from tests.planners.test_planners import Foreseeing

SOLVABLE = [name for name, instance in TOY_INSTANCES.items() if instance.shortest is not None]


def carry_out(instance, robot=None, believed_kitchen=None, search="best_first", **limits):
    planner = Planner(ToyWorld(believed_kitchen or instance.kitchen), search, SearchOptions(width=64))
    robot = robot or ToyScene(instance.kitchen)
    result = planner.plan(robot.observe(), instance.goal)
    return execute(robot, result, replan=planner, **limits), robot


def truly_solved(instance, robot):
    return all(holds(instance.kitchen, robot.state, p) for p in instance.predicates)


@pytest.mark.parametrize("name", SOLVABLE)
def test_without_failures_the_first_plan_is_carried_out(name):
    instance = TOY_INSTANCES[name]
    done, robot = carry_out(instance)
    assert done and truly_solved(instance, robot)
    assert (done.primitives, done.replans) == (instance.cheapest or instance.shortest, 0)
    assert all(step.effect and step.change_seen == pytest.approx(1.0) for step in done.steps)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", ["put_in_and_shut", "blocked_and_latched", "long_detour"])
def test_primitives_that_slip_are_noticed_and_done_again(name, seed):
    instance = TOY_INSTANCES[name]
    done, robot = carry_out(instance, ToyScene(instance.kitchen, np.random.default_rng(seed)), max_replans=20)
    assert done and truly_solved(instance, robot)
    failures = sum(not step.report.succeeded for step in done.steps)
    assert [step.effect for step in done.steps] == [step.report.succeeded for step in done.steps]
    assert done.replans == failures and done.primitives == instance.shortest + failures


def test_a_disturbance_is_seen_and_undone():
    instance = TOY_INSTANCES["put_in_and_shut"]

    class Disturbed(ToyScene):
        acted = 0

        def act(self, action, view):
            report = super().act(action, view)
            self.acted += 1
            if self.acted == 2:
                self.state = ToyState(frozenset(), self.state.at, self.state.held)  # somebody shuts the drawer on a full hand
            return report

    done, robot = carry_out(instance, Disturbed(instance.kitchen))
    assert done and truly_solved(instance, robot) and done.replans >= 1


@pytest.mark.parametrize(("hardly", "reason"), [(0.02, ""), (0.1, "unsolvable")])
def test_what_is_hardly_offered_is_tried_where_there_is_no_plan_otherwise(hardly, reason):
    instance = TOY_INSTANCES["open_drawer"]

    class Doubting(ToyWorld):
        def maps(self, nodes):
            return 0.05 * super().maps(nodes)

    robot, planner = ToyScene(instance.kitchen), Planner(Doubting(instance.kitchen))
    result = planner.plan(robot.observe(), instance.goal)
    done = execute(robot, result, replan=planner, options=ExecutionOptions(hardly=hardly))
    assert not result and done.failure_reason == reason
    assert truly_solved(instance, robot) == (reason == "")


def test_what_never_works_ends_with_a_reason():
    instance = TOY_INSTANCES["open_drawer"]
    real = replace(instance.kitchen, fixtures=tuple(replace(f, jammed=f.name == "drawer") for f in instance.kitchen.fixtures))

    class Blind(ToyWorld):
        """Believes that the drawer is free."""

    robot = ToyScene(real)
    planner = Planner(Blind(instance.kitchen))
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner, max_replans=3)
    assert not done and done.failure_reason == "too_many_replans"
    pulls = [step for step in done.steps if step.action.primitive == "pull"]
    assert done.replans == 3 and len(pulls) >= 2 and not any(step.effect for step in pulls)


@pytest.mark.parametrize("refusals", [0, 3])
def test_what_the_arm_cannot_reach_is_tried_beside_that_before_there_is_another_plan(refusals):
    instance = TOY_INSTANCES["put_in_and_shut"]

    class ShortArmed(ToyScene):
        refused: Action | None = None

        def act(self, action, view):
            self.refused = self.refused or action
            if action == self.refused:
                return PrimitiveResult(False, Reason.UNREACHABLE, 0.0, 0.0)
            return super().act(action, view)

    robot = ShortArmed(instance.kitchen)
    planner = Planner(ToyWorld(instance.kitchen), options=SearchOptions(width=64, memory=MemoryOptions(out_of_reach=0.5)))
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner, options=ExecutionOptions(refusals=refusals))
    assert done and truly_solved(instance, robot)
    first, second = (step.action for step in done.steps[:2])
    assert first == robot.refused and second != first and second.primitive == first.primitive
    assert done.replans == (refusals == 0) and done.primitives == instance.shortest + 1


def test_failures_are_remembered_by_later_plans():
    instance = TOY_INSTANCES["open_drawer"]
    real = replace(instance.kitchen, fixtures=tuple(replace(f, jammed=f.name == "drawer") for f in instance.kitchen.fixtures))
    robot, planner = ToyScene(real), Planner(ToyWorld(instance.kitchen))
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner, max_replans=2)
    chances = [plan.plan.success_probability for plan in done.plans]
    assert chances == pytest.approx([0.95, 0.95 * 0.3, 0.95 * 0.95 * 0.3])
    assert [len(plan.plan) for plan in done.plans] == [1, 1, 2]  # after two failures something else is tried first


def test_an_unreachable_goal_ends_with_the_plan_status():
    done, _ = carry_out(TOY_INSTANCES["jammed_above"])
    assert not done and done.failure_reason == "unsolvable" and done.primitives == 0


def test_a_goal_that_holds_already_needs_nothing():
    done, _ = carry_out(TOY_INSTANCES["already_solved"])
    assert done and done.primitives == 0 and done.replans == 0


def test_the_limit_on_primitives_is_kept():
    done, _ = carry_out(TOY_INSTANCES["long_detour"], max_primitives=3)
    assert not done and done.failure_reason == "too_many_primitives" and done.primitives == 3


class Remembering(ToyScene):
    """Remembers in which views it was told to act."""

    def __init__(self, kitchen):
        super().__init__(kitchen)
        self.acted_in = []

    def act(self, action, view):
        self.acted_in.append(view)
        return super().act(action, view)


def test_steps_are_reported_and_grounded_in_the_view_they_were_chosen_in():
    instance = TOY_INSTANCES["put_in_drawer"]
    seen = []
    done, robot = carry_out(instance, Remembering(instance.kitchen), on_step=seen.append)
    assert tuple(seen) == done.steps
    assert [step.before.view for step in done.steps] == robot.acted_in  # an action is grounded in the view it was chosen in
    assert done.steps[-1].after.node.predicates == {"inside(mug, drawer)": 1.0}


def test_every_root_after_the_first_is_given_the_first_view_and_what_was_imagined():
    instance, roots = TOY_INSTANCES["put_in_drawer"], []

    class Watching(ToyWorld):
        def root(self, view, goal, first=None, remembered=None):
            roots.append((view, first, remembered))
            return super().root(view, goal, first, remembered)

    planner, robot = Planner(Watching(instance.kitchen)), ToyScene(instance.kitchen)
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner)
    first = done.plans[0].view
    assert roots[0] == (first, first, None)
    assert [item[1] for item in roots[1:]] == [first] * (len(roots) - 1)
    assert [item[2] for item in roots[2::2]] == [step.planned.after for step in done.steps]


def test_an_unusable_observation_ends_at_once_with_its_reason():
    instance = TOY_INSTANCES["open_drawer"]
    planner = Planner(ToyWorld(instance.kitchen))
    done = execute(ToyScene(instance.kitchen), planner.plan(Observation((), GripperState(0.0, False)), instance.goal), replan=planner)
    assert not done and done.failure_reason.startswith("invalid_observation: ") and not done.steps


def test_a_diverging_simulation_is_never_a_success():
    class Diverging(ToyScene):
        def act(self, action, view):
            raise PhysicsError("energy grew a thousandfold")

    instance = TOY_INSTANCES["open_drawer"]
    done, _ = carry_out(instance, Diverging(instance.kitchen))
    assert not done and done.failure_reason.startswith("physics")


def test_a_partial_plan_is_tried_one_step_at_a_time():
    instance = TOY_INSTANCES["move_mug"]
    planner = Planner(ToyWorld(instance.kitchen, "exact"))
    robot = ToyScene(instance.kitchen)
    result = planner.plan(robot.observe(), instance.goal, Budget(expansions=1))
    assert result.status is Status.UNSOLVABLE_WITHIN_BUDGET and len(result.plan) == 1
    done = execute(robot, result, replan=planner)
    assert done and done.primitives == 2 and done.replans == 1


def test_a_partial_plan_is_followed_to_where_most_of_the_goal_holds_though_no_step_looks_nearer():
    instance = TOY_INSTANCES["put_in_and_shut"]
    planner, robot = Planner(ToyWorld(instance.kitchen, "blind")), ToyScene(instance.kitchen)
    result = replace(planner.plan(robot.observe(), instance.goal), status=Status.UNSOLVABLE_WITHIN_BUDGET)
    done = execute(robot, result, replan=planner, max_replans=0)
    assert done and done.primitives == len(result.plan) > 2


@pytest.mark.parametrize("name", ["put_in_drawer", "move_mug", "blocked_and_latched"])
def test_reactive_solves_by_looking_again_after_every_promised_step(name):
    instance = TOY_INSTANCES[name]
    world = Foreseeing(instance.kitchen, "exact")
    planner, robot = Planner(world, "reactive"), ToyScene(instance.kitchen)
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner, max_replans=30)
    assert done and truly_solved(instance, robot) and world.imagined == 0
    assert done.primitives == instance.shortest and done.replans == done.primitives - 1
    assert all(np.isnan(step.change_seen) and step.effect for step in done.steps)


@pytest.mark.parametrize("blind", [True, False])
def test_blindly_all_of_the_first_plan_is_done_and_nothing_else(blind):
    instance = TOY_INSTANCES["put_in_and_shut"]

    class FirstSlips(ToyScene):
        acted = 0

        def act(self, action, view):
            self.acted += 1
            return PrimitiveResult(False, "slipped", 1.0, 0.0) if self.acted == 1 else super().act(action, view)

    done, _ = carry_out(instance, FirstSlips(instance.kitchen), max_replans=0, options=ExecutionOptions(blind=blind))
    assert not done and done.failure_reason == "too_many_replans" and done.replans == 0
    assert [step.action for step in done.steps] == list(done.plans[0].plan.actions)[: None if blind else 1]


def test_a_result_without_its_problem_is_refused():
    with pytest.raises(ValueError, match=r"Planner\.plan"):
        execute(ToyScene(TOY_INSTANCES["open_drawer"].kitchen), PlanResult(Status.SOLVED), replan=None)


def test_aiming_leaves_the_imagined_cell_only_for_a_slope_that_leads_up():
    maps = np.zeros((5, 4, 20, 24), np.float32)
    node = Node(None, 0.5)

    def aimed(cell, rotation=0):
        return aim(PlanStep(Action("pull", cell, rotation), 0.9, 0.9, 10.0, node, node, maps, maps), maps, ExecutionOptions())

    maps[3, 1, 10, 12], maps[3, 0, 10, 10] = 0.9, 0.3
    assert aimed((10, 10)) == (Action("pull", (10, 12), 1), pytest.approx(0.9))
    assert aimed((10, 8)) == (Action("pull", (10, 12), 1), pytest.approx(0.9))
    maps[3, 0, 10, 10] = 0.8
    assert aimed((10, 10)) == (Action("pull", (10, 10), 0), pytest.approx(0.8))
    assert aimed((2, 2)) == (Action("pull", (2, 2), 0), 0.0)
    assert aimed((0, 0)) == (Action("pull", (0, 0), 0), 0.0)


def test_a_step_that_was_imagined_poor_is_aimed_at_the_best_that_is_seen_around():
    maps, node = np.zeros((5, 4, 20, 24), np.float32), Node(None, 0.5)
    maps[0, 0, 10, 10], maps[0, 0, 8, 11], maps[0, 0, 3, 11] = 0.33, 0.95, 0.99
    step = PlanStep(Action("grasp", (10, 10), 0), 0.2, 0.2, 10.0, node, node, maps, maps)
    assert aim(step, maps, ExecutionOptions()) == (Action("grasp", (8, 11), 0), pytest.approx(0.95))
    assert aim(step, maps, ExecutionOptions(blind=True))[0] == step.action
    maps[0, 0, 10, 10] = 0.8
    assert aim(step, maps, ExecutionOptions()) == (step.action, pytest.approx(0.8)), "near the best around is near enough"


@pytest.mark.parametrize(
    ("succeeded", "seen", "believed"),
    [(True, 0.3, True), (True, 0.1, False), (False, 0.5, False), (False, 0.8, True), (True, np.nan, True)],
)
def test_report_and_view_are_weighed_together(succeeded, seen, believed):
    assert believe_effect(PrimitiveResult(succeeded, "done", 1.0, 0.0), seen, ExecutionOptions()) is believed


def circling(states, world):
    """Steps through nodes that stand for these numbers, each one action."""
    nodes = [Node(ToyState(frozenset(), (("mug", state),), None), 0.5) for state in states]
    steps = [
        SimpleNamespace(before=SimpleNamespace(node=a), after=SimpleNamespace(node=b), effect=a.state != b.state)
        for a, b in pairwise(nodes)
    ]
    return steps, nodes[-1]


@pytest.mark.parametrize(
    ("states", "starts", "circle"),
    [
        ("abab", [0, 2], 0),
        ("aba", [0], 2),
        ("abca", [0], 3),
        ("abcb", [0], 0),
        ("abcb", [0, 1], 2),
        ("ababa", [0, 2], 2),
        ("ab", [0, 1], 0),
        ("abaa", [0], 2),
        ("abaabaa", [0, 3], 2),
        ("aa", [0], 0),
    ],
)
def test_a_circle_is_noticed_where_a_plan_set_out_whatever_was_done_in_vain(states, starts, circle):
    world = Foreseeing(TOY_INSTANCES["open_drawer"].kitchen)
    steps, now = circling(states, world)
    done = [step for step in steps if step.effect]
    assert list(came_back(world, steps, starts, now)) == (done[-circle:] if circle else [])


def test_a_hand_that_was_filled_or_emptied_has_done_something_whatever_the_maps_show():
    class Frozen(ToyWorld):
        """What is really seen never changes its maps."""

        roots = ()

        def root(self, *seen):
            self.roots = (*self.roots, super().root(*seen))
            return self.roots[-1]

        def maps(self, nodes):
            return super().maps([self.roots[0] if any(node is root for root in self.roots) else node for node in nodes])

    instance = TOY_INSTANCES["move_mug"]
    planner, robot = Planner(Frozen(instance.kitchen)), ToyScene(instance.kitchen)
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner)
    assert [(step.action.primitive, step.effect) for step in done.steps[:1]] == [("grasp", True)] and done.steps[0].change_seen == 0.0


def seen(depth):
    return SpatialView(np.zeros((*depth.shape, 3), np.uint8), depth, np.ones(depth.shape, bool), holding=False)


@pytest.mark.parametrize(
    ("stands", "raised_m", "elsewhere"),
    [
        ((60, 40), 0.05, False),  # its foot where it was to be put
        ((56, 44), 0.05, False),
        ((40, 40), 0.05, True),
        ((60, 52), 0.05, True),
        ((40, 40), 0.01, False),  # noise
        (None, 0.05, False),  # hidden by what stands before it
    ],
)
def test_what_was_let_go_is_looked_for_where_it_was_to_be_put(stands, raised_m, elsewhere):
    before = np.full(FRAME.shape, 1.0, np.float32)
    after = before.copy()
    if stands is not None:
        row, column = stands
        after[row - 5 : row + 1, column - 2 : column + 3] -= raised_m
    assert stands_elsewhere(seen(before), seen(after), (60, 40)) is elsewhere


def test_a_thing_that_was_dropped_on_the_way_is_not_where_it_was_to_be_put():
    instance = TOY_INSTANCES["move_mug"]

    class Dropping(ToyScene):
        """Its hand loses what it was to put down."""

        def act(self, action, view):
            report = super().act(action, view)
            return replace(report, succeeded=False, reason=Reason.BLOCKED) if action.primitive == "place" else report

    planner, robot = Planner(ToyWorld(instance.kitchen)), Dropping(instance.kitchen)
    done = execute(robot, planner.plan(robot.observe(), instance.goal), replan=planner)
    assert [step.effect for step in done.steps if step.action.primitive == "place"][:1] == [False]

"""Goals in a row: first view, deeds and failures outlive each of them."""

from dataclasses import replace

import numpy as np

from hiermap.agent.planner import Planner
from hiermap.agent.session import Session
from hiermap.planners import Budget, Status
from hiermap.worlds.base import GripperState, Observation
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.tasks.kitchens import KitchenScene

INSTANCE = TOY_INSTANCES["put_in_and_shut"]
OPEN = Goal((Predicate("open", ("drawer",)),), {"drawer": INSTANCE.goal.targets["drawer"]})


class Recording(ToyWorld):
    """Remembers from which views, and with what memory, it was asked for roots."""

    def __init__(self, kitchen):
        super().__init__(kitchen)
        self.roots, self.expanded = [], []

    def root(self, view, goal, first=None, remembered=None):
        self.roots.append((view, first, remembered))
        return super().root(view, goal, first, remembered)

    def expand(self, nodes, actions, goal):
        self.expanded += [action for some in actions for action in some]
        return super().expand(nodes, actions, goal)


def test_goals_in_a_row_are_planned_from_what_became_of_the_scene():
    with Session(ToyScene(INSTANCE.kitchen), Planner(ToyWorld(INSTANCE.kitchen))) as session:
        first = session.achieve(INSTANCE.goal)
        second = session.achieve(OPEN)
        assert first and second and (first.primitives, second.primitives) == (INSTANCE.shortest, 1)
        assert len(session.deeds) == INSTANCE.shortest + 1
    assert session.deeds == [] and session.first is None


def test_a_later_goal_goes_through_what_was_done_from_the_first_view():
    world = Recording(INSTANCE.kitchen)
    session = Session(ToyScene(INSTANCE.kitchen), Planner(world))
    done = session.achieve(INSTANCE.goal)
    begun, world.roots, world.expanded = session.first, [], []
    result = session.plan(OPEN)
    went = world.roots[: 1 + done.primitives]
    assert all(first is begun for _, first, _ in went) and went[0][0] is begun
    assert [view for view, *_ in went[1:-1]] == [step.after.view for step in done.steps[:-1]] and went[-1][0] is result.view
    assert went[0][2] is None and all(remembered is not None for *_, remembered in went[1:])
    assert world.expanded[: done.primitives] == [step.action for step in done.steps]
    assert result.first is begun and result.root.progress < 1.0


def test_what_had_no_effect_is_not_imagined_and_stays_remembered():
    jammed = tuple(replace(f, jammed=f.name == "drawer") for f in INSTANCE.kitchen.fixtures)
    world = Recording(INSTANCE.kitchen)
    session = Session(ToyScene(replace(INSTANCE.kitchen, fixtures=jammed)), Planner(world))
    done = session.achieve(OPEN, max_replans=1)
    assert not done and done.avoid and tuple(session.avoid) == done.avoid
    world.expanded = []
    result = session.plan(OPEN, Budget(expansions=0))
    assert world.expanded == [] and result.status is Status.UNSOLVABLE_WITHIN_BUDGET
    failed = {step.action.cell for step in done.steps}
    again = session.achieve(OPEN, max_replans=1)
    assert len(again.avoid) > len(done.avoid) and {step.action.cell for step in again.steps} - failed


def test_an_unusable_goal_is_a_status_and_changes_nothing():
    session = Session(ToyScene(INSTANCE.kitchen), Planner(ToyWorld(INSTANCE.kitchen)))
    assert session.achieve(INSTANCE.goal)
    nothing = Goal(OPEN.predicates, {"drawer": Target("drawer", np.zeros_like(OPEN.targets["drawer"].mask))})
    done = session.achieve(nothing)
    assert not done and "empty" in done.failure_reason and session.achieve(OPEN)


def test_a_first_look_that_cannot_be_used_is_not_kept():
    class Blinking(ToyScene):
        looks = 0

        def observe(self):
            self.looks += 1
            return Observation((), GripperState(0.08, False)) if self.looks == 1 else super().observe()

    session = Session(Blinking(INSTANCE.kitchen), Planner(ToyWorld(INSTANCE.kitchen)))
    assert session.plan(OPEN).status is Status.INVALID_OBSERVATION and session.achieve(OPEN)


def test_a_look_is_taken_again_once_anything_was_done():
    class Breaking(ToyScene):
        def act(self, action, view):
            super().act(action, view)
            raise PhysicsError("it flew away")

    scene = Breaking(INSTANCE.kitchen)
    session = Session(scene, Planner(ToyWorld(INSTANCE.kitchen)))
    assert "physics" in session.achieve(OPEN).failure_reason and session.deeds == []
    assert session.plan(OPEN).view.state == scene.state != session.first.state


def test_a_bowl_put_away_for_one_goal_is_found_for_another():
    scene = KitchenScene(11)
    masks = scene.masks()

    def goal(*asked: tuple[str, ...]) -> Goal:
        return Goal(
            tuple(Predicate(kind, tuple(names)) for kind, *names in asked), {n: Target(n, masks[n]) for _, *names in asked for n in names}
        )

    drawer = "right_drawer_1"
    with Session(scene, Planner.from_pretrained()) as session:
        for wanted in (goal(("inside", "bowl", drawer), ("closed", drawer)), goal(("open", drawer)), goal(("held", "bowl"))):
            assert session.achieve(wanted, Budget(expansions=60))
            assert all(scene.truth(wanted.predicates).values())


def test_taken_a_primitive_at_a_time_a_run_is_the_same_and_tells_its_plans():
    jammed = tuple(replace(f, jammed=f.name == "drawer") for f in INSTANCE.kitchen.fixtures)
    for kitchen in (INSTANCE.kitchen, replace(INSTANCE.kitchen, fixtures=jammed)):
        whole = Session(ToyScene(kitchen), Planner(ToyWorld(kitchen)))
        done = whole.achieve(INSTANCE.goal, max_replans=2)
        slow, plans, steps = Session(ToyScene(kitchen), Planner(ToyWorld(kitchen))), [], []
        run = slow.steps(slow.plan(INSTANCE.goal), 2, on_plan=plans.append)
        while True:
            try:
                steps.append(next(run))
            except StopIteration as over:
                assert over.value.plans == tuple(plans) and over.value.steps == tuple(steps)
                assert (over.value.success, over.value.failure_reason) == (done.success, done.failure_reason)
                break
            assert [deed.action for deed in slow.deeds] == [step.action for step in steps]
        assert [step.action for step in steps] == [step.action for step in done.steps] and tuple(slow.avoid) == done.avoid
        assert [deed.effect for deed in slow.deeds] == [deed.effect for deed in whole.deeds] and len(plans) == done.replans + 1

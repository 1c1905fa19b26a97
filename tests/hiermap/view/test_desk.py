"""Clicks become a goal, a goal a plan, a plan deeds; what plans is told views and first masks only."""

from dataclasses import replace

import numpy as np
import pytest

from hiermap.planners import Status
from hiermap.view.desk import Desk
from hiermap.view.status import told
from hiermap.worlds.goals import Predicate
from tests.hiermap.agent.test_nothing_privileged import planner

SHUT, OPEN = Predicate("open", ("left_drawer_1",)), Predicate("closed", ("left_drawer_2",))


def middle(mask: np.ndarray) -> tuple[int, int]:
    """A cell of a mask."""
    cells = np.argwhere(mask)
    row, column = cells[len(cells) // 2]
    return int(row), int(column)


def test_a_click_names_the_thing_and_what_can_be_asked_of_it(desk: Desk) -> None:
    masks = desk.problem.masks
    assert desk.thing_at(middle(masks["can"])) == "can" and masks["mug"].sum() == 0
    assert desk.thing_at((0, 0)) == "" and desk.thing_at((96, 0)) == "" and desk.thing_at((-1, 5)) == ""
    asked = desk.askable("can")
    assert Predicate("held", ("can",)) in asked and all(p.arguments[0] == "can" for p in asked)
    assert {p.kind for p in desk.askable("left_drawer_1")} == {"open", "closed"}
    assert desk.askable("mug") == [] and desk.in_words(SHUT) == "the upper left drawer is open"


def test_what_is_clicked_is_added_to_the_goal_and_plain_words_give_way(desk: Desk) -> None:
    assert desk.ask(SHUT) == str(SHUT)
    assert desk.ask(OPEN) == desk.ask(SHUT) == f"{SHUT} and {OPEN}"
    desk.goal_text = "open the drawer"
    assert desk.ask(OPEN) == str(OPEN)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing is asked for"),
        ("open(fridge)", "no 'fridge' in this kitchen"),
        ("open(", "cannot be read"),
        ("held(mug)", "mug was not seen in the first view"),
        ("open(left_drawer_1) and closed(left_drawer_1)", "cannot hold together"),
        ("on(can)", "makes no sense here"),
    ],
)
def test_a_goal_that_cannot_be_planned_for_is_answered_with_the_reason(desk: Desk, text: str, why: str) -> None:
    assert not desk.plan(text)
    assert why in desk.message and why in told(desk).replace("&#x27;", "'")
    assert [instant.words for instant in desk.instants()] == ["now"]


def test_a_plan_is_carried_out_step_by_step_and_the_next_goal_begins_there(desk: Desk) -> None:
    assert not desk.can_go_on and desk.step() is None
    assert desk.plan(f"{SHUT} and {OPEN}") and desk.can_go_on
    before, futures = desk.view, desk.instants()
    assert len(futures) == 1 + len(desk.left) >= 3 and futures[-1].action is None
    assert [instant.action for instant in futures[:-1]] == [step.action for step in desk.left]
    assert not futures[0].imagined and all(instant.imagined for instant in futures[1:])
    left = len(desk.left)
    step = desk.step()
    assert step is desk.done[0] and desk.view is step.after.view is not before and len(desk.left) < left
    assert desk.can_go_on and "1. " in told(desk)
    while desk.can_go_on:
        desk.step()
    assert desk.outcome and all(desk.truth().values()) and len(desk.instants()) == 1
    assert desk.step() is None and "believed to hold; it truly does." in told(desk)
    assert desk.plan("closed(left_drawer_1)") and desk.result.view is not before and len(desk.left) == 1
    assert desk.outlines() == {} and len(desk.session.deeds) >= 2


def test_another_goal_may_be_asked_in_the_midst_of_a_plan(desk: Desk) -> None:
    assert desk.plan(f"{SHUT} and {OPEN}")
    first = desk.step().action
    assert desk.plan(str(SHUT)) and desk.done == [] and [deed.action for deed in desk.session.deeds] == [first]


def test_planning_asks_the_scene_for_nothing_but_what_can_be_said(desk: Desk) -> None:
    class Told:
        """A scene of which only the vocabulary may be asked."""

        def vocabulary(self) -> list[Predicate]:
            return desk.problem.task.scene.vocabulary()

    problem = replace(desk.problem, task=replace(desk.problem.task, scene=Told()))
    blind = Desk(
        problem, planner(), replace(desk.options, budget=replace(desk.options.budget, expansions=2), world="latent", maps="learned")
    )
    blind.plan(str(SHUT))
    assert blind.result.status is not Status.INVALID_GOAL and blind.result.root is not None
    target = blind.problem.goal.targets["left_drawer_1"]
    assert (target.mask == desk.problem.masks["left_drawer_1"]).all()
    blind.step()

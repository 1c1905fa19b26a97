"""The planner answers every problem with a result, and bad input with a message that names it."""

import re

import numpy as np
import pytest

from hiermap.agent.planner import Planner
from hiermap.planners import Budget, Status
from hiermap.worlds.base import GripperState, Observation
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.imagined.toy import TOY_FRAME, TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.perception.fusion import SpatialView

INSTANCE = TOY_INSTANCES["put_in_drawer"]


def planner(**kwargs):
    return Planner(ToyWorld(INSTANCE.kitchen), **kwargs)


def with_mask(mask):
    return Goal((Predicate("open", ("drawer",)),), {"drawer": Target("drawer", mask)})


def test_a_result_names_its_problem_and_is_truthy_when_solved():
    result = planner().plan(INSTANCE.view, INSTANCE.goal, Budget(expansions=50), seed=3)
    assert result and result.status is Status.SOLVED and len(result.plan) == 3
    assert (result.seed, result.budget.expansions, str(result.goal)) == (3, 50, "inside(mug, drawer)")
    assert result.view is not None and result.root.progress == 0.5


def test_no_plan_is_a_status_and_never_an_exception():
    unsolvable = TOY_INSTANCES["jammed_above"]
    result = Planner(ToyWorld(unsolvable.kitchen)).plan(unsolvable.view, unsolvable.goal)
    assert not result and result.status is Status.UNSOLVABLE
    assert planner().plan(INSTANCE.view, INSTANCE.goal, Budget(expansions=0)).status is Status.UNSOLVABLE_WITHIN_BUDGET
    assert planner().plan(INSTANCE.view, INSTANCE.goal, Budget(seconds=0)).status is Status.TIMEOUT


BAD_MASKS = {
    "empty": (np.zeros(TOY_FRAME.shape, bool), "'drawer' is empty"),
    "shape": (np.ones((3, 4), bool), "shape \\(3, 4\\)"),
    "dtype": (np.ones(TOY_FRAME.shape), "float64"),
}


@pytest.mark.parametrize("case", BAD_MASKS)
def test_an_unusable_mask_is_named(case):
    mask, words = BAD_MASKS[case]
    result = planner().plan(INSTANCE.view, with_mask(mask))
    assert result.status is Status.INVALID_GOAL and re.search(words, result.message)


SENSELESS = {
    "on drawer": "what can be asked of 'drawer': closed(drawer), open(drawer)",
    "held knob": "on(knob)",
    "inside mug knob": "inside(mug, drawer)",
    "on_top mug drawer": "on_top(mug, board)",
    "open spoon": "known things: board, corner, drawer, knob, middle, mug",
    "inside mug mug": "into or onto itself",
    "inside mug drawer, inside drawer mug": "into or onto itself",
    "open drawer, closed drawer": "nothing is both at once",
    "on knob, off knob": "nothing is both at once",
    "held mug, inside mug drawer": "one place at a time",
    "on_top mug board, on_top mug middle": "one place at a time",
    "held mug, held knob": "one hand",
}


@pytest.mark.parametrize("words", SENSELESS)
def test_a_goal_that_makes_no_sense_is_refused_in_words(words: str):
    predicates = tuple(Predicate(kind, tuple(names)) for kind, *names in (part.split() for part in words.split(", ")))
    masks = {**ToyScene(INSTANCE.kitchen).masks(), "spoon": ToyScene(INSTANCE.kitchen).masks()["corner"]}
    masks["mug"] = np.roll(masks["mug"], 3, axis=1)
    result = planner().plan(INSTANCE.view, Goal(predicates, {n: Target(n, masks[n]) for p in predicates for n in p.arguments}))
    assert result.status is Status.INVALID_GOAL and SENSELESS[words] in result.message and not result.plan.steps


def test_two_names_of_one_thing_are_refused():
    mask = INSTANCE.goal.targets["drawer"].mask
    goal = Goal((Predicate("open", ("drawer",)), Predicate("closed", ("box",))), {n: Target(n, mask) for n in ("drawer", "box")})
    result = planner().plan(INSTANCE.view, goal)
    assert result.status is Status.INVALID_GOAL and "'drawer' and 'box' cover the same cells" in result.message


@pytest.mark.parametrize("name", [name for name in TOY_INSTANCES if name != "contradiction"])
def test_a_goal_that_makes_sense_is_not_refused_even_if_nothing_can_reach_it(name: str):
    instance = TOY_INSTANCES[name]
    result = Planner(ToyWorld(instance.kitchen)).plan(instance.view, instance.goal, Budget(expansions=1))
    assert result.status is not Status.INVALID_GOAL


def test_an_unusable_observation_is_a_status_with_its_message():
    result = planner().plan(Observation((), GripperState(0.0, False)), INSTANCE.goal)
    assert result.status is Status.INVALID_OBSERVATION and "no camera views" in result.message


def test_a_view_of_another_world_is_a_status_with_its_message():
    blank = np.zeros(TOY_FRAME.shape, np.float32)
    view = SpatialView(np.zeros((*TOY_FRAME.shape, 3), np.uint8), blank, blank > 0, False, TOY_FRAME)
    result = planner().plan(view, INSTANCE.goal)
    assert result.status is Status.INVALID_OBSERVATION and "ToyView" in result.message


def test_an_unknown_search_lists_what_exists():
    with pytest.raises(ConfigError, match="best_first"):
        planner(search="bestfirst")


def test_planning_changes_nothing_and_repeats():
    mine = planner(search="random")
    one, two = (mine.plan(INSTANCE.view, INSTANCE.goal, seed=4) for _ in range(2))
    assert one.plan.actions == two.plan.actions


@pytest.mark.parametrize(("familiarity", "told"), [(0.2, True), (0.9, False)])
def test_plans_in_a_place_that_is_not_familiar_promise_less_and_say_so(familiarity: float, told: bool, caplog: pytest.LogCaptureFixture):
    class Abroad(ToyWorld):
        def familiarity(self, node):
            return familiarity

    at_home, abroad = (Planner(world(INSTANCE.kitchen)).plan(INSTANCE.view, INSTANCE.goal) for world in (ToyWorld, Abroad))
    assert abroad.plan.actions == at_home.plan.actions and abroad.metrics["familiarity"] == familiarity
    assert abroad.plan.success_probability == pytest.approx(familiarity * at_home.plan.success_probability)
    assert ("unlike what the weights have learned from (familiarity 0.20)" in abroad.message) == told
    assert [record.getMessage() for record in caplog.records] == [abroad.message] * told
    assert "familiarity" not in at_home.metrics and not at_home.message


def test_a_world_that_cannot_tell_how_familiar_a_place_is_changes_nothing():
    class Unsure(ToyWorld):
        def familiarity(self, node):
            return None

    at_home, unsure = (Planner(world(INSTANCE.kitchen)).plan(INSTANCE.view, INSTANCE.goal) for world in (ToyWorld, Unsure))
    assert "familiarity" not in unsure.metrics and unsure.plan.success_probability == at_home.plan.success_probability

"""The planner answers every problem with a result, and bad input with a message that names it."""

import numpy as np
import pytest

from hiermap.agent.planner import Planner, check_goal
from hiermap.planners import Budget, Status
from hiermap.worlds.base import GripperState, Observation
from hiermap.worlds.errors import ConfigError, InvalidObservationError
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.imagined.toy import TOY_FRAME, TOY_INSTANCES, ToyWorld
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
    unsolvable = TOY_INSTANCES["contradiction"]
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
    with pytest.raises(InvalidObservationError, match=words):
        check_goal(with_mask(mask), TOY_FRAME)
    result = planner().plan(INSTANCE.view, with_mask(mask))
    assert result.status is Status.INVALID_OBSERVATION and "drawer" in result.message


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
def test_plans_in_a_place_that_is_not_familiar_promise_less_and_say_so(familiarity: float, told: bool):
    class Abroad(ToyWorld):
        def familiarity(self, node):
            return familiarity

    at_home, abroad = (Planner(world(INSTANCE.kitchen)).plan(INSTANCE.view, INSTANCE.goal) for world in (ToyWorld, Abroad))
    assert abroad.plan.actions == at_home.plan.actions and abroad.metrics["familiarity"] == familiarity
    assert abroad.plan.success_probability == pytest.approx(familiarity * at_home.plan.success_probability)
    assert ("unlike what the weights have learned from (familiarity 0.20)" in abroad.message) == told
    assert "familiarity" not in at_home.metrics and not at_home.message

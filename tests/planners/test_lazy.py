"""Lazy search: plans as good as those of a search that imagines everything, for a fraction of the imagining, however good the guesses."""

import pytest

from hiermap.planners import SearchOptions
from hiermap.worlds.check import check_world
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyWorld
from tests.planners.test_planners import Foreseeing, replay, search

SOLVABLE = [name for name, instance in TOY_INSTANCES.items() if instance.shortest is not None]


def test_with_right_guesses_plans_are_as_good_and_far_less_is_imagined():
    imagined = {True: 0, False: 0}
    for name in SOLVABLE:
        instance, plans = TOY_INSTANCES[name], {}
        for lazy in imagined:
            world = Foreseeing(instance.kitchen)
            plans[lazy] = search("best_first", world, instance, options=SearchOptions(lazy=lazy)).plan
            imagined[lazy] += world.imagined
        assert replay(instance, plans[True]) and plans[True].cost == pytest.approx(plans[False].cost)
    assert 0 < imagined[True] < 0.7 * imagined[False]


@pytest.mark.parametrize("name", SOLVABLE)
def test_wrong_guesses_cost_time_but_no_plan(name):
    instance = TOY_INSTANCES[name]
    world = Foreseeing(instance.kitchen, guess=lambda progress: 1.0 - progress)
    result = search("best_first", world, instance)
    assert result and replay(instance, result.plan)


def test_a_guess_that_the_goal_holds_is_no_plan():
    instance = TOY_INSTANCES["open_drawer"]
    result = search("best_first", Foreseeing(instance.kitchen, guess=lambda _: 1.0), instance)
    assert result.plan.steps[-1].after.state is not None and replay(instance, result.plan)


def test_a_world_without_foresight_is_searched_as_before():
    instance = TOY_INSTANCES["put_in_drawer"]
    world = Foreseeing(instance.kitchen)
    world.foresees = False
    plain, blind = search("best_first", ToyWorld(instance.kitchen), instance), search("best_first", world, instance)
    assert (plain.plan.cost, plain.metrics["generated"]) == (blind.plan.cost, blind.metrics["generated"])


def test_foresight_is_part_of_the_contract():
    instance = TOY_INSTANCES["open_drawer"]
    check_world(Foreseeing(instance.kitchen), instance.view, instance.goal)


@pytest.mark.parametrize("lazy", [True, False])
def test_no_step_of_a_fixture_takes_back_the_one_before_it(lazy):
    class Watched(Foreseeing):
        undone = 0

        def undoes(self, before, between, after):
            self.undone += super().undoes(before, between, after)
            return super().undoes(before, between, after)

    instance = TOY_INSTANCES["put_in_drawer"]
    world = Watched(instance.kitchen, guess=lambda _: 0.5)
    result = search("best_first", world, instance, options=SearchOptions(lazy=lazy))
    assert result and replay(instance, result.plan)
    assert 0 < world.undone <= result.metrics["duplicates"]

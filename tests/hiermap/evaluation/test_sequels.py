"""Goals in a row: a row counts as success only if as many were posed and reached as its suite asks for."""

from dataclasses import replace

import pytest

from hiermap.evaluation import problem
from hiermap.evaluation.episode_runner import NO_FURTHER_GOAL, Bench
from hiermap.evaluation.suites import SEQUELS, EvaluateOptions, Trial
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.kitchens import toy_task

OPTIONS = EvaluateOptions(suite="chain-2", out="runs/x", kitchen=KitchenOptions("toy"), world="simulator", maps="oracle", pictures=False)


@pytest.fixture
def two_goals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEQUELS, "chain-2", 2)  # the toy has no sequels of its own


def test_fewer_goals_than_asked_for_are_no_success(two_goals: None) -> None:
    row, pictures = Bench(OPTIONS)(Trial(0, 100_000, "chain-2"))
    assert (row.success, row.failure_reason, pictures) == (False, NO_FURTHER_GOAL, {})
    assert (row.primitives, row.replans) == (2, 0)


def test_a_further_goal_is_posed_where_the_first_has_left_the_scene(two_goals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def posed(suite: str, seed: int, *_: object) -> PosedTask:
        task = toy_task(suite, seed, None)
        again = replace(task, predicates=task.predicates[:1])  # which holds by then: nothing is left to do
        return replace(task, next=lambda number: again if number == 1 else None)

    monkeypatch.setitem(problem.KITCHENS, "toy", posed)
    row, _ = Bench(OPTIONS)(Trial(0, 100_000, "chain-2"))
    assert row.success and row.failure_reason == "" and row.chain_length == row.shortest == 6
    assert row.primitives >= 2 and row.plan_seconds > 0

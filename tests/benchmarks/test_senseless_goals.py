"""Goals that make no sense are refused in every world, goals that do are not."""

import importlib
from pathlib import Path

import pytest

from hiermap.agent.learned_maps import LazyWeights
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import planner_for, pose
from hiermap.evaluation.suites import RunOptions
from hiermap.planners import Budget, Status

SEEDS = (160010, 160011, 160012)
ORACLE = RunOptions(world="simulator", maps="oracle")


@pytest.fixture
def senseless(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("senseless_goals")


@pytest.fixture(scope="module")
def learned() -> Planner:
    return Planner.from_pretrained()


@pytest.mark.parametrize("seed", SEEDS)
def test_senseless_goals_are_refused_by_looks_and_by_rules(senseless, learned: Planner, seed: int) -> None:
    problem = pose("chain-3", seed, ORACLE)
    exact = planner_for(ORACLE, problem, LazyWeights("default"))
    for kind in senseless.KINDS:
        goal = senseless.senseless_goal(kind, problem, seed)
        for planner in (learned, exact):
            result = planner.plan(problem.view, goal, Budget(expansions=0))
            assert result.status is Status.INVALID_GOAL and result.message, (kind, str(goal))
    for planner in (learned, exact):
        assert planner.plan(problem.view, problem.goal, Budget(expansions=0)).status is not Status.INVALID_GOAL

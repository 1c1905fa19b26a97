"""The learned planner sees calibrated images, its own hand and first-view masks: it plans and acts where all else is out of reach."""

import inspect
import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from hiermap.agent.execute import execute
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Problem, pose
from hiermap.model.config import ModelConfig
from hiermap.model.world_model import HiermapModel
from hiermap.planners import Budget, PeakOptions, PlanResult, SearchOptions
from hiermap.worlds import oracle, rules, tasks
from hiermap.worlds.goals import Goal, Predicate
from hiermap.worlds.imagined import simulated
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.kitchen import scene_sampling
from hiermap.worlds.simulator import segmentation
from hiermap.worlds.simulator.kitchen import Kitchen

PRIVILEGED_ROOMS = (rules, oracle, tasks)
"""Whoever acts needs nothing of these."""
PRIVILEGED_MODULES = (
    *(import_module(f"{room.__name__}.{item.name}") for room in PRIVILEGED_ROOMS for item in iter_modules(room.__path__)),
    scene_sampling,
    segmentation,
    simulated,
)
"""Everything that knows the true state, the exact rules or the true geometry; a simulated robot is made of the rest."""
NOT_ON_A_ROBOT = ("mujoco", "robosuite", *(f"hiermap.worlds.{room}" for room in ("kitchen", "simulator", "rules", "oracle", "tasks")))
PRIVILEGED_OF_KITCHEN = ("scene", "set_scene", "masks", "upright", "_pose", "_held", "snapshot", "restore")
RAISED = 6.0
"""Added to the logits of an untrained model's maps, which would otherwise promise nothing."""
FEW = SearchOptions(peaks=PeakOptions(top_k=5))
BUDGET = Budget(seconds=60.0, expansions=3)
SMALL = ModelConfig(visible=8, memory=8, stem=8, context=8, encoder_blocks=1, dynamics_blocks=1, token=8)


class PrivilegedAccessError(AssertionError):
    """Something the robot cannot know was asked for."""


def planner() -> Planner:
    """An untrained model imagines nonsense, but looks at everything a trained one looks at; its maps are raised."""
    torch.manual_seed(3)  # one that does not believe the goal to hold at once
    model = HiermapModel(SMALL).eval()
    model.calibration[:, 1] = RAISED
    return Planner(LatentWorld(model), options=FEW)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return pose("chain-2", 150000)


def forbid(monkeypatch: pytest.MonkeyPatch, holder: object, name: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PrivilegedAccessError(f"{getattr(holder, '__name__', holder)}.{name}")

    monkeypatch.setattr(holder, name, refuse)


def functions_of(module: ModuleType) -> set[str]:
    return {name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)}


@pytest.fixture
def blindfold(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRIVILEGED_OF_KITCHEN:
        forbid(monkeypatch, Kitchen, name)
    for module in PRIVILEGED_MODULES:
        for name in functions_of(module) - {"KitchenScene"}:
            forbid(monkeypatch, module, name)
    # Sensor noise is seeded by the kitchen's number; nothing else of its description is left.
    kitchen = problem.task.scene
    monkeypatch.setattr(kitchen, "spec", SimpleNamespace(seed=kitchen.spec.seed))


def same_plan(first: PlanResult, second: PlanResult) -> bool:
    return (first.status, first.plan.actions, first.plan.cost) == (second.status, second.plan.actions, second.plan.cost)


def test_the_blindfold_covers_the_truth(problem: Problem, blindfold: None) -> None:
    with pytest.raises(PrivilegedAccessError):
        problem.task.scene.scene()
    with pytest.raises(PrivilegedAccessError):
        problem.truth()
    with pytest.raises(PrivilegedAccessError):
        rules.transitions.legal_moves(None, None)
    with pytest.raises(PrivilegedAccessError):
        oracle.affordances.oracle_maps(None, None, None, None)


def test_it_plans_with_every_privileged_accessor_raising(problem: Problem, request: pytest.FixtureRequest) -> None:
    free = planner().plan(problem.view, problem.goal, BUDGET)
    request.getfixturevalue("blindfold")
    blind = planner().plan(problem.view, problem.goal, BUDGET)
    assert blind.metrics["generated"] >= 3
    assert same_plan(free, blind)


def test_what_it_plans_does_not_depend_on_names(problem: Problem) -> None:
    names = {name: f"thing_{index}" for index, name in enumerate(problem.goal.targets)}
    targets = {names[name]: replace(target, name=names[name]) for name, target in problem.goal.targets.items()}
    predicates = tuple(Predicate(p.kind, tuple(names[a] for a in p.arguments)) for p in problem.goal.predicates)
    named = planner().plan(problem.view, problem.goal, BUDGET)
    assert same_plan(named, planner().plan(problem.view, Goal(predicates, targets), BUDGET))


def test_it_acts_and_replans_with_every_privileged_accessor_raising(problem: Problem, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("blindfold")
    thinker = planner()
    result = thinker.plan(problem.view, problem.goal, BUDGET)
    done = execute(problem.real, result, thinker, max_replans=2, max_primitives=2)
    assert done.failure_reason in ("", "too_many_primitives", "too_many_replans", "unsolvable_within_budget")
    assert len(done.steps) == 2 and all(step.report.duration > 0 for step in done.steps)


SCRIPT = """
import sys
import importlib.abc
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == banned or name.startswith(banned + ".") for banned in sys.argv[2].split(",")):
            raise ImportError(f"privileged: {name}")
sys.meta_path.insert(0, Refuse())
import json
import numpy as np
import torch
from hiermap.model.config import ModelConfig
from hiermap.model.world_model import HiermapModel
from hiermap.agent.planner import Planner
from hiermap.planners import Budget, PeakOptions, SearchOptions
from hiermap.worlds.base import CameraView, GripperState, Observation, RobotBody
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.latent import LatentWorld
with np.load(sys.argv[1]) as file:
    stored = {key: file[key] for key in file.files}
count = int(stored["count"])
fields = ("rgb", "depth", "K", "T_camera_to_world")
views = tuple(CameraView(**{name: stored[f"{name}_{i}"] for name in fields}) for i in range(count))
body = RobotBody(stored["centres_world"], stored["axes_world"], stored["half_sizes"])
seen = Observation(views, GripperState(float(stored["width"]), bool(stored["holding"])), body=body)
torch.manual_seed(3)
model = HiermapModel(ModelConfig.from_dict(json.loads(sys.argv[3]))).eval()
model.calibration[:, 1] = float(sys.argv[5])
planner = Planner(LatentWorld(model), options=SearchOptions(peaks=PeakOptions(top_k=5)))
result = planner.plan(seen, Goal.from_json(json.loads(sys.argv[4])), Budget(seconds=60.0, expansions=3))
print(json.dumps([str(result.status), [[a.primitive, *a.cell, a.rotation_index] for a in result.plan.actions]]))
"""


def test_it_plans_the_same_from_stored_images_where_neither_simulator_nor_rules_can_be_imported(tmp_path: Path) -> None:
    problem = pose("chain-2", 150000)
    here = planner().plan(problem.view, problem.goal, BUDGET)
    seen = problem.real.observe()
    fields = ("rgb", "depth", "K", "T_camera_to_world")
    arrays = {f"{name}_{i}": getattr(view, name) for i, view in enumerate(seen.views) for name in fields}
    arrays |= {name: getattr(seen.body, name) for name in ("centres_world", "axes_world", "half_sizes")}
    np.savez(tmp_path / "seen.npz", count=len(seen.views), width=seen.gripper.width, holding=seen.gripper.holding, **arrays)
    banned = ",".join(NOT_ON_A_ROBOT)
    goal = json.dumps(problem.goal.to_json())
    arguments = [sys.executable, "-c", SCRIPT, str(tmp_path / "seen.npz"), banned, json.dumps(SMALL.to_dict()), goal, str(RAISED)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = [str(here.status), [[a.primitive, *a.cell, a.rotation_index] for a in here.plan.actions]]
    assert json.loads(done.stdout.splitlines()[-1]) == expected

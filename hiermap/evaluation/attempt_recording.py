"""From an attempt to the recording that plan.json and the report show."""

from collections.abc import Mapping, Sequence

import numpy as np

from hiermap.agent.execute import ExecutedStep
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Attempt
from hiermap.planners import PlanStep
from hiermap.report.pictures import Picture
from hiermap.report.recording import RecordedView, Recording, StepRecord
from hiermap.worlds.base import Node
from hiermap.worlds.goals import in_words
from hiermap.worlds.perception.fusion import SpatialView


def recording_of(attempt: Attempt, planner: Planner, settings: Mapping) -> Recording:
    """Everything the report shows of an attempt: executed steps where there are any, else the planned ones."""
    result = attempt.result
    if attempt.execution is not None:
        steps = [_executed(step, attempt.truths[index : index + 2]) for index, step in enumerate(attempt.execution.steps)]
    else:
        steps = [_planned(attempt.problem.view, step) for step in result.plan.steps]
    outlines = {name: target.mask for name, target in attempt.problem.goal.targets.items()}
    seen = Picture(attempt.problem.view.rgb, outlines=outlines)
    return Recording(_summary(attempt, settings), steps, seen, result.graph)


def _summary(attempt: Attempt, settings: Mapping) -> dict:
    """The facts of plan.json; plain JSON."""
    problem, result, execution = attempt.problem, attempt.result, attempt.execution
    return {
        **result.to_json(),
        "task": problem.task.suite,
        "seed": problem.task.seed,
        "goal_words": in_words(problem.goal.predicates),
        "goal": problem.goal.to_json(),
        "shortest": problem.task.shortest,
        "detours": problem.task.detours,
        "n_planned": len(result.plan.steps),
        "cost": float(result.plan.cost),
        "success_probability": float(result.plan.success_probability),
        "plan_seconds": float(result.metrics.get("seconds", 0.0)),
        "execution": None
        if execution is None
        else {
            "success": bool(attempt.success),
            "failure_reason": attempt.failure_reason,
            "believed_success": bool(execution.success),
            "primitives": execution.primitives,
            "replans": execution.replans,
            "plan_seconds": execution.plan_seconds,
        },
        "settings": dict(settings),
        "sensing_notes": list(problem.view.notes),
    }


def _planned(view: SpatialView, step: PlanStep) -> StepRecord:
    views = {"before": _view(view, step.before, step.maps_before), "imagined": _view(view, step.after, step.maps)}
    return StepRecord(0, step.action, step.point_world, step.affordance, views)


def _executed(step: ExecutedStep, truths: Sequence[Mapping[str, bool]]) -> StepRecord:
    views = {
        "before": _view(step.before.view, step.before.node, step.before.maps, truths[0]),
        "imagined": _view(step.before.view, step.planned.after, step.planned.maps),
        "after": _view(step.after.view, step.after.node, step.after.maps, truths[-1]),
    }
    return StepRecord(step.plan, step.action, step.planned.point_world, step.affordance, views, step.report.reason)


def _view(view: SpatialView, node: Node, maps: np.ndarray, truth: Mapping[str, bool] | None = None) -> RecordedView:
    beliefs = {name: float(value) for name, value in node.predicates.items()}
    return RecordedView(view.rgb, maps.max(axis=1), beliefs, dict(truth or {}))

"""From an attempt to the recording that plan.json and the report show."""

from collections.abc import Mapping, Sequence

import numpy as np

from hiermap.agent.execute import ExecutedStep
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Attempt
from hiermap.planners import PlanResult
from hiermap.report.pictures import Picture
from hiermap.report.recording import RecordedView, Recording, StepRecord
from hiermap.worlds.base import Node
from hiermap.worlds.goals import in_words
from hiermap.worlds.perception.fusion import fuse


def recording_of(attempt: Attempt, planner: Planner, settings: Mapping) -> Recording:
    """Everything the report shows of an attempt: executed steps where there are any, else the planned ones."""
    problem, result = attempt.problem, attempt.result
    view = fuse(problem.observation)
    if attempt.execution is not None:
        steps = [_executed(step, attempt.truths[index : index + 2]) for index, step in enumerate(attempt.execution.steps)]
    else:
        believed = planner.predicates(result.plan.steps[0].before, problem.goal) if result.plan.steps else {}
        steps = _planned(result, view.rgb, believed)
    outlines = {name: target.mask for name, target in problem.goal.targets.items()}
    record = {**summary(attempt, settings), "sensing_notes": list(view.notes)}
    return Recording(record, steps, Picture(view.rgb, outlines=outlines), result.graph)


def summary(attempt: Attempt, settings: Mapping) -> dict:
    """The facts of plan.json; plain JSON."""
    problem, result, execution = attempt.problem, attempt.result, attempt.execution
    record = {
        **result.to_json(),
        "task": problem.task.name,
        "seed": problem.task.seed,
        "goal_words": in_words(problem.goal.predicates),
        "goal": problem.goal.to_json(),
        "shortest": problem.task.shortest,
        "detours": problem.task.detours,
        "n_planned": len(result.plan.steps),
        "cost": float(result.plan.cost),
        "success_probability": float(result.plan.success_probability),
        "plan_seconds": float(result.metrics.get("seconds", 0.0)),
        "execution": None,
        "settings": dict(settings),
    }
    if execution is not None:
        record["execution"] = {
            "success": bool(attempt.success),
            "failure_reason": attempt.failure_reason,
            "believed_success": bool(execution.success),
            "primitives": execution.primitives,
            "replans": execution.replans,
            "plan_seconds": execution.plan_seconds,
        }
    return record


def _planned(result: PlanResult, rgb: np.ndarray, believed: Mapping[str, float]) -> list[StepRecord]:
    records = []
    for step in result.plan.steps:
        views = {"before": _view(rgb, step.before, believed), "imagined": _view(rgb, step.after, step.predicates)}
        records.append(StepRecord(0, step.action, step.point_world, step.affordance, views))
        believed = step.predicates
    return records


def _executed(step: ExecutedStep, truths: Sequence[Mapping[str, bool]]) -> StepRecord:
    seen, now = fuse(step.before).rgb, fuse(step.after).rgb
    views = {
        "before": _view(seen, step.node_before, step.predicates_before, truths[0]),
        "imagined": _view(seen, step.planned.after, step.planned.predicates),
        "after": _view(now, step.node_after, step.predicates_after, truths[-1]),
    }
    return StepRecord(step.plan, step.action, step.planned.point_world, step.affordance, views, step.report.reason)


def _view(rgb: np.ndarray, node: Node, predicates: Mapping[str, float], truth: Mapping[str, bool] | None = None) -> RecordedView:
    beliefs = {name: float(value) for name, value in predicates.items()}
    return RecordedView(rgb, node.maps.max(axis=1), beliefs, dict(truth or {}))

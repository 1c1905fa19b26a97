"""From an attempt to the recording that plan.json and the report show."""

from collections.abc import Mapping, Sequence

import numpy as np

from hiermap.agent.execute import ExecutedStep
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Attempt
from hiermap.planners import PlanResult, PlanStep
from hiermap.primitives.specs import PRIMITIVES
from hiermap.report.pictures import best_over_rotations
from hiermap.report.recording import Look, Recording, StepRecord
from hiermap.worlds.base import Node, Observation
from hiermap.worlds.goals import Goal, in_words
from hiermap.worlds.perception.fusion import fuse


def recording_of(attempt: Attempt, planner: Planner, settings: Mapping) -> Recording:
    """Everything the report shows of an attempt: executed steps where there are any, else the planned ones."""
    problem, result = attempt.problem, attempt.result
    rgb = fuse(problem.observation).rgb
    if attempt.execution is not None:
        steps = [_executed(step, attempt.truths[index : index + 2]) for index, step in enumerate(attempt.execution.steps)]
    else:
        believed = planner.predicates(result.plan.steps[0].before, problem.goal) if result.plan.steps else {}
        steps = _planned(result, rgb, believed)
    first = steps[0].before if steps else Look(rgb, _heats_now(planner, problem.observation, problem.goal))
    path = [node for node, data in sorted(result.graph.nodes(data=True), key=lambda item: item[1]["depth"]) if data.get("on_plan")]
    return Recording(summary(attempt, settings), steps, first, result.graph, path)


def summary(attempt: Attempt, settings: Mapping) -> dict:
    """The facts of plan.json; plain JSON."""
    problem, result, execution = attempt.problem, attempt.result, attempt.execution
    record = {
        "task": problem.task.name,
        "seed": problem.task.seed,
        "goal_words": in_words(problem.goal.predicates),
        "goal": problem.goal.to_json(),
        "shortest": problem.task.shortest,
        "detours": problem.task.detours,
        "status": str(result.status),
        "message": result.message,
        "n_planned": len(result.plan.steps),
        "cost": float(result.plan.cost),
        "success_probability": float(result.plan.success_probability),
        "plan_seconds": float(result.metrics.get("seconds", 0.0)),
        "metrics": {key: float(value) for key, value in result.metrics.items()},
        "plan": result.plan.to_json(),
        "alternatives": [plan.to_json() for plan in result.alternatives],
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
        before = _look(rgb, step.before, believed)
        believed = step.predicates
        records.append(_record(0, step, before, _look(rgb, step.after, believed)))
    return records


def _executed(step: ExecutedStep, truths: Sequence[Mapping[str, bool]]) -> StepRecord:
    seen, now = fuse(step.before).rgb, fuse(step.after).rgb
    before = _look(seen, step.node_before, step.predicates_before, truths[0])
    imagined = _look(seen, step.planned.after, step.planned.predicates)
    after = _look(now, step.node_after, step.predicates_after, truths[-1])
    return _record(step.plan, step.planned, before, imagined, after, step)


def _record(
    plan: int, planned: PlanStep, before: Look, imagined: Look, after: Look | None = None, executed: ExecutedStep | None = None
) -> StepRecord:
    action = executed.action if executed is not None else planned.action
    return StepRecord(
        plan=plan,
        primitive=action.primitive,
        cell=(int(action.cell[0]), int(action.cell[1])),
        rotation_index=int(action.rotation_index),
        rotation=planned.rotation if executed is None else _rotation(executed),
        point_world=tuple(map(float, planned.point_world)) if planned.point_world is not None else None,  # type: ignore[arg-type]
        affordance=float(executed.affordance if executed is not None else planned.affordance),
        before=before,
        imagined=imagined,
        after=after,
        reason=executed.report.reason if executed is not None else "",
    )


def _rotation(step: ExecutedStep) -> str:
    return PRIMITIVES[step.action.primitive].rotations[step.action.rotation_index]


def _look(rgb: np.ndarray, node: Node, predicates: Mapping[str, float], truth: Mapping[str, bool] | None = None) -> Look:
    beliefs = {name: float(value) for name, value in predicates.items()}
    return Look(rgb, best_over_rotations(node.maps), beliefs, dict(truth or {}))


def _heats_now(planner: Planner, observation: Observation, goal: Goal) -> np.ndarray:
    return best_over_rotations(planner.look(observation, goal).maps)

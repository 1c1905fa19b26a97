"""From attempts to what people look at: the recording of plan.json, storyboards and films."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from hiermap.agent.execution import ExecutedStep
from hiermap.agent.planner import Planner
from hiermap.evaluation.problem import Attempt, Problem
from hiermap.planners import PlanStep
from hiermap.report.evaluation_page import STORIES, VIDEOS
from hiermap.report.pictures import Picture
from hiermap.report.recording import RecordedView, Recording, StepRecord
from hiermap.report.storyboard import PHOTO, deed, story
from hiermap.report.video import FPS, frames, mp4
from hiermap.report.video import PHOTO as VIDEO_PHOTO
from hiermap.worlds.base import Node, Picturing, World
from hiermap.worlds.goals import in_words
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.simulator.photograph import Portrait
from hiermap.worlds.simulator.robot_scene import RobotScene
from hiermap.worlds.tasks.kitchens import called_in


def recording_of(attempt: Attempt, planner: Planner, settings: Mapping) -> Recording:
    """Everything the report shows of an attempt: executed steps where there are any, else the planned ones."""
    result = attempt.result
    if attempt.execution is not None:
        steps = executed(attempt, planner.world)
    else:
        steps = [_planned(attempt.problem.view, step, planner.world) for step in result.plan.steps]
    called = called_in(attempt.problem.task.scene)
    outlines = {called.get(name, name): target.mask for name, target in attempt.problem.goal.targets.items()}
    seen = Picture(attempt.problem.view.rgb, outlines=outlines)
    return Recording(_summary(attempt, settings), steps, seen, result.graph)


def _summary(attempt: Attempt, settings: Mapping) -> dict:
    """The facts of plan.json; plain JSON."""
    problem, result, execution = attempt.problem, attempt.result, attempt.execution
    return {
        **result.to_json(),
        "task": problem.task.suite,
        "seed": problem.task.seed,
        "goal_words": in_words(problem.goal.predicates, called_in(problem.task.scene)),
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


def executed(attempt: Attempt, world: World) -> list[StepRecord]:
    """The steps of an attempt that was carried out."""
    steps = attempt.execution.steps if attempt.execution is not None else ()
    return [_executed(step, attempt.truths[index : index + 2], world) for index, step in enumerate(steps)]


def _planned(view: SpatialView, step: PlanStep, world: World) -> StepRecord:
    views = {"before": seen_view(view, step.before, step.maps_before), "imagined": imagined_view(view, step, world)}
    return StepRecord(0, step.action, step.point_world, step.affordance, views)


def _executed(step: ExecutedStep, truths: Sequence[Mapping[str, bool]], world: World) -> StepRecord:
    views = {
        "before": seen_view(step.before.view, step.before.node, step.before.maps, truths[0]),
        "imagined": imagined_view(step.before.view, step.planned, world),
        "after": seen_view(step.after.view, step.after.node, step.after.maps, truths[-1]),
    }
    return StepRecord(step.plan, step.action, step.planned.point_world, step.affordance, views, step.report.reason)


def seen_view(view: SpatialView, node: Node, maps: np.ndarray, truth: Mapping[str, bool] | None = None) -> RecordedView:
    """What is seen, with the `maps` `[P, R, H, W]` and beliefs of its node."""
    beliefs = {name: float(value) for name, value in node.predicates.items()}
    return RecordedView(view.rgb, maps.max(axis=1), beliefs, dict(truth or {}), np.where(view.valid, view.depth, np.nan))


def imagined_view(view: SpatialView, step: PlanStep, world: World) -> RecordedView:
    """What a step was expected to lead to, with the last real colours; its depth where the world pictures any."""
    depth = world.depth(step.after) if isinstance(world, Picturing) and step.after.state is not None else None
    return replace(seen_view(view, step.after, step.maps), depth=depth)


def filmed(problem: Problem, pictures: bool, video: bool) -> tuple[Problem, Film | None]:
    """The problem, acted in before a camera where pictures are wanted and there is something to photograph."""
    scene = problem.task.scene
    if not (pictures or video) or not isinstance(scene, RobotScene):
        return problem, None
    film = Film(problem.real, scene, FPS if video else 0)
    return replace(problem, real=film), film


def photographed(film: Film, attempts: Sequence[Attempt], world: World, video: bool, progress: bool = False) -> dict[str, bytes]:
    """As `pictured`, of an episode's goals one after another."""
    first, last, called = attempts[0].problem.task, attempts[-1], film.scene.called()
    goal = "; then ".join(in_words(done.problem.goal.predicates, called) for done in attempts)
    steps = [step for done in attempts for step in executed(done, world)] if video else []
    return pictured(film, {"task": first.suite, "seed": first.seed, "goal": goal}, last.failure_reason, steps, video, progress)


def pictured(
    film: Film, about: Mapping, failure_reason: str, steps: Sequence[StepRecord], video: bool, progress: bool = False
) -> dict[str, bytes]:
    """Folder of an evaluation -> the file there about an episode: a storyboard and, if wanted, a film.

    Args:
        about: task, seed and goal of a `Story`.
        steps: of every shot of a film, for what is shown beside it.
        progress: show a bar on stderr, for a film can take minutes.
    """
    told = {**about, "outcome": failure_reason or "solved", "success": not failure_reason}
    portrait, video = Portrait(film.scene, PHOTO), video and bool(film.shots)
    photos = len(film.shots) + 1 + sum(len(shot.states) for shot in film.shots if video)
    # Not a disabled bar: in a worker even that makes a semaphore, which nobody removes.
    bar = tqdm(total=photos, desc=f"photographs by {portrait.drawn_by}", file=sys.stderr) if progress else None
    with bar or nullcontext():
        files = {STORIES: story(film, _counting(portrait, bar), told).encode()}
        if video:
            words = [deed(shot, film.scene.called()) for shot in film.shots]
            files[VIDEOS] = mp4(frames(film.shots, words, steps, _counting(Portrait(film.scene, VIDEO_PHOTO), bar)))
    return files


def _counting(portrait: Portrait, bar: tqdm | None) -> Callable[[np.ndarray], np.ndarray]:
    """The portrait, which moves a bar on with every photograph."""
    if bar is None:
        return portrait

    def photograph(state: np.ndarray) -> np.ndarray:
        picture = portrait(state)
        bar.update()
        return picture

    return photograph

"""`hiermap plan`: one problem from its seed to plan.json, graph.graphml, pictures and, if asked for, the deed."""

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from hiermap.agent.learned_maps import LazyWeights
from hiermap.evaluation.attempt_recording import filmed, photographed, recording_of
from hiermap.evaluation.problem import Attempt, Problem, attempt, planner_for, pose
from hiermap.evaluation.suites import PlanOptions
from hiermap.model.locate import trained_on
from hiermap.planners import PlanResult, Status
from hiermap.report.evaluation_page import STORIES, VIDEOS
from hiermap.report.recording import FILM, STORY, Recording, StepRecord, save
from hiermap.report.storyboard import deed
from hiermap.report.video import check_installed
from hiermap.system.config import typed
from hiermap.system.files import write_atomically
from hiermap.system.provenance import settings
from hiermap.system.run_folder import clear, fingerprint, owned
from hiermap.worlds.goals import in_words
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.tasks.kitchens import called_in

DONE, FAILED, NO_PLAN, TIMEOUT = 0, 1, 3, 4
"""Exit codes of the command."""
NO_PART = ("out", "overwrite", "video")
"""Keys that a plan does not depend on."""
FILES = {STORIES: STORY, VIDEOS: FILM}
"""Folder of an evaluation -> the name that such a file of one plan has."""


def plan(config: Mapping[str, Any]) -> int:
    """Plan (and with execute=true carry out) the task of a seed; write and print what came of it.

    Returns:
        0 planned, or executed with the goal truly reached; 1 executed and not reached; 3 no plan, or a goal that makes no sense; 4 timeout.

    Raises:
        ConfigError: an unknown task, planner, world or maps, or a value out of its range.
    """
    options = typed(PlanOptions, config)
    if options.video:
        check_installed()
    weights_file = options.weights_file(options.task)
    about = settings(config, weights_file, trained_on(weights_file))
    run = {"command": "plan", **fingerprint(about, NO_PART)}
    with owned(options.out, run, options.overwrite, reads=[Path(options.weights)]) as out:
        problem = pose(options.task, options.seed, options)
        planner = planner_for(options, problem, LazyWeights(options.weights))
        problem, film = filmed(problem, options.execute, bool(options.video))
        _tell(f"goal    {in_words(problem.goal.predicates, called_in(problem.task.scene))}")
        done = attempt(problem, planner, options, act=options.execute, on_plan=lambda result: _tell(*plan_in_text(result)))
        recording = recording_of(done, planner, about)
        deeds = [] if film is None else [deed(shot, film.scene.called()) for shot in film.shots]
        _tell(*deeds_in_text(done, recording, deeds))
        clear(out, "plan")  # the same command may have found a longer plan before
        save(recording, out)
        if film is not None and done.execution is not None:  # a failed one, too
            for folder, content in photographed(film, [done], planner.world, bool(options.video), progress=True).items():
                write_atomically(out / FILES[folder], content)
    if options.video:
        _tell(f"film    {out / FILM if (out / FILM).exists() else f'none: {_unfilmed(problem, film, options)}'}")
    _tell(f"written {out}; pictures of it: hiermap report {out}")
    return exit_code(done)


def exit_code(done: Attempt) -> int:
    """What the command returns for an attempt."""
    if done.success is not None:
        return DONE if done.success else FAILED
    if done.result:
        return DONE
    return TIMEOUT if done.result.status is Status.TIMEOUT else NO_PLAN


def _tell(*lines: str) -> None:
    """On stdout at once: what comes next may take minutes."""
    for line in lines:
        print(line, flush=True)


def plan_in_text(result: PlanResult) -> list[str]:
    """What a search came to, for stdout."""
    plan, lines = result.plan, [f"status  {result.status}" + (f": {result.message}" if result.message else "")]
    return [*lines, f"plan    {len(plan)} steps, success {plan.success_probability:.2f}, cost {plan.cost:.1f} s"] if result else lines


def deeds_in_text(done: Attempt, recording: Recording, deeds: Sequence[str] = ()) -> list[str]:
    """A table of the steps and, once they were carried out, their `deeds` in words and the outcome, for stdout."""
    told = zip(recording.steps, chain(deeds, repeat("")), strict=False)
    lines = [f"{_step_text(index, step)}  {words}".rstrip() for index, (step, words) in enumerate(told, start=1)]
    if done.execution is not None:
        words = "the goal truly holds" if done.success else f"not solved: {done.failure_reason}"
        lines.append(f"outcome {words} after {done.execution.primitives} primitives and {done.execution.replans} replans")
    return lines


def _unfilmed(problem: Problem, film: Film | None, options: PlanOptions) -> str:
    """Why there is no film."""
    if film is None:
        return f"only a robot in a simulated scene is filmed, not a {problem.task.scene.__class__.__name__}"
    return "no primitive was run" if options.execute else "nothing is carried out without execute=true"


def _step_text(index: int, step: StepRecord) -> str:
    point = "(" + ", ".join(f"{value:.3f}" for value in step.point_world) + ") m" if step.point_world is not None else "-"
    after = f"{step.reason}  (replan {step.plan})" if step.plan else step.reason
    return f"{index:4d}    {step.action.primitive:7s} {step.rotation:12s} {point:24s} map {step.affordance:.2f}  {after}".rstrip()

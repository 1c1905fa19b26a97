"""The judge of single primitives: a motor program at the oracle's cell, or the peak of a learned map."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from hiermap.evaluation.attempt_recording import pictured
from hiermap.evaluation.problem import PHYSICS
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.suites import TRIAL_KITCHENS, EvaluateOptions, Trial
from hiermap.planners import Avoid, PeakOptions, candidates
from hiermap.planners.failure_memory import discounted, refused
from hiermap.primitives.specs import PRIMITIVES, Reason
from hiermap.report.evaluation_page import FAILURES
from hiermap.report.video import FPS
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.scene import RealWorld
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.tasks.posed_trials import PosedTrial
from hiermap.worlds.tasks.wide_trials import WideTrial

NO_CELL, NO_EFFECT = "no_visible_cell", "no_effect"
"""Reasons of failure that no motor program reports."""

TRIALS: Mapping[str, type[PosedTrial] | type[WideTrial]] = dict(zip(TRIAL_KITCHENS, (PosedTrial, WideTrial), strict=True))
"""By the name of a kitchen."""

Judged = tuple[EpisodeRow, Mapping[str, bytes]]
"""A row, and by folder of an evaluation the files about it."""
ANY_VALUE = 1e-6
"""A map that promises nothing anywhere still has a peak."""
MapsOf = Callable[[SpatialView], np.ndarray]
"""Learned maps `[P, R, H, W]` in [0, 1] of what is seen."""


def run_single(trial: Trial, maps_of: MapsOf | None, options: EvaluateOptions) -> Judged:
    """Apply one primitive once and judge its effect on the true state.

    Without `maps_of` the cell comes from privileged geometry for the trial's own move, which tests the motor program. With it, the cell is
    the highest peak of this primitive's map over the whole frame, on whichever thing that is, and what counts is the effect on that thing:
    the map promised one where it peaks. A peak on nothing that the primitive could move is a failure. What the arm refuses, because it does
    not reach there, has moved nothing: as in an execution, the next best is tried, `execution.refusals` times.
    """
    started = time.perf_counter()
    posed = TRIALS[options.kitchen.name](trial.suite, trial.seed, options.sensing, options.kitchen)
    video = trial.episode < options.video
    film = Film(posed.scene, posed.scene, FPS if video else 0)
    view = see(posed.scene.observe(), posed.scene.frame)
    planning = time.perf_counter()
    move: Move | None
    if maps_of is None:
        action, move = posed.oracle_action(view), posed.move
        planned = time.perf_counter()
        reason = NO_CELL if action is None else _apply(film, action, view)
    else:
        maps = maps_of(view)
        planned = time.perf_counter()
        action, reason = surest(film, maps, posed.move.primitive, view, options.execution.refusals)
        move = posed.meaning(action, view)
    success = reason != PHYSICS and move is not None and posed.had_effect(move)
    row = EpisodeRow(
        trial.episode,
        trial.seed,
        trial.suite,
        chain_length=1,
        detours=0,
        success=success,
        primitives=int(action is not None),
        shortest=1,
        replans=0,
        plan_seconds=planned - planning,
        failure_reason="" if success else Reason.NOTHING_THERE if move is None else NO_EFFECT if reason == Reason.DONE else reason,
        kind=posed.kind(posed.move if move is None else move),
        episode_seconds=time.perf_counter() - started,
    )
    files = {}
    if options.pictures and not success and reason != PHYSICS:
        files[FAILURES] = _picture(view, action, see(posed.scene.observe(), posed.scene.frame))
    if film.shots and (video or options.is_told(trial.episode, success)):
        about = {"task": row.task, "seed": row.seed, "goal": f"{posed.move.primitive} on the kind {row.kind.replace('_', ' ')}"}
        files |= pictured(film, about, row.failure_reason, (), video)
    return row, files


def _picture(before: SpatialView, action: Action | None, after: SpatialView) -> bytes:
    from hiermap.report.pictures import Picture, png  # matplotlib, which most workers never need

    return png([Picture(before.rgb, action=action), Picture(after.rgb)])


def peak(maps: np.ndarray, primitive: str) -> Action:
    """The most promising action of one primitive in maps `[P, R, H, W]`: what a planner would try first (the middle of a flat peak)."""
    index = list(PRIMITIVES).index(primitive)
    only = np.zeros(maps.shape)
    only[index] = np.maximum(maps[index].astype(float), ANY_VALUE)
    return candidates(only, PeakOptions(threshold=ANY_VALUE, top_k=1, per_effect=1))[0].action


def surest(real: RealWorld, maps: np.ndarray, primitive: str, view: SpatialView, refusals: int) -> tuple[Action, str]:
    """The most promising action that the arm does not refuse, of a few at most, and how it went."""
    avoid: tuple[Avoid, ...] = ()
    action = peak(maps, primitive)
    while (reason := _apply(real, action, view)) == Reason.UNREACHABLE and len(avoid) < refusals:
        avoid = refused(avoid, action)
        action = peak(discounted(maps, avoid), primitive)
    return action, reason


def _apply(real: RealWorld, action: Action, view: SpatialView) -> str:
    """Run the action; the motor program's reason, or why it could not be run or judged."""
    try:
        return real.act(action, view).reason
    except PhysicsError:
        return PHYSICS
    except InvalidObservationError:
        return NO_CELL

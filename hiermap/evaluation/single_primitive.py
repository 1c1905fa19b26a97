"""The judge of single primitives: a motor program at the oracle's cell, or the peak of a learned map."""

import time
from collections.abc import Callable

import numpy as np

from hiermap.evaluation.problem import PHYSICS
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.suites import Trial
from hiermap.planners import PeakOptions, candidates
from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.primitives.specs import PRIMITIVES, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.scene import Scene
from hiermap.worlds.tasks.posed_trials import PosedTrial

NO_CELL, NO_EFFECT = "no_visible_cell", "no_effect"
"""Reasons of failure that no motor program reports."""

Judged = tuple[EpisodeRow, bytes | None]
"""A row and, where a failure was to be pictured, a PNG."""
ANY_VALUE = 1e-6
"""A map that promises nothing anywhere still has a peak."""
MapsOf = Callable[[SpatialView], np.ndarray]
"""Learned maps `[P, R, H, W]` in [0, 1] of what is seen."""


def run_single(trial: Trial, maps_of: MapsOf | None, pictures: bool, sensing: SensingOptions | None = None, arm: ArmSpec = PANDA) -> Judged:
    """Apply one primitive once and judge its effect on the true state.

    Without `maps_of` the cell comes from privileged geometry for the trial's own move, which tests the motor program. With it, the cell is
    the highest peak of this primitive's map over the whole frame, on whichever thing that is, and what counts is the effect on that thing:
    the map promised one where it peaks. A peak on nothing that the primitive could move is a failure.
    """
    started = time.perf_counter()
    posed = PosedTrial(trial.suite, trial.seed, sensing, arm)
    view = see(posed.scene.observe(), posed.scene.frame)
    planning = time.perf_counter()
    move: Move | None
    if maps_of is None:
        action, move = posed.oracle_action(view), posed.move
    else:
        action = peak(maps_of(view), posed.move.primitive)
        move = posed.meaning(action, view)
    planned = time.perf_counter()
    reason = NO_CELL if action is None else _apply(posed.scene, action, view)
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
    shown = pictures and not success and reason != PHYSICS
    return row, _picture(view, action, see(posed.scene.observe(), posed.scene.frame)) if shown else None


def _picture(before: SpatialView, action: Action | None, after: SpatialView) -> bytes:
    from hiermap.report.pictures import Picture, png  # matplotlib, which most workers never need

    return png([Picture(before.rgb, action=action), Picture(after.rgb)])


def peak(maps: np.ndarray, primitive: str) -> Action:
    """The most promising action of one primitive in maps `[P, R, H, W]`: what a planner would try first (the middle of a flat peak)."""
    index = list(PRIMITIVES).index(primitive)
    only = np.zeros(maps.shape)
    only[index] = np.maximum(maps[index].astype(float), ANY_VALUE)
    return candidates(only, PeakOptions(threshold=ANY_VALUE, top_k=1, per_effect=1))[0].action


def _apply(scene: Scene, action: Action, view: SpatialView) -> str:
    """Run the action; the motor program's reason, or why it could not be run or judged."""
    try:
        return scene.act(action, view).reason
    except PhysicsError:
        return PHYSICS
    except InvalidObservationError:
        return NO_CELL

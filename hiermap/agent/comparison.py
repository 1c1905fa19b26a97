"""What is seen against what was imagined: where a planned step belongs, whether it had its effect, whether steps led in a circle."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hiermap.agent.execution import ExecutedStep
from hiermap.agent.options import ExecutionOptions
from hiermap.planners import PlanStep
from hiermap.planners.candidates import EFFECTS
from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, Foresight, Node, World
from hiermap.worlds.perception.fusion import SpatialView

RAISED_M = 0.015
"""What is seen this much nearer than before is something that was not there."""
THING, PIECE = 15, 6
"""Cells of a thing that was set down in full sight, and of a piece of one."""
ASTRAY = 6
"""What stands more cells than this from where it was to be put is somewhere else."""


def change_seen(planned: PlanStep, before: np.ndarray, now: np.ndarray) -> float:
    """Share of the imagined change of the maps that two real maps show: their change projected onto it; NaN if none was imagined."""
    wanted, got = planned.maps - planned.maps_before, now - before
    size = float((wanted * wanted).sum())
    return float((wanted * got).sum()) / size if size > 1e-9 else float("nan")


def believe_effect(report: PrimitiveResult, seen: float, options: ExecutionOptions) -> bool:
    """Whether a step had its effect, from the motor program's report and the share of the imagined change that is seen."""
    if np.isnan(seen):
        return report.succeeded
    return seen >= (options.seen_if_reported if report.succeeded else options.seen_if_not)


def stands_elsewhere(before: SpatialView, now: SpatialView, cell: tuple[int, int]) -> bool:
    """Whether what the hand let go is seen, and not at the cell where it was to be put down."""
    nearer = before.valid & now.valid & (before.depth - now.depth > RAISED_M)
    pieces, _ = ndimage.label(nearer)
    sizes = np.bincount(pieces.ravel())[1:]
    if sizes.max(initial=0) < THING:
        return False
    (row, column), reach = cell, ASTRAY
    around = pieces[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
    return not any(sizes[piece - 1] >= PIECE for piece in np.unique(around) if piece)


def aim(planned: PlanStep, maps: np.ndarray, options: ExecutionOptions) -> tuple[Action, float]:
    """Where to apply a planned step in the real `maps` `[P, R, H, W]`, and their value there.

    The imagined cell is kept blindly, or while the real map is nearly as good there as was imagined, and as it is around; otherwise climb
    its slope, a few cells at most, so as to stay on the same thing, with the best orientation of the same effect.
    """
    action, reach = planned.action, options.aim_cells
    effect = next(e for e in EFFECTS if e.primitive == action.primitive and action.rotation_index in e.rotations)
    bins = maps[effect.channel, list(effect.rotations)]
    at = (effect.rotations.index(action.rotation_index), *action.cell)
    if options.blind:
        return action, float(bins[at])
    # What was imagined poor may be good where it is seen: near the best around is near enough.
    best = _best_around(bins, at, reach)
    for _ in range(options.aim_steps if bins[at] < options.good_affordance * max(planned.success, bins[best]) else 0):
        at, best = best, _best_around(bins, best, reach)
    bin_, row, column = at
    return Action(action.primitive, (row, column), effect.rotations[bin_]), float(bins[at])


def _best_around(bins: np.ndarray, at: tuple[int, int, int], reach: int) -> tuple[int, int, int]:
    """Bin and cell of the highest value of `bins` `[R, H, W]` at most `reach` cells away, `at` itself if none is higher."""
    _, row, column = at
    top, left = max(row - reach, 0), max(column - reach, 0)
    window = bins[:, top : row + reach + 1, left : column + reach + 1]
    index, down, right = np.unravel_index(int(window.argmax()), window.shape)
    best = int(index), top + int(down), left + int(right)
    return best if bins[best] > bins[at] else at


def came_back(world: World, steps: Sequence[ExecutedStep], starts: Sequence[int], now: Node) -> Sequence[ExecutedStep]:
    """The steps that led from where one of the plans set out (`starts`: how many steps were done by then) back to the same place.

    Two moments are the same where, seen from every moment between, they differ from it in the same way. Only the shortest circle counts,
    and of it what had an effect: after a step in vain a moment differs from those beside it by noise alone.
    """
    for start in reversed(starts):
        circle = [step for step in steps[start:] if step.effect]
        between = [step.after.node for step in circle[:-1]]
        if between and isinstance(world, Foresight) and all(world.twins(node, [circle[0].before.node, now])[1] == 0 for node in between):
            return circle
    return ()

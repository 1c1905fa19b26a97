"""Choosing the arm's branch: of all ways to bring the hand somewhere, the one that stays far from limits, singularities and long turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.control import GivenUp
from hiermap.primitives.motion.kinematics import SerialChain, distinct, line
from hiermap.primitives.specs import Reason

APPROACH_POINTS = 5
"""Way-points of a straight approach."""
TURN_WEIGHT = 0.7
"""Cost per radian of the joint that turns most from the ready pose."""
MARGIN_RAD, MARGIN_WEIGHT = 0.25, 4.0
CONDITION, CONDITION_WEIGHT = 0.12, 12.0
"""Joint margins and singular values below these cost this much per unit."""
LOST_COST = 2.5
"""Cost of a look-ahead path of which nothing can be reached; proportionally less for later losses."""
SAG_WEIGHT = 4.0
"""Cost per metre of wrist below the hand: open drawers, oven doors and the counter are there."""
MERGE_RAD = 0.1
"""Solutions nearer than this are the same branch."""


@dataclass(frozen=True, eq=False)
class Option:
    """One way to place the hand.

    Attributes:
        rotation: of the hand at contact, [3, 3].
        contact, standoff: hand positions [3] [m]; the approach is the straight line between them.
        cost: dislike of this option (pitch and the like).
        ahead: look-ahead paths from the contact on, each (rotations [K, 3, 3], positions [K, 3]).
        ahead_weight: factor on what they cost.
    """

    rotation: np.ndarray
    contact: np.ndarray
    standoff: np.ndarray
    cost: float = 0.0
    ahead: Sequence[tuple[np.ndarray, np.ndarray]] = ()
    ahead_weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Reach:
    """The branch chosen: `option`, joint `approach` [K, n] from standoff to contact, and its `cost`."""

    option: Option
    approach: np.ndarray
    cost: float


def best_reach(arm: Arm, options: Iterable[Option]) -> Reach:
    """The cheapest branch over all options; raises GivenUp when none can be reached with its whole approach."""
    best: Reach | None = None
    for option in sorted(options, key=lambda option: option.cost):
        if best is None or option.cost <= best.cost:
            best = _better_branch(arm.chain, arm.ready, arm.postures, option, best)
    if best is None:
        raise GivenUp(Reason.UNREACHABLE)
    return best


def _better_branch(chain: SerialChain, ready: np.ndarray, postures: np.ndarray, option: Option, best: Reach | None) -> Reach | None:
    """The cheapest branch of this option or `best`, whichever is cheaper."""
    q, reached = chain.solve(postures, option.rotation, option.contact, ready)
    q = q[reached]
    q = q[distinct(q, MERGE_RAD)]
    # The contact alone tells the least that a branch costs.
    q = q[option.cost + TURN_WEIGHT * np.abs(q - ready).max(axis=1) < (np.inf if best is None else best.cost)]
    if len(q) == 0:
        return best
    path, whole, soft = _followed(chain, q, option.rotation, line(option.contact, option.standoff, APPROACH_POINTS))
    cost = option.cost + TURN_WEIGHT * np.abs(path[:, [0, -1]] - ready).max(axis=(1, 2)) + soft.max(axis=1)
    # A branch that jumps between two way-points is not a straight line of the hand.
    straight = whole.all(axis=1) & (np.abs(np.diff(path, axis=1)).max(axis=(1, 2)) <= 0.6)
    # Looking ahead costs most, and what it finds only makes a branch dearer.
    hopeful = np.flatnonzero(straight & (cost < (np.inf if best is None else best.cost)))
    if hopeful.size == 0:
        return best
    total = cost[hopeful] + _ahead_cost(chain, q[hopeful], option)
    k = int(np.argmin(total))
    return Reach(option, path[hopeful[k], ::-1].copy(), float(total[k])) if best is None or total[k] < best.cost else best


def _ahead_cost(chain: SerialChain, q: np.ndarray, option: Option) -> np.ndarray:
    """What the look-ahead paths cost each branch [N, n], averaged over the paths: [N]."""
    total = np.zeros(len(q))
    for rotations, positions in option.ahead:
        _path, reached, soft = _followed(chain, q, rotations, positions)
        lost = 1.0 - np.cumprod(reached, axis=1).mean(axis=1)
        total += LOST_COST * lost + np.where(reached, soft, 0.0).max(axis=1)
    return option.ahead_weight * total / max(1, len(option.ahead))


def _followed(chain: SerialChain, q: np.ndarray, rotations: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Branches [N, n] along K poses: angles [N, K, n], reached [N, K], and the cost [N, K] of limits, singularities and wrist sag."""
    path, reached, condition, sag = chain.follow(q, rotations, positions)
    margin = MARGIN_WEIGHT * np.clip(MARGIN_RAD - np.minimum(path - chain.lower, chain.upper - path).min(axis=2), 0, None)
    return path, reached, margin + CONDITION_WEIGHT * np.clip(CONDITION - condition, 0, None) + SAG_WEIGHT * sag


def straight(rotation: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A look-ahead path: the hand carried from `start` to `end` [3] without turning."""
    return np.broadcast_to(rotation, (5, 3, 3)), line(start, end, 6)[1:]

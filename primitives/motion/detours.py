"""The way between a standoff and the ready pose: of several detours, the one that sweeps the least through where doors may stand open."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from hiermap.primitives.motion.kinematics import UP, SerialChain, length_of, rotation_error, turned_about

CROWDED_X_M, CLEAR_Z_M = 0.40, 0.62
"""Farther out than this and lower than that, neighbours may stand open."""
DRAWERS_Z_M = 0.34
"""Below this, drawers may stand open as far out as the start itself."""
SIDEWAYS_WEIGHT, FORWARD_WEIGHT, LENGTH_WEIGHT, DOWN_WEIGHT = 6.0, 12.0, 0.25, 6.0
"""Costs per metre of sideways, forward and downward motion of the hand in the crowded part, and per radian of path."""
NEAR_X_M, HIGH_Z_M = 0.36, 0.52
"""Where a detour ends before the joints turn to the ready pose."""
LOW_WEIGHT = 10.0
"""Cost per metre that the hand sinks below where it starts."""
SAMPLES = 16
JUMP_RAD = 0.9
"""Consecutive way-points farther apart than this belong to different branches."""
Detour = list[tuple[np.ndarray, float]]
"""Hand positions [3] [m], each with the share of the turn to the ready orientation that is done there."""


def way_out(chain: SerialChain, start: np.ndarray, ready: np.ndarray, rise: float = 0.0) -> np.ndarray:
    """Joint way-points [K, 7] from `start` [7] (left out) to `ready` (last), first up by `rise` [m] as far as it can be reached."""
    position = chain.forward(start)[1]
    lift = _joints(chain, start, ready, [(position + rise * UP, 0.0)] if rise > 0 else [])
    ways = [_joints(chain, start, ready, detour) for detour in _detours(position, rise)]
    ways.append(lift)
    # Folding shoulder and elbow draws the hand back whatever its orientation: always possible, where straight lines may not be.
    for shoulder, elbow in product((0.25, 0.5, 0.75), (0.0, 0.3, 0.6)):
        folded = (lift[-1] if lift else start) - np.array([0.0, shoulder, 0.0, elbow, 0.0, 0.0, 0.0])
        ways.append([*lift, np.clip(folded, chain.lower + 0.05, chain.upper - 0.05)])
    wholes = [np.vstack([*path, ready]) for path in ways]
    return min(wholes, key=lambda whole: _cost(chain, np.vstack([start, whole]), position))


def _detours(p: np.ndarray, rise: float) -> Iterator[Detour]:
    lifted = p + rise * UP
    first = [(lifted, 0.0)] if rise > 0 else []
    near = np.array([min(p[0], NEAR_X_M), p[1], lifted[2]])
    nearer = np.array([min(p[0], NEAR_X_M), 0.7 * p[1], max(lifted[2], HIGH_Z_M)])
    for share in (0.0, 0.35, 0.7):
        yield [*first, (near, share)]
        yield [*first, (near, share), (nearer, max(share, 0.5))]
        yield [*first, (nearer, share)]
        yield [*first, (np.array([p[0] - 0.10, p[1], max(lifted[2], CLEAR_Z_M)]), share), (nearer, 0.8)]
        if rise == 0:
            yield [(p + np.array([-0.12, 0.0, 0.0]), 0.5 * share), (nearer, share)]


def _joints(chain: SerialChain, start: np.ndarray, ready: np.ndarray, detour: Detour) -> list[np.ndarray]:
    """Joints along the straight pieces of a detour, up to the first that cannot be reached."""
    rotation, here, _ = chain.forward(start)
    turn = rotation_error(chain.forward(ready)[0], rotation)
    angle = length_of(turn)
    axis = turn / angle if angle > 1e-9 else UP
    result: list[np.ndarray] = []
    q, share = start, 0.0
    for point, wanted in detour:
        steps = max(2, int(np.ceil(length_of(point - here) / 0.06)))
        along = np.linspace(0, 1, steps + 1)[1:]
        rotations = np.array([turned_about(axis, (share + s * (wanted - share)) * angle) @ rotation for s in along])
        path, reached, *_ = chain.follow(q[None], rotations, here + along[:, None] * (point - here))
        for row, good in zip(path[0], reached[0], strict=True):
            if not good or np.abs(row - q).max() > JUMP_RAD:
                return result
            q = row
            result.append(q)
        here, share = point, wanted
    return result


def _cost(chain: SerialChain, path: np.ndarray, start: np.ndarray) -> float:
    """Sweep of the hand through the crowded part, plus the path's length in joint space."""
    lengths = np.abs(np.diff(path, axis=0)).max(axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if along[-1] < 1e-6:
        return 0.0
    at = np.linspace(0, along[-1], SAMPLES)
    joints = np.column_stack([np.interp(at, along, path[:, j]) for j in range(path.shape[1])])
    hand = np.array([chain.forward(q)[1] for q in joints])
    step = np.diff(hand, axis=0)
    middle = 0.5 * (hand[1:] + hand[:-1])
    # Crowding fades out over 12 cm toward the robot and upward.
    near = np.where(middle[:, 2] < DRAWERS_Z_M, min(CROWDED_X_M, start[0]), CROWDED_X_M)
    crowded = np.clip((middle[:, 0] - near) / 0.12 + 0.5, 0, 1) * np.clip((CLEAR_Z_M - middle[:, 2]) / 0.12 + 0.5, 0, 1)
    sideways = np.abs(step[:, 1]) @ crowded
    forward = np.clip(step[:, 0], 0, None) @ crowded
    down = np.clip(-step[:, 2], 0, None) @ crowded
    beyond = (np.clip(hand[:, 0] - start[0] - 0.01, 0, None) * np.clip((CLEAR_Z_M - hand[:, 2]) / 0.15, 0, 1)).max()
    low = np.clip(min(start[2] - 0.03, HIGH_Z_M) - hand[:, 2], 0, None).max()
    sweep = SIDEWAYS_WEIGHT * sideways + FORWARD_WEIGHT * (forward + beyond) + DOWN_WEIGHT * down
    return float(sweep + LOW_WEIGHT * low + LENGTH_WEIGHT * along[-1])

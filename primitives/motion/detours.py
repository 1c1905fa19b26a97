"""The way between a standoff and the ready pose: of several detours, the one that sweeps the least through where doors may stand open."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.kinematics import UP, SerialChain, apart, forward_into, length_of, rotation_error, turns_about

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
Leg = tuple[list[np.ndarray], bool]
"""Joints [n] along one straight piece, and whether all of it was reached."""


def way_out(arm: Arm, start: np.ndarray, ready: np.ndarray, rise: float = 0.0) -> np.ndarray:
    """Joint way-points [K, n] from `start` [n] (left out) to `ready` (last), first up by `rise` [m] as far as it can be reached."""
    chain = arm.chain
    position = chain.forward(start)[1]
    known: dict[bytes, Leg] = {}
    lift = _joints(chain, start, ready, [(position + rise * UP, 0.0)] if rise > 0 else [], known)
    ways = [_joints(chain, start, ready, detour, known) for detour in _detours(position, rise)]
    ways.append(lift)
    # Folding shoulder and elbow draws the hand back whatever its orientation: always possible, where straight lines may not be.
    for shoulder, elbow in product((0.25, 0.5, 0.75), (0.0, 0.3, 0.6)):
        folded = (lift[-1] if lift else start) - (shoulder * arm.folding[0] + elbow * arm.folding[1])
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


def _joints(chain: SerialChain, start: np.ndarray, ready: np.ndarray, detour: Detour, known: dict[bytes, Leg]) -> list[np.ndarray]:
    """Joints along the straight pieces of a detour, up to the first that cannot be reached; `known` keeps pieces that detours share."""
    rotation, here, _ = chain.forward(start)
    turn = rotation_error(chain.forward(ready)[0], rotation)
    angle = length_of(turn)
    axis = turn / angle if angle > 1e-9 else UP
    result: list[np.ndarray] = []
    q, share, key = start, 0.0, b""
    for point, wanted in detour:
        key += np.append(point, wanted).tobytes()
        if key not in known:
            steps = max(2, int(np.ceil(length_of(point - here) / 0.06)))
            along = np.append(np.arange(1, steps) * (1.0 / steps), 1.0)
            rotations = turns_about(axis, (share + along * (wanted - share)) * angle) @ rotation
            known[key] = _leg(chain, q, rotations, here + along[:, None] * (point - here))
        rows, whole = known[key]
        result.extend(rows)
        if not whole:
            break
        q, here, share = rows[-1], point, wanted
    return result


def _leg(chain: SerialChain, q: np.ndarray, rotations: np.ndarray, positions: np.ndarray) -> Leg:
    path, reached, *_ = chain.follow(q[None], rotations, positions)
    jumps = np.abs(np.diff(path[0], axis=0, prepend=q[None])).max(axis=1) > JUMP_RAD
    lost = np.flatnonzero(jumps | ~reached[0])
    return list(path[0, : lost[0] if lost.size else None]), lost.size == 0


def _cost(chain: SerialChain, path: np.ndarray, start: np.ndarray) -> float:
    """Sweep of the hand through the crowded part, plus the path's length in joint space."""
    hand = np.empty((SAMPLES, 3))
    length = _sample(path, chain.offset, chain.turn, hand)
    return 0.0 if length < 1e-6 else _sweep(hand, start) + LENGTH_WEIGHT * length


@compiled
def _sample(path, offset, turn, hand):
    """The length [rad] of `path` [K, n], by its fastest joint; `hand` [S, 3] becomes the hand's positions evenly along it."""
    K, n = path.shape
    along, q = np.zeros(K), np.empty(n)
    for k in range(1, K):
        along[k] = along[k - 1] + apart(path[k], path[k - 1])
    frame, k = (np.empty((3, 3)), np.empty(3), np.empty((6, n)), np.empty((n, 3))), 1
    for i in range(hand.shape[0]):
        at = along[K - 1] * i / (hand.shape[0] - 1)
        while k < K - 1 and along[k] < at:
            k += 1
        share = min(1.0, (at - along[k - 1]) / max(along[k] - along[k - 1], 1e-12))
        for j in range(n):
            q[j] = path[k - 1, j] + share * (path[k, j] - path[k - 1, j])
        forward_into(q, offset, turn, *frame)
        for r in range(3):
            hand[i, r] = frame[1][r]
    return along[K - 1]


@compiled
def _sweep(hand, start):
    """What the positions [S, 3] of a hand that comes from or goes to `start` [3] cost."""
    cost, beyond, low = 0.0, 0.0, 0.0
    for i in range(hand.shape[0]):
        x, z = hand[i, 0], hand[i, 2]
        beyond = max(beyond, max(x - start[0] - 0.01, 0.0) * _share((CLEAR_Z_M - z) / 0.15))
        low = max(low, min(start[2] - 0.03, HIGH_Z_M) - z)
        if i == 0:
            continue
        x, z = 0.5 * (x + hand[i - 1, 0]), 0.5 * (z + hand[i - 1, 2])
        # Crowding fades out over 12 cm toward the robot and upward.
        near = min(CROWDED_X_M, start[0]) if z < DRAWERS_Z_M else CROWDED_X_M
        crowded = _share((x - near) / 0.12 + 0.5) * _share((CLEAR_Z_M - z) / 0.12 + 0.5)
        dx, dy, dz = hand[i, 0] - hand[i - 1, 0], hand[i, 1] - hand[i - 1, 1], hand[i, 2] - hand[i - 1, 2]
        cost += crowded * (SIDEWAYS_WEIGHT * abs(dy) + FORWARD_WEIGHT * max(dx, 0.0) + DOWN_WEIGHT * max(-dz, 0.0))
    return cost + FORWARD_WEIGHT * beyond + LOW_WEIGHT * low


@compiled
def _share(value):
    return min(max(value, 0.0), 1.0)

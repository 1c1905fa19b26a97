"""Kinematics of a serial chain of revolute joints: forward, Jacobian and inverse, compiled for branch search asks thousands of times."""

from dataclasses import dataclass

import numpy as np

from hiermap.primitives.compiled import compiled

UP = np.array([0.0, 0.0, 1.0])
"""World z."""
JOINT_MARGIN_RAD = 0.03
"""Inverse kinematics keeps this far from the joint limits."""
POSITION_TOLERANCE_M, ANGLE_TOLERANCE_RAD = 1e-3, 5e-3
"""A pose within these counts as reached."""
DAMPING = 0.02
"""Of the least-squares step; larger is safer near singularities and slower."""
POSTURE_GAIN = 0.1
"""Pull of the null space toward the posture, per iteration."""
PATIENCE, PROGRESS = 8, 0.8
"""A search whose error has not fallen to this share within so many iterations is given up: most that fail are stuck at a limit."""


@compiled
def forward_into(q, offset, turn, R, p, jacobian, origins):
    """Tool rotation [3, 3], position [3], Jacobian [6, n] (linear above angular) and joint origins [n, 3], base axes."""
    n = q.shape[0]
    T = np.empty((3, 3))
    for r in range(3):
        p[r] = 0.0
        for c in range(3):
            T[r, c] = 1.0 if r == c else 0.0
    # Loops instead of `@`: BLAS calls cost more than these nine products, and wake its threads.
    for i in range(n + 1):
        for r in range(3):
            p[r] += T[r, 0] * offset[i, 0] + T[r, 1] * offset[i, 1] + T[r, 2] * offset[i, 2]
            for c in range(3):
                R[r, c] = T[r, 0] * turn[i, 0, c] + T[r, 1] * turn[i, 1, c] + T[r, 2] * turn[i, 2, c]
        if i == n:
            break
        cosine, sine = np.cos(q[i]), np.sin(q[i])
        for r in range(3):
            origins[i, r] = p[r]
            jacobian[3 + r, i] = R[r, 2]
            T[r, 0] = cosine * R[r, 0] + sine * R[r, 1]
            T[r, 1] = cosine * R[r, 1] - sine * R[r, 0]
            T[r, 2] = R[r, 2]
    for i in range(n):
        dx, dy, dz = p[0] - origins[i, 0], p[1] - origins[i, 1], p[2] - origins[i, 2]
        ax, ay, az = jacobian[3, i], jacobian[4, i], jacobian[5, i]
        jacobian[0, i] = ay * dz - az * dy
        jacobian[1, i] = az * dx - ax * dz
        jacobian[2, i] = ax * dy - ay * dx


@compiled
def rotation_error_into(target, current, v):
    """Rotation vector [3] [rad] that turns `current` into `target`, both [3, 3]."""
    E = np.zeros((3, 3))
    for r in range(3):
        for c in range(3):
            for k in range(3):
                E[r, c] += target[r, k] * current[c, k]
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        v[i] = 0.5 * (E[b, a] - E[a, b])
    s, c = np.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2), 0.5 * (E[0, 0] + E[1, 1] + E[2, 2] - 1.0)
    if s >= 1e-9:
        scale = np.arctan2(s, c) / s
        for i in range(3):
            v[i] *= scale
    elif c < 0:
        # Half a turn: E = 2 a a' - 1, so a column of E + 1 is along the axis; take the largest.
        k = 0 if E[0, 0] >= max(E[1, 1], E[2, 2]) else 1 if E[1, 1] >= E[2, 2] else 2
        E[k, k] += 1.0
        scale = np.pi / np.sqrt(E[0, k] ** 2 + E[1, k] ** 2 + E[2, k] ** 2)
        for i in range(3):
            v[i] = scale * E[i, k]


@compiled
def factor(jacobian, damping):
    """Cholesky factor [6, 6] of J J' + damping^2."""
    L = np.zeros((6, 6))
    for i in range(6):
        for j in range(i + 1):
            total = damping * damping if i == j else 0.0
            for k in range(jacobian.shape[1]):
                total += jacobian[i, k] * jacobian[j, k]
            for k in range(j):
                total -= L[i, k] * L[j, k]
            L[i, j] = np.sqrt(max(total, 1e-18)) if i == j else total / L[j, j]
    return L


@compiled
def back_substitute(L, x):
    """Solve L L' y = x in place."""
    for i in range(6):
        for k in range(i):
            x[i] -= L[i, k] * x[k]
        x[i] /= L[i, i]
    for i in range(5, -1, -1):
        for k in range(i + 1, 6):
            x[i] -= L[k, i] * x[k]
        x[i] /= L[i, i]


@compiled
def _smallest_singular_value(jacobian):
    """By inverse power iteration on J J'."""
    L = factor(jacobian, 1e-4)
    x = np.array([0.3, -0.5, 0.4, 0.2, 0.6, -0.3])
    growth = 1.0
    for _ in range(6):
        back_substitute(L, x)
        growth = np.sqrt((x**2).sum())
        x /= growth
    return 1.0 / np.sqrt(growth)


@compiled
def _solve(q, R, p, posture, lower, upper, offset, turn, iterations, rotation, position, jacobian, origins):
    """Damped least squares from `q` (changed in place): whether the pose was reached; the last four get the forward kinematics there."""
    n = q.shape[0]
    x, null, mark, since = np.empty(6), np.empty(n), np.inf, 0
    for step in range(iterations + 1):
        forward_into(q, offset, turn, rotation, position, jacobian, origins)
        rotation_error_into(R, rotation, x[3:])
        for r in range(3):
            x[r] = p[r] - position[r]
        far = np.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
        turned = np.sqrt(x[3] ** 2 + x[4] ** 2 + x[5] ** 2)
        if far < POSITION_TOLERANCE_M and turned < ANGLE_TOLERANCE_RAD:
            return True
        error = far / POSITION_TOLERANCE_M + turned / ANGLE_TOLERANCE_RAD
        if error < PROGRESS * mark:
            mark, since = error, step
        if step == min(iterations, since + PATIENCE):
            break
        shrink = min(1.0, 0.15 / max(far, 1e-12), 0.5 / max(turned, 1e-12))
        pull = POSTURE_GAIN if far > 5e-3 or turned > 0.03 else 0.0
        for i in range(n):
            null[i] = pull * (posture[i] - q[i])
        for r in range(6):
            x[r] *= shrink
            for i in range(n):
                x[r] -= jacobian[r, i] * null[i]
        back_substitute(factor(jacobian, DAMPING), x)
        for i in range(n):
            dq = null[i]
            for r in range(6):
                dq += jacobian[r, i] * x[r]
            q[i] = min(max(q[i] + min(max(dq, -0.4), 0.4), lower[i]), upper[i])
    return False


@compiled
def _follow(q, R, p, posture, lower, upper, offset, turn, iterations, reached, conditioning, sag):
    """See `SerialChain.follow`; the joints of each row [n] start where `q` [N, K, n] has its first."""
    N, K, n = q.shape
    rotation, position, jacobian, origins = np.empty((3, 3)), np.empty(3), np.empty((6, n)), np.empty((n, 3))
    for i in range(N):
        for k in range(K):
            for j in range(n):
                q[i, k, j] = q[i, max(k - 1, 0), j]
            frame = rotation, position, jacobian, origins
            reached[i, k] = _solve(q[i, k], R[i, k], p[i, k], posture[i], lower, upper, offset, turn, iterations, *frame)
            conditioning[i, k] = _smallest_singular_value(jacobian)
            for j in range(n - 3, n):
                sag[i, k] = max(sag[i, k], position[2] - origins[j, 2])


@dataclass(frozen=True, eq=False)
class SerialChain:
    """A chain of n revolute joints about their own z axes.

    Attributes:
        offset: [n + 1, 3], `turn`: [n + 1, 3, 3]: fixed transform before each joint, the last one from the last joint to the tool.
        lower, upper: joint limits [n] [rad].
    """

    offset: np.ndarray
    turn: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def forward(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tool rotation [3, 3], position [3] [m] and Jacobian [6, n] (linear above angular) at `q`, base axes."""
        R, p, jacobian, origins = np.empty((3, 3)), np.empty(3), np.empty((6, len(q))), np.empty((len(q), 3))
        forward_into(np.array(q, float), self.offset, self.turn, R, p, jacobian, origins)
        return R, p, jacobian

    def solve(self, seeds: np.ndarray, rotation: np.ndarray, position: np.ndarray, posture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inverse kinematics from `seeds` [N, n] for poses [N, 3, 3], [N, 3] toward `posture` [N, n]: angles [N, n], reached [N] bool.

        Poses and posture may be given once for all seeds.
        """
        q, reached, *_ = self.follow(seeds, rotation[..., None, :, :], position[..., None, :], posture, iterations=60)
        return q[:, 0], reached[:, 0]

    def follow(
        self, start: np.ndarray, rotation: np.ndarray, position: np.ndarray, posture: np.ndarray | None = None, iterations: int = 15
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Continue `start` [N, n] along poses [N, K, 3, 3], [N, K, 3], which broadcast, toward `posture` [N, n] (None: `start`).

        Returns angles [N, K, n] and, each [N, K]: reached, smallest singular value, and how far the lowest of the last three joints
        hangs below the tool [m].
        """
        N, K, n = len(start), position.shape[-2], start.shape[1]
        q, R, p, rest = np.empty((N, K, n)), np.empty((N, K, 3, 3)), np.empty((N, K, 3)), np.empty((N, n))
        q[:, 0], R[:], p[:], rest[:] = start, rotation, position, start if posture is None else posture
        reached, conditioning, sag = np.zeros((N, K), bool), np.zeros((N, K)), np.zeros((N, K))
        low, high = self.lower + JOINT_MARGIN_RAD, self.upper - JOINT_MARGIN_RAD
        _follow(q, R, p, rest, low, high, self.offset, self.turn, iterations, reached, conditioning, sag)
        return q, reached, conditioning, sag


def rotation_error(target: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Rotation vector [3] [rad] that turns `current` into `target`, both [3, 3]."""
    error = np.empty(3)
    rotation_error_into(np.ascontiguousarray(target), np.ascontiguousarray(current), error)
    return error


@compiled
def cross(a, b):
    """Cross product of two vectors [3]."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


@compiled
def dot(a, b):
    """Scalar product of two vectors [n]."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@compiled
def multiply(a, b, result):
    """The product of two matrices [m, k] and [k, n], into `result`: BLAS costs more than so few products, and wakes its threads."""
    for r in range(a.shape[0]):
        for c in range(b.shape[1]):
            result[r, c] = 0.0
            for k in range(a.shape[1]):
                result[r, c] += a[r, k] * b[k, c]


@compiled
def length_of(vector):
    """Euclidean length of a vector [n]."""
    return np.sqrt(dot(vector, vector))


@compiled
def distance(a, b):
    """Between two points [3]."""
    return np.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)


@compiled
def apart(a, b):
    """The largest difference between two vectors [n]."""
    most = 0.0
    for i in range(a.shape[0]):
        most = max(most, abs(a[i] - b[i]))
    return most


@compiled
def distinct(q, least):
    """Which rows of `q` [N, n] are not nearer than `least` to an earlier one that is kept: [N] bool."""
    kept = np.ones(len(q), np.bool_)
    for i in range(len(q)):
        for j in range(i):
            if kept[j] and apart(q[i], q[j]) <= least:
                kept[i] = False
                break
    return kept


def line(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """`count` points [count, 3] evenly from `start` to `end` [3]: `np.linspace` at a fifth of its cost."""
    points = start + np.arange(count)[:, None] * ((end - start) / (count - 1))
    points[-1] = end
    return points


def unit(vector: np.ndarray) -> np.ndarray:
    """The direction of a vector; ValueError for (nearly) zero length."""
    vector = np.asarray(vector, float)
    length = length_of(vector)
    if not length > 1e-9:
        raise ValueError(f"a direction needs a length, got {vector}")
    return vector / length


def hand_rotation(approach: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Rotation [3, 3] of a hand whose approach axis is `approach` and whose fingers open along (the part across it of) `opening`."""
    z = unit(approach)
    x = unit(opening - (opening @ z) * z)
    return np.column_stack([x, cross(z, x), z])


@compiled
def turns_about(axis, angles_rad):
    """Rotations [K, 3, 3] by angles [K] [rad] about a unit `axis`."""
    turns = np.empty((len(angles_rad), 3, 3))
    for k in range(len(angles_rad)):
        turns[k] = turned_about(axis, angles_rad[k])
    return turns


@compiled
def turned_about(axis, angle_rad):
    """Rotation [3, 3] by `angle_rad` about a unit `axis` (Rodrigues)."""
    x, y, z = axis
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    d = 1.0 - c
    return np.array(
        [
            [c + d * x * x, d * x * y - s * z, d * x * z + s * y],
            [d * x * y + s * z, c + d * y * y, d * y * z - s * x],
            [d * x * z - s * y, d * y * z + s * x, c + d * z * z],
        ]
    )

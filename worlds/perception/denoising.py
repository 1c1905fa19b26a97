"""Depth images without most of their pixel noise: where there is none they stay bit for bit."""

import numpy as np

NOISELESS_M = 3e-4
"""An image whose neighbouring depths scatter less about a plane than this is left as it is: exact depth, rounded."""
SAME_SURFACE_SIGMAS, SAME_SURFACE_M = 4.0, 0.02
"""Neighbours further off than this many standard deviations, or than a bar stands before its face, belong to another surface."""
ROUNDS = 2
_SHIFTS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1))


def noise_m(depth: np.ndarray) -> float:
    """Standard deviation of depth `[h, w]` about its local planes [m], from the median of its second differences, so edges do not count."""
    bends = depth[:, 2:] - 2 * depth[:, 1:-1] + depth[:, :-2]
    bends = np.abs(bends[np.isfinite(bends)])
    return 1.4826 * float(np.median(bends)) / np.sqrt(6) if bends.size else 0.0


def denoised(depth: np.ndarray) -> np.ndarray:
    """Depth `[h, w]` [m] with every pixel the mean of its 3 x 3 neighbours on the same surface; NaN stays unknown."""
    sigma = noise_m(depth)
    if sigma < NOISELESS_M:
        return depth
    for _ in range(ROUNDS):
        depth = _smoothed(depth, min(SAME_SURFACE_SIGMAS * sigma, SAME_SURFACE_M))
    return depth


def _smoothed(depth: np.ndarray, reach_m: float) -> np.ndarray:
    padded = np.pad(depth, 1, constant_values=np.nan)
    rows, columns = depth.shape
    around = np.stack([padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns] for down, right in _SHIFTS])
    with np.errstate(invalid="ignore"):
        same = np.abs(around - depth) <= reach_m
    # Opposite neighbours count together, so that a slope stays where it is.
    same &= same[::-1]
    count = same.sum(axis=0)
    mean = np.where(same, around - depth, 0).sum(axis=0) / np.maximum(count, 1)
    return (depth + mean).astype(depth.dtype)

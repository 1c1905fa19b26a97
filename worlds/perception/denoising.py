"""Depth images without most of their pixel noise: where there is none they stay bit for bit."""

import numpy as np

NOISELESS_M = 3e-4
"""An image whose neighbouring depths scatter less about a plane than this is left as it is: exact depth, rounded."""
SAME_SURFACE_SIGMAS, SAME_SURFACE_M = 4.0, 0.02
"""Neighbours further off than this many standard deviations, or than a bar stands before its face, belong to another surface."""
REACH = 2
_SHIFTS = tuple((down, right) for down in range(-REACH, REACH + 1) for right in range(-REACH, REACH + 1))


def noise_m(depth: np.ndarray) -> float:
    """Standard deviation of depth `[h, w]` about its local planes [m], from the median of its second differences, so edges do not count."""
    bends = depth[:, 2:] - 2 * depth[:, 1:-1] + depth[:, :-2]
    bends = np.abs(bends[np.isfinite(bends)])
    return 1.4826 * float(np.median(bends)) / np.sqrt(6) if bends.size else 0.0


def denoised(depth: np.ndarray) -> np.ndarray:
    """Depth `[h, w]` [m] with every pixel the mean of its 5 x 5 neighbours on the same surface; NaN stays unknown."""
    sigma = noise_m(depth)
    if sigma < NOISELESS_M:
        return depth
    padded = np.pad(depth, REACH, constant_values=np.nan)
    windows = [padded[REACH + down :, REACH + right :][: depth.shape[0], : depth.shape[1]] for down, right in _SHIFTS]
    step = np.stack(windows) - depth
    with np.errstate(invalid="ignore"):
        same = np.abs(step) <= min(SAME_SURFACE_SIGMAS * sigma, SAME_SURFACE_M)
    # Opposite neighbours count together, so that a slope stays where it is.
    same &= same[::-1]
    mean = np.where(same, step, 0).sum(axis=0) / np.maximum(same.sum(axis=0), 1)
    return (depth + mean).astype(depth.dtype)

"""Which of a goal's things the colours at a cell cannot be: a grasp tells what was taken better than a latent tells things apart."""

from collections.abc import Sequence

import numpy as np

UNLIKE = 0.08
"""Colours farther apart than this are of two things: so was one of 404 things grasped in wide kitchens, and 99 % of 607 others."""
REACH = 1
"""Cells around the one that is asked about, of which the middle one counts."""
_DARK, _BRIGHTNESS = 8.0, 0.125
"""Added to every colour, since dark ones are noise, and what a logarithm of the brightness weighs: light falls unevenly."""


def palette(rgb: np.ndarray) -> np.ndarray:
    """Colours `[n, 3]` uint8 as `[n, 4]`: shares of red, green and blue, 1 on average, and a little of the brightness."""
    colours = rgb.reshape(-1, 3).astype(float) + _DARK
    mean = colours.mean(axis=1, keepdims=True)
    return np.concatenate([colours / mean, _BRIGHTNESS * np.log(mean)], axis=1)


def unlike(palettes: Sequence[np.ndarray], rgb: np.ndarray, cell: tuple[int, int]) -> frozenset[int]:
    """Which of the things with `palettes` `[n, 4]` what a cell of `rgb` `[H, W, 3]` shows is not; one without colours may be anything."""
    row, column = cell
    there = palette(rgb[max(row - REACH, 0) : row + REACH + 1, max(column - REACH, 0) : column + REACH + 1])
    return frozenset(k for k, own in enumerate(palettes) if len(own) and _apart(own, there) > UNLIKE)


def _apart(own: np.ndarray, there: np.ndarray) -> float:
    """How far colours `there` `[m, 4]` lie from the nearest ones of a thing `[n, 4]`, in the median."""
    return float(np.median(np.linalg.norm(there[:, None] - own, axis=-1).min(axis=1)))

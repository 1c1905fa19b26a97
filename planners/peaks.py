"""Peaks of one map: non-maximum suppression by blobs, compiled, since every imagined node asks for it a dozen times."""

import numpy as np
from numba import njit

SMOOTHING_CELLS = 2.0
"""Ties inside a plateau are broken by a Gaussian mean this wide, so a flat blob is hit in its middle."""
TIE_WEIGHT = 0.01
"""Weight of that mean: below any difference of probabilities that matters."""
_REACH = int(4 * SMOOTHING_CELLS)
_KERNEL = np.exp(-0.5 * (np.arange(_REACH + 1) / SMOOTHING_CELLS) ** 2)
_KERNEL /= 2 * _KERNEL.sum() - _KERNEL[0]


@njit(cache=True)
def peaks(best: np.ndarray, threshold: float, most: int, radius: float, reach: int, level: float) -> np.ndarray:
    """Cells `[n, 2]` of at most `most` peaks of `best` `[H, W]` float32 that are at least `threshold`.

    A peak strikes out every cell within `radius`, and within `reach` the blob that it sits on: what is connected to it and at least
    `level` of its value.
    """
    found = np.empty((most, 2), np.int64)
    rows, columns = np.nonzero(best >= np.float32(threshold))
    if len(rows) == 0:
        return found[:0]
    # What lies farther from every peak than this has no say.
    margin = max(_REACH, reach)
    top, first = max(rows.min() - margin, 0), max(columns.min() - margin, 0)
    part = best[top : rows.max() + margin + 1, first : columns.max() + margin + 1].copy()
    left = np.where(part >= np.float32(threshold), _middle_first(part), np.float32(-1.0))
    for n in range(most):
        at = int(left.argmax())
        row, column = at // part.shape[1], at % part.shape[1]
        if left[row, column] < 0:
            return found[:n]
        found[n] = top + row, first + column
        _strike(left, part, row, column, radius, reach, level * part[row, column])
    return found


@njit(cache=True)
def best_in(best: np.ndarray, boxes: np.ndarray, masks: np.ndarray, threshold: float) -> np.ndarray:
    """The best cell of `best` `[H, W]` float32 in each of several masks where one is at least `threshold`, `[n, 2]`.

    `boxes` `[W, 4]` are the masks' first rows, first columns, rows and columns; `masks` are their cells one after the other.
    """
    found, n, start = np.empty((len(boxes), 2), np.int64), 0, 0
    for top, left, rows, columns in boxes:
        mask = masks[start : start + rows * columns].reshape(rows, columns)
        part = np.where(mask, best[top : top + rows, left : left + columns], np.float32(0.0))
        start += rows * columns
        if part.max() >= np.float32(threshold):
            row, column = _central(part, threshold)
            found[n] = top + row, left + column
            n += 1
    return found[:n]


@njit(cache=True)
def _central(part: np.ndarray, threshold: float) -> tuple[int, int]:
    """The best cell of `[rows, columns]`, ties to the centre of what is best."""
    rows, columns = part.shape
    highest = part.max()
    ties, down, right = 0, 0.0, 0.0
    for i in range(rows):
        for j in range(columns):
            if part[i, j] >= highest - np.float32(TIE_WEIGHT):
                ties, down, right = ties + 1, down + i, right + j
    score, chosen, at = _middle_first(part), -1.0, (0, 0)
    for i in range(rows):
        for j in range(columns):
            value = score[i, j] - TIE_WEIGHT * (np.hypot(i - down / ties, j - right / ties) / max(rows, columns))
            if part[i, j] >= np.float32(threshold) and value > chosen:
                chosen, at = value, (i, j)
    return at


@njit(cache=True)
def _strike(left: np.ndarray, best: np.ndarray, row: int, column: int, radius: float, reach: int, least: float) -> None:
    """Set `left` to -1 around a peak, in place."""
    top, first = max(row - reach, 0), max(column - reach, 0)
    bottom, last = min(row + reach + 1, best.shape[0]), min(column + reach + 1, best.shape[1])
    blob = np.zeros((bottom - top, last - first), np.bool_)
    blob[row - top, column - first] = True
    stack, lowest = [(row, column)], np.float32(least)
    while stack:
        i, j = stack.pop()
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            k, m = i + down, j + right
            if top <= k < bottom and first <= m < last and not blob[k - top, m - first] and best[k, m] >= lowest:
                blob[k - top, m - first] = True
                stack.append((k, m))
    for i in range(top, bottom):
        for j in range(first, last):
            distance = np.hypot(i - row, j - column)
            if distance <= radius or (blob[i - top, j - first] and distance <= reach):
                left[i, j] = -1.0


@njit(cache=True)
def _middle_first(best: np.ndarray) -> np.ndarray:
    """A map with its own Gaussian mean (zero outside) as a tie-break."""
    across = _mean_of_rows(_mean_of_rows(best).T.copy())
    return best + np.float32(TIE_WEIGHT) * across.T


@njit(cache=True)
def _mean_of_rows(values: np.ndarray) -> np.ndarray:
    """The symmetric mean over rows above and below; whole rows at a time, so that the compiler can vectorise."""
    rows, columns = values.shape
    out = np.empty_like(values)
    for i in range(rows):
        total = values[i] * _KERNEL[0]
        for k in range(_REACH, 0, -1):
            above, below = max(i - k, 0), min(i + k, rows - 1)
            if i >= k and i + k < rows:
                for j in range(columns):
                    total[j] += (np.float64(values[above, j]) + values[below, j]) * _KERNEL[k]
            elif i >= k or i + k < rows:
                only = above if i >= k else below
                for j in range(columns):
                    total[j] += values[only, j] * _KERNEL[k]
        out[i] = total
    return out

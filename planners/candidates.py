"""Peaks of the maps become candidate actions: non-maximum suppression per primitive and effect."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import ndimage

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action

SMOOTHING_CELLS = 2.0
"""Ties inside a plateau are broken by a Gaussian mean this wide, so a flat blob is hit in its middle."""
TIE_WEIGHT = 0.01
"""Weight of that mean: below any difference of probabilities that matters."""
OPENING_CELLS = 18
"""What opens comes towards the robot, that is down the picture: a drawer's inside appears at most this far below its front."""


@dataclass(frozen=True)
class PeakOptions:
    """Which peaks are candidates.

    Attributes:
        threshold: least map value.
        top_k: candidates per node, over everything.
        per_effect: candidates per primitive and effect.
        radius: cells around a peak that are always suppressed.
        reach: cells around a peak within which the blob it sits on is suppressed.
        level: the blob is what is connected to the peak and at least this share of its value.
    """

    threshold: float = 0.2
    top_k: int = 24
    per_effect: int = 6
    radius: int = 3
    reach: int = 12
    level: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1 or min(self.top_k, self.per_effect) < 1 or self.radius < 0 or self.reach < self.radius:
            raise ValueError(f"peak options out of range (0 < threshold <= 1, top_k, per_effect >= 1, 0 <= radius <= reach): {self}")


@dataclass(frozen=True)
class Candidate:
    """An action worth imagining and its map value `prior` in [0, 1]."""

    action: Action
    prior: float


@dataclass(frozen=True)
class Effect:
    """Orientation bins of one primitive that lead to the same thing: only the hand's own yaw or roll differs."""

    primitive: str
    channel: int
    rotations: tuple[int, ...]


EFFECTS = tuple(Effect(spec.name, channel, bins) for channel, spec in enumerate(PRIMITIVES.values()) for bins in spec.effects().values())


def candidates(maps: np.ndarray, options: PeakOptions, targets: Iterable[np.ndarray] = ()) -> list[Candidate]:
    """The actions at the peaks of `maps` `[P, R, H, W]`, best first, at most `options.top_k`.

    `targets` are masks `[H, W]` of what the goal names in the first view: the best cell of each effect on them, and just below them
    where an opened drawer shows its inside, is kept in front of all other peaks, however many those are.
    """
    below = partial(ndimage.maximum_filter1d, size=OPENING_CELLS + 1, axis=0, mode="constant", origin=OPENING_CELLS // 2)
    windows = [window for mask in targets for window in (mask, below(mask) & ~mask)]
    named: dict[Action, float] = {}
    others: dict[Action, float] = {}
    for effect in EFFECTS:
        stack = maps[effect.channel, list(effect.rotations)]
        best = stack.max(axis=0)
        if best.max() < options.threshold:
            continue
        score = _middle_first(best)
        cells = [_best_in(best, window, options.threshold) for window in windows]
        for chosen, found in ((named, [c for c in cells if c is not None]), (others, _peaks(score, best, options))):
            for row, column in found:
                rotation = effect.rotations[int(stack[:, row, column].argmax())]
                chosen[Action(effect.primitive, (row, column), rotation)] = float(best[row, column])
    ranked = _ranked(named) + [c for c in _ranked(others) if c.action not in named]
    return _ranked({c.action: c.prior for c in ranked[: options.top_k]})


def every_action(maps: np.ndarray, threshold: float) -> list[Candidate]:
    """Every (primitive, cell, rotation) at or above `threshold`, best first: no suppression, for exhaustive search."""
    names = list(PRIMITIVES)
    return _ranked({Action(names[p], (int(i), int(j)), int(r)): float(maps[p, r, i, j]) for p, r, i, j in np.argwhere(maps >= threshold)})


def _ranked(found: dict[Action, float]) -> list[Candidate]:
    order = sorted(found, key=lambda a: (-found[a], a.primitive, a.cell, a.rotation_index))
    return [Candidate(action, found[action]) for action in order]


def _middle_first(best: np.ndarray) -> np.ndarray:
    return best + TIE_WEIGHT * ndimage.gaussian_filter(best, SMOOTHING_CELLS, mode="constant")


def _best_in(best: np.ndarray, window: np.ndarray, threshold: float) -> tuple[int, int] | None:
    """The best cell in a window, ties to the centre of what is best and in the window."""
    inside = np.where(window, best, 0.0)
    if inside.max() < threshold:
        return None
    (box,) = ndimage.find_objects(window.astype(int))
    part = inside[box]
    centre = np.argwhere(part >= part.max() - TIE_WEIGHT).mean(axis=0)
    down, right = np.ogrid[: part.shape[0], : part.shape[1]]
    off_centre = np.hypot(down - centre[0], right - centre[1]) / max(part.shape)
    score = np.where(part >= threshold, _middle_first(part) - TIE_WEIGHT * off_centre, -1.0)
    row, column = np.unravel_index(int(score.argmax()), part.shape)
    return int(row) + box[0].start, int(column) + box[1].start


def _peaks(score: np.ndarray, best: np.ndarray, options: PeakOptions) -> list[tuple[int, int]]:
    left = np.where(best >= options.threshold, score, -1.0)
    found: list[tuple[int, int]] = []
    while len(found) < options.per_effect:
        row, column = map(int, np.unravel_index(left.argmax(), left.shape))
        if left[row, column] < 0:
            break
        found.append((row, column))
        _suppress(left, best, (row, column), options)
    return found


def _suppress(left: np.ndarray, best: np.ndarray, peak: tuple[int, int], options: PeakOptions) -> None:
    """Strike the blob around `peak` from `left`, in place."""
    top, first = max(peak[0] - options.reach, 0), max(peak[1] - options.reach, 0)
    view = (slice(top, peak[0] + options.reach + 1), slice(first, peak[1] + options.reach + 1))
    blobs, _ = ndimage.label(best[view] >= options.level * best[peak])
    rows, columns = np.ogrid[: blobs.shape[0], : blobs.shape[1]]
    distance = np.hypot(rows - (peak[0] - top), columns - (peak[1] - first))
    struck = (distance <= options.radius) | ((blobs == blobs[peak[0] - top, peak[1] - first]) & (distance <= options.reach))
    left[view][struck] = -1.0

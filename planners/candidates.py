"""Peaks of the maps become candidate actions: non-maximum suppression per primitive and effect."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import Cells, Share, check_fields

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

    threshold: Annotated[float, 1e-9, 1] = 0.1
    top_k: Annotated[int, 1, 10_000] = 24
    per_effect: Annotated[int, 1, 10_000] = 6
    radius: Cells = 3
    reach: Cells = 12
    level: Share = 0.2

    def __post_init__(self) -> None:
        check_fields(self, "peaks")
        if self.radius > self.reach:
            raise ConfigError(f"peaks.radius is {self.radius}, expected at most peaks.reach, which is {self.reach}")


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


@dataclass(frozen=True, eq=False)
class Pointed:
    """Cells that the goal points to: masks, each within its bounding box of the frame.

    Attributes:
        boxes: `[W, 4]` of the first row, the first column, rows and columns.
        masks: bool, their cells one after the other, rows first.
    """

    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    masks: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    @classmethod
    def at(cls, targets: Iterable[np.ndarray]) -> "Pointed":
        """At masks `[H, W]` of what the goal names in the first view, and just below each, where an opened drawer shows its inside."""
        from scipy import ndimage

        below = partial(ndimage.maximum_filter1d, size=OPENING_CELLS + 1, axis=0, mode="constant", origin=OPENING_CELLS // 2)
        masks = [part for mask in targets for part in (mask, below(mask) & ~mask) if part.any()]
        if not masks:
            return cls()
        boxes = [ndimage.find_objects(mask.astype(int))[0] for mask in masks]
        corners = [[rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start] for rows, columns in boxes]
        return cls(np.array(corners), np.concatenate([mask[box].ravel() for box, mask in zip(boxes, masks, strict=True)]))


NOWHERE = Pointed()


def candidates(maps: np.ndarray, options: PeakOptions, pointed: Pointed = NOWHERE) -> list[Candidate]:
    """The actions at the peaks of `maps` `[P, R, H, W]`, best first, at most `options.top_k`.

    The best cell of each effect in everything pointed at is kept in front of all other peaks, however many those are.
    """
    from hiermap.planners.peaks import best_in, peaks

    named: dict[Action, float] = {}
    others: dict[Action, float] = {}
    for effect in EFFECTS:
        stack = maps[effect.channel, list(effect.rotations)]
        best = stack.max(axis=0)
        if best.max() < options.threshold:
            continue
        aimed = best_in(best, pointed.boxes, pointed.masks, options.threshold)
        blobs = peaks(best, options.threshold, options.per_effect, options.radius, options.reach, options.level)
        for chosen, found in ((named, aimed.tolist()), (others, blobs.tolist())):
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

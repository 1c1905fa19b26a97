"""Where the things of a goal were last put, by the robot's own actions: what looks alike is told apart by what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action

NEAR = 3
"""Cells from a thing's mask within which a grasp takes that thing."""
FOOT = 2
"""Rows of a standing thing below the middle of its foot."""
ABOVE, BELOW, ASIDE = 8, 18, 25
"""What a fixture may carry along or hide stands at most so many rows above or below the cell it is moved at, so many columns beside it."""
PUSHED = {"left": -1, "right": 1}
"""Orientation bin of a sideways push -> where the picture shows that it leads."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """What the robot's own actions tell of N things.

    Attributes:
        shapes: their cells in the first view, `[H, W]` bool each.
        masks: their cells as far as they are known, None where they are not any more.
        held: which of them was taken last and not put down since, None for none or an unknown one.
        moved: which of them were ever moved, for all that is known.
        elsewhere: which of them the last action cannot have brought anywhere.
    """

    shapes: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray | None, ...]
    held: int | None = None
    moved: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()

    @classmethod
    def of(cls, masks: Sequence[np.ndarray]) -> Self:
        """Of things where the first view shows them."""
        return cls(tuple(masks), tuple(mask if mask.any() else None for mask in masks))

    def after(self, action: Action, cell_size: float) -> Self:
        """What is known once an action had its effect; `cell_size` [m]."""
        primitive = PRIMITIVES[action.primitive]
        if action.primitive == "grasp":
            return self._settled(self.masks, held=self._at(action.cell))
        if primitive.needs_object:
            if self.held is None:  # whatever it was, it was none of those that stand where they are known to stand
                return replace(self, elsewhere=frozenset(k for k, mask in enumerate(self.masks) if mask is not None))
            return self._settled(self._with(self.held, stood_at(self.shapes[self.held], action.cell)), moved=self.held)
        side = PUSHED.get(primitive.rotations[action.rotation_index], 0)
        pushed = self._at(action.cell) if side else None
        if pushed is not None:
            return self._settled(self._with(pushed, self._shifted(pushed, side * round(PUSH_DISTANCE_M / cell_size))), moved=pushed)
        return self._settled(tuple(None if self._may_move(mask, action.cell) else mask for mask in self.masks))

    def _settled(self, masks: tuple[np.ndarray | None, ...], held: int | None = None, moved: int | None = None) -> Self:
        """After an action that moved one thing, or none: what never moved is where it was at first, what moved may be told anew."""
        ever = self.moved | {k for k, mask in enumerate(masks) if mask is None or k == moved}
        still = frozenset(k for k in range(len(masks)) if k != moved and (moved is not None or k not in ever))
        return replace(self, masks=masks, held=held, moved=ever, elsewhere=still)

    def _with(self, thing: int | None, mask: np.ndarray | None) -> tuple[np.ndarray | None, ...]:
        return tuple(mask if k == thing else other for k, other in enumerate(self.masks))

    def _shifted(self, thing: int, columns: int) -> np.ndarray | None:
        mask = self.masks[thing]
        return None if mask is None else np.roll(mask, columns, axis=1)

    def _at(self, cell: tuple[int, int]) -> int | None:
        """The thing that a cell belongs to; None where none is near."""
        gaps = [np.inf if mask is None or not mask.any() else np.abs(np.argwhere(mask) - cell).max(axis=1).min() for mask in self.masks]
        nearest = int(np.argmin(gaps)) if gaps else 0
        return nearest if gaps and gaps[nearest] <= NEAR else None

    def _may_move(self, mask: np.ndarray | None, cell: tuple[int, int]) -> bool:
        """Whether an action on a fixture or beside a thing at a cell may move or hide what stands at a mask."""
        if mask is None or not mask.any():
            return False
        rows, columns = np.nonzero(mask)
        return bool(-ABOVE <= rows.max() - cell[0] <= BELOW and np.abs(columns - cell[1]).min() <= ASIDE)


def stood_at(mask: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """The mask `[H, W]` of a thing moved so that it stands on a cell, cut off at the frame's edge."""
    rows, columns = np.nonzero(mask)
    rows = rows + (cell[0] + FOOT - rows.max(initial=0))
    columns = columns + (cell[1] - round(float(columns.mean())) if len(columns) else 0)
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    moved = np.zeros_like(mask)
    moved[rows[inside], columns[inside]] = True
    return moved

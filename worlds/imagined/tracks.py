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
        shapes: their cells `[n, 2]` in the first view.
        cells: the same as far as they are known, None where they are not any more; some may lie beyond the frame's edge.
        held: which of them was taken last and not put down since, None for none or an unknown one.
        moved: which of them were ever moved, for all that is known.
        elsewhere: which of them the last action cannot have brought anywhere.
    """

    shapes: tuple[np.ndarray, ...]
    cells: tuple[np.ndarray | None, ...]
    held: int | None = None
    moved: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()

    @classmethod
    def of(cls, masks: Sequence[np.ndarray]) -> Self:
        """Of things where masks `[H, W]` bool of the first view show them."""
        shapes = tuple(np.argwhere(mask) for mask in masks)
        return cls(shapes, tuple(shape if len(shape) else None for shape in shapes))

    def after(self, action: Action, cell_size: float) -> Self:
        """What is known once an action had its effect; `cell_size` [m]."""
        primitive = PRIMITIVES[action.primitive]
        if action.primitive == "grasp":
            return self._settled(self.cells, held=self._at(action.cell))
        if primitive.needs_object:
            if self.held is None:  # whatever it was, it was none of those that stand where they are known to stand
                return replace(self, elsewhere=frozenset(k for k, cells in enumerate(self.cells) if cells is not None))
            return self._settled(self._with(self.held, stood_at(self.shapes[self.held], action.cell)), moved=self.held)
        side = PUSHED.get(primitive.rotations[action.rotation_index], 0)
        pushed = self._at(action.cell) if side else None
        if pushed is not None and (cells := self.cells[pushed]) is not None:
            by = 0, side * round(PUSH_DISTANCE_M / cell_size)
            return self._settled(self._with(pushed, cells + by), moved=pushed)
        return self._settled(tuple(None if _may_move(cells, action.cell) else cells for cells in self.cells))

    def empty_handed(self) -> Self:
        """The same when the hand is seen to hold nothing: what it took fell somewhere."""
        if self.held is None:
            return self
        cells = tuple(None if k == self.held else own for k, own in enumerate(self.cells))
        return replace(self, cells=cells, held=None, moved=self.moved | {self.held}, elsewhere=self.elsewhere - {self.held})

    def _settled(self, cells: tuple[np.ndarray | None, ...], held: int | None = None, moved: int | None = None) -> Self:
        """After an action that moved one thing, or none: what never moved is where it was at first, what moved may be told anew."""
        ever = self.moved | {k for k, own in enumerate(cells) if own is None or k == moved}
        still = frozenset(k for k in range(len(cells)) if k != moved and (moved is not None or k not in ever))
        return replace(self, cells=cells, held=held, moved=ever, elsewhere=still)

    def _with(self, thing: int, cells: np.ndarray) -> tuple[np.ndarray | None, ...]:
        return tuple(cells if k == thing else other for k, other in enumerate(self.cells))

    def _at(self, cell: tuple[int, int]) -> int | None:
        """The thing that a cell belongs to; None where none is near."""
        gaps = [np.inf if cells is None else np.abs(cells - cell).max(axis=1).min() for cells in self.cells]
        nearest = int(np.argmin(gaps)) if gaps else 0
        return nearest if gaps and gaps[nearest] <= NEAR else None


def _may_move(cells: np.ndarray | None, cell: tuple[int, int]) -> bool:
    """Whether an action on a fixture or beside a thing at a cell may move or hide what stands on cells `[n, 2]`."""
    if cells is None:
        return False
    foot, aside = cells[:, 0].max() - cell[0], np.abs(cells[:, 1] - cell[1]).min()
    return bool(-ABOVE <= foot <= BELOW and aside <= ASIDE)


def stood_at(shape: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """The cells `[n, 2]` of a thing of that shape `[n, 2]` when it stands on a cell."""
    foot = shape[:, 0].max(), round(float(shape[:, 1].mean()))
    return shape + np.subtract((cell[0] + FOOT, cell[1]), foot)

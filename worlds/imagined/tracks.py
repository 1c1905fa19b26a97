"""Where the things of a goal were last put, by the robot's own actions: what looks alike is told apart by what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.imagined.colours import palette, unlike

NEAR = 3
"""Cells from a thing's mask within which a grasp takes that thing."""
FOOT = 2
"""Rows of a standing thing below the middle of its foot."""
ABOVE, BELOW, ASIDE = 8, 18, 25
"""What a fixture may carry along or hide stands at most so many rows above or below the cell it is moved at, so many columns beside it."""
CARRIED_M, BRUSHED_M = 0.2, 0.1
"""A fixture carries a thing at most so far up or down the picture, where the 25 cm of a drawer are 16 cm, and brushes it at most so far
aside [m]."""
STRANGER = 8
"""Cells from where the hand put something down within which a grasp takes that."""
PUSHED = {"left": -1, "right": 1}
"""Orientation bin of a sideways push -> where the picture shows that it leads."""

Bounds = tuple[int, int, int, int]
"""First and last row, first and last column."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """What the robot's own actions tell of N things.

    Attributes:
        shapes: their cells `[n, 2]` in the first view.
        cells: the same as far as they are known, None where they are not any more; some may lie beyond the frame's edge.
        held: which of them was taken last and not put down since, None for none or an unknown one.
        moved: which of them a hand may have moved to another place, and those that were never seen.
        elsewhere: which of them the last action cannot have brought anywhere.
        within: where those still are whose cells are not known any more; None for anywhere.
        palettes: their colours `[n, 4]` in the first view.
        not_held: which of them is not in the hand, by the colours of what was taken.
        strangers: cells at which the hand put down what was none of these.
    """

    shapes: tuple[np.ndarray, ...]
    cells: tuple[np.ndarray | None, ...]
    held: int | None = None
    moved: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()
    within: tuple[Bounds | None, ...] = ()
    palettes: tuple[np.ndarray, ...] = ()
    not_held: frozenset[int] = frozenset()
    strangers: tuple[tuple[tuple[int, int], frozenset[int]], ...] = ()

    @classmethod
    def of(cls, masks: Sequence[np.ndarray], rgb: np.ndarray) -> Self:
        """Of things where masks `[H, W]` bool of the first view show them; `rgb` `[H, W, 3]` uint8 is that view."""
        shapes = tuple(np.argwhere(mask) for mask in masks)
        unseen = frozenset(k for k, shape in enumerate(shapes) if not len(shape))
        cells = tuple(shape if len(shape) else None for shape in shapes)
        return cls(shapes, cells, moved=unseen, within=(None,) * len(shapes), palettes=tuple(palette(rgb[mask]) for mask in masks))

    def after(self, action: Action, cell_size: float, rgb: np.ndarray | None = None) -> Self:
        """What is known once an action had its effect; `cell_size` [m]; `rgb` `[H, W, 3]` uint8 was seen before it, None for nothing."""
        primitive = PRIMITIVES[action.primitive]
        other = frozenset[int]() if rgb is None else unlike(self.palettes, rgb, action.cell)
        if action.primitive == "grasp":
            return self._grasped(action.cell, other)
        if primitive.needs_object:
            return self._put_down(action.cell)
        side = PUSHED.get(primitive.rotations[action.rotation_index], 0)
        pushed = self._at(action.cell, other) if side else None
        if pushed is not None and (cells := self.cells[pushed]) is not None:
            by = 0, side * round(PUSH_DISTANCE_M / cell_size)
            return self._settled(self._with(pushed, cells + by), moved=pushed)
        left = self._beside(action.cell, cell_size)
        if not side:  # A fixture carries things along and hides them, but takes none to another place.
            return left
        lost = {k for k, cells in enumerate(left.cells) if cells is not self.cells[k]}
        left = left._any_of(action.cell, other)
        moved = left.moved | lost
        # It was none of those that are known to be farther away.
        apart = {k for k, cells in enumerate(self.cells) if k not in lost and not self._may_be_at(k, action.cell)}
        return replace(left, moved=moved, elsewhere=frozenset(range(len(self.cells))) - moved | apart)

    def _grasped(self, cell: tuple[int, int], other: frozenset[int]) -> Self:
        """Once what is at a cell was taken, which is none of `other`."""
        there = [k for k, (put, _) in enumerate(self.strangers) if np.abs(np.subtract(put, cell)).max() <= STRANGER]
        other = other.union(*(self.strangers[k][1] for k in there))
        taken = self._at(cell, other)
        after = (self if taken is not None else self._any_of(cell, other))._settled(self.cells, held=taken)
        left = tuple(stranger for k, stranger in enumerate(self.strangers) if k not in there)
        return replace(after, not_held=other, strangers=left)

    def _put_down(self, cell: tuple[int, int]) -> Self:
        """Once what is held stands at a cell."""
        if self.held is not None:
            put = self._settled(self._with(self.held, stood_at(self.shapes[self.held], cell)), moved=self.held)
            return replace(put, not_held=frozenset())
        # Whatever it was, it was none of those that are known to stand where it was not taken.
        known = enumerate(zip(self.cells, self.within, strict=True))
        apart = self.not_held | {k for k, (cells, within) in known if not (cells is None and within is None)}
        return replace(self, elsewhere=apart, not_held=frozenset(), strangers=(*self.strangers, (cell, apart)))

    def empty_handed(self) -> Self:
        """The same when the hand is seen to hold nothing: what it took fell somewhere."""
        if self.held is None:
            return replace(self, not_held=frozenset()) if self.not_held else self
        cells, within = self._with(self.held, None), tuple(None if k == self.held else own for k, own in enumerate(self.within))
        lost = {self.held}
        return replace(self, cells=cells, within=within, held=None, moved=self.moved | lost, elsewhere=self.elsewhere - lost)

    def in_sight(self, thing: int) -> bool:
        """Whether a thing was put down by the hand and is not hidden since."""
        return thing in self.moved and self.cells[thing] is not None and thing != self.held

    def _settled(self, cells: tuple[np.ndarray | None, ...], held: int | None = None, moved: int | None = None) -> Self:
        """After an action that moved one thing, or none: what never moved is where it was at first, what moved may be told anew.

        Unless it is out of sight, and something else was put down that may be taken for it.
        """
        ever = self.moved if moved is None else self.moved | {moved}
        alike = frozenset[int]().union(*(things for _, things in self.strangers))
        anew = {k for k in ever if moved is None and not (k in alike and cells[k] is None)}
        still = frozenset(range(len(cells))) - anew - {moved}
        return replace(self, cells=cells, held=held, moved=ever, elsewhere=still)

    def _with(self, thing: int, cells: np.ndarray | None) -> tuple[np.ndarray | None, ...]:
        return tuple(cells if k == thing else other for k, other in enumerate(self.cells))

    def _beside(self, cell: tuple[int, int], cell_size: float) -> Self:
        """After an action on a fixture, or on a thing that is not known, at a cell: what it may move is somewhere near to where it was."""
        cells = tuple(None if _may_move(own, cell) else own for own in self.cells)
        reach = round(CARRIED_M / cell_size), round(BRUSHED_M / cell_size)
        within = (
            _around(own, reach) if own is not None and left is None else bounds
            for own, left, bounds in zip(self.cells, cells, self.within, strict=True)
        )
        return replace(self, within=tuple(within))._settled(cells)

    def _any_of(self, cell: tuple[int, int], other: frozenset[int]) -> Self:
        """The same, once what was at a cell is somewhere else: that may have been any thing that may have been there, but no `other`."""
        any_of = {k for k, cells in enumerate(self.cells) if cells is None and k not in other and self._may_be_at(k, cell)}
        within = (None if k in any_of else bounds for k, bounds in enumerate(self.within))
        return replace(self, within=tuple(within), moved=self.moved | any_of)

    def _may_be_at(self, thing: int, cell: tuple[int, int]) -> bool:
        cells, bounds = self.cells[thing], self.within[thing]
        if cells is not None:
            return bool(np.abs(cells - cell).max(axis=1).min() <= NEAR)
        return bounds is None or (bounds[0] <= cell[0] <= bounds[1] and bounds[2] <= cell[1] <= bounds[3])

    def _at(self, cell: tuple[int, int], other: frozenset[int]) -> int | None:
        """The thing that a cell belongs to, none of `other`; None where none is near."""
        known = (None if k in other else cells for k, cells in enumerate(self.cells))
        gaps = [np.inf if cells is None else np.abs(cells - cell).max(axis=1).min() for cells in known]
        nearest = int(np.argmin(gaps)) if gaps else 0
        return nearest if gaps and gaps[nearest] <= NEAR else None


def _around(cells: np.ndarray, reach: tuple[int, int]) -> Bounds:
    """What lies within so many rows and columns of cells `[n, 2]`."""
    (top, left), (bottom, right) = cells.min(axis=0) - reach, cells.max(axis=0) + reach
    return int(top), int(bottom), int(left), int(right)


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

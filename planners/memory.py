"""Memory of failures: what did not work near a cell is less likely to work there again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from primitives.specs import PRIMITIVES
from worlds.base import Action

LATER_EXPONENT = 0.8
"""In imagined later states a failure counts a fifth fewer nats: something else may be missing first (an undone latch). Two or three
failures make such a detour cheaper than trying again; one does not, or every slip would be answered by an idle primitive."""
WEAKENED_EXPONENT = 0.5
"""Once the real world has changed, an earlier failure counts half as many nats."""


@dataclass(frozen=True)
class Avoid:
    """An action that failed.

    Attributes:
        primitive: key in `PRIMITIVES`.
        cell: (row, column) it was applied at.
        rotation_index: orientation bin, or None for all of them.
        radius: cells around `cell` it speaks for.
        penalty: factor on the success there, in [0, 1].
    """

    primitive: str
    cell: tuple[int, int]
    rotation_index: int | None = None
    radius: float = 3.0
    penalty: float = 0.3

    def __post_init__(self) -> None:
        if self.primitive not in PRIMITIVES:
            raise ValueError(f"unknown primitive {self.primitive!r}; known: {', '.join(PRIMITIVES)}")
        if not 0.0 <= self.penalty <= 1.0 or self.radius < 0:
            raise ValueError(f"an avoided action needs a penalty in [0, 1] and a radius >= 0, got {self}")

    def matches(self, action: Action) -> bool:
        """Whether the failure speaks for `action`."""
        if action.primitive != self.primitive or self.rotation_index not in (None, action.rotation_index):
            return False
        return float(np.hypot(action.cell[0] - self.cell[0], action.cell[1] - self.cell[1])) <= self.radius

    def weakened(self) -> "Avoid":
        """The same failure after the world has changed since."""
        return replace(self, penalty=self.penalty**WEAKENED_EXPONENT)


def discount(action: Action, avoid: Sequence[Avoid], depth: int = 0) -> float:
    """Factor in [0, 1] on the success of `action` in a state `depth` imagined actions away."""
    exponent = 1.0 if depth == 0 else LATER_EXPONENT
    return float(np.prod([item.penalty**exponent for item in avoid if item.matches(action)]))


def discounted(maps: np.ndarray, avoid: Sequence[Avoid], depth: int = 0) -> np.ndarray:
    """Maps `[P, R, H, W]` with every avoided neighbourhood lowered by its penalty; the same array when there is none."""
    if not avoid:
        return maps
    maps = np.array(maps)
    rows, columns = np.ogrid[: maps.shape[2], : maps.shape[3]]
    exponent = 1.0 if depth == 0 else LATER_EXPONENT
    for item in avoid:
        near = np.hypot(rows - item.cell[0], columns - item.cell[1]) <= item.radius
        bins = slice(None) if item.rotation_index is None else item.rotation_index
        channel = maps[list(PRIMITIVES).index(item.primitive)]
        channel[bins] = np.where(near, channel[bins] * item.penalty**exponent, channel[bins])
    return maps

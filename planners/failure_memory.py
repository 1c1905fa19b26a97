"""Memory of failures: what did not work near a cell is less likely to work there again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.records import Amount, Share, check_fields

OUT_OF_REACH = 0.02
"""Factor on the success of what the arm could not reach: it would move as little again."""


@dataclass(frozen=True)
class MemoryOptions:
    """What a failure says about other places and later moments.

    After one failure trying again is cheaper than a detour through an imagined later state, or every slip would be answered by an idle
    primitive; after two the detour is.

    Attributes:
        radius: cells around the failed one that it speaks for, >= 0.
        out_of_reach: the same where the arm could not even reach.
        wide: the same where something like it failed within as many before: then it is not the place that is wrong, but the thing.
        penalty: factor on the success there, in [0, 1]; but for setting down it fades to its root at the radius.
        later: power of a penalty in imagined later states, in [0, 1]: something else may have been missing first (an undone latch).
        later_repeated: the same once several failures speak there.
        weakened: power of a penalty once the real world has changed, in [0, 1].
    """

    radius: Amount = 3.0
    out_of_reach: Amount = 1.5
    wide: Amount = 12.0
    penalty: Share = 0.3
    later: Share = 0.8
    later_repeated: Share = 0.5
    weakened: Share = 0.8

    def __post_init__(self) -> None:
        check_fields(self, "memory")

    def power(self, failures: Any, depth: int) -> Any:
        """Of the product of penalties of a number (or array of numbers) of failures, `depth` imagined actions away."""
        return np.where(np.asarray(failures) > 1, self.later_repeated, self.later) if depth else 1.0


DEFAULT = MemoryOptions()


@dataclass(frozen=True)
class Avoid:
    """An action that failed.

    Attributes:
        primitive: key in `PRIMITIVES`.
        cell: (row, column) it was applied at.
        rotation_index: orientation bin, or None for all of them.
        radius, penalty: as in `MemoryOptions`.
    """

    primitive: str
    cell: tuple[int, int]
    rotation_index: int | None = None
    radius: float = DEFAULT.radius
    penalty: float = DEFAULT.penalty

    def __post_init__(self) -> None:
        if self.primitive not in PRIMITIVES:
            raise ValueError(f"unknown primitive {self.primitive!r}; known: {', '.join(PRIMITIVES)}")
        if not 0.0 <= self.penalty <= 1.0 or self.radius < 0:
            raise ValueError(f"an avoided action needs a penalty in [0, 1] and a radius >= 0, got {self}")

    def matches(self, action: Action, radius: float | None = None) -> bool:
        """Whether the failure speaks for `action`, or would if it spoke for as many cells around it as `radius`."""
        if action.primitive != self.primitive or self.rotation_index not in (None, action.rotation_index):
            return False
        return self.away(*action.cell) <= (self.radius if radius is None else radius)

    def away(self, row: Any, column: Any) -> Any:
        """How many cells a cell (numbers or arrays) is from the failed one."""
        return np.hypot(row - self.cell[0], column - self.cell[1])

    def lowers(self, away: Any) -> Any:
        """The factor on the success `away` cells (a number or an array) from the failed one: `penalty` there, its root at the radius.

        So the next attempt at the same thing is made elsewhere on it. Elsewhere a thing would be set down at another place, which is
        another move: there it does not fade.
        """
        fades = not PRIMITIVES[self.primitive].needs_object
        power = 1.0 - fades * np.minimum(away, self.radius) / max(2.0 * self.radius, 1.0)
        return np.where(away <= self.radius, self.penalty**power, 1.0)

    def weakened(self, power: float = DEFAULT.weakened) -> "Avoid":
        """The same failure after the world has changed since."""
        return replace(self, penalty=self.penalty**power)


def learned(avoid: Sequence[Avoid], action: Action, memory: MemoryOptions = DEFAULT) -> tuple[Avoid, ...]:
    """The failures with that of `action`, which speaks more widely where something like it has failed before."""
    again = any(item.matches(action, memory.wide) for item in avoid)
    radius = max(memory.wide, memory.radius) if again else memory.radius
    return (*avoid, Avoid(action.primitive, action.cell, action.rotation_index, radius, memory.penalty))


def refused(avoid: Sequence[Avoid], action: Action, memory: MemoryOptions = DEFAULT) -> tuple[Avoid, ...]:
    """The failures with an action that the arm cannot reach: sure, and of the next cells only, since the arm may reach the one after."""
    return (*avoid, Avoid(action.primitive, action.cell, action.rotation_index, memory.out_of_reach, OUT_OF_REACH))


def discount(action: Action, avoid: Sequence[Avoid], depth: int = 0, memory: MemoryOptions = DEFAULT) -> float:
    """Factor in [0, 1] on the success of `action` in a state `depth` imagined actions away."""
    penalties = [float(item.lowers(item.away(*action.cell))) for item in avoid if item.matches(action)]
    if not penalties:
        return 1.0
    return float(np.prod(penalties) ** memory.power(len(penalties), depth))


def discounted(maps: np.ndarray, avoid: Sequence[Avoid], depth: int = 0, memory: MemoryOptions = DEFAULT) -> np.ndarray:
    """Maps `[P, R, H, W]` with every avoided neighbourhood lowered by `discount`; the same array when there is none."""
    if not avoid:
        return maps
    rows, columns = np.ogrid[: maps.shape[2], : maps.shape[3]]
    penalties, failures = np.ones(maps.shape), np.zeros(maps.shape)
    for item in avoid:
        away = item.away(rows, columns)
        at = (list(PRIMITIVES).index(item.primitive), slice(None) if item.rotation_index is None else item.rotation_index)
        penalties[at] *= item.lowers(away)
        failures[at] += away <= item.radius
    return (maps * penalties ** memory.power(failures, depth)).astype(maps.dtype)

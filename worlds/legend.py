"""What channels mean: maps, episodes and weights carry names, so that registries may grow or shrink without voiding what is stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypedDict

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import DataError
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.records import check, shown

MAX_NAMES = 500
"""Of anything in a legend: stored primitives and things are numbered by single bytes."""


class LegendRecord(TypedDict):
    """A legend in JSON."""

    bins: list[tuple[str, str]]
    unary: list[str]
    binary: list[str]


@dataclass(frozen=True)
class Legend:
    """Names of channels in the order of their owner: the registries, a model or an episode.

    Attributes:
        bins: (primitive, orientation bin) of every map; a primitive's bins keep their order, primitives that of their first bin.
        unary, binary: kinds of predicates of one thing, and of a thing and a place.
    """

    bins: tuple[tuple[str, str], ...]
    unary: tuple[str, ...]
    binary: tuple[str, ...]

    def __post_init__(self) -> None:
        names = (*self.bins, *self.unary, *self.binary)
        if len(names) > MAX_NAMES:
            raise DataError(f"a legend names at most {MAX_NAMES} bins and predicates, got {len(names)}")
        most = max(Counter(primitive for primitive, _ in self.bins).values(), default=0)
        if most > ROTATION_BINS or any(len(set(names)) < len(names) for names in (self.bins, self.unary, self.binary)):
            raise DataError(f"a legend has at most {ROTATION_BINS} bins a primitive and every name once, got {shown(self)}")

    @cached_property
    def primitives(self) -> tuple[str, ...]:
        """P names."""
        return tuple(dict.fromkeys(primitive for primitive, _ in self.bins))

    @cached_property
    def flat(self) -> tuple[int, ...]:
        """Index in this legend's `[P * R]` of every bin."""
        before = [sum(earlier == primitive for earlier, _ in self.bins[:k]) for k, (primitive, _) in enumerate(self.bins)]
        return tuple(self.primitives.index(primitive) * ROTATION_BINS + r for (primitive, _), r in zip(self.bins, before, strict=True))

    def bins_in(self, other: "Legend") -> np.ndarray:
        """`[P, R]` of this legend int64: where `other.bins` names the same bin, -1 where it does not."""
        table = np.full(len(self.primitives) * ROTATION_BINS, -1, np.int64)
        table[list(self.flat)] = places(self.bins, other.bins)
        return table.reshape(-1, ROTATION_BINS)

    def to_dict(self) -> dict[str, list]:
        """Plain JSON."""
        return {"bins": [list(pair) for pair in self.bins], "unary": list(self.unary), "binary": list(self.binary)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; DataError for anything else."""
        check(record, LegendRecord, "legend")
        return cls(tuple(map(tuple, record["bins"])), tuple(record["unary"]), tuple(record["binary"]))


def registered() -> Legend:
    """The registries' own order."""
    return Legend(tuple((spec.name, rotation) for spec in PRIMITIVES.values() for rotation in spec.rotations), UNARY, BINARY)


def places(wanted: Sequence, known: Sequence) -> np.ndarray:
    """Where each wanted name stands in `known`, `[len(wanted)]` int64; -1 for one that does not."""
    return np.array([known.index(name) if name in known else -1 for name in wanted], np.int64)


_FIRST_BINS = {
    "grasp": ("yaw_0", "yaw_45", "yaw_90", "yaw_135"),
    "place": ("yaw_0", "yaw_90"),
    "push": ("inward", "left", "right", "down"),
    "pull": ("roll_0", "roll_90"),
    "rotate": ("ccw_roll_0", "cw_roll_0", "ccw_roll_90", "cw_roll_90"),
}
FIRST = Legend(
    tuple((primitive, name) for primitive, names in _FIRST_BINS.items() for name in names),
    ("open", "closed", "on", "off", "held"),
    ("inside", "on_top"),
)
"""Of episodes and weights that name none; it never changes, whatever the registries become."""

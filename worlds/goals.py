"""Goals: a conjunction of predicates over targets seen in the first view. JSON in, JSON out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

UNARY = ("open", "closed", "on", "off", "held")
"""Predicates of one target, in the order of the predicate head's channels."""
BINARY = ("inside", "on_top")
"""Predicates of a thing and a place, in the order of the predicate head's channels, after `UNARY`."""
PREDICATES = UNARY + BINARY

OPEN_FRACTION, CLOSED_FRACTION = 0.9, 0.02
"""A joint counts as open from this fraction of its range, as closed up to this."""
ON_FRACTION, OFF_FRACTION = 0.8, 0.2
"""A knob, lever or switch counts as on from this fraction of its range, as off up to this."""


@dataclass(frozen=True)
class Predicate:
    """`kind(*arguments)`: kind from `PREDICATES`, arguments are names of the goal's targets."""

    kind: str
    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        expected = 1 if self.kind in UNARY else 2 if self.kind in BINARY else 0
        if expected == 0:
            raise ValueError(f"unknown predicate {self.kind!r}; known: {', '.join(PREDICATES)}")
        if len(self.arguments) != expected:
            raise ValueError(f"{self.kind} takes {expected} target(s), got {self.arguments!r}")

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(self.arguments)})"


@dataclass(frozen=True, eq=False)
class Target:
    """A thing named in the goal: `mask` `[H, W]` bool, its cells in the first fused view."""

    name: str
    mask: np.ndarray


@dataclass(frozen=True, eq=False)
class Goal:
    """All `predicates` hold; `targets` maps every name they use to its mask in the first view."""

    predicates: tuple[Predicate, ...]
    targets: Mapping[str, Target]

    def __post_init__(self) -> None:
        missing = sorted({a for p in self.predicates for a in p.arguments} - set(self.targets))
        if missing:
            raise ValueError(f"the goal uses targets without a mask: {missing}; given: {sorted(self.targets)}")

    def __str__(self) -> str:
        return " and ".join(map(str, self.predicates)) or "nothing"

    def to_json(self) -> dict:
        """Plain JSON: predicates as lists, masks as `[[row, first column, last column], ...]` runs."""
        return {
            "predicates": [[p.kind, *p.arguments] for p in self.predicates],
            "targets": {name: {"shape": list(t.mask.shape), "runs": _runs(t.mask)} for name, t in self.targets.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping) -> "Goal":
        """Read what `to_json` wrote; a target may instead give `{"shape": [H, W], "point": [row, column]}`."""
        targets = {name: Target(name, _mask(spec)) for name, spec in record["targets"].items()}
        return cls(tuple(Predicate(kind, tuple(rest)) for kind, *rest in record["predicates"]), targets)


_WORDS = {
    "open": "the {} is open",
    "closed": "the {} is shut",
    "on": "the {} is on",
    "off": "the {} is off",
    "held": "the {} is in the hand",
    "inside": "the {} is in the {}",
    "on_top": "the {} stands on the {}",
}


def in_words(predicates: Iterable[Predicate]) -> str:
    """The goal as a sentence, for example "the mug is in the left drawer 1, and the left drawer 1 is shut"."""
    clauses = [_WORDS[p.kind].format(*(name.replace("_", " ") for name in p.arguments)) for p in predicates]
    return ", and ".join(clauses) or "nothing is asked for"


def _runs(mask: np.ndarray) -> list[list[int]]:
    runs = []
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], mask[row].astype(np.int8), [0]))))
        runs += [[row, int(first), int(last) - 1] for first, last in edges.reshape(-1, 2)]
    return runs


def _mask(spec: Mapping) -> np.ndarray:
    mask = np.zeros(spec["shape"], dtype=bool)
    runs = spec["runs"] if "runs" in spec else [[spec["point"][0], spec["point"][1], spec["point"][1]]]
    for row, first, last in runs:
        if not (0 <= row < mask.shape[0] and 0 <= first <= last < mask.shape[1]):
            raise ValueError(f"target run {[row, first, last]} lies outside the {mask.shape[0]} x {mask.shape[1]} frame")
        mask[row, first : last + 1] = True
    return mask

"""Goals: a conjunction of predicates over targets seen in the first view. JSON in, JSON out."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

import numpy as np

from hiermap.worlds.errors import ConfigError

OPEN_FRACTION, CLOSED_FRACTION = 0.9, 0.02
"""A joint counts as open from this fraction of its range, as closed up to this."""
ON_FRACTION, OFF_FRACTION = 0.8, 0.2
"""A knob, lever or switch counts as on from this fraction of its range, as off up to this."""


@dataclass(frozen=True)
class PredicateSpec:
    """One kind of predicate as a goal names it; `hiermap.worlds.rules.judge.JUDGES` says when it is true.

    Attributes:
        kind: key in `PREDICATES`; stored data and weights know it by this.
        arity: 1 for a property of one target, 2 for a thing and a place.
        words: a clause with a `{}` for every target.
        least, most: it holds of a joint at these shares of its range.
        carried: whether it speaks of something that a hand can carry.
        hides: whether what it says can go out of sight, since the place can be shut.
    """

    kind: str
    arity: int
    words: str
    least: float = -inf
    most: float = inf
    carried: bool = False
    hides: bool = False

    def holds_at(self, fraction: float) -> bool:
        """Whether a joint at `fraction` of its range has the property."""
        return self.least <= fraction <= self.most


_SPECS = (
    PredicateSpec("open", 1, "the {} is open", least=OPEN_FRACTION),
    PredicateSpec("closed", 1, "the {} is shut", most=CLOSED_FRACTION),
    PredicateSpec("on", 1, "the {} is on", least=ON_FRACTION),
    PredicateSpec("off", 1, "the {} is off", most=OFF_FRACTION),
    PredicateSpec("held", 1, "the {} is in the hand", carried=True),
    PredicateSpec("inside", 2, "the {} is in the {}", carried=True, hides=True),
    PredicateSpec("on_top", 2, "the {} stands on the {}", carried=True),
)

PREDICATES: Mapping[str, PredicateSpec] = MappingProxyType({spec.kind: spec for spec in _SPECS})
"""Kind -> spec; the order is the channel order of predicates."""
UNARY = tuple(kind for kind, spec in PREDICATES.items() if spec.arity == 1)
BINARY = tuple(kind for kind, spec in PREDICATES.items() if spec.arity == 2)


@dataclass(frozen=True)
class Predicate:
    """`kind(*arguments)`: kind from `PREDICATES`, arguments are names of the goal's targets."""

    kind: str
    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in PREDICATES:
            raise ValueError(f"unknown predicate {self.kind!r}; known: {', '.join(PREDICATES)}")
        expected = PREDICATES[self.kind].arity
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

    @property
    def carried(self) -> frozenset[str]:
        """The targets that are told to be things that a hand can carry; the others may be or not."""
        return frozenset(p.arguments[0] for p in self.predicates if PREDICATES[p.kind].carried)

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


def in_words(predicates: Iterable[Predicate]) -> str:
    """The goal as a sentence, for example "the mug is in the left drawer 1, and the left drawer 1 is shut"."""
    clauses = [PREDICATES[p.kind].words.format(*(name.replace("_", " ") for name in p.arguments)) for p in predicates]
    return ", and ".join(clauses) or "nothing is asked for"


def is_in_words(text: str) -> bool:
    """Whether a goal is told in plain words: it is neither JSON nor of the form `kind(name)`."""
    return bool(text.strip()) and re.search(r"^\s*\[|\w\s*\(", text) is None


def asked(text: str, vocabulary: Sequence[Predicate]) -> tuple[Predicate, ...]:
    """The predicates of `text`, `inside(mug, drawer) and closed(drawer)` or JSON `[["inside", "mug", "drawer"], ["closed", "drawer"]]`.

    Raises:
        ConfigError: text that is neither, or a predicate that is not in the vocabulary; the message lists what can be asked.
    """
    try:
        clauses = json.loads(text) if text.lstrip().startswith("[") else [_clause(part) for part in re.split(r"\s+and\s+|;", text.strip())]
        found = tuple(Predicate(kind, tuple(rest)) for kind, *rest in clauses)
        if not found:
            raise ValueError("nothing is asked for")
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"goal={text!r} cannot be read ({error}); expected for example {_example(vocabulary)!r}") from error
    for predicate in found:
        if predicate not in vocabulary:
            raise ConfigError(f"goal={text!r}: {predicate} makes no sense in this kitchen; it knows {'; '.join(map(str, vocabulary))}")
    return found


def _clause(text: str) -> list[str]:
    match = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form kind(name, name)")
    return [match[1], *(name.strip() for name in match[2].split(","))]


def _example(vocabulary: Sequence[Predicate]) -> str:
    return str(vocabulary[0]) if vocabulary else "open(drawer)"


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

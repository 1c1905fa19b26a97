"""Goals: a conjunction of predicates over targets seen in the first view. JSON in, JSON out."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Annotated, NotRequired, TypedDict

import numpy as np

from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import check, shown

OPEN_FRACTION, CLOSED_FRACTION = 0.9, 0.02
"""A joint counts as open from this fraction of its range, as closed up to this."""
ON_FRACTION, OFF_FRACTION = 0.8, 0.2
"""A knob, lever or switch counts as on from this fraction of its range, as off up to this."""


Side = Annotated[int, 1, 4096]
"""Rows or columns of a frame."""


@dataclass(frozen=True)
class PredicateSpec:
    """One kind of predicate as a goal names it; `hiermap.worlds.rules.judge.JUDGES` says when it is true.

    Attributes:
        kind: key in `PREDICATES`; stored data and weights know it by this.
        arity: 1 for a property of one target, 2 for a thing and a place.
        words: a clause with a `{}` for every target.
        least, most: it holds of a joint at these shares of its range.
        carried: whether it speaks of something that a hand can carry.
        whereabouts: whether it says where that is: in a hand (arity 1), in or on a place (2); everything is in one place at a time.
        hides: whether what it says can go out of sight, since the place can be shut.
    """

    kind: str
    arity: int
    words: str
    least: float = -inf
    most: float = inf
    carried: bool = False
    whereabouts: bool = False
    hides: bool = False

    def holds_at(self, fraction: float) -> bool:
        """Whether a joint at `fraction` of its range has the property."""
        return self.least <= fraction <= self.most


_SPECS = (
    PredicateSpec("open", 1, "the {} is open", least=OPEN_FRACTION),
    PredicateSpec("closed", 1, "the {} is shut", most=CLOSED_FRACTION),
    PredicateSpec("on", 1, "the {} is on", least=ON_FRACTION),
    PredicateSpec("off", 1, "the {} is off", most=OFF_FRACTION),
    PredicateSpec("held", 1, "the {} is in the hand", carried=True, whereabouts=True),
    PredicateSpec("inside", 2, "the {} is in the {}", carried=True, whereabouts=True, hides=True),
    PredicateSpec("on_top", 2, "the {} stands on the {}", carried=True, whereabouts=True),
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
            raise ConfigError(f"unknown predicate {shown(self.kind)}; known: {', '.join(PREDICATES)}")
        expected = PREDICATES[self.kind].arity
        if len(self.arguments) != expected:
            raise ConfigError(f"{self.kind} takes {expected} target(s), got {shown(self.arguments)}")

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(self.arguments)})"


@dataclass(frozen=True, eq=False)
class Target:
    """A thing named in the goal: `mask` `[H, W]` bool, its cells in the first fused view."""

    name: str
    mask: np.ndarray


class TargetRecord(TypedDict):
    """A target in JSON: the shape of its frame, and either runs of cells (row, first column, last column) or one cell."""

    shape: tuple[Side, Side]
    runs: NotRequired[list[tuple[int, int, int]]]
    point: NotRequired[tuple[int, int]]


class GoalRecord(TypedDict):
    """A goal in JSON."""

    predicates: list[list[str]]
    targets: dict[str, TargetRecord]


@dataclass(frozen=True, eq=False)
class Goal:
    """All `predicates` hold; `targets` maps every name they use to its mask in the first view."""

    predicates: tuple[Predicate, ...]
    targets: Mapping[str, Target]

    def __post_init__(self) -> None:
        missing = sorted({a for p in self.predicates for a in p.arguments} - set(self.targets))
        if missing:
            raise ConfigError(f"the goal uses targets without a mask: {shown(missing)}; given: {shown(sorted(self.targets))}")

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
        """What `to_json` wrote; a target may instead give `{"shape": [H, W], "point": [row, column]}`; ConfigError for anything else."""
        try:
            check(record, GoalRecord, "goal")
        except DataError as error:
            raise ConfigError(str(error)) from error
        targets = {name: Target(name, _mask(spec)) for name, spec in record["targets"].items()}
        return cls(tuple(Predicate("".join(told[:1]), tuple(told[1:])) for told in record["predicates"]), targets)


def in_words(predicates: Iterable[Predicate], called: Mapping[str, str] = MappingProxyType({})) -> str:
    """The goal as a sentence, for example "the mug is in the left drawer 1, and the left drawer 1 is shut", or as things are `called`."""
    clauses = [PREDICATES[p.kind].words.format(*(called.get(name, name.replace("_", " ")) for name in p.arguments)) for p in predicates]
    return ", and ".join(clauses) or "nothing is asked for"


def is_in_words(text: str) -> bool:
    """Whether a goal is told in plain words: it is neither JSON nor of the form `kind(name)`."""
    return bool(text.strip()) and re.search(r"^\s*\[|\w\s*\(", text) is None


def from_text(text: str) -> tuple[Predicate, ...]:
    """The predicates of `text`, `inside(mug, drawer) and closed(drawer)` or JSON `[["inside", "mug", "drawer"], ["closed", "drawer"]]`;
    ConfigError for anything else.
    """
    try:
        clauses = json.loads(text) if text.lstrip().startswith("[") else [_clause(part) for part in re.split(r"\s+and\s+|;", text.strip())]
        found = tuple(Predicate(kind, tuple(rest)) for kind, *rest in clauses)
        if not found:
            raise ValueError("nothing is asked for")
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"goal={shown(text)} cannot be read ({error}); expected for example 'inside(mug, drawer)'") from error
    return found


def asked(text: str, vocabulary: Sequence[Predicate]) -> tuple[Predicate, ...]:
    """As `from_text`, with names that the vocabulary has; whether they go together is for whoever plans to say.

    Raises:
        ConfigError: also for an unknown name; the message lists what can be asked.
    """
    found, names = from_text(text), {name for predicate in vocabulary for name in predicate.arguments}
    for name in (name for predicate in found for name in predicate.arguments):
        if name not in names:
            raise ConfigError(f"goal={shown(text)}: no {shown(name)} in this kitchen; it knows {'; '.join(map(str, vocabulary))}")
    return found


def _clause(text: str) -> list[str]:
    match = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form kind(name, name)")
    return [match[1], *(name.strip() for name in match[2].split(","))]


def _runs(mask: np.ndarray) -> list[list[int]]:
    runs = []
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], mask[row].astype(np.int8), [0]))))
        runs += [[row, int(first), int(last) - 1] for first, last in edges.reshape(-1, 2)]
    return runs


def _mask(spec: TargetRecord) -> np.ndarray:
    mask = np.zeros(tuple(spec["shape"]), dtype=bool)
    row, column = spec.get("point", (-1, -1))
    runs = spec.get("runs", [(row, column, column)])
    for row, first, last in runs:
        if not (0 <= row < mask.shape[0] and 0 <= first <= last < mask.shape[1]):
            raise ConfigError(f"a target's run {shown([row, first, last])} lies outside the {mask.shape[0]} x {mask.shape[1]} frame")
        mask[row, first : last + 1] = True
    return mask

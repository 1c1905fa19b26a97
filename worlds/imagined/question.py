"""What a goal asks of an episode's things, told once, and how its answers are read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hiermap.worlds.errors import InvalidGoalError
from hiermap.worlds.goals import BINARY, PREDICATES, UNARY, Goal

_FORMS = (*(f"{kind}({{}})" for kind in UNARY), *(f"{kind}({{}}, ...)" for kind in BINARY), *(f"{kind}(..., {{}})" for kind in BINARY))
"""What can be said of a thing: of it alone, of it and a place, of a thing and it."""


@dataclass(frozen=True, eq=False)
class Question:
    """A goal's predicates as indices.

    Attributes:
        predicates: their names.
        things: what the episode's first view, in which the goal's masks are given, says of the things that the goal names.
        unary: `[n, 2]` of (thing, kind); binary: `[m, 3]` of (thing, place, kind); pairs: `[m, 2]` of them, for a model.
        order: the goal's predicates in terms of the unary and then the binary ones.
        goal: `[Q, 3]` of (kind of `UNARY + BINARY`, thing, place or -1), for a model.
    """

    predicates: tuple[str, ...]
    things: Any
    unary: np.ndarray
    binary: np.ndarray
    pairs: Tensor
    order: np.ndarray
    goal: Tensor

    @classmethod
    def of(cls, goal: Goal, things: Any, device: torch.device) -> "Question":
        """The question of a goal; `things` are in the order of its targets."""
        names = list(goal.targets)
        tables: tuple[list[list[int]], list[list[int]]] = ([], [])
        asked = []
        for predicate in goal.predicates:
            which = [names.index(argument) for argument in predicate.arguments]
            tables[len(which) - 1].append([*which, (UNARY, BINARY)[len(which) - 1].index(predicate.kind)])
            asked.append([(UNARY + BINARY).index(predicate.kind), *which, -1][:3])
        binary = np.array([len(predicate.arguments) > 1 for predicate in goal.predicates])
        order = np.argsort(np.argsort(binary, kind="stable"), kind="stable")
        unary, several = (np.array(rows, np.int64).reshape(-1, width) for rows, width in zip(tables, (2, 3), strict=True))
        pairs = torch.from_numpy(several[:, :2]).to(device)
        rows = torch.tensor(asked, dtype=torch.int64, device=device).reshape(-1, 3)
        return cls(tuple(map(str, goal.predicates)), things, unary, several, pairs, order, rows)

    @cached_property
    def carried(self) -> tuple[int, ...]:
        """Of each of the goal's predicates the thing that shall be somewhere; -1 where it speaks of one thing alone."""
        return tuple(thing if place >= 0 else -1 for _, thing, place in self.goal.tolist())

    @cached_property
    def taken(self) -> np.ndarray:
        """`[Q]` int, of each of the goal's predicates the thing that shall be in the hand; -1 where it asks for something else."""
        return np.array([thing if (UNARY + BINARY)[kind] == "held" else -1 for kind, thing, _ in self.goal.tolist()], np.int64)

    @cached_property
    def of_fixture(self) -> np.ndarray:
        """`[Q]` bool, which of the goal's predicates speak of no thing that a hand can carry."""
        return (np.array(self.carried, np.int64) < 0) & (self.taken < 0)

    @cached_property
    def hides(self) -> np.ndarray:
        """`[Q]` bool, of which of the goal's predicates what they say can go out of sight."""
        return np.array([PREDICATES[(UNARY + BINARY)[kind]].hides for kind, *_ in self.goal.tolist()], bool)

    def asked(self, unary: Tensor, binary: Tensor) -> np.ndarray:
        """`[B, Q]` of the goal's predicates, from values of all unary predicates `[B, N, U]` and of those of the pairs `[B, m, V]`."""
        of_things = unary.cpu().numpy()[:, self.unary[:, 0], self.unary[:, 1]]
        of_pairs = binary.cpu().numpy()[:, np.arange(len(self.binary)), self.binary[:, 2]]
        return np.concatenate([of_things, of_pairs], axis=1)[:, self.order].astype(float)


def together(questions: Sequence[Question]) -> Question:
    """One question of a batch of states with the same goal: what all share, or their things one after the other."""
    first = questions[0]
    if all(question is first for question in questions):
        return first
    parts = zip(*(vars(question.things).values() for question in questions), strict=True)
    return replace(first, things=type(first.things)(*map(torch.cat, parts)))


def check_sense(question: Question, names: Sequence[str], likely: Tensor, least: float) -> None:
    """Raise InvalidGoalError if a predicate is less likely than `least` to make sense of a thing it speaks of.

    `names` are of the N things; `likely`: `[N, U + 2 V]` of unary predicates, of binary ones of the thing, and of the place.
    """
    asked = [tuple(row) for row in question.unary.tolist()]
    for thing, place, kind in question.binary.tolist():
        asked += [(thing, len(UNARY) + kind), (place, len(UNARY + BINARY) + kind)]
    chances = likely.cpu().numpy()
    for thing, form in asked:
        if chances[thing, form] < least:
            name, fits = names[thing], [_FORMS[k].format(names[thing]) for k in np.flatnonzero(chances[thing] > 0.5)]
            looks = ", ".join(fits) or "no predicate at all"
            raise InvalidGoalError(
                f"{_FORMS[form].format(name)} makes no sense: by its looks {name!r} is something for {looks}; "
                "ask for that, or give the mask of the thing that was meant"
            )

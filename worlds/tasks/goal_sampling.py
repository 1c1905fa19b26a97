"""Random goals of about a wanted length, varied in kind, with or without a detour."""

from collections.abc import Collection, Sequence

import numpy as np

from hiermap.worlds.goals import Predicate
from hiermap.worlds.rules.shortest_paths import GoalBound, steps_to_predicates
from hiermap.worlds.rules.state_table import HELD, OPEN, StateTable

KIND_WEIGHTS = {"open": 1.0, "closed": 1.3, "on": 1.0, "off": 1.2, "inside": 2.2, "on_top": 1.6, "held": 0.3}
"""How often a predicate kind is tried as part of a goal, among the predicates that do not hold yet."""
FARTHEST = 5
"""Single predicates farther away than this many moves are not asked for."""
DETOUR_WEIGHTS = {"open": 3.0}
"""Doors that something blocks are asked for more often than drawers that only have to be opened first."""
OWN_STEPS = {"inside": 2, "on_top": 2}
"""What a predicate asks for itself, grasping and placing; the others ask for one step."""


class GoalSampler:
    """Draws conjunctions over what does not hold in a scene and is not hidden in it, unless it is `known` where that is."""

    def __init__(self, table: StateTable, known: Collection[str] = ()):
        self.table = table
        self._start = np.array([table.start], np.int64)
        steps = steps_to_predicates(table, FARTHEST)
        hidden = _hidden_objects(table) - set(known)
        shown = [key for key in table.vocabulary() if key in steps and not set(key[1:]) & hidden]
        self.unmet = [Predicate(key[0], key[1:]) for key in shown if not table.holds(self._start, key)[0]]
        self._steps = {p: steps[(p.kind, *p.arguments)] for p in self.unmet}
        counts = {kind: sum(p.kind == kind for p in self.unmet) for kind in KIND_WEIGHTS}
        self._weights = np.array([KIND_WEIGHTS[p.kind] / np.sqrt(counts[p.kind]) for p in self.unmet])

    def detour(self, predicate: Predicate) -> int:
        """Steps on the way to a single predicate that it does not ask for itself."""
        return self._steps[predicate] - OWN_STEPS.get(predicate.kind, 1)

    def draw(self, rng: np.random.Generator, length: int, want_detour: bool) -> tuple[Predicate, ...] | None:
        """A random conjunction whose lower bound is near `length`; None if it came out empty."""
        if not self.unmet:
            return None
        order = self._ordered(rng)
        slack = int(rng.integers(0, 2))
        if want_detour:
            first = self._with_detour(rng, length)
            if first is None:
                return None
            order = [first, *order]
            slack = self._steps[first] - self._bound([first])
        goal: list[Predicate] = []
        for candidate in order:
            if _clashes(candidate, goal):
                continue
            grown = _with_shut_drawer([*goal, candidate], rng)
            if GoalBound(self.table, grown).contradictory or self._bound(grown) > length:
                continue
            goal = grown
            if self._bound(goal) >= length - slack:
                break
        return tuple(goal) or None

    def _bound(self, goal: Sequence[Predicate]) -> int:
        return int(GoalBound(self.table, goal)(self._start)[0])

    def _ordered(self, rng: np.random.Generator) -> list[Predicate]:
        """All unmet predicates in random order, with random emphasis on kinds so that goals vary."""
        by_kind = {kind: float(rng.uniform(0.2, 1.8)) for kind in KIND_WEIGHTS}
        weights = self._weights * [by_kind[p.kind] for p in self.unmet]
        chosen = rng.choice(len(self.unmet), size=len(self.unmet), replace=False, p=weights / weights.sum())
        return [self.unmet[int(index)] for index in chosen]

    def _with_detour(self, rng: np.random.Generator, length: int) -> Predicate | None:
        """A predicate that needs steps of no goal, first drawn by what kind of detour it is, so that rare ones come up too."""
        groups: dict[tuple[str, int], list[Predicate]] = {}
        for predicate in self.unmet:
            if self.detour(predicate) > 0 and self._steps[predicate] <= length:
                groups.setdefault((predicate.kind, self.detour(predicate)), []).append(predicate)
        if not groups:
            return None
        names = sorted(groups)
        weights = np.array([DETOUR_WEIGHTS.get(kind, 1.0) * detour for kind, detour in names])
        group = groups[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
        return group[int(rng.integers(len(group)))]


def _with_shut_drawer(goal: list[Predicate], rng: np.random.Generator) -> list[Predicate]:
    """Often what is put into a drawer shall be shut away."""
    last = goal[-1]
    if last.kind != "inside" or rng.uniform() > 0.5 or any(p.arguments == last.arguments[1:] for p in goal):
        return goal
    return [*goal, Predicate("closed", last.arguments[1:])]


def _clashes(candidate: Predicate, goal: Sequence[Predicate]) -> bool:
    """Whether the goal already says something of the same fixture or object, fills the same place or the hand."""
    (thing, *place), held = candidate.arguments, candidate.kind == "held"
    return any(thing == p.arguments[0] or (place and place == [*p.arguments[1:]]) or (held and p.kind == "held") for p in goal)


def _hidden_objects(table: StateTable) -> set[str]:
    """What begins in a container that is not open."""
    numbers = {name: int(variable.of(np.array(table.start))) for name, variable in table.things.items()}
    around = {name: table.places[name][number].drawer for name, number in numbers.items() if number != HELD}
    return {name for name, container in around.items() if container is not None and table.codes[container] != OPEN}

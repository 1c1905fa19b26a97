"""Exhaustive search over the exact rules: least primitives to every predicate, and shortest solutions of a goal."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hiermap.worlds.goals import Predicate
from hiermap.worlds.rules.judge import PredicateKey, vocabulary
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.transition_table import CLOSED, HELD_PLACE, OPEN, Table

MAX_STATES = 400_000
"""A bounded search gives up beyond this many states a level; no sampled task comes near it."""


@dataclass(frozen=True, eq=False)
class _Level:
    """States `[N]` int64 first reached after so many moves, and for each the row in the level before and the operator used."""

    states: np.ndarray
    parents: np.ndarray
    operators: np.ndarray


def _expand(table: Table, states: np.ndarray) -> _Level:
    """All successors, each once (the first operator wins, so the order is deterministic)."""
    found, parents, operators = [], [], []
    for number, rows in table.applicable(states):
        operator = table.operators[number]
        found.append((states[rows] & ~operator.clear) | operator.put)
        parents.append(rows)
        operators.append(np.full(len(rows), number, np.int32))
    if not found:
        empty = np.zeros(0, np.int64)
        return _Level(empty, empty, empty)
    unique, first = np.unique(np.concatenate(found), return_index=True)
    return _Level(unique, np.concatenate(parents)[first], np.concatenate(operators)[first])


def _new(level: _Level, seen: np.ndarray) -> _Level:
    """Without the states in sorted `seen`."""
    if len(seen) == 0 or len(level.states) == 0:
        return level
    at = np.minimum(np.searchsorted(seen, level.states), len(seen) - 1)
    keep = seen[at] != level.states
    return _Level(level.states[keep], level.parents[keep], level.operators[keep])


def levels(table: Table, depth: int) -> list[np.ndarray]:
    """States `[N]` int64 by the least number of moves that reaches them, from 0 to `depth`: the exhaustive search in full."""
    frontier = _Level(np.array([table.start], np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))
    seen, found = frontier.states, [frontier.states]
    for _ in range(depth):
        frontier = _new(_expand(table, frontier.states), seen)
        seen = np.sort(np.concatenate([seen, frontier.states]), kind="stable")
        found.append(frontier.states)
    return found


def steps_to_predicates(table: Table, max_steps: int) -> dict[PredicateKey, int]:
    """Least number of moves after which each single predicate holds; those beyond `max_steps` are left out."""
    open_keys = vocabulary(table.spec, tuple(o.name for o in table.objects))
    steps: dict[PredicateKey, int] = {}
    for depth, states in enumerate(levels(table, max(max_steps - 1, 0))):
        for key in [k for k in open_keys if k not in steps]:
            if table.holds(states, key).any():
                steps[key] = depth
    if max_steps > 0 and len(steps) < len(open_keys):
        # The last level is never built: an operator that applies anywhere makes true what it sets.
        used = [table.operators[number] for number, _ in table.applicable(states)]
        after = np.array([operator.put for operator in used], np.int64)
        for key in [k for k in open_keys if k not in steps]:
            if _set_by(table, after, used, key).any():
                steps[key] = max_steps
    return steps


def _set_by(table: Table, after: np.ndarray, used: Sequence, key: PredicateKey) -> np.ndarray:
    """Which operators make the predicate true, given the bits that they put."""
    subject = key[1]
    mine = np.array([operator.move.target == subject for operator in used], bool)
    if not mine.any():
        return mine
    return mine & table.holds(after, key)


@dataclass(frozen=True)
class _ObjectGoal:
    """`thing` has to be at one of the places in the bit mask `allowed`, or in the hand; `only_drawer`: all those places are in it."""

    thing: str
    allowed: int
    held: bool
    only_drawer: str | None
    push_helps: bool


class GoalBound:
    """An admissible estimate of the moves still needed to a conjunction: unmet predicates, and what they presuppose."""

    def __init__(self, table: Table, goal: Sequence[Predicate]):
        self.table = table
        articulated = [p for p in goal if p.kind in ("open", "closed", "on", "off")]
        fixture_goals = {(p.arguments[0], OPEN if p.kind in ("open", "on") else CLOSED) for p in articulated}
        self.wanted = dict(sorted(fixture_goals))
        self.contradictory = len(self.wanted) < len(fixture_goals)
        moved = dict.fromkeys(p.arguments[0] for p in goal if p.kind in ("held", "inside", "on_top"))
        self.object_goals = [self._object_goal(name, goal) for name in moved]
        self.contradictory |= any(not g.held and g.allowed == 0 for g in self.object_goals)

    def _object_goal(self, thing: str, goal: Sequence[Predicate]) -> _ObjectGoal:
        mine = [p for p in goal if p.arguments[0] == thing and p.kind in ("held", "inside", "on_top")]
        held = any(p.kind == "held" for p in mine)
        allowed = ~0 if not held else 0
        for predicate in mine:
            if predicate.kind != "held":
                allowed &= self.table.places_where((predicate.kind, *predicate.arguments))
        if held and len(mine) > 1:
            held = False
        places = self.table.places[next(i for i, o in enumerate(self.table.objects) if o.name == thing)]
        inside = {place.drawer for n, place in enumerate(places) if allowed >> n & 1}
        helps = any(allowed >> n & 1 for n, place in enumerate(places) if place.owner is not None)
        return _ObjectGoal(thing, allowed, held, inside.pop() if len(inside) == 1 else None, helps)

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Lower bound `[N]` of the moves from each of `states` `[N]`; 0 exactly where the goal holds."""
        bound = np.zeros(len(states), np.int32)
        for name, code in self.wanted.items():
            bound += self.table.codes(states, name) != code
        must_open: dict[str, np.ndarray] = {}
        for goal in self.object_goals:
            unmet = self._add_object(states, goal, bound)
            self._drawers_needed(states, goal, unmet, must_open)
        for drawer, needed in must_open.items():
            now = self.table.codes(states, drawer)
            if self.wanted.get(drawer) != OPEN:
                bound += needed & (now != OPEN)
            if self.wanted.get(drawer) == CLOSED:
                bound += needed & (now == CLOSED)
        for fixture in self.table.spec.fixtures:
            if fixture.latch is not None and self.wanted.get(fixture.name) == OPEN and self.wanted.get(fixture.latch) != OPEN:
                bound += (self.table.codes(states, fixture.name) != OPEN) & (self.table.codes(states, fixture.latch) != OPEN)
        return bound

    def _add_object(self, states: np.ndarray, goal: _ObjectGoal, bound: np.ndarray) -> np.ndarray:
        place = self.table.object_places(states, goal.thing)
        if goal.held:
            unmet = place != HELD_PLACE
            bound += unmet
            return unmet
        unmet = (np.uint64(goal.allowed & (2**63 - 1)) >> place.astype(np.uint64)) & np.uint64(1) == 0
        bound += np.where(unmet, np.where((place == HELD_PLACE) | goal.push_helps, 1, 2), 0).astype(np.int32)
        return unmet

    def _drawers_needed(self, states: np.ndarray, goal: _ObjectGoal, unmet: np.ndarray, must_open: dict[str, np.ndarray]) -> None:
        places = self.table.places[next(i for i, o in enumerate(self.table.objects) if o.name == goal.thing)]
        at = self.table.object_places(states, goal.thing)
        for drawer in (f.name for f in self.table.spec.fixtures if f.kind == "drawer"):
            inside = sum(1 << n for n, p in enumerate(places) if p.drawer == drawer)
            needed = unmet & ((np.uint64(inside) >> at.astype(np.uint64)) & np.uint64(1) == 1)
            if goal.only_drawer == drawer:
                needed = unmet
            if needed.any():
                must_open[drawer] = must_open.get(drawer, np.zeros(len(states), bool)) | needed


def shortest(table: Table, goal: Sequence[Predicate], limit: int) -> tuple[Move, ...] | None:
    """A shortest sequence of moves after which all of `goal` holds, or None if there is none of at most `limit` moves.

    Exact: states are left out only when even the admissible bound exceeds the length tried. Lengths are tried in increasing order.
    """
    bound = GoalBound(table, goal)
    if bound.contradictory:
        return None
    start = np.array([table.start], np.int64)
    for length in range(int(bound(start)[0]), limit + 1):
        found = _within(table, bound, start, length)
        if found is not None:
            return found
    return None


def best_moves(table: Table, goal: Sequence[Predicate], limit: int) -> tuple[int, tuple[Move, ...]] | None:
    """The length of a shortest solution and every move that some shortest solution begins with, or None beyond `limit` moves."""
    solution = shortest(table, goal, limit)
    if solution is None:
        return None
    if not solution:
        return 0, ()
    bound = GoalBound(table, goal)
    level = _expand(table, np.array([table.start], np.int64))
    found = []
    for state, number in zip(level.states, level.operators, strict=True):
        if _within(table, bound, np.array([state], np.int64), len(solution) - 1) is not None:
            found.append(table.operators[int(number)].move)
    return len(solution), tuple(found)


def _within(table: Table, bound: GoalBound, start: np.ndarray, length: int) -> tuple[Move, ...] | None:
    path = [_Level(start, np.zeros(1, np.int64), np.zeros(1, np.int64))]
    seen = start
    for depth in range(length + 1):
        estimate = bound(path[-1].states)
        done = np.flatnonzero(estimate == 0)
        if len(done):
            return _trace(table, path, int(done[0]))
        keep = estimate <= length - depth
        states = path[-1].states[keep]
        if len(states) == 0 or len(states) > MAX_STATES:
            return None
        kept = np.flatnonzero(keep)
        level = _new(_expand(table, states), seen)
        path.append(_Level(level.states, kept[level.parents] if len(level.parents) else level.parents, level.operators))
        seen = np.sort(np.concatenate([seen, level.states]), kind="stable")
    return None


def _trace(table: Table, path: list[_Level], row: int) -> tuple[Move, ...]:
    moves = []
    for level in reversed(path[1:]):
        moves.append(table.operators[int(level.operators[row])].move)
        row = int(level.parents[row])
    return tuple(reversed(moves))

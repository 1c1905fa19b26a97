"""Exhaustive search over the exact rules: least primitives to every predicate, and shortest solutions of a goal."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hiermap.worlds.goals import Predicate
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.state_table import CLOSED, HELD, OPEN, StateTable

MAX_STATES = 400_000
"""A bounded search gives up beyond this many states a level; no sampled task comes near it."""


@dataclass(frozen=True, eq=False)
class Level:
    """States `[N]` int64 first reached after so many moves, and for each the row in the level before and the operator used."""

    states: np.ndarray
    parents: np.ndarray
    operators: np.ndarray


class GoalBound:
    """An admissible estimate of the moves still needed to a conjunction: unmet predicates, and what they presuppose."""

    def __init__(self, table: StateTable, goal: Sequence[Predicate]):
        self.table = table
        ends = {(p.arguments[0], table.ends[p.arguments[0]].index(p.kind)) for p in goal if p.arguments[0] in table.fixtures}
        self.wanted = dict(sorted(ends))
        things = dict.fromkeys(p.arguments[0] for p in goal if p.arguments[0] in table.things)
        self.things = [_thing_goal(table, thing, [p for p in goal if p.arguments[0] == thing]) for thing in things]
        self.contradictory = len(self.wanted) < len(ends) or any(thing.allowed == 0 for thing in self.things)

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Lower bound `[N]` of the moves from each of `states` `[N]`; 0 exactly where the goal holds."""
        codes = {name: variable.of(states) for name, variable in self.table.fixtures.items()}
        bound = np.zeros(len(states), np.int32)
        for name, code in self.wanted.items():
            bound += codes[name] != code
        must_open: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(states), bool))
        for goal in self.things:
            at = self.table.place_bits(states, goal.thing)
            unmet = (at & np.uint64(goal.allowed)) == 0
            bound += unmet * np.where((at == np.uint64(1 << HELD)) | goal.in_one_move, 1, 2).astype(np.int32)
            for drawer, inside in goal.drawers.items():
                must_open[drawer] |= unmet & (((at & np.uint64(inside)) != 0) | (goal.only_drawer == drawer))
        for drawer, needed in must_open.items():
            if self.wanted.get(drawer) != OPEN:
                bound += needed & (codes[drawer] != OPEN)
            if self.wanted.get(drawer) == CLOSED:
                bound += needed & (codes[drawer] == CLOSED)
        for fixture, latch in self.table.latches.items():
            if self.wanted.get(fixture) == OPEN and self.wanted.get(latch) != OPEN:
                bound += (codes[fixture] != OPEN) & (codes[latch] != OPEN)
        return bound


@dataclass(frozen=True)
class _ThingGoal:
    """`thing` has to be at one of the place numbers in the bit mask `allowed`.

    `in_one_move` says that a grasp or a push may be enough, `only_drawer` that all those places are in that drawer; `drawers` holds the
    places inside of each drawer.
    """

    thing: str
    allowed: int
    in_one_move: bool
    only_drawer: str | None
    drawers: dict[str, int]


def _thing_goal(table: StateTable, thing: str, predicates: Sequence[Predicate]) -> _ThingGoal:
    allowed = int(np.bitwise_and.reduce([np.uint64(table.places_where((p.kind, *p.arguments))) for p in predicates]))
    places = [place for number, place in enumerate(table.places[thing]) if allowed >> number & 1]
    in_drawers = {place.drawer for place in places}
    in_one_move = bool(allowed >> HELD & 1) or any(place.owner is not None for place in places)
    inside = {name: table.places_where(("inside", thing, name)) for name in table.containers}
    return _ThingGoal(thing, allowed, in_one_move, in_drawers.pop() if len(in_drawers) == 1 else None, inside)


def levels(table: StateTable, depth: int, start: int | None = None, bound: GoalBound | None = None) -> list[Level]:
    """States by the least number of moves that reaches them from `start` (by default the scene), from 0 to `depth`.

    With a bound the search goes on only from where the goal may still be reached in time, and ends with the first level that reaches it.
    """
    none = np.zeros(1, np.int64)
    found = [Level(np.array([table.start if start is None else start], np.int64), none, none)]
    seen = found[0].states
    for left in range(depth, 0, -1):
        rows = np.arange(len(found[-1].states))
        if bound is not None:
            estimate = bound(found[-1].states)
            rows = np.flatnonzero(estimate <= left)
            if (estimate == 0).any() or not 0 < len(rows) <= MAX_STATES:
                break
        found.append(_expanded(table, found[-1].states, rows, seen))
        seen = np.sort(np.concatenate([seen, found[-1].states]), kind="stable")
    return found


def _expanded(table: StateTable, states: np.ndarray, rows: np.ndarray, seen: np.ndarray) -> Level:
    """Successors of some rows, each once (the first operator wins, so the order is deterministic), without those in sorted `seen`."""
    operators, used = table.applicable(states[rows])
    parents = rows[used]
    unique, first = np.unique((states[parents] & ~table.clears[operators]) | table.puts[operators], return_index=True)
    is_new = seen[np.minimum(np.searchsorted(seen, unique), len(seen) - 1)] != unique
    first = first[is_new]
    return Level(unique[is_new], parents[first], operators[first])


def steps_to_predicates(table: StateTable, max_steps: int) -> dict[PredicateKey, int]:
    """Least number of moves after which each single predicate holds; those beyond `max_steps` are left out."""
    keys = table.vocabulary()
    steps: dict[PredicateKey, int] = {}
    found = levels(table, max(max_steps - 1, 0))
    for depth, level in enumerate(found):
        steps |= {key: depth for key in keys if key not in steps and table.holds(level.states, key).any()}
    if max_steps > 0 and len(steps) < len(keys):
        # The last level is never built: an operator that applies anywhere makes true what it sets.
        used = np.unique(table.applicable(found[-1].states)[0])
        after, targets = table.puts[used], np.array([table.operators[number].move.target for number in used], object)
        steps |= {key: max_steps for key in keys if key not in steps and table.holds(after[targets == key[1]], key).any()}
    return steps


def shortest(table: StateTable, goal: Sequence[Predicate], limit: int) -> tuple[Move, ...] | None:
    """A shortest sequence of moves after which all of `goal` holds, or None if there is none of at most `limit` moves.

    Exact: states are left out only when even the admissible bound exceeds the length tried. Lengths are tried in increasing order.
    """
    bound = GoalBound(table, goal)
    if bound.contradictory:
        return None
    least = int(bound(np.array([table.start], np.int64))[0])
    tried = (_within(table, bound, table.start, length) for length in range(least, limit + 1))
    return next((solution for solution in tried if solution is not None), None)


def best_moves(table: StateTable, goal: Sequence[Predicate], limit: int) -> tuple[int, tuple[Move, ...]] | None:
    """The length of a shortest solution and every move that some shortest solution begins with, or None beyond `limit` moves."""
    solution = shortest(table, goal, limit)
    if solution is None:
        return None
    if not solution:
        return 0, ()
    bound, length = GoalBound(table, goal), len(solution)
    first = levels(table, 1)[1]
    begun = [n for state, n in zip(first.states, first.operators, strict=True) if _within(table, bound, int(state), length - 1) is not None]
    return length, tuple(table.operators[int(number)].move for number in begun)


def _within(table: StateTable, bound: GoalBound, start: int, length: int) -> tuple[Move, ...] | None:
    """A solution from `start` of at most `length` moves that is as short as any, or None."""
    found = levels(table, length, start, bound)
    done = np.flatnonzero(bound(found[-1].states) == 0)
    if len(done) == 0:
        return None
    row, moves = int(done[0]), []
    for level in reversed(found[1:]):
        moves.append(table.operators[int(level.operators[row])].move)
        row = int(level.parents[row])
    return tuple(reversed(moves))

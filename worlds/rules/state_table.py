"""States of a scene as bit patterns and moves as bit operations on them, so that thousands of states are expanded in one numpy pass.

A state is one int64: two bits per fixture (`CLOSED`, `OPEN` or `PARTIAL`, the last only for how the scene starts), six bits per
object (its place) and three bits for the object in the hand. Whose rules make the operators is nothing to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from hiermap.worlds.goals import PREDICATES
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import Place

CLOSED, OPEN, PARTIAL = 0, 1, 2
"""State bits of a fixture; `PARTIAL` only for how a scene starts."""
HELD, NOTHING = 63, 0
"""Place number of the object in the hand, and what an empty hand holds; otherwise that is the object's number, from 1."""
MOST_BITS = 62


@dataclass(frozen=True)
class Variable:
    """`width` bits of a state from bit `shift` on."""

    shift: int
    width: int

    @property
    def bits(self) -> int:
        """All its bits set."""
        return ((1 << self.width) - 1) << self.shift

    def of(self, states: np.ndarray) -> np.ndarray:
        """Its values in `states` `[N]` int64."""
        return (states >> self.shift) & ((1 << self.width) - 1)


@dataclass(frozen=True, eq=False)
class Way:
    """One orientation of an operator: `block` bits of the state that must be 0, and per object the bit mask of the places in the way."""

    rotation_index: int
    block: int
    conflicts: np.ndarray


@dataclass(frozen=True, eq=False)
class Operator:
    """A move as bits: applicable where `state & need_mask == need_value` and some way is free; then `state & ~clear | put`."""

    move: Move
    need_mask: int
    need_value: int
    ways: tuple[Way, ...]
    clear: int
    put: int


def operator_of(move: Move, needs: Mapping[Variable, int], ways: Sequence[Way], sets: Mapping[Variable, int]) -> Operator:
    """A move that needs variables at some values and sets others."""
    return Operator(move, *_packed(needs), tuple(ways), *_packed(sets))


def _packed(values: Mapping[Variable, int]) -> tuple[int, int]:
    """All bits of some variables, and those that their values set."""
    return sum(v.bits for v in values), sum(value << v.shift for v, value in values.items())


def _widths(fixtures: int, things: int) -> list[int]:
    """Bits of each fixture, of each thing's place, and of the hand."""
    return [2] * fixtures + [6] * things + [3]


def fit_one_state(fixtures: int, things: int) -> bool:
    """Whether a `StateTable` has room for so many."""
    return sum(_widths(fixtures, things)) <= MOST_BITS


class StateTable:
    """All operators of a scene, which subclasses hand to `compile`.

    Attributes:
        ends: fixture -> what holds of it at fraction 0 and 1.
        containers: the fixtures that things can be inside of.
        latches: fixture -> the fixture that holds it shut while off.
        start: the scene as a state.
        fixtures, things, hand: where a state keeps each fixture, each object's place number, and what is held.
        places: by object, what its place numbers mean.
        operators: every move that some state may allow; `clears` and `puts` `[O]` int64 are theirs.

    Args:
        fractions: how far every fixture is open or on.
        places: see there.
        numbers: of the place of every object that is not held.
        held: the object in the hand, or None.

    Raises:
        ValueError: so many fixtures and objects do not fit one state.
    """

    operators: tuple[Operator, ...]
    clears: np.ndarray
    puts: np.ndarray

    def __init__(
        self,
        ends: Mapping[str, tuple[str, str]],
        containers: Iterable[str],
        latches: Mapping[str, str],
        fractions: Mapping[str, float],
        places: Mapping[str, Sequence[Place]],
        numbers: Mapping[str, int],
        held: str | None,
    ) -> None:
        self.ends, self.containers, self.latches, self.places = dict(ends), tuple(containers), dict(latches), dict(places)
        widths = _widths(len(ends), len(places))
        if not fit_one_state(len(ends), len(places)):
            raise ValueError(f"{len(ends)} fixtures and {len(places)} objects do not fit one state; use fewer of them")
        *variables, self.hand = (Variable(sum(widths[:i]), width) for i, width in enumerate(widths))
        self.fixtures = dict(zip(ends, variables, strict=False))
        self.things = dict(zip(places, variables[len(ends) :], strict=True))
        self.codes = {name: fixture_code(self.ends[name], fractions[name]) for name in ends}
        at = {name: HELD if name == held else numbers[name] for name in self.things}
        holding = NOTHING if held is None else list(self.things).index(held) + 1
        _, self.start = _packed(dict(zip((*variables, self.hand), (*self.codes.values(), *at.values(), holding), strict=True)))
        self._where: dict[PredicateKey, int] = {}
        self._shifts = np.array([variable.shift for variable in self.things.values()], np.int64)

    def compile(self, operators: Iterable[Operator]) -> None:
        """Take these as all that can be done."""
        self.operators = tuple(operators)
        self.clears, self.puts = (np.array([getattr(o, key) for o in self.operators], np.int64) for key in ("clear", "put"))
        ways = [way for operator in self.operators for way in operator.ways]
        needs = np.array([(operator.need_mask, operator.need_value) for operator in self.operators], np.int64).reshape(-1, 2)
        first = np.cumsum([0, *(len(operator.ways) for operator in self.operators)])
        conflicts = np.array([way.conflicts for way in ways], np.int64).reshape(len(ways), len(self.things))
        self._packed = needs, first, np.array([way.block for way in ways], np.int64), conflicts, self._shifts

    def vocabulary(self) -> list[PredicateKey]:
        """Every predicate that makes sense, in a fixed order."""
        raise NotImplementedError

    def holds_at(self, place: Place, kind: str, target: str) -> bool:
        """Whether "inside" or "on_top" of a target holds of what is at a place."""
        raise NotImplementedError

    def places_where(self, key: PredicateKey) -> int:
        """Bit mask of the place numbers at which a predicate of an object holds."""
        if key not in self._where:
            self._where[key] = self._places_where(*key)
        return self._where[key]

    def _places_where(self, kind: str, thing: str, *targets: str) -> int:
        if kind == "held":
            return 1 << HELD
        return sum(1 << number for number, place in enumerate(self.places[thing]) if self.holds_at(place, kind, targets[0]))

    def place_bits(self, states: np.ndarray, thing: str) -> np.ndarray:
        """The place number of an object in `states` `[N]` int64 as a bit mask: `[N]` uint64 with one bit set."""
        return np.uint64(1) << self.things[thing].of(states).astype(np.uint64)

    def holds(self, states: np.ndarray, key: PredicateKey) -> np.ndarray:
        """Truth `[N]` bool of a predicate in `states` `[N]` int64."""
        kind, subject = key[:2]
        if subject in self.fixtures:
            return self.fixtures[subject].of(states) == self.ends[subject].index(kind)
        return (self.place_bits(states, subject) & np.uint64(self.places_where(key))) != 0

    def applicable(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Operator numbers `[M]`, rising, with the rows `[M]` of `states` `[N]` int64, rising, in which they apply."""
        numbers, rows = np.nonzero(_applicable(states, *self._packed))
        return numbers, rows

    def free_rotations(self, state: int, operator: Operator) -> tuple[int, ...]:
        """The orientation bins in which an operator applies to one state."""
        if (state & operator.need_mask) != operator.need_value:
            return ()
        return tuple(way.rotation_index for way in operator.ways if _is_free(state, way.block, way.conflicts, self._shifts))

    def rotations(self, move: Move) -> tuple[int, ...]:
        """Every orientation bin in which the start allows a move, the best first; empty if it is not allowed."""
        found = (self.free_rotations(self.start, operator) for operator in self.operators if operator.move == move)
        return next(filter(None, found), ())


@njit(cache=True)
def _applicable(states, needs, first, blocks, conflicts, shifts):
    """Which operators, with needs `[O, 2]` and ways from `first` `[O + 1]` on, apply in which states `[N]`: `[O, N]` bool."""
    free = np.zeros((len(needs), len(states)), np.bool_)
    for number in range(len(needs)):
        for row in range(len(states)):
            if states[row] & needs[number, 0] == needs[number, 1]:
                for way in range(first[number], first[number + 1]):
                    if _is_free(states[row], blocks[way], conflicts[way], shifts):
                        free[number, row] = True
                        break
    return free


@njit(cache=True)
def _is_free(state, block, conflicts, shifts):
    """Whether nothing is in the way in a state, whose objects' place numbers begin at the bits `shifts`."""
    free = state & block == 0
    for index in range(len(shifts)):
        free &= conflicts[index] >> (state >> shifts[index] & 63) & 1 == 0
    return free


def fixture_code(ends: tuple[str, str], fraction: float) -> int:
    """`CLOSED` (or off), `OPEN` (or on) or `PARTIAL` by the thresholds of the goals."""
    return next((code for code, end in enumerate(ends) if PREDICATES[end].holds_at(fraction)), PARTIAL)

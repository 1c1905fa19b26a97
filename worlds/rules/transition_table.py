"""The rules of one kitchen compiled to bit operations, so that thousands of states are expanded in one numpy pass.

A state is one int64: two bits per fixture (`CLOSED`, `OPEN` or `PARTIAL`, the last only for how the scene starts), six bits per
object (its place) and three bits for the object in the hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from hiermap.worlds.goals import PREDICATES
from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import SIDE_OF_BIN, Move, fixture_primitive, grasp_bins, hand_over, push_space
from hiermap.worlds.rules.obstacles import CLOSED, OPEN, PARTIAL, Interference, all_fixture_ways, fixture_block, stops
from hiermap.worlds.rules.places import Place, common_places, fits, on_surface, own_places
from hiermap.worlds.rules.slabs import Clearance, cylinder_overlaps

HELD, NOTHING = 63, 0
"""Place number of the object in the hand, and what an empty hand holds; otherwise that is the object's number, from 1."""
PUSH_SPREAD = 0.02
"""How far a pushed object may end from where it was meant to [m]."""
ELSEWHERE = Place((-9.0, -9.0, 0.0), "elsewhere")
"""Only in tables without crowding: a place that is always free and in nobody's way."""


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


def _packed(values: Mapping[Variable, int]) -> tuple[int, int]:
    """All bits of some variables, and those that their values set."""
    return sum(v.bits for v in values), sum(value << v.shift for v, value in values.items())


def _operator(move: Move, needs: Mapping[Variable, int], ways: Sequence[Way], sets: Mapping[Variable, int]) -> Operator:
    return Operator(move, *_packed(needs), tuple(ways), *_packed(sets))


class TransitionTable:
    """All operators of a kitchen with the objects of a scene.

    Attributes:
        spec: the kitchen.
        start: the scene as a state.
        objects: the objects that are in the scene.
        fixtures, things, hand: where a state keeps each fixture, each object's place number, and what is held.
        places: by object, what its place numbers mean.
        operators: every move that some state may allow; `clears` and `puts` `[O]` int64 are theirs.
    """

    def __init__(self, spec: KitchenSpec, scene: SceneState, clearance: Clearance):
        self.spec, self.clearance, self._scene = spec, clearance, scene
        self._where: dict[PredicateKey, int] = {}
        self.objects = tuple(o for o in spec.objects if o.name in scene.poses)
        widths = [2] * len(spec.fixtures) + [6] * len(self.objects) + [3]
        if sum(widths) > 62:
            raise ValueError(f"{len(spec.fixtures)} fixtures and {len(self.objects)} objects do not fit one state; use fewer of them")
        *variables, self.hand = (Variable(sum(widths[:i]), width) for i, width in enumerate(widths))
        self.fixtures = {f.name: variable for f, variable in zip(spec.fixtures, variables, strict=False)}
        self.things = {o.name: v for o, v in zip(self.objects, variables[len(spec.fixtures) :], strict=True)}
        shared = common_places(spec) + ([] if clearance.crowding else [ELSEWHERE])
        self.places = {o.name: shared + own_places(spec, scene, o) for o in self.objects}
        codes = {f.name: fixture_code(f, scene.fractions[f.name]) for f in spec.fixtures}
        numbers = {name: HELD if name == scene.held else len(shared) for name in self.things}
        held = NOTHING if scene.held is None else list(self.things).index(scene.held) + 1
        _, self.start = _packed(dict(zip((*variables, self.hand), (*codes.values(), *numbers.values(), held), strict=True)))
        self._partial = tuple((name, scene.fractions[name]) for name, code in codes.items() if code == PARTIAL)
        self._among = Interference(spec, self.objects, list(self.places.values()), self._partial, clearance)
        passed, slabs = all_fixture_ways(spec, clearance)
        self._passing = dict(zip(passed, self._among.conflicts(slabs, [-1] * len(passed), [None] * len(passed)), strict=True))
        on_fixtures = [operator for fixture in spec.fixtures for operator in self._fixture_operators(fixture)]
        on_objects = [o for index, thing in enumerate(self.objects) for o in self._object_operators(index, thing)]
        self.operators = (*on_fixtures, *on_objects)
        self.clears, self.puts = (np.array([getattr(o, key) for o in self.operators], np.int64) for key in ("clear", "put"))
        self._shifts = np.array([variable.shift for variable in self.things.values()], np.int64)
        ways = [way for operator in self.operators for way in operator.ways]
        needs = np.array([(operator.need_mask, operator.need_value) for operator in self.operators], np.int64).reshape(-1, 2)
        first = np.cumsum([0, *(len(operator.ways) for operator in self.operators)])
        conflicts = np.array([way.conflicts for way in ways], np.int64).reshape(len(ways), -1)
        self._packed = needs, first, np.array([way.block for way in ways], np.int64), conflicts, self._shifts

    def places_where(self, key: PredicateKey) -> int:
        """Bit mask of the place numbers at which a predicate of an object holds."""
        if key not in self._where:
            self._where[key] = self._places_where(*key)
        return self._where[key]

    def _places_where(self, kind: str, thing: str, *targets: str) -> int:
        if kind == "held":
            return 1 << HELD
        return sum(1 << number for number, place in enumerate(self.places[thing]) if self._holds_at(place, kind, targets[0]))

    def _holds_at(self, place: Place, kind: str, target: str) -> bool:
        if kind == "inside":
            return place.drawer == target
        surface = next(s for s in self.spec.surfaces if s.name == target)
        # A push is good to a centimetre or two: what it leaves near the edge of a surface is not surely on it.
        inset = PUSH_SPREAD if place.side is not None and self.clearance.crowding else 0.0
        return place.drawer is None and on_surface(surface, place.point_world, inset)

    def place_bits(self, states: np.ndarray, thing: str) -> np.ndarray:
        """The place number of an object in `states` `[N]` int64 as a bit mask: `[N]` uint64 with one bit set."""
        return np.uint64(1) << self.things[thing].of(states).astype(np.uint64)

    def holds(self, states: np.ndarray, key: PredicateKey) -> np.ndarray:
        """Truth `[N]` bool of a predicate in `states` `[N]` int64."""
        kind, subject = key[:2]
        if subject in self.fixtures:
            return self.fixtures[subject].of(states) == self.spec.fixture(subject).ends.index(kind)
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

    def _fixture_operators(self, fixture: FixtureSpec) -> Iterator[Operator]:
        """Moving a fixture to either end: with a free hand, uncovered, unlatched, and no latch whose door is open."""
        own = self.fixtures[fixture.name]
        base = sum(self.fixtures[f.name].bits for f in self.spec.fixtures if f.name == fixture.above or f.latch == fixture.name)
        needs = {self.hand: NOTHING} | ({} if fixture.latch is None else {self.fixtures[fixture.latch]: OPEN})
        partly = dict(self._partial).get(fixture.name)
        for goal, to in enumerate(fixture.ends):
            begins = {CLOSED + OPEN - goal: float(CLOSED + OPEN - goal)} | ({} if partly is None else {PARTIAL: partly})
            for code, fraction in begins.items():
                primitive, bins = fixture_primitive(fixture, to, fraction)
                ways = [self._fixture_way(fixture, to, rotation, base) for rotation in bins]
                yield _operator(Move(primitive, fixture.name, bins[0], to=to), {**needs, own: code}, ways, {own: goal})

    def _fixture_way(self, fixture: FixtureSpec, to: str, rotation: int, base: int) -> Way:
        block = fixture_block(self.spec, self._partial, fixture.name, to, rotation, self.clearance)
        return Way(rotation, base | block, self._passing[fixture.name, to, rotation])

    def _object_operators(self, index: int, thing: ObjectSpec) -> Iterator[Operator]:
        own, ways = self.things[thing.name], self._hand_ways(index, thing)
        held = {own: HELD, self.hand: index + 1}
        for number, place in enumerate(self.places[thing.name]):
            there = {own: number, self.hand: NOTHING}
            opened = {} if place.drawer is None else {self.fixtures[place.drawer]: OPEN}
            if taking := ways.get((number, "grasp")):
                yield _operator(Move("grasp", thing.name, taking[0].rotation_index), {**there, **opened}, taking, held)
            if putting := ways.get((number, "place")):
                move = Move("place", thing.name, putting[0].rotation_index, place=place)
                yield _operator(move, {self.hand: index + 1, **opened}, putting, there)
        yield from self._pushes(index, thing)

    def _hand_ways(self, index: int, thing: ObjectSpec) -> dict[tuple[int, str], list[Way]]:
        """By place number and primitive every orientation of the hand, with what is in its way; all geometry in one pass."""
        found: dict[tuple[int, str], list[Way]] = {}
        asked, nothing = [], np.zeros(len(self.objects), np.int64)
        for number, place in enumerate(self.places[thing.name]):
            for primitive in ("grasp", "place"):
                if place is ELSEWHERE:
                    found[number, primitive] = [Way(0, 0, nothing)]
                else:
                    asked += [(number, primitive, rotation, place) for rotation in self._hand_bins(thing, place, primitive)]
        slabs, hands = np.empty((len(asked), 3, 8)), [(primitive, rotation) for _, primitive, rotation, _ in asked]
        for hand in set(hands):
            rows = [row for row, other in enumerate(hands) if other == hand]
            slabs[rows] = hand_over(thing, [asked[row][-1].point_world for row in rows], *hand, self.clearance)
        names = [f.name for f in self.spec.fixtures]
        blocks = self._among.blocks(slabs, [-1 if p.drawer is None else names.index(p.drawer) for *_, p in asked])
        conflicts = self._among.conflicts(slabs, [index] * len(asked), [p.drawer for *_, p in asked])
        never = self._among.meets_fixed(slabs)
        for (number, primitive, rotation, place), block, crowd, is_never in zip(asked, blocks, conflicts, never, strict=True):
            if not is_never:
                above = None if place.drawer is None else self.spec.fixture(place.drawer).above
                covering = 0 if above is None else self.fixtures[above].bits
                crowded = primitive == "grasp" or self.clearance.crowding
                way = Way(rotation, block | covering, crowd if crowded else nothing)
                found.setdefault((number, primitive), []).append(way)
        return found

    def _hand_bins(self, thing: ObjectSpec, place: Place, primitive: str) -> tuple[int, ...]:
        """The orientations in which the hand may come to a place; it sets nothing down where only a push or the start leads to."""
        in_drawer = place.drawer is not None
        if primitive == "grasp":
            yaw = self._scene.poses[thing.name][3] if place.owner is not None else 0.0
            return grasp_bins(thing, yaw, in_drawer)
        if place.owner is not None or (place.drawer is not None and not fits(thing, self.spec.fixture(place.drawer))):
            return ()
        return (0,) if in_drawer else (0, 1)

    def _pushes(self, index: int, thing: ObjectSpec) -> Iterator[Operator]:
        """Sideways from where the object is now, and back there."""
        numbers = {place.side: n for n, place in enumerate(self.places[thing.name]) if place.owner is not None}
        own, (left, right) = self.things[thing.name], SIDE_OF_BIN.values()
        for rotation, side in SIDE_OF_BIN.items():
            for start, end in ((None, side), (right if side == left else left, None)):
                if start not in numbers or end not in numbers:
                    continue
                space = push_space(thing, self.places[thing.name][numbers[start]], side, self.clearance)
                at_stop = cylinder_overlaps(space, stops(self.spec), self.clearance.gap).any()
                if at_stop or self._among.meets_fixed(space[None])[0]:
                    continue
                way = Way(rotation, self._among.blocks(space[None], [-1])[0], self._among.conflicts(space[None], [index], [None])[0])
                needs = {own: numbers[start], self.hand: NOTHING}
                yield _operator(Move("push", thing.name, rotation, side=side), needs, [way], {own: numbers[end]})


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


def fixture_code(fixture: FixtureSpec, fraction: float) -> int:
    """`CLOSED` (or off), `OPEN` (or on) or `PARTIAL` by the thresholds of the goals."""
    return next((code for code, end in enumerate(fixture.ends) if PREDICATES[end].holds_at(fraction)), PARTIAL)

"""The rules of one kitchen compiled to bit operations, so that thousands of states are expanded in one numpy pass.

A state is one int64: two bits per fixture (`CLOSED`, `OPEN` or `PARTIAL`, the last only for how the scene starts), six bits per
object (its place) and three bits for the object in the hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hiermap.worlds.goals import CLOSED_FRACTION, OFF_FRACTION, ON_FRACTION, OPEN_FRACTION
from hiermap.worlds.kitchen.spec import OPENABLE, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move, cylinder, fixture_primitive, grasp_bins, hand_over, push_space
from hiermap.worlds.rules.obstacles import CLOSED, OPEN, PARTIAL, Interference, fixture_block, fixture_ways
from hiermap.worlds.rules.places import Place, common_places, fits, on_surface, own_places
from hiermap.worlds.rules.slabs import Clearance

HELD_PLACE = 63
_PLACE_BITS, _HELD_BITS = 6, 3
PUSH_SPREAD = 0.02
"""How far a pushed object may end from where it was meant to [m]."""
ELSEWHERE = "elsewhere"
"""Only in tables without crowding: a place that is always free and in nobody's way."""


@dataclass(frozen=True, eq=False)
class Way:
    """One orientation of an operator: `block` bits of the state that must be 0, and per object index the places (bit mask) in the way."""

    rotation_index: int
    block: int
    conflicts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Operator:
    """A move as bits: applicable where `state & need_mask == need_value` and some way is free; then `state & ~clear | put`."""

    move: Move
    need_mask: int
    need_value: int
    ways: tuple[Way, ...]
    clear: int
    put: int


class Table:
    """All operators of a kitchen with the objects of a scene.

    Attributes:
        spec: the kitchen.
        start: the scene as a state.
        objects: the objects that are in the scene.
        places: by object, what its place numbers mean.
        operators: every move that some state may allow.
    """

    def __init__(self, spec: KitchenSpec, scene: SceneState, clearance: Clearance):
        self.spec, self.clearance = spec, clearance
        self.objects = tuple(o for o in spec.objects if o.name in scene.poses)
        self._fixture_index = {f.name: i for i, f in enumerate(spec.fixtures)}
        self._object_index = {o.name: i for i, o in enumerate(self.objects)}
        self._object_shift = 2 * len(spec.fixtures)
        self._held_shift = self._object_shift + _PLACE_BITS * len(self.objects)
        if self._held_shift + _HELD_BITS > 62:
            raise ValueError(f"{len(spec.fixtures)} fixtures and {len(self.objects)} objects do not fit one state; use fewer of them")
        shared = common_places(spec)
        if not clearance.crowding:
            shared.append(Place(ELSEWHERE, (-9.0, -9.0, 0.0)))
        self.places: list[list[Place]] = [shared + own_places(spec, scene, o) for o in self.objects]
        self._shared = len(shared)
        self.fractions = {f.name: float(scene.fractions[f.name]) for f in spec.fixtures}
        self.yaws = {name: pose[3] for name, pose in scene.poses.items()}
        self.start = self.encode(scene)
        self._partial = tuple((name, f) for name, f in self.fractions.items() if self._code(name) == PARTIAL)
        self._among = Interference(spec, self.objects, self.places, self._partial, clearance)
        self.operators = tuple(self._fixture_operators()) + tuple(self._object_operators())

    # --- states -------------------------------------------------------------------------------------------------------------------------

    def encode(self, scene: SceneState) -> int:
        """The scene this table was made for as a state."""
        state = 0
        for index, fixture in enumerate(self.spec.fixtures):
            state |= fixture_code(fixture.kind, scene.fractions[fixture.name]) << (2 * index)
        for index, thing in enumerate(self.objects):
            place = HELD_PLACE if scene.held == thing.name else self._shared
            state |= place << self.place_shift(index)
        if scene.held is not None:
            state |= (self._object_index[scene.held] + 1) << self._held_shift
        return state

    def place_shift(self, object_index: int) -> int:
        return self._object_shift + _PLACE_BITS * object_index

    def codes(self, states: np.ndarray, fixture: str) -> np.ndarray:
        """`CLOSED`, `OPEN` or `PARTIAL` of a fixture in `states` `[N]` int64."""
        return (states >> (2 * self._fixture_index[fixture])) & 3

    def object_places(self, states: np.ndarray, thing: str) -> np.ndarray:
        """Place numbers of an object in `states` `[N]` int64, `HELD_PLACE` in the hand."""
        return (states >> self.place_shift(self._object_index[thing])) & HELD_PLACE

    def places_where(self, key: PredicateKey) -> int:
        """Bit mask of the places at which an `inside` or `on_top` predicate of an object holds."""
        kind, thing, target = key
        mask = 0
        for number, place in enumerate(self.places[self._object_index[thing]]):
            if kind == "inside":
                holds = place.drawer == target
            else:
                surface = next(s for s in self.spec.surfaces if s.name == target)
                # A push is good to a centimetre or two: what it leaves near the edge of a surface is not surely on it.
                inset = PUSH_SPREAD if place.name.endswith(("@left", "@right")) and self.clearance.crowding else 0.0
                holds = place.drawer is None and on_surface(surface, np.array(place.point_world), inset)
            mask |= int(holds) << number
        return mask

    def holds(self, states: np.ndarray, key: PredicateKey) -> np.ndarray:
        """Truth `[N]` bool of a predicate in `states` `[N]` int64."""
        if key[0] in ("open", "closed", "on", "off"):
            return self.codes(states, key[1]) == (OPEN if key[0] in ("open", "on") else CLOSED)
        place = self.object_places(states, key[1])
        if key[0] == "held":
            return place == HELD_PLACE
        return (np.uint64(self.places_where(key)) >> place.astype(np.uint64)) & np.uint64(1) == 1

    # --- expansion ----------------------------------------------------------------------------------------------------------------------

    def applicable(self, states: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Operator numbers with the rows `[M]` of `states` `[N]` int64 in which they apply; operators that apply nowhere are left out."""
        places = [((states >> self.place_shift(i)) & HELD_PLACE).astype(np.uint64) for i in range(len(self.objects))]
        for number, operator in enumerate(self.operators):
            rows = np.flatnonzero((states & operator.need_mask) == operator.need_value)
            if len(rows) == 0:
                continue
            free = np.zeros(len(rows), bool)
            for way in operator.ways:
                free |= self._way_free(way, states[rows], [p[rows] for p in places])
            if free.any():
                yield number, rows[free]

    def _way_free(self, way: Way, states: np.ndarray, places: Sequence[np.ndarray]) -> np.ndarray:
        free = (states & way.block) == 0
        for index, mask in way.conflicts:
            free &= (np.uint64(mask) >> places[index]) & np.uint64(1) == 0
        return free

    def free_rotations(self, state: int, operator: Operator) -> tuple[int, ...]:
        """The orientation bins in which an operator applies to one state."""
        if (state & operator.need_mask) != operator.need_value:
            return ()
        row = np.array([state], np.int64)
        places = [((row >> self.place_shift(i)) & HELD_PLACE).astype(np.uint64) for i in range(len(self.objects))]
        return tuple(way.rotation_index for way in operator.ways if self._way_free(way, row, places)[0])

    # --- compilation --------------------------------------------------------------------------------------------------------------------

    def _code(self, name: str) -> int:
        return (self.start >> (2 * self._fixture_index[name])) & 3

    def _fixture_operators(self) -> Iterator[Operator]:
        hand_mask = 7 << self._held_shift
        for index, fixture in enumerate(self.spec.fixtures):
            names = ("closed", "open") if fixture.kind in OPENABLE else ("off", "on")
            partial = self._code(fixture.name) == PARTIAL
            need_mask, need_value = hand_mask | (3 << (2 * index)), 0
            base = 0
            if fixture.above is not None:
                base |= 3 << (2 * self._fixture_index[fixture.above])
            for door in self.spec.fixtures:
                if door.latch == fixture.name:
                    base |= 3 << (2 * self._fixture_index[door.name])
            if fixture.latch is not None:
                need_mask |= 3 << (2 * self._fixture_index[fixture.latch])
                need_value |= OPEN << (2 * self._fixture_index[fixture.latch])
            for goal, argument in enumerate(names):
                spaces = fixture_ways(self.spec, fixture.name, argument, self.clearance)
                for code in (1 - goal, PARTIAL) if partial else (1 - goal,):
                    fraction = self.fractions[fixture.name] if code == PARTIAL else float(code)
                    primitive, bins = fixture_primitive(fixture, argument, fraction)
                    ways = []
                    for rotation in bins:
                        block = base | fixture_block(self.spec, self._partial, fixture.name, argument, rotation, self.clearance)
                        passed = np.concatenate(spaces[rotation])[None]
                        ways.append(Way(rotation, block, self._among.conflicts(passed, [-1], [None])[0]))
                    move = Move(primitive, fixture.name, argument, bins[0])
                    yield Operator(move, need_mask, need_value | (code << (2 * index)), tuple(ways), 3 << (2 * index), goal << (2 * index))

    def _object_operators(self) -> Iterator[Operator]:
        ways = self._hand_ways()
        for index, thing in enumerate(self.objects):
            for number, place in enumerate(self.places[index]):
                yield from self._grasp_and_place(index, thing, number, place, ways)
            yield from self._pushes(index, thing)

    def _drawer_need(self, place: Place) -> tuple[int, int, int]:
        """Needed mask and value, and blocking bits: the drawer is open and the one above it shut."""
        if place.drawer is None:
            return 0, 0, 0
        drawer = self.spec.fixture(place.drawer)
        shift = 2 * self._fixture_index[drawer.name]
        above = 0 if drawer.above is None else 3 << (2 * self._fixture_index[drawer.above])
        return 3 << shift, OPEN << shift, above

    def _grasp_and_place(
        self, index: int, thing: ObjectSpec, number: int, place: Place, ways: dict[tuple[int, int, str], list[Way]]
    ) -> Iterator[Operator]:
        shift, hand_mask = self.place_shift(index), 7 << self._held_shift
        drawer_mask, drawer_value, _ = self._drawer_need(place)
        own_mask, held = HELD_PLACE << shift, (index + 1) << self._held_shift
        grasp = tuple(ways.get((index, number, "grasp"), ()))
        if grasp:
            move = Move("grasp", thing.name, "", grasp[0].rotation_index)
            need = own_mask | hand_mask | drawer_mask
            yield Operator(move, need, (number << shift) | drawer_value, grasp, own_mask | hand_mask, own_mask | held)
        if place.owner is not None or (place.drawer is not None and not fits(thing, self.spec.fixture(place.drawer))):
            return
        put = tuple(ways.get((index, number, "place"), ()))
        if not put:
            return
        move = Move("place", thing.name, place.name, put[0].rotation_index)
        yield Operator(move, hand_mask | drawer_mask, held | drawer_value, put, own_mask | hand_mask, number << shift)

    def _hand_ways(self) -> dict[tuple[int, int, str], list[Way]]:
        """By object, place and primitive every orientation of the hand, with what is in its way; all geometry in one pass."""
        asked, slabs = [], []
        found: dict[tuple[int, int, str], list[Way]] = {}
        for index, thing in enumerate(self.objects):
            for number, place in enumerate(self.places[index]):
                for primitive in ("grasp", "place"):
                    if place.name == ELSEWHERE:
                        found[index, number, primitive] = [Way(0, 0, ())]
                        continue
                    for rotation in self._hand_bins(thing, place, primitive):
                        asked.append((index, number, primitive, rotation, place))
                        slabs.append(self._hand_slabs(thing, place, primitive, rotation))
        if not asked:
            return found
        stacked = np.array(slabs)
        own = [-1 if place.drawer is None else self._fixture_index[place.drawer] for *_, place in asked]
        blocks = self._among.blocks(stacked, own)
        conflicts = self._among.conflicts(stacked, [index for index, *_ in asked], [place.drawer for *_, place in asked])
        fixed = self._among.meets_fixed(stacked)
        for (index, number, primitive, rotation, place), block, crowd, never in zip(asked, blocks, conflicts, fixed, strict=True):
            if never:
                continue
            crowded = primitive == "grasp" or self.clearance.crowding
            way = Way(rotation, block | self._drawer_need(place)[2], crowd if crowded else ())
            found.setdefault((index, number, primitive), []).append(way)
        return found

    def _hand_bins(self, thing: ObjectSpec, place: Place, primitive: str) -> tuple[int, ...]:
        if primitive == "place":
            return (0,) if place.drawer is not None else (0, 1)
        yaw = self.yaws[thing.name] if place.owner is not None else 0.0
        return grasp_bins(thing, yaw, place.drawer is not None)

    def _hand_slabs(self, thing: ObjectSpec, place: Place, primitive: str, rotation: int) -> np.ndarray:
        """Fingers, palm and, when it is set down, the object itself, `[3, 8]`."""
        hand = hand_over(thing, place, primitive, rotation, self.clearance)
        if primitive == "grasp":
            return np.concatenate([hand, hand[:1]])
        x, y, radius, low, high = cylinder(thing, place)
        return np.concatenate([hand, [[x, y, 1.0, 0.0, radius, radius, low, high]]])

    def _pushes(self, index: int, thing: ObjectSpec) -> Iterator[Operator]:
        numbers = {place.name.partition("@")[2]: n for n, place in enumerate(self.places[index]) if place.owner is not None}
        shift, own_mask, hand_mask = self.place_shift(index), HELD_PLACE << self.place_shift(index), 7 << self._held_shift
        for side, rotation in (("left", 1), ("right", 2)):
            other = "right" if side == "left" else "left"
            for start, end in (("here", side), (other, "here")):
                if start not in numbers or end not in numbers:
                    continue
                space = push_space(thing, self.places[index][numbers[start]], side, self.clearance)
                if self._among.meets_stop(space) or self._among.meets_fixed(space[None])[0]:
                    continue
                way = Way(rotation, self._among.blocks(space[None], [-1])[0], self._among.conflicts(space[None], [index], [None])[0])
                move = Move("push", thing.name, side, rotation)
                yield Operator(move, own_mask | hand_mask, numbers[start] << shift, (way,), own_mask, numbers[end] << shift)


def fixture_code(kind: str, fraction: float) -> int:
    """`CLOSED` (or off), `OPEN` (or on) or `PARTIAL` by the thresholds of the goals."""
    low, high = (CLOSED_FRACTION, OPEN_FRACTION) if kind in OPENABLE else (OFF_FRACTION, ON_FRACTION)
    return CLOSED if fraction <= low else OPEN if fraction >= high else PARTIAL

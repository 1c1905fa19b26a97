"""The rules of one kitchen compiled to a `StateTable`."""

from collections.abc import Iterator

import numpy as np

from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.rules.judge import PredicateKey, vocabulary
from hiermap.worlds.rules.moves import SIDE_OF_BIN, Move, fixture_primitive, grasp_bins, hand_over, push_space
from hiermap.worlds.rules.obstacles import Interference, all_fixture_ways, fixture_block, stops
from hiermap.worlds.rules.places import Place, common_places, fits, on_surface, own_places
from hiermap.worlds.rules.slabs import Clearance, cylinder_overlaps
from hiermap.worlds.rules.state_table import CLOSED, HELD, NOTHING, OPEN, PARTIAL, Operator, StateTable, Way, operator_of

PUSH_SPREAD = 0.02
"""How far a pushed object may end from where it was meant to [m]."""
ELSEWHERE = Place((-9.0, -9.0, 0.0), "elsewhere")
"""Only in tables without crowding: a place that is always free and in nobody's way."""


class TransitionTable(StateTable):
    """All operators of a kitchen with the objects of a scene.

    Attributes:
        spec: the kitchen.
        objects: the objects that are in the scene.
    """

    def __init__(self, spec: KitchenSpec, scene: SceneState, clearance: Clearance):
        self.spec, self.clearance, self._scene = spec, clearance, scene
        self.objects = tuple(o for o in spec.objects if o.name in scene.poses)
        shared = common_places(spec) + ([] if clearance.crowding else [ELSEWHERE])
        places = {o.name: shared + own_places(spec, scene, o) for o in self.objects}
        latches = {f.name: f.latch for f in spec.fixtures if f.latch is not None}
        ends = {f.name: f.ends for f in spec.fixtures}
        drawers, now = [d.name for d in spec.drawers], dict.fromkeys(places, len(shared))
        super().__init__(ends, drawers, latches, scene.fractions, places, now, scene.held)
        self._partial = tuple((name, scene.fractions[name]) for name, code in self.codes.items() if code == PARTIAL)
        self._among = Interference(spec, self.objects, list(self.places.values()), self._partial, clearance)
        passed, slabs = all_fixture_ways(spec, clearance)
        self._passing = dict(zip(passed, self._among.conflicts(slabs, [-1] * len(passed), [None] * len(passed)), strict=True))
        on_fixtures = [operator for fixture in spec.fixtures for operator in self._fixture_operators(fixture)]
        self.compile([*on_fixtures, *(o for index, thing in enumerate(self.objects) for o in self._object_operators(index, thing))])

    def vocabulary(self) -> list[PredicateKey]:
        """By what the kitchen has."""
        return vocabulary(self.spec, tuple(self.things))

    def holds_at(self, place: Place, kind: str, target: str) -> bool:
        """By drawers and surfaces."""
        if kind == "inside":
            return place.drawer == target
        surface = next(s for s in self.spec.surfaces if s.name == target)
        # A push is good to a centimetre or two: what it leaves near the edge of a surface is not surely on it.
        inset = PUSH_SPREAD if place.side is not None and self.clearance.crowding else 0.0
        return place.drawer is None and on_surface(surface, place.point_world, inset)

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
                yield operator_of(Move(primitive, fixture.name, bins[0], to=to), {**needs, own: code}, ways, {own: goal})

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
                yield operator_of(Move("grasp", thing.name, taking[0].rotation_index), {**there, **opened}, taking, held)
            if putting := ways.get((number, "place")):
                move = Move("place", thing.name, putting[0].rotation_index, place=place)
                yield operator_of(move, {self.hand: index + 1, **opened}, putting, there)
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
                yield operator_of(Move("push", thing.name, rotation, side=side), needs, [way], {own: numbers[end]})

"""The rules of any scene as a `StateTable`: which moves its geometry leaves room for, and what they change."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hiermap.worlds.geometry.scene_geometry import Passing, SceneGeometry
from hiermap.worlds.geometry.ways import Passage
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.state_table import HELD, NOTHING, OPEN, Operator, StateTable, Variable, Way, operator_of

STRICT, NOMINAL, LOOSE = 0.012, 0.003, -0.01
"""What comes nearer is in the way [m]: what is free even so is surely free; a hand that strays a little keeps clear of it; what is blocked
even so is surely blocked."""


class GeometryTable(StateTable):
    """All operators of a scene that begins with fixtures at their ends and things where they are written, by its geometry.

    Pushing things aside is left out: a length is that of a shortest solution without it.

    Args:
        geometry: of the scene.
        fractions: how far every fixture is open or on, 0 or 1.
        numbers: of the place where every thing is.
        gap: what comes nearer is in the way [m].
        held: the thing in the hand, if any.
    """

    def __init__(
        self,
        geometry: SceneGeometry,
        fractions: Mapping[str, float],
        numbers: Mapping[str, int],
        gap: float,
        held: str | None = None,
    ) -> None:
        parts = geometry.copy.parts
        self._geometry, self._gap = geometry, gap
        holding = [name for name, part in parts.fixtures.items() if part.holds_things]
        ends = {name: part.ends for name, part in parts.fixtures.items()}
        super().__init__(ends, holding, {}, fractions, geometry.places, numbers, held)
        self._order = list(self.places)
        self.compile([*self._fixture_operators(), *self._thing_operators()])

    def vocabulary(self) -> list[PredicateKey]:
        """As the scene's own."""
        return [(p.kind, *p.arguments) for p in self._geometry.copy.parts.vocabulary()]

    def holds_at(self, place: Place, kind: str, target: str) -> bool:
        """By the scene's own judge."""
        return self._geometry.holds_at(place, kind, target)

    def _fixture_operators(self) -> Iterator[Operator]:
        for (name, start), by_primitive in self._geometry.fixture_ways.items():
            own, to = self.fixtures[name], self.ends[name][OPEN - start]
            for primitive, passings in by_primitive.items():
                move = Move(primitive, name, passings[0].command.rotation_index, to=to)
                yield from self._operators(
                    move, {self.hand: NOTHING, own: start}, passings, {own: OPEN - start}, None, self._geometry.carried.get(name, {})
                )

    def _thing_operators(self) -> Iterator[Operator]:
        for (name, number), by_primitive in self._geometry.thing_ways.items():
            own, holding, place = self.things[name], self._order.index(name) + 1, self.places[name][number]
            opened = {} if place.drawer is None else {self.fixtures[place.drawer]: OPEN}
            for primitive, passings in by_primitive.items():
                if primitive == "grasp":
                    needs, sets = {own: number, self.hand: NOTHING}, {own: HELD, self.hand: holding}
                else:
                    needs, sets = {own: HELD, self.hand: holding}, {own: number, self.hand: NOTHING}
                move = Move(primitive, name, passings[0].command.rotation_index, place=place if primitive == "place" else None)
                yield from self._operators(move, {**needs, **opened}, passings, sets, place.drawer, {})

    def _operators(
        self,
        move: Move,
        needs: Mapping[Variable, int],
        passings: Sequence[Passing],
        sets: Mapping[Variable, int],
        container: str | None,
        carried: Mapping[str, np.ndarray],
    ) -> Iterator[Operator]:
        """One for every set of fixtures that must be open for some of the ways."""
        grouped: dict[frozenset[str], list[Way]] = {}
        for passing in passings:
            shut = {name for name, distance in passing.passage.at_rest.items() if distance < self._gap}
            open_ = {name for name, distance in passing.passage.far.items() if distance < self._gap}
            if not shut & open_:
                block = sum(OPEN << self.fixtures[name].shift for name in open_)
                way = Way(passing.command.rotation_index, block, self._conflicts(passing.passage, container, carried))
                grouped.setdefault(frozenset(shut), []).append(way)
        for covering, ways in grouped.items():
            opened = {self.fixtures[name]: OPEN for name in sorted(covering)}
            if not any(variable in needs for variable in opened):
                yield operator_of(move, {**needs, **opened}, ways, sets)

    def _conflicts(self, passage: Passage, container: str | None, carried: Mapping[str, np.ndarray]) -> np.ndarray:
        """Per thing the places in the way `[things]`; what is in a container counts only for what goes into the same one, and what is
        `carried` in the container that moves where it comes too near others."""
        masks = np.zeros(len(self._order), np.int64)
        for index, thing in enumerate(self._order):
            for number, distance in enumerate(passage.placed.get(thing, ())):
                inside = self.places[thing][number].drawer
                if distance < self._gap and inside in (None, container):
                    masks[index] |= 1 << number
            for number, distance in enumerate(carried.get(thing, ())):
                masks[index] |= (distance < self._gap) << number
        return masks

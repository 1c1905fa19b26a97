"""The toy kitchen itself: what there is, what can be done, and what is true; exact and tiny."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hiermap.worlds.goals import Predicate

OPEN_ROWS = 2
"""An opened handle appears this many rows further down."""
SURE = 0.95
"""Success at a thing's cell."""


@dataclass(frozen=True)
class ToyFixture:
    """A drawer, door, knob or latch.

    Attributes:
        name, kind: kind is "drawer", "door", "knob" or "latch".
        cell: where its handle or ridge is while shut.
        latch: the latch that holds it shut while off.
        forced: success of pulling it against its latch.
        above: a fixture that must be shut to reach this one.
        sweep: a place where an object blocks it.
        jammed: it never moves.
        opened: it starts open or on.
    """

    name: str
    kind: str
    cell: tuple[int, int]
    latch: str | None = None
    forced: float = 0.0
    above: str | None = None
    sweep: str | None = None
    jammed: bool = False
    opened: bool = False

    @property
    def turns(self) -> bool:
        return self.kind in ("knob", "latch")


@dataclass(frozen=True)
class ToyPlace:
    """A spot for one object, at `cell`; `inside` a fixture it can be reached only while that is open."""

    name: str
    cell: tuple[int, int]
    inside: str | None = None


@dataclass(frozen=True)
class ToyState:
    """What is open or on, where each object is (a place's name), and what is held."""

    opened: frozenset[str]
    at: tuple[tuple[str, str], ...] = ()
    held: str | None = None


@dataclass(frozen=True)
class ToyKitchen:
    """Fixtures, places and objects (name -> starting place); placed so that no two things share a neighbourhood."""

    fixtures: tuple[ToyFixture, ...]
    places: tuple[ToyPlace, ...] = ()
    objects: tuple[tuple[str, str], ...] = ()

    @property
    def start(self) -> ToyState:
        return ToyState(frozenset(f.name for f in self.fixtures if f.opened), tuple(sorted(self.objects)))

    def place(self, name: str) -> ToyPlace:
        """The place of that name; KeyError if there is none."""
        return {p.name: p for p in self.places}[name]


Moves = Mapping[tuple[str, int, tuple[int, int]], tuple[float, ToyState]]
"""(primitive, rotation, cell) -> success at that cell, and the state it leads to."""


@lru_cache(maxsize=100_000)
def moves(kitchen: ToyKitchen, state: ToyState) -> Moves:
    """Everything that can be done in `state`, at the exact cells of things."""
    found: dict[tuple[str, int, tuple[int, int]], tuple[float, ToyState]] = {}
    for fixture in kitchen.fixtures:
        found.update(_fixture_moves(kitchen, state, fixture))
    taken = dict(state.at)
    for place in kitchen.places:
        if place.inside is not None and place.inside not in state.opened:
            continue
        standing = [name for name, where in state.at if where == place.name]
        if state.held is None and standing:
            rest = tuple(sorted((n, w) for n, w in taken.items() if n != standing[0]))
            found["grasp", 0, place.cell] = SURE, ToyState(state.opened, rest, standing[0])
        if state.held is not None and not standing:
            more = tuple(sorted([*state.at, (state.held, place.name)]))
            found["place", 0, place.cell] = SURE, ToyState(state.opened, more, None)
    return found


def _fixture_moves(kitchen: ToyKitchen, state: ToyState, fixture: ToyFixture) -> Moves:
    is_open = fixture.name in state.opened
    if state.held is not None or fixture.jammed or (fixture.above is not None and fixture.above in state.opened):
        return {}
    if is_open:
        shut = replace(state, opened=state.opened - {fixture.name})
        cell = fixture.cell if fixture.turns else (fixture.cell[0] + OPEN_ROWS, fixture.cell[1])
        return {("rotate", 1, cell) if fixture.turns else ("push", 0, cell): (SURE, shut)}
    if fixture.sweep is not None and any(where == fixture.sweep for _, where in state.at):
        return {}
    latched = fixture.latch is not None and fixture.latch not in state.opened
    success = fixture.forced if latched else SURE
    opened = replace(state, opened=state.opened | {fixture.name})
    if fixture.turns:
        return {("rotate", 0, fixture.cell): (success, opened)}
    return {("pull", 1 if fixture.kind == "drawer" else 0, fixture.cell): (success, opened)} if success > 0 else {}


def holds(kitchen: ToyKitchen, state: ToyState, predicate: Predicate) -> bool:
    """Whether a goal predicate is true."""
    first = predicate.arguments[0]
    if predicate.kind in ("open", "on"):
        return first in state.opened
    if predicate.kind in ("closed", "off"):
        return first not in state.opened
    if predicate.kind == "held":
        return state.held == first
    where = dict(state.at).get(first)
    if where is None:
        return False
    place = kitchen.place(where)
    return predicate.arguments[1] in ((place.inside,) if predicate.kind == "inside" else (place.name,))


@lru_cache(maxsize=100_000)
def steps_to_go(kitchen: ToyKitchen, state: ToyState, predicates: tuple[Predicate, ...]) -> int | None:
    """Least number of primitives until all `predicates` hold, or None; breadth-first over the exact moves."""
    queue, seen = deque([(state, 0)]), {state}
    while queue:
        here, steps = queue.popleft()
        if all(holds(kitchen, here, p) for p in predicates):
            return steps
        for _, after in moves(kitchen, here).values():
            if after not in seen:
                seen.add(after)
                queue.append((after, steps + 1))
    return None

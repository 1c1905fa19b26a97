"""The toy kitchen itself: what there is, what can be done, and what is true; exact and tiny."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hiermap.worlds.base import Action
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
    """

    name: str
    kind: str
    cell: tuple[int, int]
    latch: str | None = None
    forced: float = 0.0
    above: str | None = None
    sweep: str | None = None
    jammed: bool = False


@dataclass(frozen=True)
class ToyPlace:
    """A spot for one object, at `cell`; `inside` a fixture it can be reached only while that is open."""

    name: str
    cell: tuple[int, int]
    inside: str | None = None


@dataclass(frozen=True)
class ToyState:
    """What is open or on, where each object is, as (object, place), and what is held."""

    opened: frozenset[str] = frozenset()
    at: frozenset[tuple[str, str]] = frozenset()
    held: str | None = None


@dataclass(frozen=True)
class ToyKitchen:
    """Fixtures, places and the state it starts in; placed so that no two things share a neighbourhood."""

    fixtures: tuple[ToyFixture, ...]
    places: tuple[ToyPlace, ...] = ()
    start: ToyState = ToyState()


Moves = Mapping[Action, tuple[float, ToyState]]
"""Action -> success at its cell, and the state it leads to."""


@lru_cache(maxsize=100_000)
def moves(kitchen: ToyKitchen, state: ToyState) -> Moves:
    """Everything that can be done in `state`, at the exact cells of things."""
    found: dict[Action, tuple[float, ToyState]] = {}
    for fixture in kitchen.fixtures:
        found.update(_fixture_moves(state, fixture))
    standing = {place: name for name, place in state.at}
    for place in kitchen.places:
        thing = standing.get(place.name)
        if place.inside is not None and place.inside not in state.opened:
            continue
        if state.held is None and thing is not None:
            found[Action("grasp", place.cell, 0)] = SURE, replace(state, at=state.at - {(thing, place.name)}, held=thing)
        if state.held is not None and thing is None:
            found[Action("place", place.cell, 0)] = SURE, replace(state, at=state.at | {(state.held, place.name)}, held=None)
    return found


def _fixture_moves(state: ToyState, fixture: ToyFixture) -> Moves:
    (row, column), turns = fixture.cell, fixture.kind in ("knob", "latch")
    if state.held is not None or fixture.jammed or fixture.above in state.opened:
        return {}
    if fixture.name in state.opened:
        shutting = Action("rotate", fixture.cell, 1) if turns else Action("push", (row + OPEN_ROWS, column), 0)
        return {shutting: (SURE, replace(state, opened=state.opened - {fixture.name}))}
    latched = fixture.latch is not None and fixture.latch not in state.opened
    success = fixture.forced if latched else SURE
    if success == 0 or any(place == fixture.sweep for _, place in state.at):
        return {}
    opening = Action("rotate", fixture.cell, 0) if turns else Action("pull", fixture.cell, 1 if fixture.kind == "drawer" else 0)
    return {opening: (success, replace(state, opened=state.opened | {fixture.name}))}


def holds(kitchen: ToyKitchen, state: ToyState, predicate: Predicate) -> bool:
    """Whether a goal predicate is true."""
    first = predicate.arguments[0]
    if predicate.kind in ("open", "on"):
        return first in state.opened
    if predicate.kind in ("closed", "off"):
        return first not in state.opened
    if predicate.kind == "held":
        return state.held == first
    if predicate.kind == "on_top":
        return predicate.arguments in state.at
    return any((first, place.name) in state.at for place in kitchen.places if place.inside == predicate.arguments[1])


@lru_cache
def vocabulary(kitchen: ToyKitchen) -> frozenset[tuple[str, ...]]:
    """Every predicate that makes sense of what there is, as `(kind, *arguments)`."""
    opening = [fixture.name for fixture in kitchen.fixtures if fixture.kind in ("drawer", "door")]
    turning = [fixture.name for fixture in kitchen.fixtures if fixture.name not in opening]
    keys: set[tuple[str, ...]] = {(end, name) for name in opening for end in ("open", "closed")}
    keys |= {(end, name) for name in turning for end in ("on", "off")}
    held = () if kitchen.start.held is None else (kitchen.start.held,)
    for thing in (*held, *(name for name, _ in kitchen.start.at)):
        keys |= {("held", thing), *(("inside", thing, name) for name in opening)}
        keys |= {("on_top", thing, place.name) for place in kitchen.places if place.inside is None}
    return frozenset(keys)


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

"""A tiny exact kitchen in numpy that obeys the World contract: every answer about it is known.

Things sit at cells of a small frame; a handle moves two rows down when its fixture opens. `TOY_INSTANCES` holds solvable, already
solved and unsolvable problems with their exact shortest lengths.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult, Reason
from hiermap.worlds.base import Action, Node, Outcome
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.imagined.toy_kitchen import ToyFixture, ToyKitchen, ToyPlace, ToyState, holds, moves, steps_to_go, vocabulary
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.sense import check_known

TOY_FRAME = SpatialFrame(rows=20, columns=24, cell_size=0.05, top=1.06, left=0.6)
"""Small enough for exhaustive search over every cell."""
BESIDE = 0.6
"""Share of the success at a thing's cell that its four neighbours have."""
ESTIMATES = ("count", "exact", "blind")
"""How `progress` is made: unsatisfied predicates (never overestimates), least primitives, or nothing but solved or not."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ToyView(SpatialView):
    """What the toy's robot sees: blank images and the state itself."""

    state: ToyState


class ToyWorld:
    """The toy kitchen as a World; it reads the true state from a `ToyView`.

    Args:
        kitchen: what there is.
        estimate: one of `ESTIMATES`.
    """

    def __init__(self, kitchen: ToyKitchen, estimate: str = "count") -> None:
        if estimate not in ESTIMATES:
            raise ValueError(f"unknown estimate {estimate!r}; known: {', '.join(ESTIMATES)}")
        self.kitchen, self.estimate, self.frame = kitchen, estimate, TOY_FRAME

    def root(self, view: SpatialView, goal: Goal, first: SpatialView | None = None, remembered: Node | None = None) -> Node:
        """The node of the seen state, which hides nothing; InvalidObservationError if the view is not the toy's, InvalidGoalError."""
        if not isinstance(view, ToyView):
            raise InvalidObservationError(f"expected a ToyView, got a {type(view).__name__}; use `toy_view(state)`")
        check_known(goal.predicates, vocabulary(self.kitchen))
        return self._node(view.state, goal)

    def maps(self, nodes: Sequence[Node]) -> np.ndarray:
        """The success of every action in each node, `[N, P, R, H, W]`."""
        return np.stack([_maps(self.kitchen, node.state) for node in nodes])

    def expand(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """Exact outcomes: near a thing its effect, with less success beside its cell; elsewhere nothing happens, surely not."""
        return [[self._outcome(node, action, goal) for action in some] for node, some in zip(nodes, actions, strict=True)]

    def key(self, node: Node) -> Hashable:
        """The exact state."""
        return node.state

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float]:
        """The cell's point on the plane of depth 0 [m]."""
        x, y, z = self.frame.cell_to_point(np.array(cell), np.array(0.0))
        return float(x), float(y), float(z)

    def _node(self, state: ToyState, goal: Goal) -> Node:
        predicates = {str(p): float(holds(self.kitchen, state, p)) for p in goal.predicates}
        missing: float | None = list(predicates.values()).count(0.0)
        if missing and self.estimate != "count":
            missing = steps_to_go(self.kitchen, state, goal.predicates) if self.estimate == "exact" else 1
        return Node(state, 0.0 if missing is None else 1.0 / (1.0 + missing), predicates)

    def _outcome(self, node: Node, action: Action, goal: Goal) -> Outcome:
        success, after = effect(self.kitchen, node.state, action)
        return Outcome(self._node(after, goal), success, PRIMITIVES[action.primitive].typical_seconds)


def effect(kitchen: ToyKitchen, state: ToyState, action: Action) -> tuple[float, ToyState]:
    """The success of an action and the state it leads to; 0 and the same state where there is nothing to do."""
    for near, factor in _spread(action.cell):
        move = moves(kitchen, state).get(replace(action, cell=near))
        if move is not None:
            return float(np.float32(move[0] * factor)), move[1]
    return 0.0, state


def _spread(cell: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
    row, column = cell
    beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return [(cell, 1.0), *((near, BESIDE) for near in beside)]


@lru_cache(maxsize=20_000)
def _maps(kitchen: ToyKitchen, state: ToyState) -> np.ndarray:
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *TOY_FRAME.shape), dtype=np.float32)
    order = list(PRIMITIVES)
    for action, (success, _) in moves(kitchen, state).items():
        for near, factor in _spread(action.cell):
            maps[order.index(action.primitive), action.rotation_index][near] = success * factor
    maps.setflags(write=False)
    return maps


def toy_view(state: ToyState) -> ToyView:
    """What the toy's robot sees in a state."""
    blank = np.zeros(TOY_FRAME.shape, np.float32)
    rgb, nothing = np.zeros((*TOY_FRAME.shape, 3), np.uint8), np.zeros(TOY_FRAME.shape, bool)
    return ToyView(rgb=rgb, depth=blank, valid=nothing, holding=state.held is not None, frame=TOY_FRAME, state=state)


class ToyScene:
    """The toy kitchen as a scene to act in: each action works with its true success.

    Args:
        kitchen: what there is.
        rng: decides which actions fail; None: every possible action works.
    """

    frame = TOY_FRAME

    def __init__(self, kitchen: ToyKitchen, rng: np.random.Generator | None = None) -> None:
        self.kitchen, self.rng, self.state = kitchen, rng, kitchen.start

    def observe(self) -> ToyView:
        """The current view."""
        return toy_view(self.state)

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """Apply an action; "missed" when it cannot work there, "slipped" when it did not this time."""
        success, after = effect(self.kitchen, self.state, action)
        seconds = PRIMITIVES[action.primitive].typical_seconds
        if success == 0.0 or (self.rng is not None and self.rng.random() >= success):
            return PrimitiveResult(False, Reason.SLIPPED if success else Reason.MISSED, seconds, 0.0)
        self.state = after
        return PrimitiveResult(True, Reason.DONE, seconds, 0.1)

    def masks(self) -> dict[str, np.ndarray]:
        """The cells of every fixture, place and object where it is now; a held object has none."""
        cells = {f.name: f.cell for f in self.kitchen.fixtures} | {p.name: p.cell for p in self.kitchen.places}
        cells |= {name: cells[where] for name, where in self.state.at}
        return {name: _disc(cell) for name, cell in cells.items()}

    def vocabulary(self) -> list[Predicate]:
        """Every predicate that makes sense here."""
        return [Predicate(kind, tuple(names)) for kind, *names in sorted(vocabulary(self.kitchen))]

    def truth(self, predicates: Sequence[Predicate]) -> dict[str, bool]:
        """`str(predicate)` -> whether it holds now."""
        return {str(predicate): holds(self.kitchen, self.state, predicate) for predicate in predicates}

    def snapshot(self) -> ToyState:
        """The state."""
        return self.state

    def restore(self, snapshot: ToyState) -> None:
        """Back to a state."""
        self.state = snapshot


@dataclass(frozen=True)
class ToyInstance:
    """A problem with its known answer.

    Attributes:
        shortest: least number of primitives, None if unsolvable.
        cheapest: number of primitives of the cheapest plan where it is not the shortest.
    """

    name: str
    kitchen: ToyKitchen
    predicates: tuple[Predicate, ...]
    shortest: int | None
    cheapest: int | None = None

    @property
    def view(self) -> ToyView:
        return toy_view(self.kitchen.start)

    @property
    def goal(self) -> Goal:
        """The goal with each target's mask in the first view."""
        masks = ToyScene(self.kitchen).masks()
        names = {a for p in self.predicates for a in p.arguments}
        return Goal(self.predicates, {name: Target(name, masks[name]) for name in sorted(names)})


def _disc(cell: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(TOY_FRAME.shape, dtype=bool)
    for near, _ in _spread(cell):
        mask[near] = True
    return mask


def _goal(*words: str) -> tuple[Predicate, ...]:
    return tuple(Predicate(kind, tuple(rest)) for kind, *rest in (text.split() for text in words))


_DRAWER = ToyFixture("drawer", "drawer", (12, 4))
_LOWER = ToyFixture("lower_drawer", "drawer", (15, 4), above="drawer")
_KNOB = ToyFixture("knob", "knob", (12, 12))
_LATCH = ToyFixture("latch", "latch", (4, 15))
_DOOR = ToyFixture("door", "door", (4, 19), latch="latch", sweep="corner")
_PLACES = (
    ToyPlace("board", (8, 4)),
    ToyPlace("middle", (8, 9)),
    ToyPlace("corner", (8, 14)),
    ToyPlace("in_drawer", (10, 7), inside="drawer"),
    ToyPlace("shelf", (3, 22), inside="door"),
)
_TIDY = ToyState(at=frozenset({("mug", "board")}))
_SIMPLE = ToyKitchen((_DRAWER, _KNOB), _PLACES[:4], _TIDY)
_STACK = ToyKitchen((_DRAWER, _LOWER), start=ToyState(frozenset({"drawer"})))
_FULL = ToyKitchen((_DRAWER, _LOWER, _KNOB, _LATCH, _DOOR), _PLACES, ToyState(at=frozenset({("mug", "board"), ("pot", "corner")})))
_FREE_DOOR = ToyKitchen((_LATCH, replace(_DOOR, sweep=None)))
_FORCED = ToyKitchen((_LATCH, replace(_DOOR, sweep=None, forced=0.05)))
_JAMMED = ToyKitchen((replace(_DRAWER, jammed=True), _LOWER, _KNOB), _PLACES[:2], replace(_TIDY, opened=frozenset({"drawer"})))

_ALL = (
    ToyInstance("already_solved", _SIMPLE, _goal("closed drawer", "off knob"), 0),
    ToyInstance("open_drawer", _SIMPLE, _goal("open drawer"), 1),
    ToyInstance("switch_on", _SIMPLE, _goal("on knob"), 1),
    ToyInstance("hold_mug", _SIMPLE, _goal("held mug"), 1),
    ToyInstance("move_mug", _SIMPLE, _goal("on_top mug middle"), 2),
    ToyInstance("latched_door", _FREE_DOOR, _goal("open door"), 2),
    ToyInstance("stacked_drawers", _STACK, _goal("open lower_drawer"), 2),
    ToyInstance("open_then_latch_again", _FREE_DOOR, _goal("open door", "off latch"), 3),
    ToyInstance("put_in_drawer", _SIMPLE, _goal("inside mug drawer"), 3),
    ToyInstance("put_in_and_shut", _SIMPLE, _goal("inside mug drawer", "closed drawer"), 4),
    ToyInstance("blocked_and_latched", _FULL, _goal("open door"), 4),
    ToyInstance("long_detour", _FULL, _goal("inside mug door", "closed door", "on knob"), 8),
    ToyInstance("forcing_is_dear", _FORCED, _goal("open door"), 1, cheapest=2),
    ToyInstance("contradiction", _SIMPLE, _goal("open drawer", "closed drawer"), None),
    ToyInstance("jammed_above", _JAMMED, _goal("open lower_drawer"), None),
    ToyInstance("nowhere_to_put", _JAMMED, _goal("inside mug drawer"), None),
)
TOY_INSTANCES: Mapping[str, ToyInstance] = {instance.name: instance for instance in _ALL}
"""Name -> problem."""

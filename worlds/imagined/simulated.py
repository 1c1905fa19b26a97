"""The true simulator as a World: imagines by running the motor programs on its own copy of the kitchen. The oracle upper bound."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from weakref import WeakKeyDictionary

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult
from hiermap.worlds.base import Action, Node, Outcome
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.goals import Goal
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.oracle.affordances import move_for, oracle_maps
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules import judge, transitions
from hiermap.worlds.rules.shortest_paths import best_moves
from hiermap.worlds.sense import check_known, check_seen
from hiermap.worlds.simulator.kitchen import Kitchen

LONGEST = 12
"""Goals farther away than this many primitives count as unreachable."""
UNREACHABLE_STEPS = 15.0
"""Estimate of the missing primitives, besides unmet predicates, where the rules know no solution."""
KEY_METRES, KEY_FRACTION = 0.03, 0.1
"""States that differ by less than about this are duplicates."""

Maps = Callable[[SpatialView], np.ndarray]
"""Maps `[P, R, H, W]` in [0, 1] of what is seen."""


@dataclass(frozen=True, eq=False, kw_only=True)
class KnownView(SpatialView):
    """A view that carries the true state it was taken in: what only the oracle is allowed to know."""

    snapshot: np.ndarray


@dataclass(frozen=True)
class KnownKitchen:
    """A kitchen whose looks carry its true state."""

    kitchen: Kitchen

    def observe(self) -> KnownView:
        """What is seen, and the true state."""
        seen = self.kitchen.view()
        return KnownView(**{item.name: getattr(seen, item.name) for item in fields(seen)}, snapshot=self.kitchen.snapshot())

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """As `Kitchen.act`."""
        return self.kitchen.act(action, view)


@dataclass(frozen=True, eq=False)
class SimulatedState:
    """A state between two primitives: the true one, seen, at the root; elsewhere what the rules say `action` makes of `before`.

    Looked into, it is what running the motor program really makes of it.
    """

    scene: SceneState
    view: KnownView | None = None
    before: "SimulatedState | None" = None
    action: Action | None = None


class SimulatedWorld:
    """A World whose dynamics are the true ones and whose maps come from the oracle or from any other source.

    An action is judged by the exact rules for the move it means; where its outcome is looked into or ends a plan, its motor program is
    run, and where that has no effect the outcome is a dead end. `progress` is exact: the shortest way to the goal under the rules.

    Args:
        kitchen: a copy of its own; it is moved about.
        maps: "oracle", or a function of the view such as a learned model's.
    """

    def __init__(self, kitchen: Kitchen, maps: str | Maps = "oracle") -> None:
        if isinstance(maps, str) and maps != "oracle":
            raise ValueError(f"maps={maps!r}: expected 'oracle' or a function of the view")
        self.kitchen, self.frame = kitchen, kitchen.frame
        self._source: Maps = self._oracle_maps if isinstance(maps, str) else maps
        self._maps: WeakKeyDictionary[SimulatedState, np.ndarray] = WeakKeyDictionary()
        self._views: WeakKeyDictionary[SimulatedState, KnownView | None] = WeakKeyDictionary()

    def root(self, view: SpatialView, goal: Goal, first: SpatialView | None = None, remembered: Node | None = None) -> Node:
        """The node of the true state that the view carries; nothing needs to be remembered.

        Raises:
            InvalidObservationError: the view does not carry a state; look through `KnownKitchen`.
            InvalidGoalError: a predicate that the kitchen's rules do not know, or a target that was not seen.
        """
        if not isinstance(view, KnownView):
            raise InvalidObservationError(f"expected a KnownView, got a {type(view).__name__}; look through KnownKitchen(kitchen)")
        check_seen(goal, view if first is None else first)
        scene = self._scene(view)
        check_known(goal.predicates, judge.vocabulary(self.kitchen.spec, tuple(sorted(scene.poses))))
        return self._node(SimulatedState(scene, view), goal)

    def maps(self, nodes: Sequence[Node]) -> np.ndarray:
        """Where each primitive is possible, or what the given source says of each node's view, `[N, P, R, H, W]`; 0 in a dead end."""
        shape = (len(PRIMITIVES), ROTATION_BINS, *self.frame.shape)
        for state in (node.state for node in nodes):
            if state in self._maps:
                continue
            view = self.view(state)
            maps = np.zeros(shape, np.float32) if view is None else np.asarray(self._source(view))
            if maps.shape != shape:
                raise ValueError(f"the source of maps returned shape {maps.shape}, expected {shape}")
            self._maps[state] = maps
        return np.stack([self._maps[node.state] for node in nodes])

    def expand(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """Success 1 where the rules allow the move that an action means, else 0 and the same node."""
        return [[self._outcome(node, action, goal) for action in some] for node, some in zip(nodes, actions, strict=True)]

    def key(self, node: Node) -> Hashable:
        """The state, coarsely."""
        scene = node.state.scene
        fractions = tuple(round(f / KEY_FRACTION) for _, f in sorted(scene.fractions.items()))
        poses = tuple((n, *(round(c / KEY_METRES) for c in p[:3])) for n, p in sorted(scene.poses.items()) if n != scene.held)
        return fractions, poses, scene.held

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point seen at a cell [m], None where nothing is seen."""
        view = self.view(node.state)
        if view is None:
            return None
        try:
            x, y, z = view.point(cell)
        except InvalidObservationError:
            return None
        return float(x), float(y), float(z)

    def view(self, state: SimulatedState) -> KnownView | None:
        """What is really seen in a state; None where the motor program that should lead there has no effect."""
        if state.before is None or state.action is None:
            return state.view
        if state not in self._views:
            self._views[state] = self._run(state.before, state.action)
        return self._views[state]

    def _run(self, before: SimulatedState, action: Action) -> KnownView | None:
        view, kitchen = self.view(before), self.kitchen
        if view is None:
            return None
        scene = self._scene(view)
        move = move_for(kitchen.spec, scene, action, view)
        try:
            kitchen.act(action, view)
        except (PhysicsError, InvalidObservationError):
            return None
        worked = move is not None and judge.effect(kitchen.spec, scene, kitchen.scene(), move)
        return KnownKitchen(kitchen).observe() if worked else None

    def _outcome(self, node: Node, action: Action, goal: Goal) -> Outcome:
        nothing = Outcome(node, 0.0, PRIMITIVES[action.primitive].typical_seconds)
        view, spec = self.view(node.state), self.kitchen.spec
        if view is None:
            return nothing
        scene = self._scene(view)
        move = move_for(spec, scene, action, view)
        # The rules name some places only; putting down elsewhere is for the motor program to try.
        if move is None or not (action.primitive == "place" or transitions.rotations(spec, scene, move)):
            return nothing
        child = self._node(SimulatedState(transitions.after(spec, scene, move), None, node.state, action), goal)
        missed = child.progress >= 1.0 and self.view(child.state) is None
        return nothing if missed else replace(nothing, node=child, success=1.0)

    def _node(self, state: SimulatedState, goal: Goal) -> Node:
        spec, scene = self.kitchen.spec, state.scene
        held = {str(predicate): judge.holds(spec, scene, predicate) for predicate in goal.predicates}
        known = best_moves(transitions.table_for(spec, scene), goal.predicates, LONGEST)
        missing = UNREACHABLE_STEPS + list(held.values()).count(False) if known is None else known[0]
        return Node(state, 1.0 / (1.0 + missing), {name: float(true) for name, true in held.items()})

    def _scene(self, view: KnownView) -> SceneState:
        """The true scene of a view; leaves the kitchen in it."""
        self.kitchen.restore(view.snapshot)
        return self.kitchen.scene()

    def _oracle_maps(self, view: SpatialView) -> np.ndarray:
        assert isinstance(view, KnownView)  # states hold no others
        scene = self._scene(view)
        return oracle_maps(self.kitchen.spec, scene, view, self.kitchen.masks()).astype(np.float32)

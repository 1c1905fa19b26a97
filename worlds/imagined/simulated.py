"""The true simulator as a World: imagines by running the motor programs on its own copy of the kitchen. The oracle upper bound."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields
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
    """A state of the simulator between two primitives, and what is seen in it."""

    view: KnownView
    scene: SceneState


class SimulatedWorld:
    """A World whose dynamics are the simulator's and whose maps come from the oracle or from any other source.

    An action is judged by running its motor program, or, where the exact rules forbid the move it stands for, by them. `progress` is
    exact: the shortest way to the goal under the rules.

    Args:
        kitchen: a copy of its own; it is moved about.
        maps: "oracle", or a function of the view such as a learned model's.
    """

    def __init__(self, kitchen: Kitchen, maps: str | Maps = "oracle") -> None:
        if isinstance(maps, str) and maps != "oracle":
            raise ValueError(f"maps={maps!r}: expected 'oracle' or a function of the view")
        self.kitchen, self.frame = kitchen, kitchen.frame
        self._source: Maps = self._oracle_maps if isinstance(maps, str) else maps
        self._maps: WeakKeyDictionary[SpatialView, np.ndarray] = WeakKeyDictionary()
        self._runs: WeakKeyDictionary[SpatialView, dict[Action, tuple[KnownView, bool, float] | None]] = WeakKeyDictionary()

    def root(self, view: SpatialView, goal: Goal, first: SpatialView | None = None, remembered: Node | None = None) -> Node:
        """The node of the true state that the view carries; nothing needs to be remembered.

        Raises:
            InvalidObservationError: the view does not carry a state; look through `KnownKitchen`.
        """
        if not isinstance(view, KnownView):
            raise InvalidObservationError(f"expected a KnownView, got a {type(view).__name__}; look through KnownKitchen(kitchen)")
        return self._node(view, goal)

    def maps(self, nodes: Sequence[Node]) -> np.ndarray:
        """Where each primitive is possible, or what the given source says of each node's view, `[N, P, R, H, W]`."""
        expected = (len(PRIMITIVES), ROTATION_BINS, *self.frame.shape)
        for view in (node.state.view for node in nodes):
            if view not in self._maps:
                self._maps[view] = np.asarray(self._source(view))
            if self._maps[view].shape != expected:
                raise ValueError(f"the source of maps returned shape {self._maps[view].shape}, expected {expected}")
        return np.stack([self._maps[node.state.view] for node in nodes])

    def expand(self, nodes: Sequence[Node], actions: Sequence[Sequence[Action]], goal: Goal) -> list[list[Outcome]]:
        """Each action run in the simulator; success 1 or 0, the same node where nothing came of it."""
        return [[self._outcome(node, action, goal) for action in some] for node, some in zip(nodes, actions, strict=True)]

    def key(self, node: Node) -> Hashable:
        """The true state, coarsely."""
        scene = node.state.scene
        fractions = tuple(round(f / KEY_FRACTION) for _, f in sorted(scene.fractions.items()))
        poses = tuple((n, *(round(c / KEY_METRES) for c in p[:3])) for n, p in sorted(scene.poses.items()) if n != scene.held)
        return fractions, poses, scene.held

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point seen at a cell [m], None where nothing is seen."""
        try:
            x, y, z = node.state.view.point(cell)
        except InvalidObservationError:
            return None
        return float(x), float(y), float(z)

    def _outcome(self, node: Node, action: Action, goal: Goal) -> Outcome:
        typical = PRIMITIVES[action.primitive].typical_seconds
        runs = self._runs.setdefault(node.state.view, {})
        if action not in runs:
            runs[action] = self._run(node.state, action)
        run = runs[action]
        if run is None:
            return Outcome(node, 0.0, typical)
        view, effect, seconds = run
        return Outcome(self._node(view, goal), float(effect), max(seconds, typical))

    def _run(self, state: SimulatedState, action: Action) -> tuple[KnownView, bool, float] | None:
        """What is seen after the motor program, whether it had its effect, and its duration [s]; None if it could have none."""
        kitchen, spec = self.kitchen, self.kitchen.spec
        move = move_for(spec, state.scene, action, state.view)
        if move is None or not transitions.rotations(spec, state.scene, move):
            return None
        kitchen.restore(state.view.snapshot)
        try:
            result = kitchen.act(action, state.view)
        except (PhysicsError, InvalidObservationError):
            return None
        return KnownKitchen(kitchen).observe(), judge.effect(spec, state.scene, kitchen.scene(), move), result.duration

    def _node(self, view: KnownView, goal: Goal) -> Node:
        self.kitchen.restore(view.snapshot)
        spec, scene = self.kitchen.spec, self.kitchen.scene()
        held = {str(predicate): judge.holds(spec, scene, predicate) for predicate in goal.predicates}
        known = best_moves(transitions.table_for(spec, scene), goal.predicates, LONGEST)
        missing = UNREACHABLE_STEPS + list(held.values()).count(False) if known is None else known[0]
        return Node(SimulatedState(view, scene), 1.0 / (1.0 + missing), {name: float(true) for name, true in held.items()})

    def _oracle_maps(self, view: SpatialView) -> np.ndarray:
        assert isinstance(view, KnownView)  # nodes hold no others
        self.kitchen.restore(view.snapshot)
        return oracle_maps(self.kitchen.spec, self.kitchen.scene(), view, self.kitchen.masks()).astype(np.float32)

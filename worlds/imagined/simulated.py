"""The true simulator as a World: imagines by running the motor programs on its own copy of the kitchen. The oracle upper bound.

It knows the true state, which `observe` puts into the observation. Between actions of equal promise on the map the exact rules choose:
an action that no shortest solution begins with is not worth a second of physics and comes back with success 0.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action, Node, Observation, Outcome
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal, Predicate
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.oracle.affordances import move_cells, move_for, oracle_maps
from hiermap.worlds.perception.fusion import SpatialView, fuse
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules import judge, transitions
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import best_moves
from hiermap.worlds.simulator.kitchen import Kitchen, Snapshot

STATE = "simulator_state"
"""Key of the true state in `Observation.extras`."""
LONGEST = 12
"""Goals farther away than this many primitives count as unreachable."""
UNREACHABLE_STEPS = 15.0
"""Estimate of the missing primitives, besides unmet predicates, where the rules know no solution."""
OTHER_VALUE = 0.3
"""Map value of what is possible but leads nowhere; what a shortest solution begins with has 1."""
KEY_METRES, KEY_FRACTION = 0.03, 0.1
"""States that differ by less than about this are duplicates."""
MAX_CACHED = 20_000

Maps = Callable[[Observation], np.ndarray]
"""Maps `[P, R, H, W]` in [0, 1] of what is seen."""


@dataclass(frozen=True, eq=False)
class SimulatedState:
    """A state of the simulator at a primitive boundary, what is seen in it, and what the rules say of it."""

    snapshot: Snapshot
    scene: SceneState
    view: SpatialView
    steps_to_go: float
    best: tuple[Move, ...]


def observe(kitchen: Kitchen) -> Observation:
    """What is seen in a kitchen together with its true state, which only this world reads."""
    seen = kitchen.observe()
    return replace(seen, extras={**seen.extras, STATE: kitchen.snapshot()})


class SimulatedWorld:
    """A World whose dynamics are the simulator's and whose maps come from the oracle or from any other source.

    Args:
        kitchen: a copy of its own; it is moved about.
        maps: "oracle", or a function of the observation such as a learned model's.
    """

    def __init__(self, kitchen: Kitchen, maps: str | Maps = "oracle") -> None:
        if isinstance(maps, str) and maps != "oracle":
            raise ValueError(f"maps={maps!r}: expected 'oracle' or a function of the observation")
        self.kitchen, self.maps = kitchen, maps
        self.frame = SpatialFrame()
        self._nodes: dict[Hashable, Node] = {}
        self._runs: dict[Hashable, tuple[Snapshot, bool, float] | None] = {}

    def root(self, observation: Observation, goal: Goal) -> Node:
        """The node of the true state in the observation.

        Raises:
            InvalidObservationError: the observation does not carry a state; use `observe(kitchen)`.
        """
        snapshot = observation.extras.get(STATE)
        if not isinstance(snapshot, Snapshot):
            raise InvalidObservationError(f"expected a Snapshot in extras[{STATE!r}], got {type(snapshot).__name__}; use `observe`")
        return self._node(snapshot, goal)

    def expand(self, node: Node, actions: Sequence[Action], goal: Goal) -> list[Outcome]:
        """Each action run in the simulator if a shortest solution may begin with it; else the same node with success 0."""
        return [self._outcome(node, action, goal) for action in actions]

    def key(self, node: Node) -> Hashable:
        """The true state, coarsely."""
        scene = node.state.scene
        fractions = tuple(round(f / KEY_FRACTION) for _, f in sorted(scene.fractions.items()))
        poses = tuple((n, *(round(c / KEY_METRES) for c in p[:3])) for n, p in sorted(scene.poses.items()) if n != scene.held)
        return fractions, poses, scene.held

    def predicates(self, node: Node, goal: Goal) -> Mapping[str, float]:
        """Truth of the goal's predicates."""
        return {str(p): float(judge.holds(self.kitchen.spec, node.state.scene, p)) for p in goal.predicates}

    def point(self, node: Node, cell: tuple[int, int]) -> tuple[float, float, float] | None:
        """World point seen at a cell [m], None where nothing is seen."""
        try:
            x, y, z = node.state.view.point(cell)
        except InvalidObservationError:
            return None
        return float(x), float(y), float(z)

    def _outcome(self, node: Node, action: Action, goal: Goal) -> Outcome:
        state: SimulatedState = node.state
        typical = PRIMITIVES[action.primitive].typical_seconds
        move = move_for(self.kitchen.spec, state.scene, action, state.view)
        if move is None or move not in state.best:
            return Outcome(node, 0.0, typical)
        run = self._run(state, action, move)
        if run is None:
            return Outcome(node, 0.0, typical)
        snapshot, effect, seconds = run
        return Outcome(self._node(snapshot, goal), float(effect), max(seconds, typical))

    def _run(self, state: SimulatedState, action: Action, move: Move) -> tuple[Snapshot, bool, float] | None:
        """State after the motor program, whether it had its effect, and its duration [s]; None if it diverged or could not be grounded."""
        key = (_digest(state.snapshot), action)
        if key not in self._runs:
            _forget(self._runs)
            self._runs[key] = self._run_now(state, action, move)
        return self._runs[key]

    def _run_now(self, state: SimulatedState, action: Action, move: Move) -> tuple[Snapshot, bool, float] | None:
        self.kitchen.restore(state.snapshot)
        try:
            result = self.kitchen.run(ground(state.view, action))
        except (PhysicsError, InvalidObservationError):
            return None
        effect = judge.effect(self.kitchen.spec, state.scene, self.kitchen.scene(), move)
        return self.kitchen.snapshot(), effect, result.duration

    def _node(self, snapshot: Snapshot, goal: Goal) -> Node:
        key = (_digest(snapshot), goal.predicates)
        if key not in self._nodes:
            _forget(self._nodes)
            self._nodes[key] = self._node_now(snapshot, goal.predicates)
        return self._nodes[key]

    def _node_now(self, snapshot: Snapshot, goal: tuple[Predicate, ...]) -> Node:
        kitchen, spec = self.kitchen, self.kitchen.spec
        kitchen.restore(snapshot)
        scene = kitchen.scene()
        # Sensor noise must depend on the state alone, or the same state would look different every time.
        rng = np.random.default_rng(int(_digest(snapshot)[:15], 16))
        observation = kitchen.observe(rng)
        view = fuse(observation)
        known = best_moves(transitions.table_for(spec, scene), goal, LONGEST)
        unmet = sum(not judge.holds(spec, scene, p) for p in goal)
        missing, best = (
            (UNREACHABLE_STEPS + unmet, tuple(transitions.legal_moves(spec, scene))) if known is None else (float(known[0]), known[1])
        )
        state = SimulatedState(snapshot, scene, view, missing, best)
        maps = self._oracle_maps(state) if self.maps == "oracle" else self._given_maps(observation)
        return Node(state, maps, 1.0 / (1.0 + missing))

    def _oracle_maps(self, state: SimulatedState) -> np.ndarray:
        spec, masks = self.kitchen.spec, self.kitchen.masks()
        maps = OTHER_VALUE * oracle_maps(spec, state.scene, state.view, masks).astype(np.float32)
        order = list(PRIMITIVES)
        for move in state.best:
            for rotation in transitions.rotations(spec, state.scene, move):
                region = move_cells(spec, state.scene, state.view, move, rotation, masks)
                maps[order.index(move.primitive), rotation][region] = 1.0
        return maps

    def _given_maps(self, observation: Observation) -> np.ndarray:
        assert callable(self.maps)  # checked by __init__
        maps = np.asarray(self.maps(observation))
        expected = (len(PRIMITIVES), ROTATION_BINS, *self.frame.shape)
        if maps.shape != expected:
            raise ValueError(f"the source of maps returned shape {maps.shape}, expected {expected}")
        return maps


def _digest(snapshot: Snapshot) -> str:
    return hashlib.blake2b(snapshot.state.tobytes(), digest_size=12).hexdigest()


def _forget(cache: dict) -> None:
    """Drop the oldest entry of a full cache."""
    if len(cache) >= MAX_CACHED:
        cache.pop(next(iter(cache)))

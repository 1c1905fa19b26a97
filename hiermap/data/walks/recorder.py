"""A recorded walk through one kitchen: views with their true labels, transitions between them, packed into an `Episode`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.goals import BINARY, UNARY, Predicate
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.legend import registered
from hiermap.worlds.perception.fusion import SpatialView, depth_to_tenth_mm
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.rules.state_table import StateTable

_ORDER = tuple(PRIMITIVES)
_KINDS = UNARY + BINARY
GOAL_STEPS_CAP = 12
"""Goals farther away than this many primitives are labelled beyond the cap."""


@dataclass(frozen=True, eq=False)
class Look:
    """One view and what is true there.

    Attributes:
        view: what a robot sees.
        scene: privileged truth.
        maps: oracle maps `[P, R, H, W]` bool.
        truth: predicate -> whether it holds; steps: predicate -> least primitives to it (absent beyond the cap).
        snapshot: of the simulation.
        table: the rules from here on.
    """

    view: SpatialView
    scene: SceneState
    maps: np.ndarray
    truth: Mapping[PredicateKey, bool]
    steps: Mapping[PredicateKey, int]
    snapshot: np.ndarray
    table: StateTable


@dataclass(frozen=True, eq=False)
class Step:
    """One transition, to the same view when nothing changed: the action, its metric command, the judge's and the program's word."""

    before: Look
    after: Look
    action: Action
    command: Command
    effect: bool
    result: PrimitiveResult


class Walked(Protocol):
    """A kitchen in a random state to walk through, of which the truth is known.

    Attributes:
        family: which kitchens it belongs to.
        masks: name -> `[H, W]` bool of everything in the first view.
        kinds: name -> kind of every fixture, object and surface, fixtures first.
    """

    family: str
    masks: Mapping[str, np.ndarray]
    kinds: Mapping[str, str]

    def observe(self) -> Observation:
        """What the cameras see now."""

    def look(self) -> Look:
        """The present view with all its labels."""

    def attempt(self, now: Look, action: Action) -> Step:
        """What comes of an action in the present look; PhysicsError or InvalidObservationError where nobody knows."""

    def cells(self, now: Look, move: Move, rotation: int) -> np.ndarray:
        """Where in a look an orientation of a primitive would mean a move, `[H, W]` bool."""

    def restore(self, now: Look) -> None:
        """Back to where a look was taken."""

    def bumped(self, now: Look, rng: np.random.Generator) -> Look | None:
        """A look with something that moves left anywhere on its way, as an arm that brushes it leaves it; None if nothing may."""


def pack(
    kinds: Mapping[str, str],
    masks: Mapping[str, np.ndarray],
    looks: list[Look],
    steps: list[Step],
    goals: Sequence[Sequence[Predicate]],
    meta: Mapping[str, Any],
) -> Episode:
    """The immutable record of a walk through `looks` along `steps`, and how far each view is from `goals`.

    `meta` gets the joints' names and the legend.

    `kinds`: name -> kind of every fixture, object and surface; `masks`: name -> `[H, W]` bool in the first view.
    """
    joints = list(looks[0].scene.fractions)
    values = {
        "rgb": [look.view.rgb for look in looks],
        "depth_mm": [depth_to_tenth_mm(look.view) for look in looks],
        "holding": [look.view.holding for look in looks],
        "maps_packed": np.packbits([look.maps for look in looks], axis=-1),
        "fractions": [[look.scene.fractions[name] for name in joints] for look in looks],
        **{key: [looks.index(getattr(step, key)) for step in steps] for key in ("before", "after")},
        "effect": [step.effect for step in steps],
        "primitive": [_ORDER.index(step.action.primitive) for step in steps],
        "cell": [step.action.cell for step in steps],
        "rotation": [step.action.rotation_index for step in steps],
        **{key: [getattr(step.command, key) for step in steps] for key in ("point_world", "normal_world")},
        **{key: [getattr(step.result, key) for step in steps] for key in ("succeeded", "reason", "duration", "displacement")},
        "names": list(kinds),
        "kinds": list(kinds.values()),
        "masks_packed": np.packbits([masks[name] for name in kinds], axis=-1),
        **_tables("", [look.truth for look in looks], list(kinds)),
        **_tables("steps_", [look.steps for look in looks], list(kinds)),
        "goals": _named(goals, list(kinds)),
        "goal_steps": np.array([[_steps(look, goal) for goal in goals] for look in looks]).reshape(len(looks), len(goals)),
    }
    return Episode.of(values, {**meta, "joints": joints, "legend": registered().to_dict()})


def _named(goals: Sequence[Sequence[Predicate]], names: list[str]) -> np.ndarray:
    """`[G, Q, 3]` int8 of (kind, thing, place), -1 for none."""
    rows = np.full((len(goals), max(map(len, goals), default=0), 3), -1, np.int8)
    for row, goal in zip(rows, goals, strict=True):
        for told, predicate in zip(row, goal, strict=False):
            told[: 1 + len(predicate.arguments)] = _KINDS.index(predicate.kind), *map(names.index, predicate.arguments)
    return rows


def _steps(look: Look, goal: Sequence[Predicate]) -> int:
    """Least primitives to a whole goal: no sum over its predicates, since hands fill, and one opened drawer may serve two."""
    way = shortest(look.table, goal, GOAL_STEPS_CAP)
    return NOT_APPLICABLE if way is None else len(way)


def _tables(prefix: str, records: list[Mapping[PredicateKey, Any]], names: list[str]) -> dict[str, np.ndarray]:
    """Predicate-keyed values of every view as `unary` `[V, N, U]` and `binary` `[V, N, N, B]` uint8, 255 where a view has none."""
    unary = np.full((len(records), len(names), len(UNARY)), NOT_APPLICABLE, np.uint8)
    binary = np.full((len(records), len(names), len(names), len(BINARY)), NOT_APPLICABLE, np.uint8)
    for view, record in enumerate(records):
        for (kind, *arguments), value in record.items():
            table, kinds = (unary, UNARY) if kind in UNARY else (binary, BINARY)
            table[(view, *map(names.index, arguments), kinds.index(kind))] = value
    return {f"{prefix}unary": unary, f"{prefix}binary": binary}

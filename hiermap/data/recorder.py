"""A recorded walk through one kitchen: views with their true labels, transitions between them, packed into an `Episode`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult
from hiermap.worlds.base import Action
from hiermap.worlds.goals import BINARY, UNARY, Predicate
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.legend import registered
from hiermap.worlds.perception.fusion import SpatialView, depth_to_tenth_mm
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.rules.transitions import table_for

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
    """

    view: SpatialView
    scene: SceneState
    maps: np.ndarray
    truth: Mapping[PredicateKey, bool]
    steps: Mapping[PredicateKey, int]
    snapshot: np.ndarray


@dataclass(frozen=True, eq=False)
class Step:
    """One transition, to the same view when nothing changed: the action, its metric command, the judge's and the program's word."""

    before: Look
    after: Look
    action: Action
    command: Command
    effect: bool
    result: PrimitiveResult


def pack(
    spec: KitchenSpec,
    masks: Mapping[str, np.ndarray],
    looks: list[Look],
    steps: list[Step],
    goals: Sequence[Sequence[Predicate]],
    meta: Mapping[str, Any],
) -> Episode:
    """The immutable record of a walk through `looks` along `steps`, and how far each view is from `goals`.

    `meta` gets the joints' names and the legend.

    `masks`: name -> `[H, W]` bool in the first view, for every fixture, object and surface.
    """
    kinds = {fixture.name: fixture.kind for fixture in spec.fixtures}
    joints = list(kinds)
    kinds |= {thing.name: thing.name for thing in spec.objects} | {surface.name: "surface" for surface in spec.surfaces}
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
        "goal_steps": np.array([[_steps(spec, look, goal) for goal in goals] for look in looks]).reshape(len(looks), len(goals)),
    }
    return Episode.of(values, {**meta, "joints": joints, "legend": registered().to_dict()})


def _named(goals: Sequence[Sequence[Predicate]], names: list[str]) -> np.ndarray:
    """`[G, Q, 3]` int8 of (kind, thing, place), -1 for none."""
    rows = np.full((len(goals), max(map(len, goals), default=0), 3), -1, np.int8)
    for row, goal in zip(rows, goals, strict=True):
        for told, predicate in zip(row, goal, strict=False):
            told[: 1 + len(predicate.arguments)] = _KINDS.index(predicate.kind), *map(names.index, predicate.arguments)
    return rows


def _steps(spec: KitchenSpec, look: Look, goal: Sequence[Predicate]) -> int:
    """Least primitives to a whole goal: no sum over its predicates, since hands fill, and one opened drawer may serve two."""
    way = shortest(table_for(spec, look.scene), goal, GOAL_STEPS_CAP)
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

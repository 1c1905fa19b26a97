"""A recorded walk through one kitchen: views with their true labels, transitions between them, packed into an `Episode`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiermap.data.episodes import NOT_APPLICABLE, Episode
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult
from hiermap.worlds.base import Action
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.legend import registered
from hiermap.worlds.perception.fusion import SpatialView, depth_to_tenth_mm
from hiermap.worlds.rules.judge import PredicateKey

SURFACE_KIND = "surface"
_ORDER = tuple(PRIMITIVES)


@dataclass(frozen=True, eq=False)
class Look:
    """One view and what is true there.

    Attributes:
        view: what a robot sees.
        scene: privileged truth.
        maps: oracle maps `[P, R, H, W]` bool.
        truth: predicate -> whether it holds; steps: predicate -> least primitives to it (absent beyond the cap).
    """

    view: SpatialView
    scene: SceneState
    maps: np.ndarray
    truth: Mapping[PredicateKey, bool]
    steps: Mapping[PredicateKey, int]


@dataclass(frozen=True, eq=False)
class Step:
    """One transition between views `before` and `after` (indices): the action, its metric command, the judge's and the program's word."""

    before: int
    after: int
    action: Action
    command: Command
    effect: bool
    result: PrimitiveResult


@dataclass
class Walk:
    """Grows while a kitchen is played with; `pack` makes the record.

    Attributes:
        spec: the kitchen.
        masks: name -> `[H, W]` bool in the first view, for every fixture, object and surface.
        looks, steps: so far.
        voided: actions dropped because the simulation diverged or contradicted the rules.
        spoiled: actions that knocked something over or off the counter, kept as failures.
    """

    spec: KitchenSpec
    masks: Mapping[str, np.ndarray]
    looks: list[Look] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    voided: int = 0
    spoiled: int = 0

    def add(self, look: Look) -> int:
        """Append a view; returns its index."""
        self.looks.append(look)
        return len(self.looks) - 1

    def things(self) -> list[tuple[str, str]]:
        """(name, kind) of every fixture, object and surface, in the order of the record."""
        fixtures = [(f.name, f.kind) for f in self.spec.fixtures]
        objects = [(o.name, o.name) for o in self.spec.objects]
        return fixtures + objects + [(s.name, SURFACE_KIND) for s in self.spec.surfaces]

    def pack(self, meta: Mapping[str, Any]) -> Episode:
        """The immutable record; `meta` gets the joints' names and the legend."""
        things, joints = self.things(), [f.name for f in self.spec.fixtures]
        number = {name: index for index, (name, _) in enumerate(things)}
        unary, binary = _table([look.truth for look in self.looks], number)
        steps_unary, steps_binary = _table([look.steps for look in self.looks], number)
        views, steps = [look.view for look in self.looks], self.steps
        return Episode(
            rgb=np.stack([view.rgb for view in views]).astype(np.uint8),
            depth_mm=np.stack([depth_to_tenth_mm(view) for view in views]),
            holding=np.array([view.holding for view in views], np.uint8),
            maps_packed=np.packbits(np.stack([look.maps for look in self.looks]), axis=-1),
            fractions=np.array([[look.scene.fractions[name] for name in joints] for look in self.looks], np.float32),
            before=np.array([s.before for s in steps], np.int16),
            after=np.array([s.after for s in steps], np.int16),
            primitive=np.array([_ORDER.index(s.action.primitive) for s in steps], np.int8),
            cell=np.array([s.action.cell for s in steps], np.int16).reshape(-1, 2),
            rotation=np.array([s.action.rotation_index for s in steps], np.int8),
            point_world=np.array([s.command.point_world for s in steps], np.float32).reshape(-1, 3),
            normal_world=np.array([s.command.normal_world for s in steps], np.float32).reshape(-1, 3),
            effect=np.array([s.effect for s in steps], bool),
            succeeded=np.array([s.result.succeeded for s in steps], bool),
            reason=np.array([s.result.reason for s in steps], "U16"),
            duration=np.array([s.result.duration for s in steps], np.float32),
            displacement=np.array([s.result.displacement for s in steps], np.float32),
            names=np.array([name for name, _ in things], "U24"),
            kinds=np.array([kind for _, kind in things], "U16"),
            masks_packed=np.packbits(np.stack([self.masks[name] for name, _ in things]), axis=-1),
            unary=unary,
            binary=binary,
            steps_unary=steps_unary,
            steps_binary=steps_binary,
            meta={**meta, "joints": joints, "legend": registered().to_dict()},
        )


def _table(records: list[Mapping[PredicateKey, Any]], number: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Predicate-keyed values of every view as `[V, N, 5]` and `[V, N, N, 2]` uint8, 255 where a view has none."""
    things = len(number)
    unary = np.full((len(records), things, len(UNARY)), NOT_APPLICABLE, np.uint8)
    binary = np.full((len(records), things, things, len(BINARY)), NOT_APPLICABLE, np.uint8)
    for view, record in enumerate(records):
        for (kind, *arguments), value in record.items():
            places = [number[name] for name in arguments]
            if kind in UNARY:
                unary[view, places[0], UNARY.index(kind)] = int(value)
            else:
                binary[view, places[0], places[1], BINARY.index(kind)] = int(value)
    return unary, binary

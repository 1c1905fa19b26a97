"""What is in the way of moving slabs: open fixtures and objects at their places, many moves in one numpy pass."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.kitchen.spec import OPENABLE, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.rules.moves import ROLL_0, cylinder, fixture_primitive, fixture_space
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.slabs import Clearance, cylinder_overlaps, fingers_at, lever_slabs, overlaps, part_slabs
from hiermap.worlds.rules.state_table import OPEN, PARTIAL

HIGHEST = 1.0
"""Panels that end above this are walls of the room [m]."""
PART_GAP = 0.004
"""Parts may pass each other this closely [m]: neighbouring fronts are that far apart."""

Partial = tuple[tuple[str, float], ...]
"""Names of fixtures that are partly open, with their fractions."""


class Interference:
    """Open fixtures and objects at places as obstacles.

    Args:
        spec: the kitchen.
        objects, places: the objects of the scene and, for each, its places.
        partial: the fixtures that are partly open.
        clearance: the room that is demanded.
    """

    def __init__(
        self, spec: KitchenSpec, objects: Sequence[ObjectSpec], places: Sequence[Sequence[Place]], partial: Partial, clearance: Clearance
    ):
        self.clearance = clearance
        self._slabs, self._owners, self._bits = _obstacles(spec, partial)
        self._cylinders = np.array([cylinder(o, p.point_world) for o, own in zip(objects, places, strict=True) for p in own]).reshape(-1, 5)
        # Which bit of which object's mask a cylinder stands for.
        self._masks = np.zeros((len(self._cylinders), len(places)), np.int64)
        for index, own in enumerate(places):
            start = sum(map(len, places[:index]))
            self._masks[start : start + len(own), index] = 1 << np.arange(len(own))
        names = [p.drawer for own in places for p in own]
        self._in_drawer = {drawer: np.array([n in (None, drawer) for n in names], bool) for drawer in {None, *names}}
        self._fixed = fixed_slabs(spec)

    def blocks(self, slabs: np.ndarray, ignore: Sequence[int], part_gap: bool = False) -> list[int]:
        """Per move the state bits of the fixtures in the way of its slabs `[N, K, 8]`, except the fixture with index `ignore[n]`."""
        gap = min(self.clearance.gap, PART_GAP) if part_gap else self.clearance.gap
        count, per_move, _ = slabs.shape
        hit = overlaps(slabs.reshape(-1, 8), self._slabs, gap).reshape(count, per_move, -1).any(axis=1)
        hit &= self._owners[None, :] != np.asarray(ignore)[:, None]
        shifted = self._bits << (2 * self._owners)
        return [int(np.bitwise_or.reduce(shifted[row])) for row in hit]

    def conflicts(self, slabs: np.ndarray, without: Sequence[int], drawers: Sequence[str | None]) -> np.ndarray:
        """Per move and object the bit mask of the places where it is in the way of the move's slabs `[N, K, 8]`: `[N, objects]` int64.

        Not counted: the object with index `without[n]`, and what is in drawers other than `drawers[n]`.
        """
        count, per_move, _ = slabs.shape
        hit = cylinder_overlaps(slabs.reshape(-1, 8), self._cylinders, self.clearance.gap).reshape(count, per_move, -1).any(axis=1)
        none = np.zeros(len(self._cylinders), bool)
        hit &= np.array([self._in_drawer.get(drawer, none) for drawer in drawers])
        masks = hit @ self._masks
        masks[np.asarray(without)[:, None] == np.arange(masks.shape[1])] = 0
        return masks

    def meets_fixed(self, slabs: np.ndarray) -> np.ndarray:
        """Per move whether its slabs `[N, K, 8]` come too near to what never leaves: `[N]` bool."""
        gap = min(self.clearance.gap, 0.0)  # the palm passes handles by a centimetre, and where those are is known exactly
        return overlaps(slabs.reshape(-1, 8), self._fixed, gap).reshape(len(slabs), -1).any(axis=1)


def standing(spec: KitchenSpec, scene: SceneState) -> np.ndarray:
    """Every object of a scene but the one in the hand as x, y, radius, lowest and highest z, `[N, 5]` [m]."""
    there = [o for o in spec.objects if o.name in scene.poses and o.name != scene.held]
    return np.array([cylinder(o, scene.poses[o.name][:3]) for o in there]).reshape(-1, 5)


@lru_cache(maxsize=256)
def _obstacles(spec: KitchenSpec, partial: Partial) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slabs `[B, 8]` of every fixture while open (and as `partial` says), the fixture's index `[B]` and the state bit it has then `[B]`."""
    states = _moved(spec, partial, OPENABLE)
    parts = [part_slabs(spec.fixtures[index], fraction) for index, _, fraction in states]
    owners, bits, _ = (np.repeat(np.array(column), [len(part) for part in parts]) for column in zip(*states, strict=True))
    return np.concatenate(parts), owners, bits


def _moved(spec: KitchenSpec, partial: Partial, kinds: Sequence[str]) -> list[tuple[int, int, float]]:
    """Index, state bit and fraction of every fixture of some kinds while open or on, and as `partial` says."""
    fractions = dict(partial)
    return [
        (index, bit, fraction)
        for index, fixture in enumerate(spec.fixtures)
        for bit, fraction in ((OPEN, 1.0), (PARTIAL, fractions.get(fixture.name)))
        if fixture.kind in kinds and fraction is not None
    ]


def stops(spec: KitchenSpec) -> np.ndarray:
    """The low stops that stand on the counter beside doors as x, y, radius, lowest and highest z, `[N, 5]` [m]."""
    boxes = [(*panel.centre_world, *panel.half_size) for panel in spec.panels if panel.is_stop]
    rows = [[x, y, float(np.hypot(half_x, half_y)), z - half_z, z + half_z] for x, y, z, half_x, half_y, half_z in boxes]
    return np.array(rows).reshape(-1, 5)


@lru_cache(maxsize=256)
def fixed_slabs(spec: KitchenSpec) -> np.ndarray:
    """What a hand over the counter must never meet, `[N, 8]`: the upper carcass, and the shut fronts, handles and knobs before it.

    An open door's handle is elsewhere, but then the door itself is in the way.
    """
    level = spec.counter_world[4]
    slabs = [np.zeros((0, 8))]
    for panel in spec.panels:
        (x, y, z), (half_x, half_y, half_z) = panel.centre_world, panel.half_size
        if x + half_x > spec.upper_front_x and level + 0.02 < z + half_z < HIGHEST:
            slabs.append(np.array([[x, y, 1.0, 0.0, half_x, half_y, z - half_z, z + half_z]]))
    for fixture in spec.fixtures:
        if fixture.face_world[2] < level:
            continue
        slabs.append(part_slabs(fixture, 0.0))
        if fixture.kind not in OPENABLE:
            for x, y, z in (fixture.handle_at(0.0), fixture.handle_at(1.0)):
                depth, reach = max(fixture.face_world[0] - x, 0.01) / 2, max(fixture.handle_radius, 0.015)
                slabs.append(np.array([[x + depth, y, 1.0, 0.0, depth, reach, z - reach, z + reach]]))
    return np.concatenate(slabs)


@lru_cache(maxsize=4096)
def fixture_ways(spec: KitchenSpec, name: str, to: str, clearance: Clearance) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By orientation bin the slabs `[N, 8]` that the part and `[M, 8]` that the hand pass."""
    fixture = spec.fixture(name)
    rotations = {r for fraction in (0.0, 0.5, 1.0) for r in fixture_primitive(fixture, to, fraction)[1]}
    return {rotation: fixture_space(fixture, to, rotation, clearance) for rotation in rotations}


@lru_cache(maxsize=64)
def all_fixture_ways(spec: KitchenSpec, clearance: Clearance) -> tuple[list[tuple[str, str, int]], np.ndarray]:
    """Name, end and orientation bin of every way to move a fixture, and the slabs `[N, K, 8]` passed, the last one of each repeated."""
    asked = [(fixture.name, to) for fixture in spec.fixtures for to in fixture.ends]
    passed = {(*key, k): np.concatenate(way) for key in asked for k, way in fixture_ways(spec, *key, clearance).items()}
    longest = max(map(len, passed.values()))
    return list(passed), np.stack([np.pad(slabs, ((0, longest - len(slabs)), (0, 0)), "edge") for slabs in passed.values()])


@lru_cache(maxsize=4096)
def fixture_block(spec: KitchenSpec, partial: Partial, name: str, to: str, rotation: int, clearance: Clearance) -> int:
    """The state bits of the other fixtures that keep a fixture from being moved to `to`."""
    part, hand = fixture_ways(spec, name, to, clearance)[rotation]
    own = [f.name for f in spec.fixtures].index(name)
    among = Interference(spec, (), (), partial, clearance)
    block = among.blocks(hand[None], [own])[0] | _lever_block(spec, partial, name, to, rotation, clearance)
    return block | (among.blocks(part[None], [own], part_gap=True)[0] if len(part) else 0)


def _lever_block(spec: KitchenSpec, partial: Partial, name: str, to: str, rotation: int, clearance: Clearance) -> int:
    """The state bits of the taps whose lever is where the fingers go that are to turn something else.

    Only before the turn: fingers that let go of a latch push a lever up and come away.
    """
    fixture, bits = spec.fixture(name), 0
    if fixture_primitive(fixture, to, 0.5)[0] != "rotate":
        return bits
    start = 1.0 - fixture.ends.index(to)
    rolls = next(bins for bins in PRIMITIVES["rotate"].effects().values() if rotation in bins)
    fingers = fingers_at(fixture.handle_at(start), rolls.index(rotation) == ROLL_0)
    for index, bit, fraction in _moved(spec, partial, ("tap",)):
        tap = spec.fixtures[index]
        if tap is not fixture and overlaps(fingers, lever_slabs(tap, fraction), clearance.gap / 2).any():
            bits |= bit << (2 * index)
    return bits

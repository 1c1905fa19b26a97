"""Tables: a bare top without a wall, on which low units and small things stand anyhow, most of them seen and reached from above."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import mujoco
import numpy as np

from hiermap.worlds.kitchen.layouts import FLOOR_Z
from hiermap.worlds.wide.carpentry import GAP_M, Point, Style, board, box_of_boards, numbered, turned
from hiermap.worlds.wide.controls import button, knobs, lever, top_button
from hiermap.worlds.wide.units import Unit, door, drawer, sliding_door

EDGE_M, LONG_M, BROAD_M = (0.24, 0.38), (0.45, 0.95), (0.9, 1.8)
"""How far a table's near edge is before the arm's base, how deep and how wide it is."""
UNITS, SPOTS, TRIES = (3, 6), (2, 5), 30
"""How many units stand on it and how many spots are kept for things; how often a place is sought for each."""
ASIDE_M, FAR_M, YAW_RAD = 0.40, 0.86, 0.5
"""Units and things stand up to this far beside the middle and before the arm's base; units look at the arm, give or take this,"""
SIDE_SHARE, SIDE_M, SIDE_RAD = 0.4, (0.20, 0.42), (0.6, 1.65)
"""but for so many that stand so far beside it and look at it, turned by so much."""
THING_M = 0.05
"""How much room a thing is given around its middle."""
TWO_M = 0.19
"""A chest that is higher has two drawers."""


@dataclass(frozen=True)
class Stands:
    """A kind of unit on a table: its widths, heights and depths [m], each from and to."""

    unit: Unit
    width: tuple[float, float]
    height: tuple[float, float]
    depth: tuple[float, float]


def chest(body, name, width, low, high, front, depth, style, rng) -> None:
    """A drawer in a box of its own, or two in a high one."""
    box_of_boards(body, width, low, high, front, depth, style)
    low, high = low + 2 * GAP_M, high - 2 * GAP_M
    if high - low < TWO_M:
        drawer(body, name, width - 4 * GAP_M, low, high, front, depth, style, rng)
        return
    middle = (low + high) / 2
    for number, (lower, upper) in enumerate(((low, middle), (middle, high)), 1):
        drawer(body, f"{name}_{number}", width - 4 * GAP_M, lower, upper, front, depth, style, rng)


ON_TABLES: Mapping[str, Stands] = {
    "drawer": Stands(chest, (0.18, 0.32), (0.12, 0.28), (0.24, 0.32)),
    "sliding_door": Stands(sliding_door, (0.32, 0.44), (0.16, 0.26), (0.03, 0.16)),
    "door": Stands(door, (0.20, 0.34), (0.16, 0.26), (0.14, 0.24)),
    "top_button": Stands(top_button, (0.07, 0.20), (0.02, 0.09), (0.06, 0.10)),
    "button": Stands(button, (0.12, 0.34), (0.16, 0.30), (0.04, 0.05)),
    "knobs": Stands(knobs, (0.12, 0.34), (0.16, 0.30), (0.04, 0.05)),
    "lever": Stands(lever, (0.12, 0.34), (0.16, 0.30), (0.04, 0.05)),
}
OFTEN = ("top_button", "top_button", "drawer")
"""Kinds that are drawn more often than others."""


@dataclass(frozen=True)
class Spot:
    """A place on a table [m], how much room is around it, and how what stands there is turned."""

    x: float
    y: float
    room: float
    yaw_rad: float


def table(spec: mujoco.MjSpec, style: Style, rng: np.random.Generator) -> list[tuple[Point, float]]:
    """Builds one with its units; where things may stand on it, and how they are turned."""
    height, edge, deep, broad = (float(rng.uniform(*bounds)) for bounds in (style.drawn.table_m, EDGE_M, LONG_M, BROAD_M))
    legs, half = (height - 0.016 - FLOOR_Z) / 2, 0.02
    board(spec.worldbody, (edge + deep / 2, 0.0, height - 0.008), (deep / 2, broad / 2, 0.008), style.counter, name="table")
    for x, side in product((edge + half, edge + deep - half), (-1, 1)) if legs > 0.01 else ():
        board(spec.worldbody, (x, side * (broad / 2 - half), FLOOR_Z + legs), (half, half, legs), style.carcass)
    near = min(deep, FAR_M - edge)
    taken = _units(spec, style, rng, height, edge, near)
    spots: list[Spot] = []
    for _ in range(int(rng.integers(SPOTS[0], SPOTS[1] + 1))):
        drawn = (_thing_spot(rng, edge, near) for _ in range(TRIES))
        spots += list(_free(drawn, [*taken, *spots]))[:1]
    return [((spot.x, spot.y, height + 0.001), spot.yaw_rad) for spot in spots]


def _units(spec: mujoco.MjSpec, style: Style, rng: np.random.Generator, height: float, edge: float, deep: float) -> list[Spot]:
    """Builds units on a table; where they stand."""
    taken: list[Spot] = []
    names: dict[str, int] = {}
    kinds = sorted(kind for kind in (*ON_TABLES, *OFTEN) if kind not in style.drawn.without)
    for _ in range(int(rng.integers(UNITS[0], UNITS[1] + 1)) if kinds else 0):
        kind = str(rng.choice(kinds))
        stands = ON_TABLES[kind]
        width, tall, depth = (float(rng.uniform(*bounds)) for bounds in (stands.width, stands.height, stands.depth))
        room = float(np.hypot(width, depth)) / 2
        drawn = (_unit_spot(rng, edge, deep, room) for _ in range(TRIES))
        if (spot := next(_free(drawn, taken), None)) is not None:
            taken.append(spot)
            body = spec.worldbody.add_body(pos=[spot.x, spot.y, 0.0], quat=turned(spot.yaw_rad))
            stands.unit(body, numbered(kind, names), width, height, height + tall, -depth / 2, depth, style, rng)
    return taken


def _unit_spot(rng: np.random.Generator, edge: float, deep: float, room: float) -> Spot:
    """Anywhere on a table that begins at `edge` and is `deep` [m]; at its ends what looks at its middle."""
    x = edge + float(rng.uniform(min(room, 0.8 * deep), max(0.8 * deep, room)))
    if rng.random() < SIDE_SHARE:
        side = float(rng.choice([-1.0, 1.0]))
        return Spot(x, side * float(rng.uniform(*SIDE_M)), room, side * float(rng.uniform(*SIDE_RAD)))
    return Spot(x, float(rng.uniform(-ASIDE_M, ASIDE_M)), room, float(rng.uniform(-YAW_RAD, YAW_RAD)))


def _thing_spot(rng: np.random.Generator, edge: float, deep: float) -> Spot:
    x, y, yaw_rad = (float(rng.uniform(*bounds)) for bounds in ((0.04, 0.9 * deep), (-ASIDE_M, ASIDE_M), (-1.0, 1.0)))
    return Spot(edge + x, y, THING_M, yaw_rad)


def _free(spots: Iterator[Spot], taken: list[Spot]) -> Iterator[Spot]:
    """Those with their room to themselves."""
    return (s for s in spots if all(np.hypot(s.x - t.x, s.y - t.y) >= s.room + t.room for t in taken))

"""Columns of units side by side: drawers and doors below counters, something on them, and something overhead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from hiermap.worlds.kitchen.layouts import FLOOR_Z
from hiermap.worlds.wide.carpentry import INSIDE, Point, Style, board, numbered, turned
from hiermap.worlds.wide.options import WideOptions
from hiermap.worlds.wide.units import LOWER, OVERHEAD, Unit

LOWER_M: Mapping[str, tuple[float, float]] = {"drawer": (0.105, 0.15), "door": (0.16, 0.26)}
"""Heights of lower units."""
DRAWERS, UPPER_SHARE = 0.6, 0.85
"""Share of the lower units that are drawers where others fit, and of the counters on which something stands or hangs."""
FREE_SHARE, NARROW, FREE_YAW_RAD = 0.4, 0.7, 0.25
"""Of what is on a counter so many stand by themselves, down to this share of its width, and turned by up to this."""
SET_BACK_M, DEPTH_M = (0.15, 0.19), 0.34
"""How far upper units stand behind the fronts, and how deep a column is."""
GAP_M, PLINTH_M = 0.05, 0.045
ROOMY_M = 0.32
"""Two things stand on a column that is wider."""
OVER_SHARE, BARE_SHARE, OVER_M, LOWEST_OVER_M, ABOVE_M = 0.75, 0.7, (0.20, 0.34), 0.38, 0.02
"""So many columns of a kitchen have something overhead, and of these so many nothing on the counter; how far it hangs over that,
at least how far over the arm's base, and over what stands there."""
WALL_M, BEHIND_M = ((0.3, 1.3), 1.5), (0.02, 0.15)
"""Heights of a wall over the arm's base and half its width, and how far it is behind the columns."""
STAND_M = 0.085
"""Things stand this far behind the front of a counter."""


@dataclass(frozen=True)
class Column:
    """A stack of units about a place: its frame, its counter's height and the places for things on it."""

    body: mujoco.MjsBody
    x: float
    y: float
    yaw_rad: float
    width: float
    counter: float


def row(
    spec: mujoco.MjSpec, style: Style, rng: np.random.Generator, above: np.random.Generator, upper: Mapping[str, Unit]
) -> list[tuple[Point, float]]:
    """Builds columns with some of `upper` on them, and by `above` a wall and what hangs; where things may stand, and their turns."""
    drawn, columns, names = style.drawn, list(_columns(spec, rng, style.drawn)), dict[str, int]()
    if above.random() < drawn.walls:
        _wall(spec, max(column.x for column in columns), style, above)
    overhead = drawn.kept(OVERHEAD) if above.random() < drawn.overhead else {}
    for column in columns:
        hangs = bool(overhead) and above.random() < OVER_SHARE
        top = _fill(column, style, rng, names, {} if hangs and above.random() < BARE_SHARE else drawn.kept(upper))
        if hangs:
            _hang(column, top, style, above, names, overhead)
    return _near_edges(columns)


def _columns(spec: mujoco.MjSpec, rng: np.random.Generator, drawn: WideOptions) -> Iterator[Column]:
    """Side by side from right to left, the outer ones turned more toward the arm, each at its own height."""
    count = int(rng.integers(drawn.columns[0], drawn.columns[1] + 1))
    widths = rng.uniform(*drawn.width_m, count)
    right = -(widths.sum() + GAP_M * (count - 1)) / 2
    front, counter = rng.uniform(*drawn.front_m), rng.uniform(*drawn.counter_m)
    level = rng.random() < 0.5
    for index, width in enumerate(widths):
        y = right + width / 2
        yaw = float(np.clip(-0.5 * y + rng.uniform(-0.12, 0.12), -drawn.yaw_rad, drawn.yaw_rad)) * float(rng.random() < 0.7)
        height = float(counter if level else np.clip(counter + rng.uniform(-0.05, 0.05), *drawn.counter_m))
        x = float(front + rng.uniform(-0.01, 0.02) - 0.25 * y * y)
        body = spec.worldbody.add_body(name=f"column_{index + 1}", pos=[x, float(y), 0.0], quat=turned(yaw))
        yield Column(body, x, float(y), yaw, float(width), height)
        right += width + GAP_M


def _fill(column: Column, style: Style, rng: np.random.Generator, names: dict[str, int], kinds: Mapping[str, Unit]) -> float:
    """Drawers below the counter down to a plinth, and mostly something on it; the height of what is highest [m]."""
    body, width, top = column.body, column.width, column.counter - 0.02
    board(body, (DEPTH_M / 2, 0.0, column.counter - 0.008), (DEPTH_M / 2, width / 2, 0.008), style.counter, name=numbered("counter", names))
    low = top
    lower = style.drawn.kept(LOWER)
    while low - LOWER_M["drawer"][0] > PLINTH_M and rng.random() < 0.85 and (kind := _lower_kind(low - PLINTH_M, lower, rng)):
        height = float(min(rng.uniform(*LOWER_M[kind]), low - PLINTH_M))
        LOWER[kind](body, numbered(kind, names), width, low - height, low, 0.0, DEPTH_M, style, rng)
        low -= height
    for side in (-1, 1):
        board(body, (DEPTH_M / 2, side * width / 2, (FLOOR_Z + top) / 2), (DEPTH_M / 2, 0.003, (top - FLOOR_Z) / 2), style.carcass)
    board(body, (DEPTH_M, 0.0, (FLOOR_Z + top) / 2), (0.005, width / 2, (top - FLOOR_Z) / 2), INSIDE)
    board(body, (DEPTH_M / 2, 0.0, (FLOOR_Z + low) / 2), (DEPTH_M / 2 - 0.004, width / 2 - 0.006, (low - FLOOR_Z) / 2), style.carcass)
    if kinds and rng.random() < UPPER_SHARE:
        return _stack(column, style, rng, names, kinds)
    return column.counter


def _lower_kind(room: float, kinds: Mapping[str, Unit], rng: np.random.Generator) -> str:
    """A drawer mostly, or something else that fits into so much height [m]; "" if nothing does."""
    fitting = sorted(kind for kind in kinds if LOWER_M[kind][0] <= room)
    if rng.random() < DRAWERS and "drawer" in fitting:
        return "drawer"
    return str(rng.choice(fitting)) if fitting else ""


def _drawn(kinds: Mapping[str, Unit], style: Style, rng: np.random.Generator) -> tuple[str, float, float]:
    """One of some kinds, its height and how far it stands back [m]."""
    return str(rng.choice(sorted(kinds))), float(rng.uniform(*style.drawn.upper_m)), float(rng.uniform(*SET_BACK_M))


def _stack(column: Column, style: Style, rng: np.random.Generator, names: dict[str, int], kinds: Mapping[str, Unit]) -> float:
    """Something on a counter: as wide as that, or by itself, narrower and turned; how high its top is [m]."""
    kind, height, set_back = _drawn(kinds, style, rng)
    body, width = column.body, column.width
    if rng.random() < FREE_SHARE:
        width *= float(rng.uniform(NARROW, 1.0))
        yaw, y = float(rng.uniform(-FREE_YAW_RAD, FREE_YAW_RAD)), float(rng.uniform(-0.5, 0.5)) * (column.width - width)
        body = body.add_body(pos=[set_back, y, 0.0], quat=turned(yaw))
        set_back = 0.0
    kinds[kind](body, numbered(kind, names), width, column.counter, column.counter + height, set_back, DEPTH_M - SET_BACK_M[1], style, rng)
    return column.counter + height


def _hang(column: Column, top: float, style: Style, rng: np.random.Generator, names: dict[str, int], kinds: Mapping[str, Unit]) -> None:
    """Something over a counter and what is on it, up to `top` [m]."""
    low = max(column.counter + float(rng.uniform(*OVER_M)), LOWEST_OVER_M, top + ABOVE_M)
    kind, height, set_back = _drawn(kinds, style, rng)
    kinds[kind](column.body, numbered(kind, names), column.width, low, low + height, set_back, DEPTH_M - SET_BACK_M[1], style, rng)


def _wall(spec: mujoco.MjSpec, x: float, style: Style, rng: np.random.Generator) -> None:
    """Stands behind columns of which the last begins at `x` [m]."""
    (low, high), half = WALL_M
    height, behind = float(rng.uniform(low, high)), DEPTH_M + float(rng.uniform(*BEHIND_M))
    rgba = style.carcass if rng.random() < 0.5 else style.counter
    board(spec.worldbody, (x + behind + 0.01, 0.0, (FLOOR_Z + height) / 2), (0.01, half, (height - FLOOR_Z) / 2), rgba)


def _near_edges(columns: list[Column]) -> list[tuple[Point, float]]:
    """Where things may stand on the counters, at most one for every hand's breadth, and how they are turned."""
    places = list[tuple[Point, float]]()
    for column in columns:
        cosine, sine = np.cos(column.yaw_rad), np.sin(column.yaw_rad)
        for y in [-0.07, 0.07] if column.width > ROOMY_M else [0.0]:
            at = column.x + STAND_M * cosine - y * sine, column.y + STAND_M * sine + y * cosine, column.counter + 0.001
            places.append((at, column.yaw_rad))
    return places

"""Boards, bars and joints: what the units of a wide kitchen are built of, in MuJoCo's own model editing.

A unit's frame: its front at x = 0 looks along -x, y to the left, z up from the floor [m].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from hiermap.worlds.wide.options import WideOptions

BOX, CAPSULE, CYLINDER = (getattr(mujoco.mjtGeom, f"mjGEOM_{kind}") for kind in ("BOX", "CAPSULE", "CYLINDER"))
SLIDE, HINGE = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
FURNITURE, PART, THING = (2, 1), (4, 1), (8, 15)
"""Contact types and affinities: furniture and its parts touch the robot and things, but not each other; things touch everything."""
BOARD_M = 0.008
"""Half the thickness of a front."""
GAP_M = 0.004
"""Between a front or a panel and its neighbours."""
DENSITY = 350.0
RGBA = tuple[float, float, float, float]
METAL: RGBA = (0.78, 0.78, 0.80, 1.0)
INSIDE: RGBA = (0.14, 0.13, 0.12, 1.0)
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Style:
    """Colours of a kitchen's carcass, fronts, insides of drawers and counter, and from what the sizes in it are drawn."""

    carcass: RGBA
    front: RGBA
    tray: RGBA
    counter: RGBA
    drawn: WideOptions


def board(
    body: mujoco.MjsBody,
    centre: Point,
    half: Point,
    rgba: RGBA,
    name: str = "",
    contact: tuple[int, int] = FURNITURE,
    turn: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0),
) -> None:
    """A box that stands still in its body, turned by a quaternion."""
    body.add_geom(
        name=name,
        type=BOX,
        pos=centre,
        quat=turn,
        size=half,
        rgba=rgba,
        contype=contact[0],
        conaffinity=contact[1],
        friction=[0.5, 0.005, 0.0001],
        density=DENSITY,
    )


def bar(body: mujoco.MjsBody, start: Point, end: Point, radius: float, stand_off: float) -> None:
    """A bar between two points of its axis, on two posts that reach back to the front, `stand_off` [m] behind its axis."""
    rods = [(start, end, radius), *((p, (p[0] + stand_off, p[1], p[2]), 0.6 * radius) for p in (start, end))]
    for one, other, thickness in rods:
        shape(body, CAPSULE, (*one, *other), thickness, METAL)


def shape(body: mujoco.MjsBody, kind: mujoco.mjtGeom, fromto: Sequence[float], radius: float, rgba: RGBA) -> None:
    """A capsule or cylinder of a part, its axis from three coordinates to three others [m]."""
    body.add_geom(
        type=kind,
        fromto=list(fromto),
        size=[radius, 0, 0],
        rgba=rgba,
        contype=PART[0],
        conaffinity=PART[1],
        friction=[0.6, 0.005, 0.0001],
        density=DENSITY,
    )


def moving(unit: mujoco.MjsBody, name: str, at: Point, kind: mujoco.mjtJoint, axis: Point, reach: float, damping: float, friction: float):
    """A body of a unit on a joint of that name, from 0 to `reach` [m or rad]."""
    body = unit.add_body(name=name, pos=at)
    body.add_joint(name=name, type=kind, axis=axis, range=[0.0, reach], damping=[damping, 0, 0], frictionloss=friction)
    return body


def box_of_boards(unit: mujoco.MjsBody, width: float, low: float, high: float, front: float, depth: float, style: Style) -> None:
    """A carcass that is open to the front, its outer `width` by `low` to `high` by `depth`, beginning at x = `front` [m]."""
    middle, half_height, thin = (low + high) / 2, (high - low) / 2, BOARD_M
    for side in (-1, 1):
        board(unit, (front + depth / 2, side * (width / 2 - thin / 2), middle), (depth / 2, thin / 2, half_height), style.carcass)
    for level in (low + thin / 2, high - thin / 2):
        board(unit, (front + depth / 2, 0.0, level), (depth / 2, width / 2 - thin, thin / 2), style.carcass)
    board(unit, (front + depth - thin / 2, 0.0, middle), (thin / 2, width / 2 - thin, half_height - thin), INSIDE)


def turned(yaw_rad: float) -> list[float]:
    """The quaternion of a turn about z."""
    return [float(np.cos(yaw_rad / 2)), 0.0, 0.0, float(np.sin(yaw_rad / 2))]


def numbered(kind: str, names: dict[str, int]) -> str:
    """The next name of a kind, of which `names` counts those there are."""
    names[kind] = names.get(kind, 0) + 1
    return f"{kind}_{names[kind]}"

"""Units of the lower tier, below the counter: drawer stacks, the stove panel and the oven door."""

from dataclasses import dataclass

import numpy as np

from hiermap.worlds.kitchen.spec import RGBA, FixtureSpec, PanelSpec

PANEL_THICKNESS = 0.016
"""Thickness of every front face [m]."""
GAP = 0.004
"""Visible gap between neighbouring fronts [m]."""
BOTTOM_Z = 0.045
"""Lower edge of the lower tier's fronts [m]; the toe-kick below it is set back."""
CARCASS_DEPTH = 0.30
"""Depth of both tiers behind their fronts [m]."""
DARK = (0.12, 0.11, 0.10, 1.0)
"""Inside of a carcass."""
Point = tuple[float, float, float]
Drawn = float | tuple[float, float]
"""A value, or the lowest and highest between which it is drawn."""


@dataclass(frozen=True)
class Unit:
    """What a slot of the kitchen contributes: moving fixtures and static boxes."""

    fixtures: tuple[FixtureSpec, ...] = ()
    panels: tuple[PanelSpec, ...] = ()


@dataclass(frozen=True)
class Slot:
    """Where a unit goes: its side name, the y interval it may fill, its front and the z interval [m], and its colours.

    `outer` is +1 when the outer side of the slot is +y (the left half of the kitchen), -1 otherwise.
    """

    side: str
    y_min: float
    y_max: float
    front_x: float
    z_min: float
    z_max: float
    outer: int
    colours: tuple[RGBA, ...]
    carcass: RGBA
    metal: RGBA

    @property
    def y(self) -> float:
        return 0.5 * (self.y_min + self.y_max)

    @property
    def width(self) -> float:
        return self.y_max - self.y_min

    @property
    def outer_y(self) -> float:
        return self.y_max if self.outer > 0 else self.y_min


def _drawn(rng: np.random.Generator, *values: Drawn) -> list[float]:
    return [float(rng.uniform(*value)) if isinstance(value, tuple) else value for value in values]


def bar_handle(rng: np.random.Generator, kinds: tuple[str, ...], room_y: float, room_z: float) -> dict:
    """Random handle among `kinds`, bars no longer than the room they have [m]: the handle fields of a `FixtureSpec`."""
    kind = str(rng.choice(kinds))
    level = kind == "bar_horizontal"
    shortest, room = (0.09, room_y) if level else (0.065, room_z)
    bar: tuple[Drawn, ...] = ((0.005, 0.009), (shortest, max(shortest, room)), (0.030, 0.042))
    radius, length, clearance = _drawn(rng, *(((0.011, 0.015), 0.0, (0.028, 0.034)) if kind == "knob" else bar))
    axis = (0.0, 1.0, 0.0) if level else (0.0, 0.0, 1.0)
    return {"handle": kind, "handle_radius": radius, "handle_length": length, "clearance": clearance, "handle_axis_world": axis}


def reach_of(handle: dict) -> float:
    """How far the outermost grip surface stands off the face [m]."""
    return handle["clearance"] + (0.0 if handle["handle"] == "knob" else 2 * handle["handle_radius"])


def joint(
    rng: np.random.Generator, axis: Point, anchor: Point, travel: Drawn, damping: Drawn, frictionloss: Drawn, slides: bool = False
) -> dict:
    """The joint fields of a `FixtureSpec`; what is given as lowest and highest is drawn, in the order of the arguments."""
    travel, damping, frictionloss = _drawn(rng, travel, damping, frictionloss)
    placed = {"joint_type": "slide" if slides else "hinge", "joint_axis_world": axis, "joint_anchor_world": anchor}
    return {**placed, "joint_range": travel, "damping": damping, "frictionloss": frictionloss}


def knob(
    name: str, kind: str, pivot: np.ndarray, normal: np.ndarray, along: Point, radius: float, reach: float, rgba: RGBA, **fields
) -> FixtureSpec:
    """Something that turns about the `normal` of what it sits on, its ridge `along` when off; `fields` are the joint's and the handle's."""
    size, tip = (2 * radius, 2 * radius, reach), tuple(pivot + normal * reach)
    grip: dict = {"handle_world": tip, "handle_radius": radius, "handle_length": 2 * radius, "handle_axis_world": along}
    return FixtureSpec(name, kind, tuple(pivot), size, rgba=rgba, normal_world=tuple(normal), **grip, **fields)


def back_panel(slot: Slot) -> PanelSpec:
    """The dark back of a carcass, seen through an open front."""
    x = slot.front_x + CARCASS_DEPTH + 0.01
    z = 0.5 * (slot.z_min + slot.z_max)
    return PanelSpec(f"{slot.side}_back_{z:.2f}", (x, slot.y, z), (0.01, slot.width / 2, (slot.z_max - slot.z_min) / 2), DARK)


def blank(slot: Slot, rng: np.random.Generator, drop: float = 0.0) -> Unit:
    """A plain closed front that does not move, and ends `drop` [m] below the upper edge of its slot."""
    low, high = slot.z_min, slot.z_max - drop
    half = (CARCASS_DEPTH / 2, slot.width / 2 - GAP / 2, (high - low) / 2 - GAP / 2)
    return Unit((), (PanelSpec(f"{slot.side}_blank_{low:.2f}", (slot.front_x + half[0], slot.y, (low + high) / 2), half, slot.carcass),))


def drawers(slot: Slot, rng: np.random.Generator, count: int) -> Unit:
    """A stack of one or two drawers; number 1 is the upper one."""
    height = (slot.z_max - slot.z_min) / 2 if count == 2 else float(rng.uniform(0.115, 0.15))
    room = 0.14, 0.65 * height
    handles = [bar_handle(rng, ("bar_horizontal", "bar_horizontal", "bar_vertical", "knob"), *room)]
    # A hand upright at a lower horizontal bar would hit the handle above it; a level hand passes below.
    handles.append(bar_handle(rng, ("bar_vertical", "knob"), *room) if handles[0]["handle"] == "bar_horizontal" else handles[0])
    if count == 2 and handles[0]["handle"] != "knob":
        # Nor must a hand that reaches down into the open lower drawer: short upper handles and long travels leave it 2 cm.
        handles[0] = {**handles[0], "handle_radius": float(rng.uniform(0.005, 0.006)), "clearance": float(rng.uniform(0.029, 0.031))}
    travel = float(rng.uniform(0.240, 0.25) if count == 2 else rng.uniform(0.21, 0.24))
    middles = [slot.z_max - (index + 0.5) * height for index in range(count)]
    stack = tuple(_drawer(slot, rng, index + 1, middles[index], height, travel, handles[index]) for index in range(count))
    is_low = count == 1 and slot.z_max - height - slot.z_min > 0.02
    return Unit(stack, (back_panel(slot), *(blank(slot, rng, height).panels if is_low else ())))


def _drawer(slot: Slot, rng: np.random.Generator, number: int, z: float, height: float, travel: float, handle: dict) -> FixtureSpec:
    # Low fronts carry their handle high: below z = 0.12 the way home re-closes drawers.
    lift = 0.18 * height if height < 0.112 else 0.0
    face, grip = (slot.front_x, slot.y, z), (slot.front_x - reach_of(handle), slot.y, z + lift)
    size = (slot.width - GAP, height - GAP, travel + 0.035)
    sliding = joint(rng, (-1.0, 0.0, 0.0), face, travel, (3.0, 12.0), (1.0, 4.0), slides=True)
    more = {"above": f"{slot.side}_drawer_{number - 1}" if number > 1 else None, "rgba": slot.colours[number - 1], **sliding, **handle}
    return FixtureSpec(f"{slot.side}_drawer_{number}", "drawer", face, size, handle_world=grip, **more)


def oven(slot: Slot, rng: np.random.Generator) -> Unit:
    """An oven door: horizontal hinge at its bottom, horizontal bar near its top."""
    height = slot.z_max - slot.z_min
    handle = bar_handle(rng, ("bar_horizontal",), 0.14, 0.0)
    face = (slot.front_x, slot.y, slot.z_min + height / 2)
    hinge = (slot.front_x + PANEL_THICKNESS / 2, slot.y, slot.z_min + PANEL_THICKNESS / 2)
    grip = (slot.front_x - reach_of(handle), slot.y, slot.z_max - 0.032)
    turning = joint(rng, (0.0, -1.0, 0.0), hinge, (0.85, 1.0), (0.3, 1.0), (0.1, 0.4))
    size = (slot.width - GAP, height - GAP, PANEL_THICKNESS)
    door = FixtureSpec("oven_door", "oven_door", face, size, handle_world=grip, rgba=slot.colours[0], **turning, **handle)
    return Unit((door,), (back_panel(slot),))


def stove(slot: Slot, rng: np.random.Generator) -> Unit:
    """A panel with two knobs, tilted up, over a blank front."""
    # So near the middle a Panda's wrist cannot hold a level hand: a level panel's knobs could be gripped but hardly turned.
    tilt = float(rng.uniform(0.28, 0.56))
    height = float(rng.uniform(0.075, 0.085))
    drop = height * np.cos(tilt)
    normal = np.array([-np.cos(tilt), 0.0, np.sin(tilt)])
    up = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    top = np.array([slot.front_x, slot.y, slot.z_max])
    centre = top - up * height / 2
    half = (0.015, slot.width / 2 - GAP / 2, height / 2)
    panel = PanelSpec(f"{slot.side}_panel", tuple(centre - normal * half[0]), half, slot.carcass, tilt)
    handle = str(rng.choice(["ridge", "knob"]))
    radius = float(rng.uniform(0.018, 0.024))
    reach = float(rng.uniform(0.034, 0.040)) + (0.004 if handle == "ridge" else 0.0)
    offset = float(rng.uniform(0.095, 0.105))
    knobs = []
    for name, y, rgba in zip(("left_knob", "right_knob"), (offset, -offset), slot.colours, strict=True):
        pivot = centre + np.array([0.0, y, 0.0])
        # Counter-clockwise is on, everywhere: a knob at rest does not show which way it turns.
        turning = joint(rng, tuple(normal), tuple(pivot), float(np.pi / 2), 0.01, (0.03, 0.10))
        knobs.append(knob(name, "knob", pivot, normal, tuple(up), radius, reach, rgba, handle=handle, **turning))
    return Unit(tuple(knobs), (panel, *blank(slot, rng, drop).panels))

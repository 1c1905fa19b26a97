"""Units of the upper tier, standing on the counter: hinged, latched and sliding doors, the microwave, tap and switch."""

import numpy as np

from hiermap.worlds.kitchen.lower_units import DARK, GAP, PANEL_THICKNESS, Slot, Unit, bar_handle, reach_of
from hiermap.worlds.kitchen.spec import FixtureSpec, PanelSpec

CARCASS_WALL = 0.014
"""Thickness of the visible carcass edges [m]."""
UPPER_DEPTH = 0.18
"""Depth of the upper carcass behind its fronts [m]; nothing is stored there."""
DOOR_LIFT = 0.027
"""Height of the doors' lower edge over the counter [m]: just above its rail."""
EDGE = 0.035
"""Distance of a vertical bar from the free edge of its door [m]."""
LATCH_OFFSET = 0.045
"""Distance of a latch's pivot from the free edge of its door [m]."""
TONGUE = 0.070
"""Length of a latch's tongue from its pivot [m]: it overlaps the door by TONGUE - LATCH_OFFSET."""


def carcass(slot: Slot, name: str, y_min: float, y_max: float, z_min: float, z_max: float) -> tuple[PanelSpec, ...]:
    """A hollow box, open to the front just behind the door."""
    x0 = slot.front_x + PANEL_THICKNESS + 0.003
    x, half_x = x0 + UPPER_DEPTH / 2, UPPER_DEPTH / 2
    y, half_y, z, half_z = (y_min + y_max) / 2, (y_max - y_min) / 2, (z_min + z_max) / 2, (z_max - z_min) / 2
    edge = CARCASS_WALL / 2
    return (
        PanelSpec(f"{name}_side_a", (x, y_min + edge, z), (half_x, edge, half_z), slot.carcass),
        PanelSpec(f"{name}_side_b", (x, y_max - edge, z), (half_x, edge, half_z), slot.carcass),
        PanelSpec(f"{name}_roof", (x, y, z_max - edge), (half_x, half_y - CARCASS_WALL, edge), slot.carcass),
        PanelSpec(f"{name}_base", (x, y, z_min + DOOR_LIFT / 2), (half_x, half_y - CARCASS_WALL, DOOR_LIFT / 2), slot.carcass),
        PanelSpec(f"{name}_back", (x + half_x - edge, y, z), (edge, half_y - CARCASS_WALL, half_z - CARCASS_WALL), DARK),
    )


def _hinged(
    slot: Slot, rng: np.random.Generator, name: str, kind: str, width: float, height: float, handle_z: float, **more
) -> FixtureSpec:
    """A door whose hinge is on the outer side of its slot, its bar near the free edge."""
    hinge_y = slot.y_max if slot.outer > 0 else slot.y_min
    bottom = slot.z_min + DOOR_LIFT
    handle = bar_handle(rng, ("bar_vertical",), 0.0, 0.11)
    face = (slot.front_x, hinge_y - slot.outer * width / 2, bottom + height / 2)
    return FixtureSpec(
        name=name,
        kind=kind,
        face_world=face,
        size=(width - GAP, height - GAP, PANEL_THICKNESS),
        joint_axis_world=(0.0, 0.0, -float(slot.outer)),
        joint_anchor_world=(slot.front_x + PANEL_THICKNESS / 2, hinge_y - slot.outer * PANEL_THICKNESS / 2, face[2]),
        joint_range=float(rng.uniform(1.15, 1.35)),
        handle_world=(slot.front_x - reach_of(handle), hinge_y - slot.outer * (width - EDGE), handle_z),
        damping=float(rng.uniform(0.25, 1.2)),
        frictionloss=float(rng.uniform(0.08, 0.5)),
        rgba=slot.colours[0],
        **handle,
        **more,
    )


def hinged_door(slot: Slot, rng: np.random.Generator) -> Unit:
    """A cabinet with one hinged door."""
    width, height = float(rng.uniform(0.23, 0.28)), float(rng.uniform(0.21, 0.25))
    kind = "left_door" if slot.outer > 0 else "right_door"
    handle_z = slot.z_min + DOOR_LIFT + height * float(rng.uniform(0.40, 0.60))
    door = _hinged(slot, rng, f"{slot.side}_cabinet", kind, width, height, handle_z)
    return Unit((door,), _box_behind(slot, door.name, width, height))


def microwave(slot: Slot, rng: np.random.Generator) -> Unit:
    """A dark box with a hinged glass door and a strip of buttons beside it."""
    width, height, strip = float(rng.uniform(0.21, 0.24)), float(rng.uniform(0.20, 0.22)), 0.05
    handle_z = slot.z_min + DOOR_LIFT + height * float(rng.uniform(0.45, 0.6))
    door = _hinged(slot, rng, "microwave", "microwave", width, height, handle_z)
    inner = (slot.y_max if slot.outer > 0 else slot.y_min) - slot.outer * (width + strip / 2)
    z = slot.z_min + DOOR_LIFT + height / 2
    buttons = PanelSpec(
        "microwave_buttons", (slot.front_x + UPPER_DEPTH / 2, inner, z), (UPPER_DEPTH / 2, strip / 2, height / 2), slot.metal
    )
    return Unit((door,), (*_box_behind(slot, door.name, width, height), buttons))


def _box_behind(slot: Slot, name: str, width: float, height: float) -> tuple[PanelSpec, ...]:
    hinge_y = slot.y_max if slot.outer > 0 else slot.y_min
    y_min, y_max = sorted((hinge_y, hinge_y - slot.outer * width))
    return carcass(slot, name, y_min, y_max, slot.z_min, slot.z_min + DOOR_LIFT + height + CARCASS_WALL)


def latched_door(slot: Slot, rng: np.random.Generator) -> Unit:
    """A hinged door held shut by the tongue of a turning latch on the frame beside its free edge."""
    width, height = float(rng.uniform(0.22, 0.25)), float(rng.uniform(0.23, 0.25))
    kind_name, latch_name = f"{slot.side}_latched", f"{slot.side}_latch"
    bottom = slot.z_min + DOOR_LIFT
    door = _hinged(slot, rng, kind_name, "latched_door", width, height, bottom + 0.085, latch=latch_name)
    edge_y = (slot.y_max if slot.outer > 0 else slot.y_min) - slot.outer * width
    pivot = np.array([slot.front_x - 0.001, edge_y - slot.outer * LATCH_OFFSET, bottom + height - 0.045])
    reach, radius = 0.040, float(rng.uniform(0.018, 0.021))
    latch = FixtureSpec(
        name=latch_name,
        kind="latch",
        face_world=tuple(pivot),
        size=(2 * radius, 2 * radius, reach),
        joint_axis_world=(-1.0, 0.0, 0.0),
        joint_anchor_world=tuple(pivot),
        joint_range=float(np.pi / 2),
        handle="ridge",
        handle_world=(pivot[0] - reach, pivot[1], pivot[2]),
        handle_radius=radius,
        handle_length=2 * radius,
        damping=0.01,
        frictionloss=float(rng.uniform(0.04, 0.09)),
        rgba=slot.colours[1],
        handle_axis_world=(0.0, float(slot.outer), 0.0),
    )
    post = _post(slot, f"{latch_name}_frame", edge_y - slot.outer * 0.045, 0.043, bottom + height)
    return Unit((latch, door), (*_box_behind(slot, kind_name, width, height), post))


def _post(slot: Slot, name: str, y: float, half_y: float, z_max: float) -> PanelSpec:
    """A solid front from the counter to z_max, flush with the doors."""
    half_z = (z_max - slot.z_min) / 2
    return PanelSpec(name, (slot.front_x + UPPER_DEPTH / 2, y, slot.z_min + half_z), (UPPER_DEPTH / 2, half_y, half_z), slot.carcass)


def sliding_door(slot: Slot, rng: np.random.Generator) -> Unit:
    """A door that slides outwards over the fixed half of its cabinet."""
    travel, height = float(rng.uniform(0.12, 0.14)), float(rng.uniform(0.21, 0.24))
    width = travel + 0.02
    inner_y = slot.y_min if slot.outer > 0 else slot.y_max
    handle = bar_handle(rng, ("bar_vertical",), 0.0, 0.11)
    face = (slot.front_x, inner_y + slot.outer * width / 2, slot.z_min + DOOR_LIFT + height / 2)
    door = FixtureSpec(
        name="sliding_door",
        kind="sliding_door",
        face_world=face,
        size=(width - GAP, height - GAP, PANEL_THICKNESS),
        joint_type="slide",
        joint_axis_world=(0.0, float(slot.outer), 0.0),
        joint_anchor_world=face,
        joint_range=travel,
        handle_world=(slot.front_x - reach_of(handle), inner_y + slot.outer * (EDGE + 0.01), face[2]),
        damping=float(rng.uniform(3.0, 10.0)),
        frictionloss=float(rng.uniform(1.0, 3.0)),
        rgba=slot.colours[0],
        **handle,
    )
    far_y = inner_y + slot.outer * 2 * width
    y_min, y_max = sorted((inner_y, far_y))
    fixed_y = inner_y + slot.outer * 1.5 * width
    x = slot.front_x + PANEL_THICKNESS + 0.006
    fixed = PanelSpec("sliding_fixed", (x, fixed_y, face[2]), (0.003, width / 2 - CARCASS_WALL, height / 2), slot.colours[1])
    return Unit((door,), (*carcass(slot, door.name, y_min, y_max, slot.z_min, slot.z_min + DOOR_LIFT + height + CARCASS_WALL), fixed))


def tap(slot: Slot, rng: np.random.Generator) -> Unit:
    """A lever on the centre panel: upright when off, level when on."""
    length, radius, stand = float(rng.uniform(0.085, 0.10)), float(rng.uniform(0.006, 0.008)), 0.042
    pivot = np.array([slot.front_x, slot.y, slot.z_min + 0.20 + float(rng.uniform(0.0, 0.02))])
    grip = 0.75 * length
    lever = FixtureSpec(
        name="tap",
        kind="tap",
        face_world=tuple(pivot),
        size=(2 * radius, length, stand),
        joint_axis_world=(-1.0, 0.0, 0.0),
        joint_anchor_world=tuple(pivot),
        joint_range=float(rng.uniform(1.45, 1.57)),
        handle="lever",
        handle_world=(pivot[0] - stand - radius, pivot[1], pivot[2] + grip),
        handle_radius=radius,
        handle_length=length,
        clearance=stand - radius,
        damping=0.02,
        frictionloss=float(rng.uniform(0.08, 0.25)),
        rgba=slot.colours[0],
    )
    return Unit((lever,), (_post(slot, "tap_panel", slot.y, slot.width / 2 - GAP, slot.z_min + 0.29),))


def switch(slot: Slot, rng: np.random.Generator) -> Unit:
    """A rocker on the centre panel; pushing its upper half in switches on."""
    half_height, travel = 0.045, float(rng.uniform(0.42, 0.5))
    pivot = (slot.front_x - 0.012, slot.y, slot.z_min + 0.20 + float(rng.uniform(0.0, 0.02)))
    tilt = travel / 2
    normal = (-float(np.cos(tilt)), 0.0, -float(np.sin(tilt)))
    rocker = FixtureSpec(
        name="switch",
        kind="switch",
        face_world=(pivot[0] + 0.006 * normal[0], pivot[1], pivot[2] + 0.006 * normal[2]),
        size=(0.055, 2 * half_height, 0.012),
        joint_axis_world=(0.0, 1.0, 0.0),
        joint_anchor_world=pivot,
        joint_range=travel,
        handle="plate",
        handle_world=(pivot[0] + 0.006 * normal[0], pivot[1], pivot[2] + 0.006 * normal[2]),
        handle_radius=0.0275,
        handle_length=2 * half_height,
        damping=0.02,
        frictionloss=float(rng.uniform(0.03, 0.08)),
        rgba=slot.colours[0],
        normal_world=normal,
        handle_axis_world=(-float(np.sin(tilt)), 0.0, float(np.cos(tilt))),
    )
    return Unit((rocker,), (_post(slot, "switch_panel", slot.y, slot.width / 2 - GAP, slot.z_min + 0.29),))

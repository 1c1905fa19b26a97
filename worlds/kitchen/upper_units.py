"""Units of the upper tier, standing on the counter: hinged, latched and sliding doors, the microwave, tap and switch."""

import numpy as np

from hiermap.worlds.kitchen.lower_units import DARK, GAP, PANEL_THICKNESS, Slot, Unit, bar_handle, joint, knob, reach_of
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


def carcass(slot: Slot, name: str, start_y: float, width: float, height: float) -> tuple[PanelSpec, ...]:
    """A hollow box behind a door of that height, open to the front; from `start_y` on `width` wide, inwards if that is negative."""
    y_min, y_max = sorted((start_y, start_y + slot.outer * width))
    z_min, z_max = slot.z_min, slot.z_min + DOOR_LIFT + height + CARCASS_WALL
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


def _hinged(slot: Slot, rng: np.random.Generator, name: str, kind: str, width: float, height: float, grip_z: float, **more) -> Unit:
    """A cabinet whose door has its hinge on the outer side of the slot; its bar is near the free edge, `grip_z` [m] above the lower one."""
    bottom = slot.z_min + DOOR_LIFT
    handle = bar_handle(rng, ("bar_vertical",), 0.0, 0.11)
    face = (slot.front_x, slot.outer_y - slot.outer * width / 2, bottom + height / 2)
    hinge = (slot.front_x + PANEL_THICKNESS / 2, slot.outer_y - slot.outer * PANEL_THICKNESS / 2, face[2])
    grip = (slot.front_x - reach_of(handle), slot.outer_y - slot.outer * (width - EDGE), bottom + grip_z)
    turning = joint(rng, (0.0, 0.0, -float(slot.outer)), hinge, (1.15, 1.35), (0.25, 1.2), (0.08, 0.5))
    size = (width - GAP, height - GAP, PANEL_THICKNESS)
    door = FixtureSpec(name, kind, face, size, handle_world=grip, rgba=slot.colours[0], **turning, **handle, **more)
    return Unit((door,), carcass(slot, name, slot.outer_y, -width, height))


def hinged_door(slot: Slot, rng: np.random.Generator) -> Unit:
    """A cabinet with one hinged door."""
    width, height = float(rng.uniform(0.23, 0.28)), float(rng.uniform(0.21, 0.25))
    kind = "left_door" if slot.outer > 0 else "right_door"
    return _hinged(slot, rng, f"{slot.side}_cabinet", kind, width, height, height * float(rng.uniform(0.40, 0.60)))


def microwave(slot: Slot, rng: np.random.Generator) -> Unit:
    """A dark box with a hinged glass door and a strip of buttons beside it."""
    width, height, strip = float(rng.uniform(0.21, 0.24)), float(rng.uniform(0.20, 0.22)), 0.05
    box = _hinged(slot, rng, "microwave", "microwave", width, height, height * float(rng.uniform(0.45, 0.6)))
    centre = (slot.front_x + UPPER_DEPTH / 2, slot.outer_y - slot.outer * (width + strip / 2), slot.z_min + DOOR_LIFT + height / 2)
    buttons = PanelSpec("microwave_buttons", centre, (UPPER_DEPTH / 2, strip / 2, height / 2), slot.metal)
    return Unit(box.fixtures, (*box.panels, buttons))


def latched_door(slot: Slot, rng: np.random.Generator) -> Unit:
    """A hinged door held shut by the tongue of a turning latch on the frame beside its free edge."""
    width, height = float(rng.uniform(0.22, 0.25)), float(rng.uniform(0.23, 0.25))
    latch_name, bottom = f"{slot.side}_latch", slot.z_min + DOOR_LIFT
    cabinet = _hinged(slot, rng, f"{slot.side}_latched", "latched_door", width, height, 0.085, latch=latch_name)
    edge_y = slot.outer_y - slot.outer * width
    pivot = np.array([slot.front_x - 0.001, edge_y - slot.outer * LATCH_OFFSET, bottom + height - 0.045])
    reach, radius = 0.040, float(rng.uniform(0.018, 0.021))
    normal, along = (-1.0, 0.0, 0.0), (0.0, float(slot.outer), 0.0)
    turning = joint(rng, normal, tuple(pivot), float(np.pi / 2), 0.01, (0.04, 0.09))
    latch = knob(latch_name, "latch", pivot, np.array(normal), along, radius, reach, slot.colours[1], handle="ridge", **turning)
    post = _post(slot, f"{latch_name}_frame", edge_y - slot.outer * 0.045, 0.043, bottom + height)
    return Unit((latch, *cabinet.fixtures), (*cabinet.panels, post))


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
    grip = (slot.front_x - reach_of(handle), inner_y + slot.outer * (EDGE + 0.01), face[2])
    sliding = joint(rng, (0.0, float(slot.outer), 0.0), face, travel, (3.0, 10.0), (1.0, 3.0), slides=True)
    size = (width - GAP, height - GAP, PANEL_THICKNESS)
    door = FixtureSpec("sliding_door", "sliding_door", face, size, handle_world=grip, rgba=slot.colours[0], **sliding, **handle)
    centre = (slot.front_x + PANEL_THICKNESS + 0.006, inner_y + slot.outer * 1.5 * width, face[2])
    fixed = PanelSpec("sliding_fixed", centre, (0.003, width / 2 - CARCASS_WALL, height / 2), slot.colours[1])
    return Unit((door,), (*carcass(slot, door.name, inner_y, 2 * width, height), fixed))


def tap(slot: Slot, rng: np.random.Generator) -> Unit:
    """A lever on the centre panel: upright when off, level when on."""
    length, radius, stand = float(rng.uniform(0.085, 0.10)), float(rng.uniform(0.006, 0.008)), 0.042
    pivot = np.array([slot.front_x, slot.y, slot.z_min + 0.20 + float(rng.uniform(0.0, 0.02))])
    size, grip = (2 * radius, length, stand), (pivot[0] - stand - radius, pivot[1], pivot[2] + 0.75 * length)
    handle: dict = {"handle": "lever", "handle_world": grip, "handle_radius": radius, "handle_length": length, "clearance": stand - radius}
    turning = joint(rng, (-1.0, 0.0, 0.0), tuple(pivot), (1.45, 1.57), 0.02, (0.08, 0.25))
    lever = FixtureSpec("tap", "tap", tuple(pivot), size, rgba=slot.colours[0], **handle, **turning)
    return Unit((lever,), (_post(slot, "tap_panel", slot.y, slot.width / 2 - GAP, slot.z_min + 0.29),))


def switch(slot: Slot, rng: np.random.Generator) -> Unit:
    """A rocker on the centre panel; pushing its upper half in switches on."""
    half_height, travel = 0.045, float(rng.uniform(0.42, 0.5))
    pivot = (slot.front_x - 0.012, slot.y, slot.z_min + 0.20 + float(rng.uniform(0.0, 0.02)))
    tilt = travel / 2
    normal = (-float(np.cos(tilt)), 0.0, -float(np.sin(tilt)))
    face = (pivot[0] + 0.006 * normal[0], pivot[1], pivot[2] + 0.006 * normal[2])
    size, up = (0.055, 2 * half_height, 0.012), (-float(np.sin(tilt)), 0.0, float(np.cos(tilt)))
    handle: dict = {"handle": "plate", "handle_world": face, "handle_radius": 0.0275, "handle_length": size[1], "handle_axis_world": up}
    turning = joint(rng, (0.0, 1.0, 0.0), pivot, travel, 0.02, (0.03, 0.08))
    rocker = FixtureSpec("switch", "switch", face, size, rgba=slot.colours[0], normal_world=normal, **handle, **turning)
    return Unit((rocker,), (_post(slot, "switch_panel", slot.y, slot.width / 2 - GAP, slot.z_min + 0.29),))

"""From a `KitchenSpec` to MJCF: static boxes, one jointed body per fixture, one free body per object."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.lower_units import PANEL_THICKNESS
from hiermap.worlds.kitchen.objects import object_body
from hiermap.worlds.kitchen.spec import DOORS, OPENABLE, FixtureSpec, KitchenSpec
from hiermap.worlds.kitchen.upper_units import TONGUE

METAL = (0.78, 0.78, 0.80, 1.0)
MARK = (0.97, 0.97, 0.93, 1.0)
"""Pointer on a round knob: without it nobody could see whether it is on."""
GLASS = (0.05, 0.06, 0.08, 1.0)
OFF_MARK = (0.85, 0.10, 0.10, 1.0)
"""Upper edge of a rocker, which shows only while it is off."""
DRAWER_WALL = 0.008
"""Thickness of drawer walls and bottoms [m]."""
ROTOR_ARMATURE = 0.0005
"""Added to knob, lever and latch joints [kg m2]: their own inertia is too small for a stable grip at 4 ms steps."""
SURFACE_LIFT = 0.0006
"""Height of a surface's plate over the counter [m]."""


def kitchen_elements(spec: KitchenSpec) -> list[Element]:
    """Everything to append to a worldbody: static body "kitchen", then fixtures, then objects, in the spec's order."""
    return [static_body(spec), *(fixture_body(f) for f in spec.fixtures), *(object_body(o) for o in spec.objects)]


def static_body(spec: KitchenSpec) -> Element:
    """Carcass panels and surface plates; plates can be seen but not felt."""
    body = mjcf.body("kitchen")
    for panel in spec.panels:
        pitch = panel.pitch_rad
        turned = {} if pitch == 0 else {"xyaxes": (np.cos(pitch), 0.0, -np.sin(pitch), 0.0, 1.0, 0.0)}
        shape = {"pos": panel.centre_world, "size": panel.half_size, **turned}
        mjcf.geom(body, f"kitchen/{panel.name}", "box", mjcf.STATIC, panel.rgba, friction=panel.friction, **shape)
    for surface in spec.surfaces:
        size = (*surface.half_size, SURFACE_LIFT)
        mjcf.geom(body, f"{surface.name}/plate", "box", mjcf.GHOST, surface.rgba, pos=surface.centre_world, size=size)
    return body


def fixture_body(fixture: FixtureSpec) -> Element:
    """One body, written at fraction 0 in world coordinates, with its joint of the same name."""
    body = mjcf.body(fixture.name)
    body.set("gravcomp", "1")  # stands for the springs and counterweights of real oven doors, levers and rockers
    numbers: dict[str, float | tuple[float, ...]] = {
        "axis": fixture.joint_axis_world,
        "pos": fixture.joint_anchor_world,
        "range": (0.0, fixture.joint_range),
        "damping": fixture.damping,
        "frictionloss": fixture.frictionloss,
        "armature": 0.0 if fixture.kind in OPENABLE else ROTOR_ARMATURE,
    }
    fixed = {"name": fixture.name, "type": fixture.joint_type, "limited": "true", "solreflimit": "0.02 1", "solreffriction": "0.02 1"}
    SubElement(body, "joint", fixed | {key: mjcf.numbers(value) for key, value in numbers.items()})
    _BUILDERS[fixture.kind](body, fixture)
    return body


def _front(body: Element, f: FixtureSpec) -> None:
    x, y, z = f.face_world
    half = (PANEL_THICKNESS / 2, f.size[0] / 2, f.size[1] / 2)
    collision = mjcf.LATCHED if f.latch else mjcf.MOVING
    mjcf.geom(body, f"{f.name}/front", "box", collision, f.rgba, friction=mjcf.GRIPPING, pos=(x + half[0], y, z), size=half)
    grip, radius = np.array(f.handle_world), f.handle_radius
    if f.handle == "knob":
        stem = 0.5 * f.clearance
        head = (f.clearance - stem) / 2
        for name, middle, width, length in (("stem", x - stem / 2, 0.5 * radius, stem / 2), ("handle", grip[0] + head, radius, head)):
            shape = {"pos": (middle, *grip[1:]), "size": (width, length), "zaxis": (1, 0, 0)}
            mjcf.geom(body, f"{f.name}/{name}", "cylinder", mjcf.MOVING, METAL, **shape)
        return
    centre, axis = grip + np.array([radius, 0.0, 0.0]), np.array(f.handle_axis_world)
    ends = [centre + side * axis * (f.handle_length / 2 - radius) for side in (-1, 1)]
    mjcf.geom(body, f"{f.name}/handle", "capsule", mjcf.MOVING, METAL, fromto=(*ends[0], *ends[1]), size=radius)
    for index, end in enumerate(ends):
        post = (x, *end[1:], *end)
        mjcf.geom(body, f"{f.name}/post_{index}", "capsule", mjcf.MOVING, METAL, fromto=post, size=0.6 * radius)


def _drawer(body: Element, f: FixtureSpec) -> None:
    _front(body, f)
    x, y, z = f.face_world
    width, height, depth = f.size
    low, wall_top = z - height / 2, z + height / 2 - 0.012
    middle_x = x + (PANEL_THICKNESS + depth) / 2
    half_depth, half_height = (depth - PANEL_THICKNESS) / 2, (wall_top - low) / 2
    half_bottom, side = (f.drawer_floor_z - low) / 2, width / 2 - 0.006
    inside = (*(0.5 * c + 0.5 for c in f.rgba[:3]), 1.0)
    boxes = (
        ("bottom", (middle_x, y, low + half_bottom), (half_depth, side, half_bottom)),
        ("wall_right", (middle_x, y - (side - DRAWER_WALL / 2), low + half_height), (half_depth, DRAWER_WALL / 2, half_height)),
        ("wall_left", (middle_x, y + (side - DRAWER_WALL / 2), low + half_height), (half_depth, DRAWER_WALL / 2, half_height)),
        ("wall_back", (x + depth - DRAWER_WALL / 2, y, low + half_height), (DRAWER_WALL / 2, side - DRAWER_WALL, half_height)),
    )
    for name, centre, half in boxes:
        mjcf.geom(body, f"{f.name}/{name}", "box", mjcf.MOVING, inside, pos=centre, size=half)


def _microwave(body: Element, f: FixtureSpec) -> None:
    _front(body, f)
    x, y, z = f.face_world
    half = (0.001, 0.32 * f.size[0], 0.34 * f.size[1])
    mjcf.geom(body, f"{f.name}/glass", "box", mjcf.GHOST, GLASS, pos=(x - 0.0006, y, z), size=half)


def _turning_frame(f: FixtureSpec) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Outward normal, ridge direction, and this with the direction across it as the axes of a geom."""
    normal, along = np.array(f.normal_world), np.array(f.handle_axis_world)
    return normal, along, (*along, *np.cross(normal, along))


def _knob(body: Element, f: FixtureSpec) -> None:
    face, reach, radius = np.array(f.face_world), f.size[2], f.handle_radius
    normal, along, axes = _turning_frame(f)
    is_ridge = f.handle == "ridge"
    depth = 0.35 * reach if is_ridge else reach
    disc = {"pos": face + normal * depth / 2, "size": (radius, depth / 2), "zaxis": normal}
    mjcf.geom(body, f"{f.name}/{'disc' if is_ridge else 'handle'}", "cylinder", mjcf.MOVING, f.rgba, **disc)
    if is_ridge:
        half = (f.handle_length / 2, 0.0045, (reach - depth) / 2)
        mjcf.geom(body, f"{f.name}/handle", "box", mjcf.MOVING, MARK, pos=face + normal * (depth + reach) / 2, size=half, xyaxes=axes)
    else:
        pointer = face + normal * reach + along * radius * 0.5
        mjcf.geom(body, f"{f.name}/pointer", "box", mjcf.GHOST, MARK, pos=pointer, size=(radius * 0.55, 0.006, 0.001), xyaxes=axes)


def _latch(body: Element, f: FixtureSpec) -> None:
    _knob(body, f)
    _, along, axes = _turning_frame(f)
    thickness = 0.012
    middle = np.array(f.joint_anchor_world) + along * TONGUE / 2 - (0.0003 + thickness / 2, 0.0, 0.0)
    half = (TONGUE / 2, 0.011, thickness / 2)
    tongue = mjcf.geom(body, f"{f.name}/tongue", "box", mjcf.LATCH, f.rgba, pos=middle, size=half, xyaxes=axes)
    # A pull of 80 N must not bend it: the hardest contact that 4 ms steps allow, whatever it touches.
    tongue.attrib.update(priority="1", solref="0.008 1", solimp="0.99 0.999 0.0005")


def _tap(body: Element, f: FixtureSpec) -> None:
    pivot, along = np.array(f.joint_anchor_world), np.array(f.handle_axis_world)
    stand, radius = f.size[2], f.handle_radius
    hub = {"pos": pivot - (stand / 2, 0.0, 0.0), "size": (0.012, stand / 2 + radius), "zaxis": (1, 0, 0)}
    mjcf.geom(body, f"{f.name}/hub", "cylinder", mjcf.MOVING, METAL, **hub)
    start = pivot - (stand, 0.0, 0.0)
    lever = (*start, *(start + along * (f.handle_length - radius)))
    mjcf.geom(body, f"{f.name}/handle", "capsule", mjcf.MOVING, f.rgba, fromto=lever, size=radius)


def _switch(body: Element, f: FixtureSpec) -> None:
    face, (width, height, depth) = np.array(f.face_world), f.size
    normal, along, axes = _turning_frame(f)
    centre = face - normal * depth / 2
    plate = {"pos": centre, "size": (height / 2, width / 2, depth / 2), "xyaxes": axes}
    mjcf.geom(body, f"{f.name}/plate", "box", mjcf.MOVING, f.rgba, **plate)
    top = centre + along * (height / 2 + 0.001) - normal * 0.004
    mjcf.geom(body, f"{f.name}/mark", "box", mjcf.GHOST, OFF_MARK, pos=top, size=(0.001, width / 2, depth / 2 + 0.004), xyaxes=axes)


_BUILDERS: dict[str, Callable[[Element, FixtureSpec], None]] = {
    **dict.fromkeys(DOORS, _front),
    "drawer": _drawer,
    "microwave": _microwave,
    "knob": _knob,
    "tap": _tap,
    "switch": _switch,
    "latch": _latch,
}

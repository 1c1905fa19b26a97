"""From a `KitchenSpec` to MJCF: static boxes, one jointed body per fixture, one free body per object."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from hiermap.worlds.kitchen import mjcf
from hiermap.worlds.kitchen.lower_units import PANEL_THICKNESS
from hiermap.worlds.kitchen.objects import object_body
from hiermap.worlds.kitchen.spec import DOORS, FixtureSpec, KitchenSpec, drawer_floor_z
from hiermap.worlds.kitchen.upper_units import TONGUE

METAL = (0.78, 0.78, 0.80, 1.0)
MARK = (0.97, 0.97, 0.93, 1.0)
"""Pointer on a round knob: without it nobody could see whether it is on."""
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
        axes = None if pitch == 0 else ((np.cos(pitch), 0.0, -np.sin(pitch)), (0.0, 1.0, 0.0))
        mjcf.box(body, f"kitchen/{panel.name}", panel.centre_world, panel.half_size, panel.rgba, mjcf.STATIC, axes, friction=panel.friction)
    for surface in spec.surfaces:
        x, y, z = surface.centre_world
        mjcf.box(body, f"{surface.name}/plate", (x, y, z), (*surface.half_size, SURFACE_LIFT), surface.rgba, mjcf.GHOST)
    return body


def fixture_body(fixture: FixtureSpec) -> Element:
    """One body, written at fraction 0 in world coordinates, with its joint of the same name."""
    body = mjcf.body(fixture.name)
    body.set("gravcomp", "1")  # stands for the springs and counterweights of real oven doors, levers and rockers
    SubElement(
        body,
        "joint",
        name=fixture.name,
        type=fixture.joint_type,
        axis=mjcf.numbers(fixture.joint_axis_world),
        pos=mjcf.numbers(fixture.joint_anchor_world),
        limited="true",
        range=mjcf.numbers((0.0, fixture.joint_range)),
        damping=mjcf.numbers(fixture.damping),
        frictionloss=mjcf.numbers(fixture.frictionloss),
        armature=mjcf.numbers(0.0 if fixture.kind in (*DOORS, "drawer") else ROTOR_ARMATURE),
        solreflimit="0.02 1",
        solreffriction="0.02 1",
    )
    _BUILDERS[fixture.kind](body, fixture)
    return body


def _collision(fixture: FixtureSpec) -> str:
    return mjcf.LATCHED if fixture.latch else mjcf.MOVING


def _front(body: Element, f: FixtureSpec) -> None:
    x, y, z = f.face_world
    half = (PANEL_THICKNESS / 2, f.size[0] / 2, f.size[1] / 2)
    mjcf.box(body, f"{f.name}/front", (x + half[0], y, z), half, f.rgba, _collision(f), friction=mjcf.GRIPPING)
    _handle(body, f)


def _handle(body: Element, f: FixtureSpec) -> None:
    grip, radius = np.array(f.handle_world), f.handle_radius
    face_x = f.face_world[0]
    if f.handle == "knob":
        stem = 0.5 * f.clearance
        mjcf.cylinder(body, f"{f.name}/stem", (face_x - stem / 2, *grip[1:]), 0.5 * radius, stem / 2, METAL, mjcf.MOVING, axis=(1, 0, 0))
        head = (f.clearance - stem) / 2
        mjcf.cylinder(body, f"{f.name}/handle", (grip[0] + head, *grip[1:]), radius, head, METAL, mjcf.MOVING, axis=(1, 0, 0))
        return
    centre, axis = grip + np.array([radius, 0.0, 0.0]), np.array(f.handle_axis_world)
    ends = [centre + side * axis * (f.handle_length / 2 - radius) for side in (-1, 1)]
    mjcf.capsule(body, f"{f.name}/handle", ends[0], ends[1], radius, METAL, mjcf.MOVING)
    for index, end in enumerate(ends):
        mjcf.capsule(body, f"{f.name}/post_{index}", (face_x, *end[1:]), end, 0.6 * radius, METAL, mjcf.MOVING)


def _drawer(body: Element, f: FixtureSpec) -> None:
    _front(body, f)
    x, y, z = f.face_world
    width, height, depth = f.size
    low, wall_top = z - height / 2, z + height / 2 - 0.012
    middle_x = x + (PANEL_THICKNESS + depth) / 2
    half_depth, half_height = (depth - PANEL_THICKNESS) / 2, (wall_top - low) / 2
    inside = (*(0.5 * c + 0.5 for c in f.rgba[:3]), 1.0)
    half_bottom = (drawer_floor_z(f) - low) / 2
    mjcf.box(body, f"{f.name}/bottom", (middle_x, y, low + half_bottom), (half_depth, width / 2 - 0.006, half_bottom), inside, mjcf.MOVING)
    for name, side in (("wall_right", -1), ("wall_left", 1)):
        centre = (middle_x, y + side * (width / 2 - 0.006 - DRAWER_WALL / 2), low + half_height)
        mjcf.box(body, f"{f.name}/{name}", centre, (half_depth, DRAWER_WALL / 2, half_height), inside, mjcf.MOVING)
    back = (x + depth - DRAWER_WALL / 2, y, low + half_height)
    mjcf.box(body, f"{f.name}/wall_back", back, (DRAWER_WALL / 2, width / 2 - 0.006 - DRAWER_WALL, half_height), inside, mjcf.MOVING)


def _microwave(body: Element, f: FixtureSpec) -> None:
    _front(body, f)
    x, y, z = f.face_world
    glass = (x - 0.0006, y, z)
    mjcf.box(body, f"{f.name}/glass", glass, (0.001, 0.32 * f.size[0], 0.34 * f.size[1]), (0.05, 0.06, 0.08, 1.0), mjcf.GHOST)


def _turning_frame(f: FixtureSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outward normal, ridge direction and the direction across it."""
    normal, along = np.array(f.normal_world), np.array(f.handle_axis_world)
    return normal, along, np.cross(normal, along)


def _knob(body: Element, f: FixtureSpec) -> None:
    face, reach, radius = np.array(f.face_world), f.size[2], f.handle_radius
    normal, along, across = _turning_frame(f)
    if f.handle == "ridge":
        disc = 0.35 * reach
        mjcf.cylinder(body, f"{f.name}/disc", face + normal * disc / 2, radius, disc / 2, f.rgba, mjcf.MOVING, axis=normal)
        middle = face + normal * (disc + reach) / 2
        half = (f.handle_length / 2, 0.0045, (reach - disc) / 2)
        mjcf.box(body, f"{f.name}/handle", middle, half, MARK, mjcf.MOVING, (along, across))
        return
    mjcf.cylinder(body, f"{f.name}/handle", face + normal * reach / 2, radius, reach / 2, f.rgba, mjcf.MOVING, axis=normal)
    pointer = face + normal * reach + along * radius * 0.5
    mjcf.box(body, f"{f.name}/pointer", pointer, (radius * 0.55, 0.006, 0.001), MARK, mjcf.GHOST, (along, across))


def _latch(body: Element, f: FixtureSpec) -> None:
    _knob(body, f)
    pivot = np.array(f.joint_anchor_world)
    _, along, across = _turning_frame(f)
    thickness = 0.012
    middle = pivot + along * TONGUE / 2 - (0.0003 + thickness / 2, 0.0, 0.0)
    mjcf.box(body, f"{f.name}/tongue", middle, (TONGUE / 2, 0.011, thickness / 2), f.rgba, mjcf.LATCH, (along, across))
    # A pull of 80 N must not bend it: the hardest contact that 4 ms steps allow, whatever it touches.
    body[-1].attrib.update(priority="1", solref="0.008 1", solimp="0.99 0.999 0.0005")


def _tap(body: Element, f: FixtureSpec) -> None:
    pivot, along = np.array(f.joint_anchor_world), np.array(f.handle_axis_world)
    stand = f.size[2]
    hub = pivot - (stand / 2, 0.0, 0.0)
    mjcf.cylinder(body, f"{f.name}/hub", hub, 0.012, stand / 2 + f.handle_radius, METAL, mjcf.MOVING, axis=(1, 0, 0))
    start = pivot - (stand, 0.0, 0.0)
    mjcf.capsule(body, f"{f.name}/handle", start, start + along * (f.handle_length - f.handle_radius), f.handle_radius, f.rgba, mjcf.MOVING)


def _switch(body: Element, f: FixtureSpec) -> None:
    face, (width, height, depth) = np.array(f.face_world), f.size
    normal, along, across = _turning_frame(f)
    centre = face - normal * depth / 2
    axes = (along, across)
    mjcf.box(body, f"{f.name}/plate", centre, (height / 2, width / 2, depth / 2), f.rgba, mjcf.MOVING, axes)
    top = centre + along * (height / 2 + 0.001) - normal * 0.004
    mjcf.box(body, f"{f.name}/mark", top, (0.001, width / 2, depth / 2 + 0.004), OFF_MARK, mjcf.GHOST, axes)


_BUILDERS: dict[str, Callable[[Element, FixtureSpec], None]] = {
    "drawer": _drawer,
    "left_door": _front,
    "right_door": _front,
    "latched_door": _front,
    "microwave": _microwave,
    "oven_door": _front,
    "sliding_door": _front,
    "knob": _knob,
    "tap": _tap,
    "switch": _switch,
    "latch": _latch,
}

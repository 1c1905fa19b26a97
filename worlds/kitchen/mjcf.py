"""Small helpers that write MJCF elements: every geom is visible to rays (group 0) and in one collision class."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

import numpy as np

ROBOT, STATIC, MOVING, OBJECT, LATCH, LATCHED, GHOST = "robot", "static", "moving", "object", "latch", "latched", "ghost"
COLLISION: dict[str, tuple[int, int]] = {
    # (contype, conaffinity): the robot touches all but itself, carcass and fixtures never touch each other (joint limits
    # do that), objects touch everything, and only a latch's tongue and its own door meet.
    ROBOT: (1, 0),
    STATIC: (2, 1),
    MOVING: (4, 1),
    OBJECT: (8, 1 | 2 | 4 | 8),
    LATCH: (16, 1),
    LATCHED: (4, 1 | 16),
    GHOST: (0, 0),
}
FIXTURE_DENSITY = 350.0
"""Of moving panels [kg/m3]: a 25 x 25 cm door weighs 0.35 kg, light enough for an arm and heavy enough to be stable."""
PANEL_FRICTION = 0.35
"""Of everything but objects' feet and the robot's pads (robosuite gives those 2.0; MuJoCo takes the larger of the two)."""
GRIPPING = 0.9
"""Friction of doors, rails and stops, which must hold an object between them."""
RGBA = Sequence[float]
Vector = Sequence[float] | np.ndarray


def numbers(values: Sequence[float] | np.ndarray | float) -> str:
    """Space-separated numbers with enough digits to be exact to a nanometre."""
    return " ".join(f"{float(v):.9g}" for v in np.atleast_1d(np.asarray(values, float)))


def body(name: str) -> Element:
    """A body whose frame is the world's, so that geoms and joints are written in world coordinates at fraction 0."""
    return Element("body", name=name, pos="0 0 0")


def free_joint(parent: Element, name: str) -> None:
    """Six degrees of freedom."""
    SubElement(parent, "freejoint", name=name)


def _geom(
    parent: Element, name: str, kind: str, collision: str, rgba: RGBA, mass: float | None, friction: float, shape: dict[str, str]
) -> None:
    contype, conaffinity = COLLISION[collision]
    geom = SubElement(parent, "geom", name=name, type=kind, group="0", contype=str(contype), conaffinity=str(conaffinity))
    geom.attrib.update(shape)
    geom.set("rgba", numbers(rgba))
    geom.set("friction", numbers((friction, 0.005, 0.0001)))
    if collision == GHOST:
        geom.set("mass", "0")
    elif mass is None:
        geom.set("density", numbers(FIXTURE_DENSITY))
    else:
        geom.set("mass", numbers(mass))


def box(
    parent: Element,
    name: str,
    centre: Vector,
    half_size: Vector,
    rgba: RGBA,
    collision: str,
    axes: tuple[Vector, Vector] | None = None,
    mass: float | None = None,
    friction: float = PANEL_FRICTION,
) -> None:
    """A box; `axes` are its x and y directions when they are not the body's."""
    attributes = {"pos": numbers(centre), "size": numbers(half_size)}
    if axes is not None:
        attributes["xyaxes"] = numbers([*axes[0], *axes[1]])
    _geom(parent, name, "box", collision, rgba, mass, friction, attributes)


def cylinder(
    parent: Element,
    name: str,
    centre: Vector,
    radius: float,
    half_length: float,
    rgba: RGBA,
    collision: str,
    mass: float | None = None,
    axis: Vector = (0.0, 0.0, 1.0),
) -> None:
    """A cylinder around `axis`."""
    attributes = {"pos": numbers(centre), "size": numbers((radius, half_length)), "zaxis": numbers(axis)}
    _geom(parent, name, "cylinder", collision, rgba, mass, PANEL_FRICTION, attributes)


def capsule(parent: Element, name: str, start: Vector, end: Vector, radius: float, rgba: RGBA, collision: str) -> None:
    """A capsule from `start` to `end`."""
    _geom(parent, name, "capsule", collision, rgba, None, PANEL_FRICTION, {"fromto": numbers([*start, *end]), "size": numbers(radius)})


def sphere(parent: Element, name: str, centre: Vector, radius: float, rgba: RGBA, collision: str, friction: float, mass: float) -> None:
    """A ball."""
    _geom(parent, name, "sphere", collision, rgba, mass, friction, {"pos": numbers(centre), "size": numbers(radius)})

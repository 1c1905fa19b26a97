"""Small helpers that write MJCF elements: every geom is visible to rays (group 0) and in one collision class."""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from hiermap.worlds.kitchen.spec import PANEL_FRICTION

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
GRIPPING = 0.9
"""Friction of doors, rails and stops, which must hold an object between them."""


def numbers(values: Sequence[float] | np.ndarray | float) -> str:
    """Space-separated numbers with enough digits to be exact to a nanometre."""
    return " ".join(f"{float(v):.9g}" for v in np.atleast_1d(np.asarray(values, float)))


def body(name: str) -> Element:
    """A body whose frame is the world's, so that geoms and joints are written in world coordinates at fraction 0."""
    return Element("body", name=name, pos="0 0 0")


def geom(parent: Element, name: str, kind: str, collision: str, rgba: Sequence[float], **more: Any) -> Element:
    """A "box", "cylinder", "capsule" or "sphere"; `more` are MJCF's own numbers. Ghosts weigh nothing, and without a mass it is a panel."""
    contype, conaffinity = COLLISION[collision]
    weight = {"mass": 0.0} if collision == GHOST else {} if "mass" in more else {"density": FIXTURE_DENSITY}
    friction = (more.get("friction", PANEL_FRICTION), 0.005, 0.0001)
    written = {key: numbers(value) for key, value in {**more, "rgba": rgba, "friction": friction, **weight}.items()}
    fixed = {"name": name, "type": kind, "group": "0", "contype": str(contype), "conaffinity": str(conaffinity)}
    return SubElement(parent, "geom", fixed | written)

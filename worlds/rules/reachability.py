"""How far the robot's hand reaches from above: a fact about its arm that the rules and maps share."""

import numpy as np

from hiermap.primitives.hand import STANDOFFS_M

WRIST_OFFSET = 0.088
"""Of a Panda's flange from the axis of its wrist [m]."""
SPHERE = (0.7175, 0.134)
"""The wrist of a hand that points down stays within a sphere about the shoulder: its radius, and its centre's height seen from the
fingertips [m]. Fitted to the arm's inverse kinematics at fingertip heights from 0.23 to 0.44 m, to 2 mm."""
MARGIN = 0.012
"""Kept from the very edge [m]."""
GRASP_LIFT, PLACE_LIFT = min(STANDOFFS_M["grasp"]), min(STANDOFFS_M["place"])
"""A hand comes at least this far from above: the lowest standoffs of grasp and place [m]."""


def reached_from_above(points_world: np.ndarray, lift: float) -> np.ndarray:
    """Whether the fingertips can be `lift` [m] above points `[..., 3]`, the hand pointing down, over a base at the origin: `[...]` bool."""
    radius, shoulder = SPHERE
    above = points_world[..., 2] + lift - shoulder
    farthest = WRIST_OFFSET + np.sqrt(np.clip(radius**2 - above**2, 0.0, None)) - MARGIN
    return np.hypot(points_world[..., 0], points_world[..., 1]) <= farthest

"""What the robot's hand measures and how it moves: numbers that motor programs and the rules of the worlds share."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

FINGER_LIMIT_M = 0.04
"""Of each finger from the middle."""
EMPTY_WIDTH_M, OPEN_WIDTH_M = 0.004, 0.0765
"""Resting pads between these widths hold something."""
YAWS_RAD: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"grasp": (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4), "place": (0.0, np.pi / 2)}
)
"""Of the axis along which the fingers open from +y (the kitchen front), anticlockwise seen from above, per orientation bin."""
STANDOFFS_M: Mapping[str, tuple[float, ...]] = MappingProxyType({"grasp": (0.10, 0.06), "place": (0.17, 0.125, 0.095)})
"""Heights above the point from which a hand pointing down comes; the lower ones are for the edge of what it can reach.

Place begins higher than what hangs below the grip point.
"""
TIP_M = 0.009
"""The fingers end this far ahead of the grip point."""
MAX_APPROACH_YAW_RAD = 0.9
"""The hand points at most this far away from straight ahead."""
PUSH_DISTANCE_M = 0.10
"""A sideways push carries a thing this far after the touch."""

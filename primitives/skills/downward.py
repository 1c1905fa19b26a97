"""Push down: closed fingers straight down on something until it gives no more."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from hiermap.primitives.hand import STANDOFFS_M
from hiermap.primitives.motion.compliance import Compliance, follow_joint
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.skills.grasp import down_options
from hiermap.primitives.skills.phases import reach_for

SEEK_M, SOFT_M = 0.03, 0.05
"""The grip point goes this far below the visible surface, or until something is touched, the last part of the way gently."""
TOUCH_N = 0.8
"""A button gives way to little more."""
FOLLOW = Compliance(lateral_stiffness=800.0, vertical_stiffness=800.0, max_turn=0.1, hand_gain=0.0, hand_stiffness=30.0, max_travel=0.1)


def push_down(driver: Driver, point: np.ndarray) -> Ending:
    """Pushes down at a point [3]; what it came to."""
    posture, _ = reach_for(driver, options_from_above(point), TOUCH_N, soft=SOFT_M)
    return follow_joint(driver, -UP, FOLLOW, posture)


def options_from_above(point: np.ndarray) -> Iterator[Option]:
    """Ways to bring closed fingers from straight above onto a point [3]."""
    return chain.from_iterable(down_options(point, yaw, STANDOFFS_M["grasp"], SEEK_M) for yaw in (0.0, np.pi / 2))

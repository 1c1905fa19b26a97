"""Sawyer with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

SAWYER = ArmSpec(
    robot="Sawyer",
    hand=ROBOTIQ_85,
    base=(0.0, 0.0, 0.0),
    ready=(0,-1.18,0,2.18,0,0.57,-1.57),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
)

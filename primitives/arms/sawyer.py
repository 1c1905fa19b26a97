"""Sawyer with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

SAWYER = ArmSpec(
    robot="Sawyer",
    hand=ROBOTIQ_85,
    base=(-0.2, 0.0, 0.1),
    ready=(-0.377, -1.955, -0.03, 2.047, 0.496, 0.685, -2.063),
    armature=0.6,
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0)),
)

"""Jaco with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

JACO = ArmSpec(
    robot="Jaco",
    hand=ROBOTIQ_85,
    base=(0.05, 0.0, 0.3),
    ready=(0.01, 3.463, -0.056, 5.603, 3.364, 3.249, -0.258),
    armature=0.6,
    folding=((0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0)),
)

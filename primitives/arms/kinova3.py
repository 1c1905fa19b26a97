"""Kinova3 with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

KINOVA3 = ArmSpec(
    robot="Kinova3",
    hand=ROBOTIQ_85,
    base=(0.05, 0.0, 0.3),
    ready=(0.086, -0.524, -0.158, 2.462, 3.111, -0.3, 1.508),
    armature=0.6,
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0)),
)

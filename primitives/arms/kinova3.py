"""Kinova3 with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

KINOVA3 = ArmSpec(
    robot="Kinova3",
    hand=ROBOTIQ_85,
    base=(0.0, 0.0, 0.0),
    ready=(0,0.65,0,1.89,0,0.6,-1.57),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
)

"""Jaco with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

JACO = ArmSpec(
    robot="Jaco",
    hand=ROBOTIQ_85,
    base=(0.0, 0.0, 0.0),
    ready=(3.192,3.68,0,1.17,0.05,3.76,3.142),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
)

"""Universal Robots' UR5e, six joints, with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

UR5E = ArmSpec(
    robot="UR5e",
    hand=ROBOTIQ_85,
    base=(-0.1, 0.0, 0.3),
    ready=(-0.488, -2.016, 2.348, -2.742, -1.194, 1.251),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, -1.0, 0.0, 0.0, 0.0)),
)

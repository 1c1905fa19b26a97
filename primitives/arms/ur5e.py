"""Universal Robots' UR5e, six joints, with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

UR5E = ArmSpec(
    robot="UR5e",
    hand=ROBOTIQ_85,
    base=(0.0, 0.0, 0.25),
    ready=(0.0, -1.735, 2.480, -2.275, -1.590, -1.991),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, -1.0, 0.0, 0.0, 0.0)),
)

"""IIWA with a Robotiq 85."""

from hiermap.primitives.arms.hands import ROBOTIQ_85
from hiermap.primitives.arms.spec import ArmSpec

IIWA = ArmSpec(
    robot="IIWA",
    hand=ROBOTIQ_85,
    base=(0.05, 0.0, 0.0),
    ready=(-0.083, -0.68, 0.026, -1.842, 0.064, 1.08, -0.056),
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
)

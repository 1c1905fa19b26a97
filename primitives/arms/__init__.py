"""The arms that motor programs drive, by the name that `kitchen.arm` gives them; a new one is a file here and its line."""

from collections.abc import Mapping
from types import MappingProxyType

from hiermap.primitives.arms.iiwa import IIWA
from hiermap.primitives.arms.jaco import JACO
from hiermap.primitives.arms.kinova3 import KINOVA3
from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.sawyer import SAWYER
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.primitives.arms.ur5e import UR5E

ARMS: Mapping[str, ArmSpec] = MappingProxyType(
    {"panda": PANDA, "ur5e": UR5E, "sawyer": SAWYER, "iiwa": IIWA, "kinova3": KINOVA3, "jaco": JACO}
)

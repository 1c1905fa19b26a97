"""The Arm protocol: what a motor program needs from a torque-controlled arm, and nothing more.

Another arm joins by implementing `Arm`; the programs, controllers and kinematics stay as they are.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hiermap.primitives.motion.kinematics import SerialChain


class ArmFault(RuntimeError):
    """The arm or its simulation left the state in which a motor program means anything (divergence, lost time)."""


@dataclass(frozen=True, eq=False)
class JointState:
    """One reading of the arm.

    Attributes:
        q, qd: joint angles [7] [rad] and speeds [7] [rad/s].
        mass_matrix: [7, 7] [kg m2], with the motors' armature.
        bias: gravity and Coriolis torques [7] [N m].
    """

    q: np.ndarray
    qd: np.ndarray
    mass_matrix: np.ndarray
    bias: np.ndarray


class Arm(Protocol):
    """A seven-joint torque-controlled arm with a two-finger gripper.

    Attributes:
        chain: its kinematics, from the base to the grip point (approach = z, finger opening = x).
        ready: joint angles at which every program starts and ends, [7] [rad].
        torque_limit: [7] [N m].
        period: time between two calls of `apply` [s].
        finger_limit: half of the widest opening [m].
    """

    chain: SerialChain
    ready: np.ndarray
    torque_limit: np.ndarray
    period: float
    finger_limit: float

    def reset(self) -> None:
        """Forget everything that an earlier program left in the controller; moves nothing."""

    def time(self) -> float:
        """Time since an arbitrary start [s]."""

    def read(self) -> JointState:
        """The joints now."""

    def wrist_force(self) -> np.ndarray:
        """Force of the surroundings on the hand, without the hand's own weight, world axes, [3] [N]; not tared."""

    def load_offset(self) -> np.ndarray:
        """Where the vertical force on the hand acts, seen from the grip point: world axes, [3] [m], vertical part 0.

        At rest the centre of mass of what is held, in a contact from above the place of the contact; zero for a force too small to tell.
        """

    def width(self) -> float:
        """Opening between the pads [m]."""

    def apply(self, torque: np.ndarray, finger_target: float) -> None:
        """Hold `torque` [7] [N m] and drive each finger to `finger_target` [m] from the middle for one period.

        A target below half of what is between the pads squeezes it. Raises ArmFault when the simulation diverged.
        """

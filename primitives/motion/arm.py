"""The Arm protocol: what a motor program needs from a torque-controlled arm, and nothing more.

Another arm joins by implementing `Arm`; the programs, controllers and kinematics stay as they are.
"""

from typing import NamedTuple, Protocol

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hiermap.primitives.motion.kinematics import SerialChain


class ArmFault(RuntimeError):
    """The arm or its simulation left the state in which a motor program means anything (divergence, lost time)."""


class Plant(NamedTuple):
    """The memory that an arm shares with compiled control; the arrays are the arm's own, so copy what you keep.

    Attributes:
        q, qd: joint angles [n] [rad] and speeds [n] [rad/s].
        mass_matrix: [n, n] [kg m2], with the motors' armature.
        bias: gravity and Coriolis torques [n] [N m].
        wrist_force: of the surroundings on the hand, without the hand's own weight, world axes, [3] [N]; not tared.
        width: opening between the pads, [1] [m].
        time: since an arbitrary start, [1] [s].
        torque, fingers: what `step` applies, [n] [N m], and how far from the middle it drives each finger, [1] [m]; a target below half
            of what is between the pads squeezes it.
        step: address of a C function `int64 step(int64 context)` that applies these for one period and brings the rest up to date; it
            returns 0, or something else when the simulation diverged. `ctypes.CFUNCTYPE` makes one of a Python function.
        context: its argument.
    """

    q: np.ndarray
    qd: np.ndarray
    mass_matrix: np.ndarray
    bias: np.ndarray
    wrist_force: np.ndarray
    width: np.ndarray
    time: np.ndarray
    torque: np.ndarray
    fingers: np.ndarray
    step: int
    context: int


class Arm(Protocol):
    """A torque-controlled arm of n joints with a two-finger gripper.

    Attributes:
        chain: its kinematics, from the base to the grip point (approach = z, finger opening = x).
        ready: joint angles at which every program starts and ends, [n] [rad].
        torque_limit: [n] [N m].
        period: time that one `plant.step` takes [s].
        finger_limit: half of the widest opening [m].
        plant: its present state, as of the last `reset` or step, and its motors.
    """

    chain: SerialChain
    ready: np.ndarray
    torque_limit: np.ndarray
    period: float
    finger_limit: float
    plant: Plant

    def reset(self) -> None:
        """Forget everything that an earlier program left in the controller and bring `plant` up to date; moves nothing."""

    def load_offset(self) -> np.ndarray:
        """Where the vertical force on the hand acts, seen from the grip point: world axes, [3] [m], vertical part 0.

        At rest the centre of mass of what is held, in a contact from above the place of the contact; zero for a force too small to tell.
        """

    def width(self) -> float:
        """Opening between the pads [m]."""

    def fault(self) -> ArmFault:
        """What to raise after a step that did not return 0."""


@intrinsic
def call(_typing, _address, arguments):
    """In compiled code: the integer that the C function at an address returns for a tuple of integers."""

    def generate(_context, builder, _signature, values):
        integers = cgutils.unpack_tuple(builder, values[1])
        kind = ir.FunctionType(ir.IntType(64), [integer.type for integer in integers])
        return builder.call(builder.inttoptr(values[0], kind.as_pointer()), integers)

    return types.int64(types.int64, arguments), generate


@intrinsic
def pointer(_typing, _address):
    """In compiled code: an address as the pointer that `numba.carray` makes an array of."""

    def generate(context, builder, signature, values):
        return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

    return types.voidptr(types.int64), generate

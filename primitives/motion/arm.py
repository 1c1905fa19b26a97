"""The Arm protocol: what a motor program needs from a torque-controlled arm, and nothing more.

Another arm joins by implementing `Arm`; the programs, controllers and kinematics stay as they are.
"""

from typing import Protocol

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hiermap.primitives.motion.kinematics import SerialChain


class ArmFault(RuntimeError):
    """The arm or its simulation left the state in which a motor program means anything (divergence, lost time)."""


def new_plant(chain: SerialChain, torque_limit: np.ndarray, period: float) -> np.record:
    """The block of memory that an arm of n joints shares with compiled control; its arrays are views, so copy what you keep.

    Written by the arm:
        q, qd: joint angles [n] [rad] and speeds [n] [rad/s].
        bias: gravity and Coriolis torques [n] [N m].
        mass_matrix: [n, n] [kg m2], with the motors' armature.
        wrist_force: of the surroundings on the hand, without the hand's own weight, world axes, [3] [N]; not tared.
        width: opening between the pads [m].
        time: since an arbitrary start [s].
        step: address of a C function `int64 step(int64 context)` that applies the motors' commands for one period and brings the above up
            to date; it returns 0, or something else when the simulation diverged. `ctypes.CFUNCTYPE` makes one of a Python function.
        context: its argument.
    Written by control:
        torque: commanded [n] [N m].
        fingers: how far from the middle to drive each finger [m]; less than half of what is between the pads squeezes it.
        deadline: no tick ends later than this on the clock of `time` [s].
        tare: what the wrist feels at rest, [3] [N].
        rotation, position, velocity, spin, force: the hand after the last tick, see `control.Hand`; jacobian [6, n] (linear above angular).
    Constant:
        offset, turn, lower, upper: the chain; limit: of the torques [n] [N m]; period: of one tick [s].
    """
    n = len(torque_limit)
    state = [("q", n), ("qd", n), ("bias", n), ("mass_matrix", (n, n))], [("wrist_force", 3), ("width", ()), ("time", ())]
    commands = [("torque", n), ("fingers", ()), ("deadline", ()), ("tare", 3)]
    hand = [("rotation", (3, 3)), ("position", 3), ("velocity", 3), ("spin", 3), ("force", 3), ("jacobian", (6, n)), ("origins", (n, 3))]
    constant = {"offset": chain.offset, "turn": chain.turn, "lower": chain.lower, "upper": chain.upper, "limit": torque_limit}
    fixed = [(name, value.shape) for name, value in constant.items()]
    numbers = [(name, float, shape) for name, shape in (*state[0], *state[1], *commands, *hand, *fixed, ("period", ()))]
    plant = np.rec.array(np.zeros(1, [*numbers, ("step", np.int64), ("context", np.int64)]))[0]
    for name, value in constant.items():
        plant[name][:] = value
    plant.deadline, plant.period = np.inf, period
    return plant


class Arm(Protocol):
    """A torque-controlled arm of n joints with a two-finger gripper.

    Attributes:
        chain: its kinematics, from the base to the grip point (approach = z, finger opening = x).
        ready: joint angles at which every program starts and ends, `[n]` [rad].
        postures: starting points of the inverse kinematics that between them find its branches, [N, n].
        folding: how shoulder and elbow turn to draw the hand back when taken off the joint angles, [2, n].
        torque_limit: `[n]` [N m].
        period: time that one `plant.step` takes [s].
        finger_limit: half of the widest opening [m].
        plant: see `new_plant`; its state is that of the last `reset` or step.
    """

    chain: SerialChain
    ready: np.ndarray
    postures: np.ndarray
    folding: np.ndarray
    torque_limit: np.ndarray
    period: float
    finger_limit: float
    plant: np.record

    def reset(self) -> None:
        """Forget everything that an earlier program left in the controller and bring `plant` up to date; moves nothing."""

    def load_offset(self) -> np.ndarray:
        """Where the vertical force on the hand acts, seen from the grip point: world axes, `[3]` [m], vertical part 0.

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

"""What there is to know of an arm and its hand: plain numbers, read without any simulator."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HandSpec:
    """A gripper of robosuite's with one motor a finger; names are robosuite's, less its prefix.

    Attributes:
        gripper: robosuite's name.
        closed: where the joint of either motor is with the pads together [m or rad].
        opening: how far its finger is from the middle [m] when that joint is u from `closed`: a u + b u^2, a and b for either.
        limit: how far from the middle the fingers open [m].
        fingers: the collision geoms of either finger that hold a thing.
        ahead: how far ahead of robosuite's grip site the grip point is [m]: the fingertips end about 9 mm ahead of that.
        coupled: joints that follow a motor's: their name, the motor's and the ratio; what robosuite says of tendons is left out then.
        squeeze: the motors' largest force [N or N m], None for robosuite's.
        armature, damping: of the hand's joints, None for robosuite's.
        friction: of the fingers, with that of a turn about the line between them, None for robosuite's.
    """

    gripper: str
    closed: tuple[float, float]
    opening: tuple[tuple[float, float], tuple[float, float]]
    limit: float
    fingers: tuple[tuple[str, ...], tuple[str, ...]]
    ahead: float = 0.0
    coupled: tuple[tuple[str, str, float], ...] = ()
    squeeze: float | None = None
    armature: float | None = None
    damping: float | None = None
    friction: tuple[float, float, float] | None = None

    def half_widths(self, joints: np.ndarray) -> np.ndarray:
        """How far either finger is from the middle [m] with the motors' joints at `joints` [2]."""
        a, b = np.array(self.opening).T
        u = joints - np.array(self.closed)
        return a * u + b * u * u

    def joints(self, half_width: float) -> np.ndarray:
        """Where the motors' joints are with both fingers `half_width` [m] from the middle, [2]."""
        a, b = np.array(self.opening).T
        # The root near `closed`, in the form that does not divide by b.
        return np.array(self.closed) + 2 * half_width / (a + np.copysign(np.sqrt(a * a + 4 * b * half_width), a))


@dataclass(frozen=True)
class ArmSpec:
    """An arm of robosuite's with its hand; hashable, as models are kept by it.

    Attributes:
        robot: robosuite's name.
        hand: what it carries.
        base: where its base stands, in the frame in which the Panda's is the origin, `[3]` [m].
        ready: joint angles at which every program starts and ends, `[n]` [rad]: the hand about 0.38 m ahead and 0.64 m up, pointing down.
        folding: how shoulder and elbow turn to draw the hand back, each [n], one entry 1 or -1.
        postures: starting points of the inverse kinematics, [N, n]; none for many around `ready`.
        armature: of each joint's motor [kg m2]; robosuite's default of 5/(i+1) makes the hand feel like tens of kilograms and ruins force
            control, and what is held bends an arm that is too light.
    """

    robot: str
    hand: HandSpec
    base: tuple[float, float, float]
    ready: tuple[float, ...]
    folding: tuple[tuple[float, ...], tuple[float, ...]]
    postures: tuple[tuple[float, ...], ...] = ()
    armature: float = 0.2

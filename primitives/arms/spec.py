"""What there is to know of an arm and its hand: plain numbers, read without any simulator."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HandSpec:
    """A gripper of robosuite's with one motor a finger; names are robosuite's, less its prefix.

    Attributes:
        gripper: robosuite's name.
        closed, opened: where the joint of either motor is with the pads together, and with each `limit` from the middle [m or rad].
        limit: how far from the middle the fingers open [m].
        fingers: the collision geoms of either finger that hold a thing.
        ahead: how far ahead of robosuite's grip site the grip point is [m]: the fingertips end 9 mm ahead of it.
        coupled: joints that follow a motor's: their name, the motor's and the ratio; what robosuite says of tendons is left out then.
        squeeze: the motors' largest force [N or N m], None for robosuite's.
        armature, damping: of the hand's joints, None for robosuite's.
        friction: of the pads, None for robosuite's.
    """

    gripper: str
    closed: tuple[float, float]
    opened: tuple[float, float]
    limit: float
    fingers: tuple[tuple[str, ...], tuple[str, ...]]
    ahead: float = 0.0
    coupled: tuple[tuple[str, str, float], ...] = ()
    squeeze: float | None = None
    armature: float | None = None
    damping: float | None = None
    friction: tuple[float, float, float] | None = None

    @property
    def slopes(self) -> np.ndarray:
        """How far either motor's joint turns or slides for each metre that its finger opens, [2]."""
        return (np.array(self.opened) - np.array(self.closed)) / self.limit


@dataclass(frozen=True)
class ArmSpec:
    """An arm of robosuite's with its hand.

    Attributes:
        robot: robosuite's name.
        hand: what it carries.
        base: where its base stands, in the frame in which the Panda's is the origin, [3] [m].
        ready: joint angles at which every program starts and ends, [n] [rad]: the hand about 0.38 m ahead and 0.64 m up, pointing down.
        folding: how shoulder and elbow turn to draw the hand back, each [n], one entry 1 or -1.
        postures: starting points of the inverse kinematics, [N, n]; none for many around `ready`.
    """

    robot: str
    hand: HandSpec
    base: tuple[float, float, float]
    ready: tuple[float, ...]
    folding: tuple[tuple[float, ...], tuple[float, ...]]
    postures: Sequence[Sequence[float]] = ()

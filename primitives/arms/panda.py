"""Franka's Panda with its own hand."""

from itertools import product

import numpy as np

from hiermap.primitives.arms.spec import ArmSpec, HandSpec

READY = (0.0, -0.95, 0.0, -2.45, 0.0, 2.4, 0.785)


def _postures() -> tuple[tuple[float, ...], ...]:
    """Starting points that between them find the arm's branches."""
    rows = [[*READY], [0, np.pi / 16, 0, -2.62, 0, np.pi - 0.2, np.pi / 4]]
    for wrist, side in product((0.8, 1.57, 2.4, 2.8), (-1.0, 1.0)):
        rows.append([*READY[:2], -0.3 * side, READY[3], side * wrist, 1.8, READY[6]])
    return tuple(tuple(row) for row in [*rows, *([*row[:6], last] for last in (-1.2, 2.4) for row in rows)])


PANDA = ArmSpec(
    robot="Panda",
    hand=HandSpec(
        gripper="PandaGripper",
        closed=(0.0, 0.0),
        opening=((1.0, 0.0), (-1.0, 0.0)),
        limit=0.04,
        fingers=(("finger1_collision", "finger1_pad_collision"), ("finger2_collision", "finger2_pad_collision")),
    ),
    base=(0.0, 0.0, 0.0),
    ready=READY,
    folding=((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
    postures=_postures(),
)

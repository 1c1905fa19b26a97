"""Cameras of a wide kitchen, about the arm's shoulders, drawn from the kitchen's seed."""

import numpy as np

from hiermap.worlds.perception.cameras import CameraSpec
from hiermap.worlds.wide.options import DRAWN, WideOptions

BESIDE_M, BEFORE_M, HEIGHT_M = (0.30, 0.75), (-0.30, 0.10), (0.95, 1.35)
"""How far a camera stands beside the arm's base, before it and over it; every other one stands on the other side."""
LOOKS_AT_M, ASTRAY_M = (0.70, 0.0, 0.25), 0.06
"""A point in the kitchen that all look at, and how far beside it each may."""
FOVY_RAD = (0.82, 0.95)


def wide_cameras(seed: int, drawn: WideOptions = DRAWN) -> tuple[CameraSpec, ...]:
    """The calibrated cameras of a wide kitchen's seed."""
    rng = np.random.default_rng([seed, 0xCA])
    first = float(rng.choice([-1.0, 1.0]))
    return tuple(_camera(rng, first * (-1) ** number) for number in range(int(rng.integers(drawn.cameras[0], drawn.cameras[1] + 1))))


def _camera(rng: np.random.Generator, side: float) -> CameraSpec:
    x, y, z = (float(rng.uniform(*bounds)) for bounds in (BEFORE_M, BESIDE_M, HEIGHT_M))
    towards = np.add(LOOKS_AT_M, rng.uniform(-ASTRAY_M, ASTRAY_M, 3)) + np.array([0.0, 0.2 * side * y, 0.0])
    target = (float(towards[0]), float(towards[1]), float(towards[2]))
    return CameraSpec((x, side * y, z), target, float(rng.uniform(*FOVY_RAD)))

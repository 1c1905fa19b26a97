"""The units of a wide kitchen: each draws its own sizes and builds itself into a column, from one height to another."""

from collections.abc import Callable, Mapping

import mujoco
import numpy as np

from hiermap.worlds.wide.carpentry import BOARD_M, HINGE, PART, SLIDE, Paint, bar, board, box_of_boards, moving

GAP_M = 0.004
"""Between a front and its neighbours."""
BAR_RADIUS_M, STAND_OFF_M = (0.005, 0.008), (0.035, 0.055)
"""Of bars, and how far their axes are before the front."""
KNOB_RADIUS_M = (0.015, 0.024)
MARK_RGBA = (0.97, 0.97, 0.93, 1.0)

Unit = Callable[[mujoco.MjsBody, str, float, float, float, float, float, Paint, np.random.Generator], None]
"""Builds into a body under a name: width, lowest and highest z, x of the front, depth [m], colours, and a generator to draw from."""


def drawer(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A drawer on runners, with a bar across."""
    travel, half, height = float(rng.uniform(0.17, 0.24)), width / 2 - GAP_M, (high - low) / 2 - GAP_M
    part = moving(body, name, (front, 0.0, (low + high) / 2), SLIDE, (-1.0, 0.0, 0.0), travel, 8.0, 3.0)
    board(part, (BOARD_M, 0.0, 0.0), (BOARD_M, half, height), paint.front, contact=PART)
    inner, tray_depth = half - 0.008, depth / 2 - 0.03
    middle, floor = 2 * BOARD_M + tray_depth, -height + 0.012
    board(part, (middle, 0.0, floor), (tray_depth, inner, 0.008), paint.tray, contact=PART)
    for side in (-1, 1):
        board(part, (middle, side * (inner - 0.004), floor + 0.03), (tray_depth, 0.004, 0.038), paint.tray, contact=PART)
    board(part, (middle + tray_depth, 0.0, floor + 0.03), (0.004, inner, 0.038), paint.tray, contact=PART)
    _bar(part, rng, min(0.05, 0.3 * half), 0.0, upright=False)


def door(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A cupboard with a door that is hinged left or right, its upright bar at the free edge."""
    box_of_boards(body, width, low, high, front, depth, paint)
    side, half, height = float(rng.choice([-1.0, 1.0])), width / 2 - GAP_M, (high - low) / 2 - GAP_M
    at = (front, side * half, (low + high) / 2)
    part = moving(body, name, at, HINGE, (0.0, 0.0, -side), float(rng.uniform(1.25, 1.5)), 0.5, 0.4)
    board(part, (-BOARD_M, -side * half, 0.0), (BOARD_M, half, height), paint.front, contact=PART)
    _bar(part, rng, min(0.045, 0.5 * height), -side * (2 * half - 0.035), upright=True, before=2 * BOARD_M)


def flap(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A cupboard whose door is hinged at its top, with a bar across near its lower edge."""
    box_of_boards(body, width, low, high, front, depth, paint)
    half, height = width / 2 - GAP_M, (high - low) / 2 - GAP_M
    part = moving(body, name, (front, 0.0, high - GAP_M), HINGE, (0.0, 1.0, 0.0), float(rng.uniform(1.1, 1.4)), 0.5, 1.2)
    board(part, (-BOARD_M, 0.0, -height), (BOARD_M, half, height), paint.front, contact=PART)
    _bar(part, rng, min(0.05, 0.3 * half), 0.0, upright=False, before=2 * BOARD_M, lift=-2 * height + 0.035)


def sliding_door(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A cupboard of twice the door's width, the door before its left or right half."""
    box_of_boards(body, width, low, high, front, depth, paint)
    side, half, height = float(rng.choice([-1.0, 1.0])), width / 4, (high - low) / 2 - GAP_M
    at = (front - 2 * BOARD_M, side * half, (low + high) / 2)
    part = moving(body, name, at, SLIDE, (0.0, -side, 0.0), 1.8 * half, 4.0, 1.5)
    board(part, (BOARD_M, 0.0, 0.0), (BOARD_M, half, height), paint.front, contact=PART)
    _bar(part, rng, min(0.045, 0.5 * height), side * 0.5 * half, upright=True)


def knobs(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A panel with one knob, or two if it is wide, that turn on counter-clockwise; a mark shows how far."""
    middle = (low + high) / 2
    board(body, (front + 0.02, 0.0, middle), (0.02, width / 2 - GAP_M, (high - low) / 2 - GAP_M), (0.30, 0.30, 0.33, 1.0))
    count = 1 + int(width > 0.26 and rng.random() < 0.6)
    for index, y in enumerate(np.linspace(-0.25, 0.25, count) * width if count > 1 else [0.0]):
        radius, length = float(rng.uniform(*KNOB_RADIUS_M)), float(rng.uniform(0.032, 0.042))
        called = name if count == 1 else f"{name}_{index + 1}"
        part = moving(body, called, (front, float(y), middle), HINGE, (-1.0, 0.0, 0.0), 1.5708, 0.01, 0.06)
        part.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            fromto=[0, 0, 0, -length, 0, 0],
            size=[radius, 0, 0],
            rgba=[*rng.uniform(0.2, 0.8, 3), 1.0],
            contype=PART[0],
            conaffinity=PART[1],
            friction=[0.6, 0.005, 0.0001],
            density=350.0,
        )
        board(part, (-length, 0.0, 0.5 * radius), (0.001, 0.005, 0.5 * radius), MARK_RGBA, contact=(0, 0))


def shelf(body, name, width, low, high, front, depth, paint, rng) -> None:
    """A board on which things can be put, a hand's breadth above what is below it."""
    board(body, (front + depth / 2, 0.0, low + 0.03), (depth / 2, width / 2 - GAP_M, 0.03), paint.carcass, name=name)


LOWER: Mapping[str, Unit] = {"drawer": drawer}
UPPER: Mapping[str, Unit] = {"door": door, "sliding_door": sliding_door, "knobs": knobs, "shelf": shelf}
UNSEEN: Mapping[str, Unit] = {"flap": flap}
"""Kinds by where they go; those of `UNSEEN` only from the first test seed on: nothing is ever trained on them."""


def _bar(part, rng, half: float, y: float, upright: bool, before: float = 0.0, lift: float = 0.0) -> None:
    radius, out = float(rng.uniform(*BAR_RADIUS_M)), float(rng.uniform(*STAND_OFF_M))
    x = -before - out
    ends = ((x, y, lift - half), (x, y, lift + half)) if upright else ((x, y - half, lift), (x, y + half, lift))
    bar(part, *ends, radius, out)

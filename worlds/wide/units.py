"""The units of a wide kitchen: each draws its own sizes and builds itself into a column, from one height to another."""

from collections.abc import Callable, Mapping

import mujoco
import numpy as np

from hiermap.worlds.wide.carpentry import BOARD_M, GAP_M, HINGE, PART, SLIDE, Style, bar, board, box_of_boards, moving
from hiermap.worlds.wide.controls import button, knobs, lever, rocker

Unit = Callable[[mujoco.MjsBody, str, float, float, float, float, float, Style, np.random.Generator], None]
"""Builds into a body under a name: width, lowest and highest z, x of the front, depth [m], style, and a generator to draw from."""


def drawer(body, name, width, low, high, front, depth, style, rng) -> None:
    """A drawer on runners, with a bar across."""
    travel, half, height = float(rng.uniform(0.17, 0.24)), width / 2 - GAP_M, (high - low) / 2 - GAP_M
    part = moving(body, name, (front, 0.0, (low + high) / 2), SLIDE, (-1.0, 0.0, 0.0), travel, 8.0, 3.0)
    board(part, (BOARD_M, 0.0, 0.0), (BOARD_M, half, height), style.front, contact=PART)
    inner, tray_depth = half - 0.008, depth / 2 - 0.03
    middle, floor = 2 * BOARD_M + tray_depth, -height + 0.012
    board(part, (middle, 0.0, floor), (tray_depth, inner, 0.008), style.tray, contact=PART)
    for side in (-1, 1):
        board(part, (middle, side * (inner - 0.004), floor + 0.03), (tray_depth, 0.004, 0.038), style.tray, contact=PART)
    board(part, (middle + tray_depth, 0.0, floor + 0.03), (0.004, inner, 0.038), style.tray, contact=PART)
    _bar(part, style, rng, min(0.05, 0.3 * half), 0.0, upright=False)


def door(body, name, width, low, high, front, depth, style, rng) -> None:
    """A cupboard with a door that is hinged left or right, its upright bar at the free edge."""
    box_of_boards(body, width, low, high, front, depth, style)
    side, half, height = float(rng.choice([-1.0, 1.0])), width / 2 - GAP_M, (high - low) / 2 - GAP_M
    at = (front, side * half, (low + high) / 2)
    part = moving(body, name, at, HINGE, (0.0, 0.0, -side), float(rng.uniform(1.25, 1.5)), 0.5, 0.4)
    board(part, (-BOARD_M, -side * half, 0.0), (BOARD_M, half, height), style.front, contact=PART)
    _bar(part, style, rng, min(0.045, 0.5 * height), -side * (2 * half - 0.035), upright=True, before=2 * BOARD_M)


def flap(body, name, width, low, high, front, depth, style, rng) -> None:
    """A cupboard whose door is hinged at its top, with a bar across near its lower edge."""
    box_of_boards(body, width, low, high, front, depth, style)
    half, height = width / 2 - GAP_M, (high - low) / 2 - GAP_M
    part = moving(body, name, (front, 0.0, high - GAP_M), HINGE, (0.0, 1.0, 0.0), float(rng.uniform(1.1, 1.4)), 0.5, 1.2)
    board(part, (-BOARD_M, 0.0, -height), (BOARD_M, half, height), style.front, contact=PART)
    _bar(part, style, rng, min(0.05, 0.3 * half), 0.0, upright=False, before=2 * BOARD_M, lift=-2 * height + 0.035)


def sliding_door(body, name, width, low, high, front, depth, style, rng) -> None:
    """A cupboard of twice the door's width, the door before its left or right half."""
    box_of_boards(body, width, low, high, front, depth, style)
    side, half, height = float(rng.choice([-1.0, 1.0])), width / 4, (high - low) / 2 - GAP_M
    at = (front - 2 * BOARD_M, side * half, (low + high) / 2)
    part = moving(body, name, at, SLIDE, (0.0, -side, 0.0), 1.8 * half, 4.0, 1.5)
    board(part, (BOARD_M, 0.0, 0.0), (BOARD_M, half, height), style.front, contact=PART)
    _bar(part, style, rng, min(0.045, 0.5 * height), side * 0.5 * half, upright=True)


def shelf(body, name, width, low, high, front, depth, style, rng) -> None:
    """A board on which things can be put, a hand's breadth above what is below it."""
    board(body, (front + depth / 2, 0.0, low + 0.03), (depth / 2, width / 2 - GAP_M, 0.03), style.carcass, name=name)


LOWER: Mapping[str, Unit] = {"drawer": drawer, "door": door}
UPPER: Mapping[str, Unit] = {"door": door, "sliding_door": sliding_door, "knobs": knobs, "button": button, "lever": lever, "shelf": shelf}
UNSEEN: Mapping[str, Unit] = {"flap": flap, "rocker": rocker}
"""Kinds by where they go; those of `UNSEEN` only from the first test seed on: nothing is ever trained on them."""
SURFACES = frozenset({"shelf"})
"""Kinds that nothing moves of."""
OVERHEAD: Mapping[str, Unit] = {kind: unit for kind, unit in UPPER.items() if kind not in SURFACES}
"""What may hang over a counter."""


def _bar(part, style, rng, half: float, y: float, upright: bool, before: float = 0.0, lift: float = 0.0) -> None:
    radius, out = float(rng.uniform(*style.drawn.bar_radius_m)), float(rng.uniform(*style.drawn.stand_off_m))
    x = -before - out
    ends = ((x, y, lift - half), (x, y, lift + half)) if upright else ((x, y - half, lift), (x, y + half, lift))
    bar(part, *ends, radius, out)

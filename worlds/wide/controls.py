"""What is switched: knobs, buttons, levers and rockers, each on a panel that stands on the counter, and buttons on boxes."""

import numpy as np

from hiermap.worlds.wide.carpentry import CAPSULE, CYLINDER, GAP_M, HINGE, METAL, PART, RGBA, SLIDE, board, moving, shape

PANEL_RGBA: RGBA = (0.30, 0.30, 0.33, 1.0)
MARK_RGBA: RGBA = (0.97, 0.97, 0.93, 1.0)
PANEL_M = 0.02
"""Half the thickness of a panel."""
KNOB_LENGTH_M, BUTTON_TRAVEL_M = (0.032, 0.042), (0.013, 0.018)
CAP_M = (0.006, 0.016)
"""How thick the cap of a button on a stem is."""
LEVER_M, LEVER_RADIUS_M, LEVER_RAD = (0.050, 0.068), (0.005, 0.009), (0.25, 0.35)
"""How far a lever stands off its panel, how thick it is, and how far aside it leans at either end."""
STRIPE_M, DOT_M = 0.018, 0.008
"""Half of a stripe at least, and half a dot: what a view of 8 mm a cell still tells."""
LEVER_DOT_M = 0.034
"""How far from a lever's foot its dot is."""
ROCKER_HALF_M, ROCKER_RAD = (0.030, 0.045), (0.18, 0.26)
APART = 0.25
"""Two on one panel are so far from its middle, as a share of its width."""
ROOMY_M, TWO_M = 0.26, 0.15
"""Two stand on a panel, and on a box, that is wider."""


def knobs(body, name, width, low, high, front, depth, style, rng) -> None:
    """Knobs whose stripe stands upright while they are off; a dot on the panel shows to which side it turns."""
    for called, y, middle in _places(body, name, width, low, high, front, rng):
        radius, length = float(rng.uniform(*style.drawn.knob_radius_m)), float(rng.uniform(*KNOB_LENGTH_M))
        side = float(rng.choice([-1.0, 1.0]))
        part = moving(body, called, (front, y, middle), HINGE, (-side, 0.0, 0.0), 1.5708, 0.01, 0.06)
        shape(part, CYLINDER, (0, 0, 0, -length, 0, 0), radius, _colour(rng))
        stripe = max(radius, STRIPE_M)
        board(part, (-length, 0.0, 0.0), (0.001, 0.0065, stripe), MARK_RGBA, contact=(0, 0))
        _dot(body, front, y + side * (stripe + 0.016), middle)


def button(body, name, width, low, high, front, depth, style, rng) -> None:
    """Buttons that are pushed in and stay there."""
    for called, y, middle in _places(body, name, width, low, high, front, rng):
        radius, travel = float(rng.uniform(*style.drawn.button_radius_m)), float(rng.uniform(*BUTTON_TRAVEL_M))
        part = moving(body, called, (front, y, middle), SLIDE, (1.0, 0.0, 0.0), travel, 8.0, 3.0)
        shape(part, CYLINDER, (0, 0, 0, -travel - float(rng.uniform(0.006, 0.014)), 0, 0), radius, _colour(rng))


def top_button(body, name, width, low, high, front, depth, style, rng) -> None:
    """Buttons on the top of a low box, that are pushed down and stay there; every other one is a cap on a stem."""
    rgba = PANEL_RGBA if rng.random() < 0.5 else _colour(rng)
    board(body, (front + depth / 2, 0.0, (low + high) / 2), (depth / 2, width / 2, (high - low) / 2), rgba)
    for called, y in _two(name, width) if width > TWO_M else ((name, 0.0),):
        radius, travel = float(rng.uniform(*style.drawn.button_radius_m)), float(rng.uniform(*BUTTON_TRAVEL_M))
        part = moving(body, called, (front + depth / 2, y, high), SLIDE, (0.0, 0.0, -1.0), travel, 8.0, 3.0)
        part.gravcomp = 1.0  # dry friction gives way to a lasting load, however small
        colour, top = _colour(rng), travel + float(rng.uniform(0.006, 0.014))
        if rng.random() < 0.5:
            shape(part, CYLINDER, (0, 0, 0, 0, 0, top), 0.5 * radius, METAL)
            shape(part, CYLINDER, (0, 0, top, 0, 0, top + float(rng.uniform(*CAP_M))), radius, colour)
        else:
            shape(part, CYLINDER, (0, 0, 0, 0, 0, top), radius, colour)


def lever(body, name, width, low, high, front, depth, style, rng) -> None:
    """Levers that stand off their panel and go from one side to the other; a dot on the panel shows to which they are on."""
    for called, y, middle in _places(body, name, width, low, high, front, rng):
        length, lean, side = float(rng.uniform(*LEVER_M)), float(rng.uniform(*LEVER_RAD)), float(rng.choice([-1.0, 1.0]))
        part = moving(body, called, (front, y, middle), HINGE, (0.0, 0.0, -side), 2 * lean, 0.02, 0.03)
        tip = (-length * float(np.cos(lean)), -side * length * float(np.sin(lean)), 0.0)
        shape(part, CAPSULE, (0, 0, 0, *tip), float(rng.uniform(*LEVER_RADIUS_M)), _colour(rng))
        _dot(body, front, y + side * LEVER_DOT_M, middle)


def rocker(body, name, width, low, high, front, depth, style, rng) -> None:
    """Switches of which one half stands out and goes in when pushed, the other then out; a dot tells which half is in while they are on."""
    for called, y, middle in _places(body, name, width, low, high, front, rng):
        half, lean, side = float(rng.uniform(*ROCKER_HALF_M)), float(rng.uniform(*ROCKER_RAD)), float(rng.choice([-1.0, 1.0]))
        out = half * float(np.sin(lean)) + 0.004
        part = moving(body, called, (front - out, y, middle), HINGE, (0.0, side, 0.0), 2 * lean, 0.02, 0.08)
        tilt = (float(np.cos(lean / 2)), 0.0, -side * float(np.sin(lean / 2)), 0.0)
        board(part, (0.0, 0.0, 0.0), (0.004, float(rng.uniform(0.016, 0.028)), half), _colour(rng), contact=PART, turn=tilt)
        _dot(body, front, y, middle + side * (half + 0.014))


def _dot(body, front, y, z) -> None:
    """A mark on a panel that tells which way is on."""
    board(body, (front, y, z), (0.001, DOT_M, DOT_M), MARK_RGBA, contact=(0, 0))


def _places(body, name, width, low, high, front, rng):
    """The name, y and z of one control on a new panel, or of two if it is wide."""
    middle = (low + high) / 2
    board(body, (front + PANEL_M, 0.0, middle), (PANEL_M, width / 2 - GAP_M, (high - low) / 2 - GAP_M), PANEL_RGBA)
    if width > ROOMY_M and rng.random() < 0.6:
        yield from ((called, y, middle) for called, y in _two(name, width))
    else:
        yield name, 0.0, middle


def _two(name, width):
    """The names and y of two controls beside each other."""
    return ((f"{name}_{number}", side * APART * width) for number, side in ((1, -1), (2, 1)))


def _colour(rng) -> RGBA:
    red, green, blue = (float(value) for value in rng.uniform(0.2, 0.85, 3))
    return red, green, blue, 1.0

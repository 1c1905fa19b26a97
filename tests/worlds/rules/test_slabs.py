"""Slabs, sweeps and clearances with exact numbers."""

import numpy as np
import pytest

from hiermap.worlds.rules.moves import fixture_space
from hiermap.worlds.rules.slabs import NOMINAL, cylinder_overlaps, front_hand, outward, overlaps, part_slabs, slab
from tests.worlds.rules.small_kitchen import BACK, FRONT, small_kitchen

SPEC = small_kitchen()
UNIT = slab(np.zeros(2), np.array([1.0, 0.0]), 0.5, 0.5, 0.0, 1.0)


@pytest.mark.parametrize(("x", "gap", "expected"), [(0.99, 0.0, True), (1.01, 0.0, False), (1.01, 0.02, True), (0.99, -0.02, False)])
def test_two_unit_squares_overlap_up_to_their_common_side(x, gap, expected):
    other = slab(np.array([x, 0.0]), np.array([1.0, 0.0]), 0.5, 0.5, 0.0, 1.0)
    assert overlaps(UNIT, other, gap)[0, 0] == expected and overlaps(other, UNIT, gap)[0, 0] == expected


def test_a_square_on_its_corner_reaches_further():
    turned = slab(np.array([1.2, 0.0]), np.array([1.0, 1.0]), 0.5, 0.5, 0.0, 1.0)
    assert overlaps(UNIT, turned, 0.0)[0, 0]
    turned[0, 0] = 1.21
    assert not overlaps(UNIT, turned, 0.0)[0, 0]


def test_things_above_each_other_do_not_overlap():
    above = UNIT + np.array([0, 0, 0, 0, 0, 0, 1.0, 1.0])
    assert not overlaps(UNIT, above, 0.0)[0, 0] and overlaps(UNIT, above, 0.01)[0, 0]


@pytest.mark.parametrize(("x", "y", "expected"), [(0.69, 0.0, True), (0.71, 0.0, False), (0.63, 0.63, True), (0.65, 0.65, False)])
def test_a_cylinder_is_round_at_corners(x, y, expected):
    assert cylinder_overlaps(UNIT, np.array([[x, y, 0.2, 0.2, 0.4]]), 0.0)[0, 0] == expected


def test_an_open_drawer_fills_its_travel_before_the_front():
    body = part_slabs(SPEC.fixture("top"), 1.0)[0]
    assert body[0] - body[4] == pytest.approx(FRONT - 0.22) and body[0] + body[4] == pytest.approx(FRONT - 0.22 + 0.25)
    assert body[5] == pytest.approx(0.15)


def test_an_open_door_stands_out_from_its_hinge_and_faces_outwards():
    cabinet = SPEC.fixture("cabinet")
    body = part_slabs(cabinet, 1.0)[0]
    tip = np.array([BACK - 0.25 * np.sin(1.25), 0.42 - 0.25 * np.cos(1.25)])
    assert np.hypot(*(body[:2] - (tip + np.array([BACK, 0.42])) / 2)) < 0.01
    assert outward(cabinet, 1.0) == pytest.approx([-np.cos(1.25), np.sin(1.25), 0.0])


def test_a_sweep_covers_the_sector_and_nothing_beyond_the_door_and_its_handle():
    swept, _ = fixture_space(SPEC.fixture("cabinet"), "open", 0, NOMINAL)
    for angle in np.linspace(0.05, 1.2, 12):
        for radius, expected in ((0.23, True), (0.33, False)):
            point = np.array([[BACK - radius * np.sin(angle), 0.42 - radius * np.cos(angle), 0.005, 0.3, 0.4]])
            assert cylinder_overlaps(swept, point, 0.0).any() == expected


def test_knobs_are_never_in_the_way():
    assert part_slabs(SPEC.fixture("knob"), 0.0).shape == (0, 8)


def test_a_hand_turns_no_further_than_the_arm_can():
    hand = front_hand(np.array([0.6, 0.4, 0.4]), np.array([-np.cos(1.3), np.sin(1.3), 0.0]), 0.04, 0.1)[0]
    assert np.arctan2(hand[3], -hand[2]) == pytest.approx(0.9)

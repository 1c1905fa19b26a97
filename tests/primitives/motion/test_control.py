"""Free paths arrive, contacts yield, nothing survives a program."""

import numpy as np
import pytest

from hiermap.primitives.motion.control import PEAK_JOINT_SPEED, Driver, GivenUp, time_path
from hiermap.primitives.motion.detours import way_out
from hiermap.primitives.motion.guarded import BACK_SHARE, back_off
from hiermap.primitives.motion.laws import impedance, joint_torque


def test_a_timed_path_meets_its_ends_and_rests_there():
    knots = np.array([[0.0, 0.0], [0.5, 0.1], [0.5, 0.9]])
    q, qd, qdd = time_path(knots, 0.008, 1.8)
    np.testing.assert_allclose(q[-1], knots[-1], atol=1e-12)
    assert np.abs(qd[-1]).max() == 0.0
    assert q.shape == qd.shape == qdd.shape


def test_no_joint_of_a_timed_path_is_faster_than_asked():
    knots = np.array([[0.0, 0.0], [1.5, -0.7], [0.2, 0.9]])
    _, qd, _ = time_path(knots, 0.008, PEAK_JOINT_SPEED)
    assert 0.5 * PEAK_JOINT_SPEED < np.abs(qd).max() <= 1.02 * PEAK_JOINT_SPEED


def test_corners_of_a_path_are_rounded_but_near():
    knots = np.array([[0.0, 0.0], [0.6, 0.0], [0.6, 0.6]])
    q, _qd, qdd = time_path(knots, 0.008, 1.0)
    nearest = np.abs(q - knots[1]).max(axis=1).min()
    assert 0.005 < nearest < 0.08
    assert np.abs(qdd).max() < 40.0


def test_a_path_of_no_length_stays_where_it_is():
    q, qd, _ = time_path(np.zeros((3, 2)), 0.008, 1.0)
    assert np.abs(q).max() == 0.0 and np.abs(qd).max() == 0.0


def test_a_saturated_joint_shrinks_the_whole_correction(arm):
    state = arm.plant
    q = state.q + np.array([0, 0, 0, 3.0, 0, 0, 0.5])
    joint_torque(state, q, np.zeros(7), np.zeros(7))
    small = state.torque - state.bias
    state.limit[:] = 1e9
    joint_torque(state, q, np.zeros(7), np.zeros(7))
    free = state.torque - state.bias
    state.limit[:] = arm.torque_limit
    assert (np.abs(small + state.bias) <= arm.torque_limit + 1e-9).all()
    np.testing.assert_allclose(small / np.linalg.norm(small), free / np.linalg.norm(free), atol=1e-9)


def test_a_free_path_arrives_within_a_millimetre(kitchen, arm):
    driver = Driver(arm, 20.0)
    goal = arm.ready + np.array([0.3, -0.2, 0.1, -0.2, 0.2, 0.1, 0.4])
    assert driver.follow(goal[None])
    driver.hold(0.6, goal)
    assert np.linalg.norm(arm.chain.forward(arm.plant.q)[1] - arm.chain.forward(goal)[1]) < 1e-3


def test_an_impedance_holds_its_place_with_little_error(arm):
    driver = Driver(arm, 20.0)
    hand = driver.hand()
    driver.stay(impedance(hand.rotation, hand.position), arm.ready, 0.48)
    assert np.linalg.norm(driver.hand().position - hand.position) < 1e-3


def test_a_force_without_stiffness_moves_the_hand_its_way(arm):
    driver = Driver(arm, 20.0)
    hand = driver.hand()
    pushed = impedance(hand.rotation, hand.position, stiffness=0.0, damping=50.0)
    pushed.force[:] = 0.0, 8.0, 0.0
    driver.stay(pushed, arm.ready, 0.32)
    travelled = driver.hand().position - hand.position
    assert travelled[1] > 0.01 and abs(travelled[0]) < 0.3 * travelled[1]


def test_the_wrist_feels_nothing_at_rest(arm):
    driver = Driver(arm, 20.0)
    driver.hold(0.4)
    assert np.linalg.norm(arm.plant.wrist_force) < 0.2
    np.testing.assert_array_equal(arm.load_offset(), np.zeros(3))


def test_a_phase_stops_before_the_time_for_the_way_home_is_gone(arm):
    driver = Driver(arm, 7.0)
    with pytest.raises(GivenUp, match="timeout"):
        driver.hold(2.0)
    assert driver.elapsed() == pytest.approx(1.0, abs=0.02)


def test_the_way_out_ends_at_ready_and_does_not_reach_beyond_its_start(arm):
    rotation, _position, _ = arm.chain.forward(arm.ready)
    start, reached = arm.chain.solve(arm.ready[None], rotation[None], np.array([[0.55, 0.3, 0.4]]), arm.ready[None])
    assert reached[0]
    path = way_out(arm, start[0], arm.ready, rise=0.1)
    np.testing.assert_array_equal(path[-1], arm.ready)
    hands = np.array([arm.chain.forward(q)[1] for q in path])
    assert hands[:, 0].max() < 0.58 and hands[:, 2].min() > 0.35


FOLDED = np.array([-1.4, -0.05, 1.75, -2.54, -2.32, 2.33, -0.65])
"""Drawn back along its fingers, the hand moves a third of the way and rests: in this posture the arm hardly gives way to a force."""


def test_a_hand_backs_off_all_the_way_also_where_a_force_does_not_draw_it(kitchen, arm):
    driver = Driver(arm, 40.0)
    driver.follow(way_out(arm, driver.joints(), FOLDED), guarded=False)
    driver.hold(0.3, FOLDED)
    hand = driver.hand()
    back_off(driver, -hand.rotation[:, 2], 0.08)
    assert -(driver.hand().position - hand.position) @ hand.rotation[:, 2] > BACK_SHARE * 0.08

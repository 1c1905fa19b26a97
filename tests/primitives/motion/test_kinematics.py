"""Kinematics against MuJoCo's own, and inverse against forward."""

import mujoco
import numpy as np
import pytest

from hiermap.primitives.motion.kinematics import (
    ANGLE_TOLERANCE_RAD,
    JOINT_MARGIN_RAD,
    POSITION_TOLERANCE_M,
    cross,
    hand_rotation,
    rotation_error,
    turned_about,
    unit,
)

SITE = "gripper0_right_grip_site"


@pytest.fixture
def random_joints(arm):
    return np.random.default_rng(1).uniform(arm.chain.lower, arm.chain.upper, (20, 7))


def test_forward_kinematics_and_jacobian_equal_mujocos(kitchen, random_joints):
    model, data = kitchen.model, mujoco.MjData(kitchen.model)
    joints = [model.joint(f"robot0_joint{i}") for i in range(1, 8)]
    linear, angular = np.zeros((3, model.nv)), np.zeros((3, model.nv))
    for q in random_joints:
        data.qpos[[j.qposadr[0] for j in joints]] = q
        mujoco.mj_forward(model, data)
        mujoco.mj_jacSite(model, data, linear, angular, model.site(SITE).id)
        rotation, position, jacobian = kitchen.arm.chain.forward(q)
        np.testing.assert_allclose(position, data.site(SITE).xpos, atol=1e-12)
        np.testing.assert_allclose(rotation, data.site(SITE).xmat.reshape(3, 3), atol=1e-12)
        np.testing.assert_allclose(jacobian, np.vstack([linear, angular])[:, [j.dofadr[0] for j in joints]], atol=1e-12)


def test_the_hand_at_the_ready_pose_is_before_the_robot_and_points_forward_and_down(arm):
    rotation, position, _ = arm.chain.forward(arm.ready)
    np.testing.assert_allclose(position, [0.382, 0.0, 0.636], atol=1e-3)
    np.testing.assert_allclose(rotation[:, 2], [0.783, 0.0, -0.622], atol=2e-3)


def test_a_reached_inverse_solution_has_the_pose_and_keeps_off_the_limits(arm, random_joints):
    poses = [arm.chain.forward(0.8 * q + 0.2 * arm.ready)[:2] for q in random_joints]
    rotations, positions = np.array([p[0] for p in poses]), np.array([p[1] for p in poses])
    start = np.tile(arm.ready, (len(poses), 1))
    solved, reached = arm.chain.solve(start, rotations, positions, start)
    assert reached.mean() > 0.5
    for q, rotation, position in zip(solved[reached], rotations[reached], positions[reached], strict=True):
        R, p, _ = arm.chain.forward(q)
        assert np.linalg.norm(p - position) < POSITION_TOLERANCE_M
        assert np.linalg.norm(rotation_error(rotation, R)) < ANGLE_TOLERANCE_RAD
        assert (q >= arm.chain.lower + JOINT_MARGIN_RAD).all() and (q <= arm.chain.upper - JOINT_MARGIN_RAD).all()


def test_a_pose_out_of_reach_is_not_reached(arm):
    _, reached = arm.chain.solve(arm.ready[None], np.eye(3)[None], np.array([[2.0, 0.0, 0.5]]), arm.ready[None])
    assert not reached[0]


def test_following_a_line_stays_on_the_line(arm):
    rotation, position, _ = arm.chain.forward(arm.ready)
    line = position + np.linspace(0, 1, 5)[:, None] * np.array([0.0, 0.1, -0.1])
    q, reached, condition, sag = arm.chain.follow(arm.ready[None], np.broadcast_to(rotation, (1, 5, 3, 3)), line[None])
    assert reached.all() and (condition > 0.05).all() and (sag == 0).all()
    for row, point in zip(q[0], line, strict=True):
        np.testing.assert_allclose(arm.chain.forward(row)[1], point, atol=POSITION_TOLERANCE_M)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 0.3, -2.0, np.pi])
def test_the_rotation_error_is_the_rotation_vector(angle):
    axis = unit(np.array([1.0, -2.0, 0.5]))
    error = rotation_error(turned_about(axis, angle), np.eye(3))
    expected = angle * axis
    assert min(np.linalg.norm(error - expected), np.linalg.norm(error + expected) if abs(angle) == np.pi else np.inf) < 1e-9


def test_a_hand_rotation_has_the_axes_asked_for():
    R = hand_rotation(np.array([2.0, 0.0, 0.0]), np.array([0.3, 0.0, 1.0]))
    np.testing.assert_allclose(R, [[0, 0, 1], [0, -1, 0], [1, 0, 0]], atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1.0)


def test_the_cross_product_equals_numpys():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([-0.5, 4.0, 0.1])
    np.testing.assert_allclose(cross(a, b), np.cross(a, b), rtol=0, atol=1e-15)


def test_a_direction_without_length_is_an_error_that_shows_it():
    with pytest.raises(ValueError, match=r"needs a length, got \[0\. 0\. 0\.\]"):
        unit(np.zeros(3))

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import RobotBody
from hiermap.worlds.frame import depth_to_points
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.perception.self_filter import HELD_RADIUS_M, MARGIN_M, own_pixels, own_points
from tests.worlds.simulator.box_scene import observe

seeds = st.integers(0, 2**32 - 1)


def random_body(rng, links=4, held=False):
    axes = Rotation.random(links, rng).as_matrix()
    return RobotBody(rng.uniform(-1, 1, (links, 3)), axes, rng.uniform(0.02, 0.3, (links, 3)), rng.uniform(-1, 1, 3) if held else None)


def on_boxes(rng, body, grown_m):
    """One random point on the surface of each link's box, grown by so much."""
    local = rng.uniform(-1, 1, body.half_sizes.shape)
    local[np.arange(len(local)), rng.integers(0, 3, len(local))] = rng.choice([-1, 1], len(local))
    return body.centres_world + np.einsum("nij,nj->ni", body.axes_world, local * (body.half_sizes + grown_m))


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_every_point_of_every_link_and_within_the_margin_is_the_robots(seed):
    rng = np.random.default_rng(seed)
    body = random_body(rng)
    for grown_m in (-0.01, 0.0, MARGIN_M - 1e-4):
        assert own_points(on_boxes(rng, body, grown_m), body).all()


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_a_point_just_outside_the_margin_of_a_lonely_link_is_not_the_robots(seed):
    rng = np.random.default_rng(seed)
    body = random_body(rng, links=1)
    assert not own_points(on_boxes(rng, body, MARGIN_M + 1e-4), body).any()


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_the_mask_does_not_depend_on_the_order_of_points_or_links(seed):
    rng = np.random.default_rng(seed)
    body, points = random_body(rng, held=True), rng.uniform(-1.5, 1.5, (6, 50, 3))
    mask = own_points(points, body)
    assert mask.shape == (6, 50)
    turned = RobotBody(body.centres_world[::-1], body.axes_world[::-1], body.half_sizes[::-1], body.held_world)
    np.testing.assert_array_equal(own_points(points[::-1], turned), mask[::-1])


def test_the_ball_around_the_fingers_is_the_robots_only_while_it_holds_something():
    rng = np.random.default_rng(0)
    body = random_body(rng, links=1, held=True)
    direction = body.held_world - body.centres_world[0]
    points = body.held_world + np.outer([0.0, HELD_RADIUS_M - 1e-6, HELD_RADIUS_M + 1e-6], direction / np.linalg.norm(direction))
    np.testing.assert_array_equal(own_points(points, body), [True, True, False])
    assert not own_points(points, replace(body, held_world=None)).any()


def test_unknown_points_belong_to_nobody():
    body = random_body(np.random.default_rng(1), held=True)
    assert not own_points(np.full((5, 3), np.nan), body).any()


def test_a_camera_marks_exactly_the_pixels_that_show_the_arm():
    observation = observe()
    for view in observation.views:
        points = depth_to_points(view.depth, view.K, view.T_camera_to_world)
        # Nothing else stands within 20 cm of the arm.
        on_arm = (np.abs(points - [0.3, 0.0, 0.6]) < np.array([0.03, 0.03, 0.1]) + 1e-4).all(axis=-1)
        assert on_arm.sum() > 20
        np.testing.assert_array_equal(own_pixels(view, observation.body), on_arm)


def test_without_a_body_only_the_cameras_own_mask_counts():
    observation = observe()
    view = observation.views[0]
    assert not own_pixels(view, None).any()
    mask = np.zeros(view.depth.shape, bool)
    mask[10:20, 30:40] = True
    np.testing.assert_array_equal(own_pixels(replace(view, is_robot=mask), None), mask)
    both = own_pixels(replace(view, is_robot=mask), observation.body)
    np.testing.assert_array_equal(both, mask | own_pixels(view, observation.body))


@pytest.mark.parametrize("body", [True, False])
def test_the_fused_view_holds_the_arm_only_if_nobody_knows_it(body):
    observation = observe()
    view = fuse(observation if body else replace(observation, body=None))
    near_arm = (np.abs(view.points - [0.3, 0.0, 0.6]) < [0.05, 0.05, 0.12]).all(axis=-1) & view.valid
    assert near_arm.any() == (not body)

from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import point_to_pixel
from hiermap.worlds.perception.cameras import CameraSpec, check_marks, check_view, default_cameras, fiducial_error_px
from hiermap.worlds.perception.sensing_options import SensingOptions
from tests.worlds.simulator.box_scene import observe


@pytest.fixture(scope="module")
def view():
    return observe().views[0]


def with_pose(view, change):
    T = view.T_camera_to_world.copy()
    change(T)
    return replace(view, T_camera_to_world=T)


def test_a_camera_sees_its_target_in_the_image_centre_and_higher_points_above_it():
    for camera in default_cameras():
        target = np.array(camera.target_world)
        pixel, depth = point_to_pixel(target, camera.K, camera.T_camera_to_world)
        np.testing.assert_allclose(pixel, [79.5, 59.5], atol=1e-9)
        assert depth == pytest.approx(np.linalg.norm(target - camera.position_world))
        above, _ = point_to_pixel(target + np.array([0, 0, 0.1]), camera.K, camera.T_camera_to_world)
        assert above[1] < 59.5
        to_the_left, _ = point_to_pixel(target + np.array([0, 0.1, 0]), camera.K, camera.T_camera_to_world)
        assert to_the_left[0] < 79.5


def test_the_field_of_view_spans_the_image_from_edge_to_edge():
    camera = default_cameras()[2]
    edge = np.array([79.5, -0.5, 1.0])
    direction = np.linalg.inv(camera.K) @ edge
    assert np.arctan(-direction[1]) == pytest.approx(camera.fovy_rad / 2)


def test_a_camera_cannot_look_straight_down():
    with pytest.raises(ValueError, match="straight"):
        _ = CameraSpec((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 0.8).T_camera_to_world


def test_sound_views_pass(view):
    check_view(view)
    assert fiducial_error_px(view) == pytest.approx(0.0, abs=1e-9)


def test_unknown_depth_as_nan_or_zero_passes(view):
    depth = view.depth.copy()
    depth[:40], depth[40:60] = np.nan, 0
    check_view(replace(view, depth=depth))


def test_a_mirrored_rotation_is_refused(view):
    def mirror(T):
        T[:3, 0] *= -1

    with pytest.raises(InvalidObservationError, match="mirrored"):
        check_view(with_pose(view, mirror))


def test_a_rotation_that_is_not_orthonormal_is_refused(view):
    def scale(T):
        T[:3, :3] *= 1.01

    with pytest.raises(InvalidObservationError, match="not orthonormal"):
        check_view(with_pose(view, scale))


def test_a_transposed_pose_is_refused(view):
    with pytest.raises(InvalidObservationError, match="transpose"):
        check_view(replace(view, T_camera_to_world=view.T_camera_to_world.T))


def resized(view, height, width):
    return replace(view, rgb=np.zeros((height, width, 3), np.uint8), depth=np.ones((height, width), np.float32))


def test_intrinsics_of_another_image_size_are_refused(view):
    with pytest.raises(InvalidObservationError, match=r"320 x 240.*160 x 120"):
        check_view(resized(view, 240, 320))
    with pytest.raises(InvalidObservationError, match="scale K"):
        check_view(resized(view, 60, 80))


@pytest.mark.parametrize("K", [np.eye(4), np.full((3, 3), np.nan), np.diag([-100.0, 100.0, 1.0]), np.ones((3, 3))])
def test_broken_intrinsics_are_refused(view, K):
    with pytest.raises(InvalidObservationError, match="K "):
        check_view(replace(view, K=K))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda d: d * 1000, "millimetres"),
        (lambda d: (d * 1000).astype(np.uint16), "millimetres"),
        (lambda d: -d, "positive"),
        (lambda d: np.where(np.arange(160) == 3, np.float32(-0.5), d), "-0.5"),
        (lambda d: d * np.nan, "NaN"),
        (lambda d: d * 0, "zero"),
        (lambda d: d[:-1], "register"),
    ],
)
def test_depth_that_cannot_be_used_is_refused_by_name(view, damage, words):
    with pytest.raises(InvalidObservationError, match=words):
        check_view(replace(view, depth=damage(np.nan_to_num(view.depth))), "left camera")


def test_colour_that_is_not_uint8_is_refused(view):
    with pytest.raises(InvalidObservationError, match="uint8"):
        check_view(replace(view, rgb=view.rgb / 255))


def test_a_camera_moved_since_its_calibration_is_found_by_its_fiducials():
    moved = observe(SensingOptions(camera_shift_m=0.02), seed=1).views
    assert max(fiducial_error_px(view) for view in moved) > 0.5
    with pytest.raises(InvalidObservationError, match=r"fiducial.*calibrate"):
        for view in moved:
            check_marks(view)


def test_fiducial_noise_below_the_bound_passes_and_is_measured():
    views = observe(SensingOptions(fiducial_noise_px=0.1), seed=2).views
    for view in views:
        assert 0.02 < fiducial_error_px(view) < 0.3
        check_marks(view)


def test_a_camera_without_visible_fiducials_has_no_error_to_report(view):
    assert fiducial_error_px(replace(view, fiducials_world=None)) is None
    assert fiducial_error_px(replace(view, fiducials_pixel=np.full((8, 2), np.nan))) is None

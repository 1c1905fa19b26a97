from dataclasses import replace

import numpy as np
import pytest

from hiermap.worlds.frame import depth_to_points
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.registration import motion, registered, turned
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.kitchen import Kitchen

NOISE = {"depth_noise_m": 0.003, "depth_dropout": 0.02}
BUMP = {"camera_shift_m": 0.005, "camera_turn_rad": 0.0087266}


def unmarked_views(seed, bumped=(), **options):
    """Views without marks of a kitchen in which only the `bumped` cameras were moved, and the true poses."""
    kitchen = Kitchen(seed, SensingOptions(**options))
    true = [
        T if i in bumped else camera.T_camera_to_world
        for i, (T, camera) in enumerate(zip(kitchen.drift.T_camera_to_world, kitchen.sensing.cameras, strict=True))
    ]
    kitchen.drift = replace(kitchen.drift, T_camera_to_world=tuple(true))
    return [replace(view, fiducials_world=None, fiducials_pixel=None) for view in kitchen.observe().views], true


def error_m(view, T, T_true):
    """Mean distances [3] along the world axes of a view's points from where they truly are."""
    seen = np.isfinite(view.depth) & (view.depth < 1.5)
    return np.abs((depth_to_points(view.depth, view.K, T) - depth_to_points(view.depth, view.K, T_true))[seen]).mean(axis=0)


@pytest.mark.parametrize("options", [{}, NOISE], ids=["clean", "noisy"])
@pytest.mark.parametrize("seed", [100000, 100003])
def test_cameras_that_agree_are_left_alone(seed, options):
    views, _ = unmarked_views(seed, **options)
    assert registered(views, [0, 1, 2]) == {}


@pytest.mark.parametrize("options", [{}, NOISE], ids=["clean", "noisy"])
@pytest.mark.parametrize("bumped", [0, 1, 2])
def test_the_one_bumped_camera_is_put_back_in_every_direction_that_faces_tell(bumped, options):
    views, true = unmarked_views(100001, (bumped,), **options, **BUMP)
    found = registered(views, [0, 1, 2])
    assert list(found) == [bumped]
    before = error_m(views[bumped], views[bumped].T_camera_to_world, true[bumped])
    after = error_m(views[bumped], found[bumped], true[bumped])
    assert after[[0, 2]].max() < 0.002
    assert after[[0, 2]].sum() < 0.5 * before[[0, 2]].sum()


def test_a_camera_with_marks_is_the_others_reference():
    views, _ = unmarked_views(100001, (0, 1), **BUMP)
    assert set(registered(views, [1])) == {1}


def test_what_was_registered_is_noted():
    views, _ = unmarked_views(100001, (1,), **BUMP)
    fitted, notes = calibrated(views)
    assert len(notes) == 1
    assert notes[0].startswith("camera 1 registered to the others: moved ")
    assert fitted[0] is views[0]
    assert fitted[1] is not views[1]


def test_a_single_camera_and_cameras_that_see_nothing_in_common_stay():
    views, _ = unmarked_views(100001, (1,), **BUMP)
    assert registered(views[:1], [0]) == {}
    away = views[0].T_camera_to_world.copy()
    away[:3, 3] += 10.0
    assert registered([replace(views[0], T_camera_to_world=away), views[1]], [0, 1]) == {}


def test_a_camera_too_far_off_is_not_dragged_to_the_nearest_fit():
    views, _ = unmarked_views(100001, (2,), camera_shift_m=0.2, camera_turn_rad=0.3)
    for index, T in registered(views, [2]).items():
        shift_m, turn_rad = motion(views[index].T_camera_to_world, T)
        assert shift_m < 0.05
        assert turn_rad < 0.06


def test_a_pose_turned_about_a_point_keeps_that_points_place():
    T = np.eye(4)
    T[:3, 3] = 1.0, 2.0, 3.0
    centre = np.array([0.5, 0.0, 0.2])
    moved = turned(T, np.array([0.3, -0.2, 0.1, 0.0, 0.0, 0.0]), centre)
    np.testing.assert_allclose(moved[:3, :3] @ (centre - T[:3, 3]) + moved[:3, 3], centre, atol=1e-12)
    assert motion(T, moved)[1] == pytest.approx(np.linalg.norm([0.3, -0.2, 0.1]))
    np.testing.assert_array_equal(turned(T, np.zeros(6), centre), T)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import depth_to_points
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import check_marks
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.perception.registration import motion
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.sensors import draw_drift
from tests.worlds.simulator.box_scene import observe

MOVED = SensingOptions(camera_shift_m=0.005, camera_turn_rad=0.0087266)
seeds = st.integers(0, 2**16)


def true_poses(options, seed):
    return draw_drift(options, np.random.default_rng(seed)).T_camera_to_world


def point_error_m(view, T_true):
    """Root mean square distance of a view's points from where they truly are."""
    seen = np.isfinite(view.depth) & (view.depth < 1.5)
    error = (depth_to_points(view.depth, view.K, view.T_camera_to_world) - depth_to_points(view.depth, view.K, T_true))[seen]
    return np.sqrt((error**2).sum(axis=-1).mean())


def with_pixels(view, change):
    pixels = view.fiducials_pixel.copy()
    change(pixels)
    return replace(view, fiducials_pixel=pixels)


def shift_mark(index, by=(7.0, -4.0)):
    def change(pixels):
        pixels[index] += by

    return change


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_marks_without_noise_give_a_moved_cameras_pose_exactly(seed):
    fitted, notes = calibrated(observe(MOVED, seed).views)
    for view, T in zip(fitted, true_poses(MOVED, seed), strict=True):
        shift_m, turn_rad = motion(view.T_camera_to_world, T)
        assert shift_m < 1e-4
        assert turn_rad < np.deg2rad(0.01)
    assert notes == tuple(f"camera {i} recalibrated from 8 marks: moved 5.0 mm, turned 0.50 degrees" for i in range(3))


@pytest.mark.parametrize("seed", range(6))
def test_marks_found_to_a_fifth_of_a_pixel_put_points_back_to_within_three_millimetres(seed):
    options = replace(MOVED, fiducial_noise_px=0.2)
    observation, clean = observe(options, seed), fuse(observe())
    fitted, _ = calibrated(observation.views)
    errors = [point_error_m(view, T) for view, T in zip(fitted, true_poses(options, seed), strict=True)]
    assert np.median(errors) < 0.005
    view = fuse(observation)
    assert np.median(np.abs(view.depth - clean.depth)[view.valid & clean.valid]) < 0.003


def test_cameras_that_agree_stay_bit_for_bit_the_same_objects():
    for views in (observe().views, tuple(replace(view, fiducials_world=None) for view in observe().views)):
        fitted, notes = calibrated(views)
        assert notes == ()
        assert all(after is before for before, after in zip(views, fitted, strict=True))


@pytest.mark.parametrize("options", [MOVED, SensingOptions()], ids=["moved", "unmoved"])
@pytest.mark.parametrize("mark", [0, 5])
def test_one_wrong_mark_is_left_out(options, mark):
    views = [with_pixels(view, shift_mark(mark)) for view in observe(options, 3).views]
    fitted, notes = calibrated(views)
    for view, T in zip(fitted, true_poses(options, 3), strict=True):
        assert motion(view.T_camera_to_world, T)[0] < 1e-4
        assert np.isnan(view.fiducials_pixel[mark]).all()
    assert all("from 7 marks" in note for note in notes)
    assert len(notes) == 3


def test_marks_that_contradict_each_other_are_refused_with_their_distance():
    def scatter(pixels):
        pixels += np.random.default_rng(0).normal(0, 4, pixels.shape)

    views = list(observe(MOVED).views)
    views[1] = with_pixels(views[1], scatter)
    with pytest.raises(InvalidObservationError, match=r"camera 1.* px .*allowed 0\.5 px"):
        calibrated(views)


def test_a_single_wrong_mark_among_four_cannot_be_told_and_is_refused():
    def hide_all_but_four(pixels):
        pixels[4:] = np.nan

    view = with_pixels(with_pixels(observe().views[0], hide_all_but_four), shift_mark(1, (30.0, -20.0)))
    with pytest.raises(InvalidObservationError, match="calibrate"):
        calibrated([view])


def test_four_marks_are_enough():
    def hide_half(pixels):
        pixels[[1, 3, 4, 6]] = np.nan

    views = [with_pixels(view, hide_half) for view in observe(MOVED, 2).views]
    fitted, notes = calibrated(views)
    assert all("from 4 marks" in note for note in notes)
    for view, T in zip(fitted, true_poses(MOVED, 2), strict=True):
        assert motion(view.T_camera_to_world, T)[0] < 1e-4


def test_fewer_than_four_marks_that_do_not_fit_are_refused():
    def hide_five(pixels):
        pixels[:5] = np.nan

    view = with_pixels(with_pixels(observe().views[0], hide_five), shift_mark(6))
    with pytest.raises(InvalidObservationError, match="fiducial"):
        calibrated([view])


def test_a_moved_camera_no_longer_stops_fusion_and_is_noted():
    options = replace(MOVED, camera_shift_m=0.02)
    with pytest.raises(InvalidObservationError):
        for view in observe(options).views:
            check_marks(view)
    view, clean = fuse(observe(options)), fuse(observe())
    assert [note[:21] for note in view.notes] == [f"camera {i} recalibrated" for i in range(3)]
    assert clean.notes == ()
    error = np.abs(view.depth - clean.depth)[view.valid & clean.valid]
    assert np.median(error) < 0.0015
    assert (error < 0.01).mean() > 0.95


def test_recalibration_comes_before_the_self_filter():
    moved = replace(MOVED, camera_shift_m=0.08, camera_turn_rad=0.05)
    view = fuse(observe(moved, seed=1))
    assert view.points[view.valid][:, 0].min() > 0.5


def test_fusing_a_noisy_moved_set_twice_gives_the_same_bits_and_notes():
    options = replace(MOVED, depth_noise_m=0.003, depth_dropout=0.02, fiducial_noise_px=0.2)
    first, second = fuse(observe(options, 4)), fuse(observe(options, 4))
    np.testing.assert_array_equal(first.depth, second.depth)
    assert first.notes == second.notes

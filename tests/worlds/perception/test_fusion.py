from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import GripperState, Observation
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import CHANNELS, depth_to_tenth_mm, fuse, view_from_arrays
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.segmentation import parallel_hits
from tests.worlds.simulator.box_scene import BARS, COUNTER_Z, LOWER_X, UPPER_X, build, observe


@pytest.fixture(scope="module")
def view():
    return fuse(observe())


@pytest.fixture(scope="module")
def truth():
    model, data = build()
    return parallel_hits(model, data, SpatialFrame(), [model.geom("arm").id], subcells=1)


def test_three_cameras_see_nearly_every_cell_and_see_it_right(view, truth):
    _, depth = truth
    assert view.valid.mean() > 0.99
    error = np.abs(view.depth - depth)[view.valid & np.isfinite(depth)]
    assert (error < 0.015).mean() > 0.97
    assert np.median(error) < 0.004


def test_the_robot_is_not_in_the_view(view):
    assert view.points[view.valid][:, 0].min() > 0.5


def test_thin_bars_show_up_with_the_depth_of_the_bar_itself(view, truth):
    model, _ = build()
    geom, depth = truth
    for name in BARS:
        cells = np.argwhere(geom == model.geom(name).id)
        right = [abs(view.depth[r, c] - depth[r, c]) < 0.01 for r, c in cells]
        assert len(cells) >= 8
        assert np.mean(right) >= 0.85


def test_no_cell_mixes_a_bar_with_the_face_behind_it(view):
    x, y, z = np.moveaxis(view.points, -1, 0)
    before_lower = view.valid & (np.abs(y) < 0.48) & (z < COUNTER_Z - 0.03) & (z > -0.2)
    # A cell is 1 cm high and seen at 40 degrees, so a face's points lie within 8 mm of it; bars end at 30 mm before it.
    offset = LOWER_X - x[before_lower]
    assert not ((offset > 0.01) & (offset < 0.02)).any()


def test_points_and_normals_name_the_faces(view):
    frame = SpatialFrame()
    for point, normal in (
        ([LOWER_X, 0.0, 0.1], [-1, 0, 0]),
        ([UPPER_X, 0.2, 0.45], [-1, 0, 0]),
        ([0.69, -0.2, COUNTER_Z], [0, 0, 1]),
    ):
        cell, _ = frame.point_to_cell(np.array(point))
        np.testing.assert_allclose(view.point(tuple(cell)), point, atol=0.01)
        np.testing.assert_allclose(view.normal(tuple(cell)), normal, atol=0.02)
        np.testing.assert_allclose(view.normals[tuple(cell)], normal, atol=0.05)


def test_a_handle_has_the_normal_of_the_face_behind_it(view):
    cell, _ = SpatialFrame().point_to_cell(np.array([0.56, -0.2, 0.2]))
    assert view.point(tuple(cell))[0] < 0.575
    assert view.normal(tuple(cell)) @ [-1, 0, 0] > np.cos(np.deg2rad(3))


def test_noise_of_two_millimetres_moves_points_and_turns_normals_only_a_little():
    noisy = fuse(observe(SensingOptions(depth_noise_m=0.002, depth_dropout=0.05), seed=5))
    cell, _ = SpatialFrame().point_to_cell(np.array([UPPER_X, 0.2, 0.45]))
    assert noisy.valid.mean() > 0.97
    np.testing.assert_allclose(noisy.point(tuple(cell)), [UPPER_X, 0.2, 0.45], atol=0.015)
    assert noisy.normal(tuple(cell)) @ [-1, 0, 0] > np.cos(np.deg2rad(6))


def test_channels_have_the_promised_shape_and_about_unit_range(view):
    channels = view.channels()
    assert channels.shape == (CHANNELS, 96, 128)
    assert channels.dtype == np.float32
    assert np.isfinite(channels).all()
    assert np.abs(channels).max() < 5
    assert (channels[:8, ~view.valid] == 0).all()
    np.testing.assert_array_equal(channels[8], view.valid)
    assert (channels[9] == 0).all()


def test_only_the_flag_tells_of_an_object_in_the_gripper(view):
    holding = fuse(observe(holding=True))
    assert holding.holding
    assert (holding.channels()[9] == 1).all()
    np.testing.assert_array_equal(holding.depth, view.depth)


def test_a_stored_view_comes_back_bit_for_bit(view):
    again = view_from_arrays(view.rgb, depth_to_tenth_mm(view), view.holding)
    np.testing.assert_array_equal(again.valid, view.valid)
    np.testing.assert_array_equal(again.depth, view.depth)
    np.testing.assert_array_equal(again.channels(), view.channels())


def test_fusing_twice_gives_the_same_bits():
    first, second = fuse(observe()), fuse(observe())
    np.testing.assert_array_equal(first.depth, second.depth)
    np.testing.assert_array_equal(first.rgb, second.rgb)


def test_one_unusable_camera_is_named(view):
    observation = observe()
    broken = replace(observation.views[1], depth=observation.views[1].depth * 1000)
    with pytest.raises(InvalidObservationError, match=r"camera 1.*millimetres"):
        fuse(replace(observation, views=(observation.views[0], broken)))


def test_no_cameras_or_cameras_that_look_away_are_refused():
    with pytest.raises(InvalidObservationError, match="at least one"):
        fuse(Observation((), GripperState(0.08, False)))
    observation = observe()
    T = observation.views[0].T_camera_to_world.copy()
    T[:3, 0], T[:3, 2] = -T[:3, 0], -T[:3, 2]
    away = replace(observation.views[0], T_camera_to_world=T, fiducials_world=None)
    with pytest.raises(InvalidObservationError, match="no camera sees"):
        fuse(replace(observation, views=(away,)))


def test_a_cell_outside_the_frame_or_unseen_is_refused(view):
    with pytest.raises(InvalidObservationError, match=r"\(96, 3\)"):
        view.point((96, 3))
    blank = replace(view, valid=np.zeros_like(view.valid))
    with pytest.raises(InvalidObservationError, match="nothing is seen"):
        blank.point((40, 40))


def test_a_small_hole_takes_the_nearest_seen_cell(view):
    valid = view.valid.copy()
    valid[59:62, 60:63] = False
    np.testing.assert_allclose(replace(view, valid=valid).point((60, 61)), view.point((60, 61)), atol=0.03)


def turned(observation, turn):
    """The observation of a scene that was turned about the world's z axis together with robot and cameras."""
    whole = np.eye(4)
    whole[:3, :3] = turn.as_matrix()
    views = [
        replace(v, T_camera_to_world=whole @ v.T_camera_to_world, fiducials_world=turn.apply(v.fiducials_world)) for v in observation.views
    ]
    body = observation.body
    axes = turn.as_matrix() @ body.axes_world
    return replace(observation, views=tuple(views), body=replace(body, centres_world=turn.apply(body.centres_world), axes_world=axes))


@pytest.mark.parametrize("yaw", [-2.0, -0.4, 0.7, np.pi / 2])
def test_a_scene_turned_with_its_cameras_and_frame_gives_the_same_view(view, yaw):
    turn = Rotation.from_euler("z", yaw)
    there = fuse(turned(observe(), turn), SpatialFrame(yaw_rad=yaw))
    both = view.valid & there.valid
    assert both.sum() > 0.999 * view.valid.sum()
    # Rounding moves few points over a cell's border, where another one may be nearest.
    same = both & (np.abs(there.depth - view.depth) < 2.5e-4) & (there.rgb == view.rgb).all(axis=-1)
    assert same.sum() > 0.99 * both.sum()
    assert np.median(np.linalg.norm(turn.apply(view.points[same]) - there.points[same], axis=-1)) < 1e-4
    assert np.median(np.linalg.norm(turn.apply(view.normals[same]) - there.normals[same], axis=-1)) < 1e-3
    assert np.median(np.abs(there.channels() - view.channels())[:, same]) < 1e-3
    cell = tuple(int(i) for i in SpatialFrame().point_to_cell(np.array([UPPER_X, 0.2, 0.45]))[0])
    np.testing.assert_allclose(there.normal(cell), turn.apply([-1, 0, 0]), atol=0.02)

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hiermap.worlds.frame import SpatialFrame, depth_to_points, point_to_pixel
from hiermap.worlds.perception.cameras import default_cameras

# Training flushes subnormals to zero in its process, which hypothesis would take for a broken machine.
floats = partial(st.floats, allow_subnormal=False)
frames = st.builds(
    SpatialFrame,
    rows=st.integers(1, 200),
    columns=st.integers(1, 200),
    cell_size=floats(0.002, 0.1),
    pitch_rad=floats(0.05, 1.5),
    top=floats(-1, 2),
    left=floats(-1, 2),
    eye=floats(-2, 0),
    yaw_rad=floats(-4, 4),
)
metres = floats(-2, 2)


@given(frame=frames, row=st.integers(-50, 250), column=st.integers(-50, 250), depth=floats(-1, 4))
def test_a_cell_survives_the_way_to_metres_and_back(frame, row, column, depth):
    cell, back = frame.point_to_cell(frame.cell_to_point(np.array([row, column]), np.array(depth)))
    assert tuple(cell) == (row, column)
    assert back == pytest.approx(depth, abs=1e-9)


@given(frame=frames, x=metres, y=metres, z=metres)
def test_a_point_survives_the_way_to_a_cell_and_back_to_half_a_cell(frame, x, y, z):
    point = np.array([x, y, z])
    error = frame.cell_to_point(*frame.point_to_cell(point)) - point
    assert abs(error @ frame.up_direction) <= 0.5 * frame.cell_size + 1e-9
    assert abs(error @ frame.left_direction) <= 0.5 * frame.cell_size + 1e-9
    assert abs(error @ frame.view_direction) < 1e-9


@given(frame=frames, x=metres, y=metres, z=metres, rows=st.integers(-5, 5), columns=st.integers(-5, 5))
def test_moving_a_point_in_the_picture_plane_shifts_its_cell_and_keeps_its_depth(frame, x, y, z, rows, columns):
    start, depth = frame.point_to_cell(np.array([x, y, z]))
    centre = frame.cell_to_point(start, depth)
    moved = centre - rows * frame.cell_size * frame.up_direction - columns * frame.cell_size * frame.left_direction
    cell, moved_depth = frame.point_to_cell(moved)
    assert tuple(cell - start) == (rows, columns)
    assert moved_depth == pytest.approx(depth, abs=1e-9)


@given(frame=frames)
def test_the_axes_of_a_frame_are_orthonormal_and_turn_with_it(frame):
    axes = np.stack([frame.view_direction, frame.up_direction, frame.left_direction])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    level = replace(frame, yaw_rad=0.0)
    turn = Rotation.from_euler("z", frame.yaw_rad)
    np.testing.assert_allclose(turn.apply([level.view_direction, level.up_direction, level.left_direction]), axes, atol=1e-12)


def test_the_view_looks_forty_degrees_down_and_left_is_world_y():
    frame = SpatialFrame()
    np.testing.assert_array_equal(frame.left_direction, [0, 1, 0])
    assert np.rad2deg(-np.arcsin(frame.view_direction[2])) == pytest.approx(40.0)


def test_everything_within_the_kitchen_lies_inside_the_frame_at_a_positive_depth():
    corners = np.array([[x, y, z] for x in (0.33, 0.8) for y in (-0.5, 0.5) for z in (0.1, 0.57)])
    cells, depths = SpatialFrame().point_to_cell(corners)
    assert SpatialFrame().contains(cells).all()
    assert (depths > 0.1).all()


@given(seed=st.integers(0, 2**32 - 1), index=st.integers(0, 2), shift=st.tuples(floats(-0.5, 0.5), floats(-0.5, 0.5)))
def test_every_pixel_of_a_depth_image_survives_the_way_to_metres_and_back(seed, index, shift):
    camera = default_cameras(16, 12)[index]
    depth = np.random.default_rng(seed).uniform(0.3, 2.0, (12, 16)).astype(np.float32)
    points = depth_to_points(depth, camera.K, camera.T_camera_to_world, shift)
    pixel, back = point_to_pixel(points, camera.K, camera.T_camera_to_world)
    v, u = np.indices(depth.shape)
    np.testing.assert_allclose(pixel, np.stack([u, v], axis=-1) + shift, atol=1e-4)
    np.testing.assert_allclose(back, depth, atol=1e-6)


def test_a_point_behind_a_camera_has_no_pixel():
    camera = default_cameras()[0]
    pixel, depth = point_to_pixel(np.array([-2.0, 0.0, 1.5]), camera.K, camera.T_camera_to_world)
    assert depth < 0
    assert np.isnan(pixel).all()


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"cell_size": 0.0}, {"pitch_rad": 0.0}, {"pitch_rad": 2.0}])
def test_an_impossible_frame_is_refused(wrong):
    with pytest.raises(ValueError, match=r"frame|pitch"):
        SpatialFrame(**wrong)


@given(frames, st.integers(0, 64))
def test_a_wider_frame_holds_the_same_points_further_in(frame: SpatialFrame, cells: int) -> None:
    wider, (rows, columns) = frame.wider(cells), frame.shape
    assert wider.shape == (rows + 2 * cells, columns + 2 * cells)
    corners, depth = np.array([[0, 0], [rows - 1, columns - 1]]), np.array([0.5, 1.2])
    assert np.allclose(wider.cell_to_point(corners + cells, depth), frame.cell_to_point(corners, depth))

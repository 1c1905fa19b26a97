import numpy as np
import pytest

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.normals import UPRIGHT, local_normals, robust_normal

FRAME = SpatialFrame(rows=15, columns=15)
CENTRE = (7, 7)


def depth_of_plane(normal, point, frame=FRAME):
    start = frame.cell_to_point(frame.grid(), np.zeros(frame.shape))
    return ((np.asarray(point) - start) @ normal) / (frame.view_direction @ normal)


def points_of(depth, frame=FRAME):
    return frame.cell_to_point(frame.grid(), depth)


@pytest.mark.parametrize("yaw", [-1.2, -0.6, 0.0, 0.7, 1.2])
@pytest.mark.parametrize("pitch", [0.0, 0.6])
def test_a_clean_plane_gives_its_exact_normal(yaw, pitch):
    normal = np.array([-np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    depth = depth_of_plane(normal, FRAME.cell_to_point(np.array(CENTRE), np.array(1.0)))
    found = robust_normal(points_of(depth), np.ones(FRAME.shape, bool), CENTRE, FRAME.view_direction)
    np.testing.assert_allclose(found, normal, atol=1e-6)


@pytest.mark.parametrize("upright", [True, False])
def test_a_bar_before_the_face_does_not_turn_the_normal(upright):
    normal = np.array([-1.0, 0.0, 0.0])
    depth = depth_of_plane(normal, FRAME.cell_to_point(np.array(CENTRE), np.array(1.0)))
    bar = (slice(3, 12), slice(7, 9)) if upright else (slice(7, 9), slice(3, 12))
    depth[bar] -= 0.045
    found = robust_normal(points_of(depth), np.ones(FRAME.shape, bool), CENTRE, FRAME.view_direction)
    assert found @ normal > np.cos(np.deg2rad(1))


@pytest.mark.parametrize("off", [0.03, 0.07, 0.11])
@pytest.mark.parametrize("yaw", [-0.5, 0.0, 0.5])
def test_the_face_of_a_flat_bar_is_the_upright_one_however_far_behind_it(off, yaw):
    frame, centre = SpatialFrame(rows=33, columns=33), (16, 16)
    front = np.array([-np.cos(yaw), np.sin(yaw), 0.0])
    touched = frame.cell_to_point(np.array(centre), np.array(1.0))
    depth = depth_of_plane(front, touched - off * front, frame)
    bar = slice(15, 18), slice(10, 23)
    depth[bar] = depth_of_plane(np.array([0.0, 0.0, 1.0]), touched, frame)[bar]
    found = robust_normal(points_of(depth, frame), np.ones(frame.shape, bool), centre, frame.view_direction, UPRIGHT)
    assert found @ front > np.cos(np.deg2rad(1))


def test_a_neighbour_far_behind_does_not_win_over_the_touched_face():
    normal = np.array([-1.0, 0.0, 0.0])
    depth = depth_of_plane(normal, FRAME.cell_to_point(np.array(CENTRE), np.array(1.0)))
    tilted = depth_of_plane(np.array([-0.8, 0.6, 0.0]), FRAME.cell_to_point(np.array(CENTRE), np.array(1.3)))
    depth[:, 9:] = tilted[:, 9:]
    depth[:, :5] = tilted[:, :5]
    found = robust_normal(points_of(depth), np.ones(FRAME.shape, bool), CENTRE, FRAME.view_direction)
    assert found @ normal > np.cos(np.deg2rad(1))


def test_the_answer_is_the_same_every_time_and_looks_at_the_eye():
    rng = np.random.default_rng(0)
    depth = 1.0 + 0.05 * rng.random(FRAME.shape)
    points, valid = points_of(depth), np.ones(FRAME.shape, bool)
    first = robust_normal(points, valid, CENTRE, FRAME.view_direction)
    np.testing.assert_array_equal(first, robust_normal(points, valid, CENTRE, FRAME.view_direction))
    assert first @ FRAME.view_direction < 0
    assert np.linalg.norm(first) == pytest.approx(1.0)


def test_too_few_seen_cells_give_the_direction_to_the_eye():
    valid = np.zeros(FRAME.shape, bool)
    valid[CENTRE] = True
    found = robust_normal(points_of(np.ones(FRAME.shape)), valid, CENTRE, FRAME.view_direction)
    np.testing.assert_array_equal(found, -FRAME.view_direction)


def test_the_frame_border_is_no_obstacle():
    depth = depth_of_plane(np.array([0.0, 0.0, 1.0]), FRAME.cell_to_point(np.array(CENTRE), np.array(1.0)))
    found = robust_normal(points_of(depth), np.ones(FRAME.shape, bool), (0, 14), FRAME.view_direction)
    np.testing.assert_allclose(found, [0, 0, 1], atol=1e-6)


def test_local_normals_are_exact_on_planes_and_zero_where_nothing_is_seen():
    normal = np.array([-0.6, 0.0, 0.8])
    depth = depth_of_plane(normal, FRAME.cell_to_point(np.array(CENTRE), np.array(1.0))).astype(np.float32)
    valid = np.ones(FRAME.shape, bool)
    valid[0, 0] = False
    found = local_normals(depth, valid, FRAME)
    np.testing.assert_allclose(found[1:, 1:], np.broadcast_to(normal, (14, 14, 3)), atol=1e-3)
    np.testing.assert_array_equal(found[0, 0], 0)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiermap.primitives.hand import OPEN_WIDTH_M, YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.grounding import ground, middle

FRAME = SpatialFrame()
ALONG_X, ALONG_Y = YAWS_RAD["grasp"].index(np.pi / 2), 0
"""Orientations of a grasp whose fingers open along x and along y."""


def look_at_box(centre, size):
    """A level floor at z = 0 with one box on it, seen without noise."""
    half = np.array(size[:2]) / 2
    low, high = np.array([*(centre - half), 0.0]), np.array([*(centre + half), size[2]])
    eyes, way = FRAME.cell_to_point(FRAME.grid(), np.zeros(FRAME.shape)), FRAME.view_direction
    floor = -eyes[..., 2] / way[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (low - eyes) / way, (high - eyes) / way
    first = np.nanmax(np.where(way == 0, np.where((eyes > low) & (eyes < high), -np.inf, np.inf), np.minimum(*ends)), axis=-1)
    last = np.nanmin(np.where(way == 0, np.inf, np.maximum(*ends)), axis=-1)
    on_box = first < last
    depth = np.where(on_box, first, floor).astype(np.float32)
    rgb = np.zeros((*FRAME.shape, 3), np.uint8)
    return SpatialView(rgb, depth, np.ones(FRAME.shape, bool), False), on_box


def cells_of_top(view, on_box, height):
    return [(int(r), int(c)) for r, c in np.argwhere(on_box & (view.points[..., 2] > height - 1e-3))]


@given(
    x=st.floats(0.5, 0.7),
    y=st.floats(-0.2, 0.2, allow_subnormal=False),
    size=st.tuples(st.floats(0.03, 0.07), st.floats(0.03, 0.07), st.floats(0.03, 0.12)),
    turn=st.sampled_from([ALONG_X, ALONG_Y]),
)
def test_every_cell_of_a_things_top_means_its_middle(x, y, size, turn):
    view, on_box = look_at_box((x, y), size)
    for cell in cells_of_top(view, on_box, size[2]):
        command = ground(view, Action("grasp", cell, turn))
        # Half a row of a level top on either side is unknown, and half a column.
        assert command.point_world == pytest.approx((x, y, size[2]), abs=0.5 * FRAME.cell_size / np.sin(FRAME.pitch_rad) + 1e-3)


def test_a_cell_of_the_front_means_the_middle_of_the_top():
    view, on_box = look_at_box((0.6, 0.0), (0.05, 0.05, 0.08))
    front = [tuple(cell) for cell in np.argwhere(on_box & (view.points[..., 2] < 0.06) & (view.points[..., 2] > 0.03))]
    assert front
    for cell in front:
        np.testing.assert_allclose(middle(view, cell, 0.0), [0.6, 0.0, 0.08], atol=0.008)


def test_a_handle_is_taken_where_it_is_meant():
    view, on_box = look_at_box((0.6, 0.0), (0.02, 0.2, 0.05))
    for cell in cells_of_top(view, on_box, 0.05):
        x, y, _ = middle(view, cell, np.pi / 2)
        assert x == pytest.approx(0.6, abs=0.007) and y == pytest.approx(view.point(cell)[1], abs=1e-6)


def test_what_is_too_wide_for_the_fingers_is_left_as_it_is():
    view, on_box = look_at_box((0.6, 0.0), (0.2, OPEN_WIDTH_M + 0.03, 0.05))
    for cell in cells_of_top(view, on_box, 0.05):
        np.testing.assert_array_equal(middle(view, cell, 0.0), view.point(cell))


def test_only_grasps_are_centred():
    view, on_box = look_at_box((0.6, 0.0), (0.05, 0.05, 0.05))
    cell = cells_of_top(view, on_box, 0.05)[0]
    others = [name for name in PRIMITIVES if name not in ("grasp", "pull")]
    assert all(ground(view, Action(name, cell, 0)).point_world == tuple(view.point(cell)) for name in others)

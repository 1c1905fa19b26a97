import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiermap.primitives.hand import OPEN_WIDTH_M, YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import SpatialView, fuse
from hiermap.worlds.perception.grounding import ground, middle
from tests.worlds.simulator.box_scene import COUNTER_Z, LOWER_X, observe

FRAME = SpatialFrame()
ALONG_X, ALONG_Y = YAWS_RAD["grasp"].index(np.pi / 2), 0
"""Orientations of a grasp whose fingers open along x and along y."""


@pytest.fixture(scope="module")
def view():
    return fuse(observe())


def cell_of(*point):
    return tuple(int(i) for i in FRAME.point_to_cell(np.array(point))[0])


def test_a_pull_is_told_the_handles_point_and_the_faces_normal(view):
    command = ground(view, Action("pull", cell_of(0.56, -0.2, 0.2), 0))
    assert command.primitive == "pull"
    np.testing.assert_allclose(command.point_world, [0.56, -0.2, 0.2], atol=0.01)
    np.testing.assert_allclose(command.normal_world, [-1, 0, 0], atol=0.05)
    assert all(isinstance(value, float) for value in command.point_world + command.normal_world)


def test_a_pull_that_misses_the_handle_by_two_cells_is_meant_for_it(view):
    row, column = cell_of(0.56, -0.2, 0.2)
    on_it = view.points[..., 0] < LOWER_X - 0.02
    below = next(r for r in range(row, row + 8) if not on_it[r, column]) + 1
    assert view.point((below, column))[0] > LOWER_X - 0.01
    pull, push = (ground(view, Action(primitive, (below, column), 0)) for primitive in ("pull", "push"))
    assert pull.point_world[0] < LOWER_X - 0.02 and push.point_world[0] > LOWER_X - 0.01
    np.testing.assert_allclose(pull.normal_world, [-1, 0, 0], atol=0.05)
    beyond = ground(view, Action("pull", (below + 3, column), 0))
    assert beyond.point_world == pytest.approx(tuple(view.point((below + 3, column))))


@pytest.mark.parametrize("primitive", ["grasp", "place"])
def test_what_comes_from_above_has_its_normal_up(view, primitive):
    command = ground(view, Action(primitive, cell_of(0.68, 0.2, COUNTER_Z), 1))
    assert command.normal_world == (0.0, 0.0, 1.0)
    assert command.rotation_index == 1
    assert command.point_world[2] == pytest.approx(COUNTER_Z, abs=0.005)


def test_every_primitive_can_be_grounded_in_each_of_its_bins(view):
    for name, spec in PRIMITIVES.items():
        for rotation in range(len(spec.rotations)):
            command = ground(view, Action(name, cell_of(LOWER_X, 0.0, 0.1), rotation))
            assert command.point_world[0] == pytest.approx(LOWER_X, abs=0.01)
            assert np.linalg.norm(command.normal_world) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action("kick", (50, 60), 0), "grasp, place, push, pull, rotate"),
        (Action("place", (50, 60), 2), r"0\.\.1"),
        (Action("pull", (50, 60), -1), "got -1"),
        (Action("pull", (50, 128), 0), "outside"),
        (Action("pull", (-1, 5), 0), "outside"),
    ],
)
def test_impossible_actions_are_refused(view, action, words):
    with pytest.raises(InvalidObservationError, match=words):
        ground(view, action)


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

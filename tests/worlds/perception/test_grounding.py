import numpy as np
import pytest

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.perception.grounding import ground
from tests.worlds.simulator.box_scene import COUNTER_Z, LOWER_X, observe


@pytest.fixture(scope="module")
def view():
    return fuse(observe())


def cell_of(*point):
    return tuple(int(i) for i in SpatialFrame().point_to_cell(np.array(point))[0])


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

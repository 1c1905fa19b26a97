import numpy as np
import pytest

from hiermap.worlds.errors import InvalidGoalError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.perception.clicks import grow, grown
from hiermap.worlds.perception.fusion import SpatialView

FRAME = SpatialFrame(rows=40, columns=60)
WALL, GREY, BLACK, RED, BLUE, WOOD = (115, 130, 140), (190, 190, 195), (10, 12, 15), (170, 40, 40), (40, 60, 190), (180, 120, 60)
PALE_RED = tuple((c + 255) // 2 for c in RED)


def plane(normal, shift_m=0.0):
    """Depths of a plane through the middle of the frame, moved toward the eye."""
    start = FRAME.cell_to_point(FRAME.grid(), np.zeros(FRAME.shape))
    middle = FRAME.cell_to_point(np.array([20, 30]), np.array(1.0))
    return (((middle - start) @ normal) / (FRAME.view_direction @ normal) - shift_m).astype(np.float32)


UPRIGHT, LEVEL = np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
FRONT, BAR = np.s_[10:30, 15:45], np.s_[16:19, 24:36]


def box(part):
    mask = np.zeros(FRAME.shape, bool)
    mask[part] = True
    return mask


def seen(normal, *parts):
    """A dull plane with parts (slices, colour, how far they stand out [m]) before it."""
    depth, rgb = plane(normal), np.full((*FRAME.shape, 3), WALL, np.uint8)
    for part, colour, out in parts:
        depth[part], rgb[part] = plane(normal, out)[part], colour
    return SpatialView(rgb, depth, np.ones(FRAME.shape, bool), False, FRAME)


@pytest.mark.parametrize("cell", [(11, 16), (17, 30), (29, 44)])
def test_a_front_and_its_bar_are_one_thing_wherever_it_is_clicked(cell):
    view = seen(UPRIGHT, (FRONT, RED, 0.0), (BAR, GREY, 0.045))
    np.testing.assert_array_equal(grow(view, cell), box(FRONT))


def test_a_bar_that_cuts_its_front_in_two_leaves_it_one_thing():
    view = seen(UPRIGHT, (FRONT, RED, 0.0), (np.s_[10:30, 29:32], GREY, 0.045))
    np.testing.assert_array_equal(grow(view, (20, 18)), box(FRONT))


def test_a_click_on_dark_glass_means_the_whole_door():
    view = seen(UPRIGHT, (FRONT, RED, 0.0), (np.s_[14:26, 20:40], BLACK, 0.0))
    np.testing.assert_array_equal(grow(view, (20, 30)), box(FRONT))


def test_what_is_dark_far_behind_a_frame_is_no_part_of_it():
    hole = np.s_[14:26, 20:40]
    view = seen(UPRIGHT, (FRONT, RED, 0.0), (hole, BLACK, -0.2))
    assert not grow(view, (11, 16))[hole].any()


@pytest.mark.parametrize("cell", [(14, 30), (25, 30)])
def test_an_open_drawer_is_its_front_and_its_paler_inside(cell):
    inside, front = np.s_[10:20, 15:45], np.s_[20:30, 15:45]
    view = seen(UPRIGHT, (inside, PALE_RED, 0.0), (front, RED, 0.1))
    np.testing.assert_array_equal(grow(view, cell), box(np.s_[10:30, 15:45]))


def test_neighbours_of_two_hues_stay_apart_in_one_plane():
    upper, lower = np.s_[10:20, 15:45], np.s_[20:30, 15:45]
    view = seen(UPRIGHT, (upper, RED, 0.0), (lower, BLUE, 0.0))
    np.testing.assert_array_equal(grow(view, (12, 30)), box(upper))
    np.testing.assert_array_equal(grow(view, (28, 30)), box(lower))


def test_shade_does_not_cut_a_thing():
    view = seen(UPRIGHT, (np.s_[10:20, 15:45], RED, 0.0), (np.s_[20:30, 15:45], tuple(c * 2 // 3 for c in RED), 0.0))
    np.testing.assert_array_equal(grow(view, (12, 30)), box(FRONT))


def test_a_board_shows_on_both_sides_of_the_mug_that_stands_on_it():
    board, mug = np.s_[18:28, 20:40], np.s_[14:28, 26:34]
    view = seen(LEVEL, (board, WOOD, 0.0), (mug, BLUE, 0.05))
    np.testing.assert_array_equal(grow(view, (22, 22)), box(board) & ~box(mug))
    np.testing.assert_array_equal(grow(view, (20, 30)), box(mug))


def test_a_click_on_nothing_is_an_error():
    view = seen(UPRIGHT)
    view.valid[3, 4] = False
    with pytest.raises(InvalidGoalError, match=r"cell \(3, 4\)"):
        grow(view, (3, 4))


def test_only_targets_of_one_cell_are_grown():
    view = seen(UPRIGHT, (FRONT, RED, 0.0))
    part = box(np.s_[12:14, 20:22])
    goal = Goal((Predicate("inside", ("mug", "drawer")),), {"mug": Target("mug", part), "drawer": Target("drawer", box(np.s_[12, 20]))})
    masks = {name: target.mask for name, target in grown(goal, view).targets.items()}
    np.testing.assert_array_equal(masks["mug"], part)
    np.testing.assert_array_equal(masks["drawer"], box(FRONT))

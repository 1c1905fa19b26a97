"""What the robot's own actions tell of things: taken, put down, pushed, carried along."""

import numpy as np
import pytest

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.worlds.base import Action
from hiermap.worlds.imagined.tracks import Tracks, stood_at

CELL_M = 0.01
MUG, CAN = range(2)


def box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((96, 128), bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


MASKS = box(34, 40, 44, 46), box(34, 98, 44, 104)
RGB = np.full((96, 128, 3), 120, np.uint8)
RGB[MASKS[MUG]], RGB[MASKS[CAN]] = (200, 40, 40), (40, 60, 180)


@pytest.fixture
def tracks() -> Tracks:
    return Tracks.of(MASKS, RGB)


def after(tracks: Tracks, *actions: tuple[str, tuple[int, int], int], rgb: np.ndarray | None = None) -> Tracks:
    for primitive, cell, rotation in actions:
        tracks = tracks.after(Action(primitive, cell, rotation), CELL_M, rgb)
    return tracks


@pytest.mark.parametrize(("cell", "held"), [((35, 43), MUG), ((35, 49), MUG), ((35, 70), None), ((33, 100), CAN)])
def test_a_grasp_takes_what_stands_there(tracks, cell, held):
    taken = after(tracks, ("grasp", cell, 0))
    assert taken.held == held and taken.elsewhere == {MUG, CAN}


def test_what_is_put_down_stands_there_and_nothing_else_came_to_be_anywhere(tracks):
    put = after(tracks, ("grasp", (35, 43), 0), ("place", (42, 80), 0))
    rows, columns = put.cells[MUG].T
    assert (rows.max(), columns.mean(), put.held, put.elsewhere) == (44, 80, None, {CAN})
    assert after(put, ("grasp", (35, 80), 2)).held == MUG


def test_an_unknown_thing_put_down_is_none_that_stands_where_it_is_known_to(tracks):
    put, pushed = ("place", (42, 80), 0), ("push", (38, 99), 0)
    assert after(tracks, ("grasp", (35, 70), 0), put).elsewhere == {MUG, CAN}
    assert after(tracks, pushed, ("grasp", (35, 70), 0), put).elsewhere == {MUG, CAN}, "the can is still somewhere around"
    assert after(tracks, pushed, ("grasp", (50, 100), 0), put).elsewhere == {MUG}


@pytest.mark.parametrize(("rotation", "side"), [(1, -1), (2, 1)])
def test_a_push_sideways_carries_what_it_touches(tracks, rotation, side):
    pushed = after(tracks, ("push", (36, 100), rotation))
    assert pushed.cells[CAN][:, 1].min() == 98 + side * round(PUSH_DISTANCE_M / CELL_M)
    assert pushed.cells[MUG] is tracks.cells[MUG] and pushed.elsewhere == {MUG}


def test_a_drawer_may_carry_along_what_stands_near_and_nothing_far(tracks):
    pulled = after(tracks, ("grasp", (35, 43), 0), ("place", (64, 30), 0), ("push", (58, 26), 0))
    assert pulled.cells[MUG] is None and pulled.cells[CAN] is tracks.cells[CAN]
    assert pulled.elsewhere == {CAN}, "what never moved is where it was at first"
    assert after(pulled, ("grasp", (64, 30), 0)).held is None


def test_what_a_door_hides_was_taken_nowhere_until_a_hand_may_have_taken_it(tracks):
    hidden = after(tracks, ("push", (38, 99), 0))
    assert hidden.cells[CAN] is None and hidden.elsewhere == {MUG, CAN}
    assert after(hidden, ("grasp", (35, 43), 0), ("place", (64, 30), 0), ("pull", (38, 99), 0)).elsewhere == {CAN}
    taken = after(hidden, ("grasp", (38, 99), 0), ("place", (64, 60), 0))
    assert taken.elsewhere == {MUG} and after(taken, ("pull", (38, 99), 0)).elsewhere == {MUG}
    assert after(hidden, ("push", (38, 96), 1), ("pull", (38, 99), 0)).elsewhere == {MUG}


def test_what_a_drawer_carried_along_is_not_what_is_pushed_far_from_it(tracks):
    put_away = after(tracks, ("grasp", (35, 43), 0), ("place", (64, 30), 0), ("push", (58, 26), 0))
    assert put_away.within == ((36, 86, 17, 43), None)
    assert after(put_away, ("pull", (44, 26), 0)).within == put_away.within, "it goes to and fro with the drawer"
    assert after(put_away, ("push", (36, 70), 1)).elsewhere == {MUG, CAN}
    near = after(put_away, ("push", (50, 40), 1))
    assert near.elsewhere == {CAN} and near.within[MUG] is None


def test_a_thing_stands_on_its_cell_even_at_the_edge():
    cells = stood_at(np.argwhere(box(34, 40, 44, 46)), (3, 1))
    assert cells.max(axis=0).tolist() == [5, 4] and cells.mean(axis=0)[1] == 1


def test_what_was_not_seen_at_first_is_not_known():
    unseen = Tracks.of([np.zeros((96, 128), bool), MASKS[CAN]], RGB)
    assert unseen.cells[MUG] is None and after(unseen, ("grasp", (35, 100), 0)).elsewhere == {CAN}


def test_what_a_hand_is_seen_to_have_lost_may_be_anywhere(tracks):
    lost = after(tracks, ("grasp", (35, 43), 0)).empty_handed()
    assert (lost.held, lost.cells[MUG], lost.elsewhere) == (None, None, {CAN})
    assert tracks.empty_handed() is tracks


def test_what_looks_otherwise_is_not_taken_for_a_thing_that_is_near_or_lost(tracks):
    grasp, put = ("grasp", (35, 49), 0), ("place", (64, 60), 0)
    beside = after(tracks, grasp, rgb=np.full_like(RGB, 120))
    assert (beside.held, beside.not_held) == (None, {MUG, CAN})
    assert after(tracks, ("grasp", (35, 43), 0), rgb=RGB).held == MUG
    hidden = after(tracks, ("push", (38, 99), 0))
    taken = ("grasp", (38, 99), 0)
    assert after(after(hidden, taken), put).elsewhere == {MUG}, "unseen, it may have been the can"
    red = after(hidden, taken, rgb=np.full_like(RGB, RGB[MASKS[MUG]][0]))
    assert (red.held, red.not_held, after(red, put).elsewhere) == (None, {CAN}, {MUG, CAN})
    assert not red.empty_handed().not_held and after(red, put).not_held == frozenset()


def test_what_a_hand_put_down_is_in_sight_until_something_hides_it(tracks):
    taken = after(tracks, ("grasp", (35, 43), 0))
    put = after(taken, ("place", (64, 30), 0))
    assert [it.in_sight(MUG) for it in (tracks, taken, put, after(put, ("push", (58, 26), 0)))] == [False, False, True, False]


def test_what_was_put_down_as_something_else_stays_something_else(tracks):
    lost = after(tracks, ("push", (38, 99), 1), ("push", (38, 99), 0))
    grey, put, again = np.full_like(RGB, 120), ("place", (64, 60), 0), ("grasp", (62, 61), 0)
    stranger = after(after(lost, ("grasp", (70, 20), 0), rgb=grey), put)
    assert stranger.strangers == (((64, 60), frozenset({MUG, CAN})),)
    assert after(stranger, again).not_held == {MUG, CAN} and not after(stranger, again).strangers
    assert after(stranger, again, ("place", (70, 90), 0)).elsewhere == {MUG, CAN}
    assert after(stranger, ("pull", (80, 10), 0)).elsewhere == {MUG, CAN}, "what is told of the can may be told of the stranger"

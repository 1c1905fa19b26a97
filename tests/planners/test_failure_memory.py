"""Failures lower the success of the same thing nearby, more now than in imagined later states."""

import numpy as np
import pytest

from hiermap.planners.failure_memory import DEFAULT, Avoid, discount, discounted, learned, refused
from hiermap.worlds.base import Action

FAILED = Avoid("pull", (10, 10), 1, radius=2.0, penalty=0.25)


def test_only_the_same_primitive_and_orientation_nearby_is_lowered():
    assert discount(Action("pull", (10, 10), 1), [FAILED]) == pytest.approx(0.25)
    assert discount(Action("pull", (10, 12), 1), [FAILED]) == pytest.approx(0.5)
    assert discount(Action("pull", (10, 13), 1), [FAILED]) == 1.0
    assert discount(Action("pull", (10, 10), 0), [FAILED]) == 1.0
    assert discount(Action("push", (10, 10), 1), [FAILED]) == 1.0


def test_later_states_and_weakened_failures_count_fewer_nats():
    assert discount(Action("pull", (10, 10), 1), [FAILED], depth=2) == pytest.approx(0.25**0.8)
    assert discount(Action("pull", (10, 10), 1), [FAILED.weakened()]) == pytest.approx(0.25**0.8)


def test_repeated_failures_make_a_detour_worth_while():
    once, twice = ([FAILED] * n for n in (1, 2))
    action = Action("pull", (10, 10), 1)
    nats = [np.log(discount(action, some, depth=1) / discount(action, some)) for some in (once, twice)]
    assert nats == pytest.approx([0.2 * np.log(4), 0.5 * 2 * np.log(4)])


def test_failures_multiply():
    assert discount(Action("pull", (10, 10), 1), [FAILED, FAILED]) == pytest.approx(0.0625)


def test_maps_and_actions_are_lowered_alike():
    maps = np.random.default_rng(0).random((5, 4, 20, 20)).astype(np.float32)
    lowered = discounted(maps, [FAILED, Avoid("push", (4, 4))], depth=1)
    names = ["grasp", "place", "push", "pull", "rotate"]
    for index in np.ndindex(5, 2, 20, 20):
        action = Action(names[index[0]], (index[2], index[3]), index[1])
        expected = maps[index] * discount(action, [FAILED, Avoid("push", (4, 4))], depth=1)
        assert lowered[index] == pytest.approx(expected)


def test_the_next_attempt_is_made_elsewhere_on_the_same_thing():
    maps = np.zeros((5, 4, 20, 20), np.float32)
    maps[3, 1, 9:12, 9:13] = 0.7
    maps[3, 1, 10, 10] = 0.75
    row, column = np.unravel_index(discounted(maps, [FAILED])[3, 1].argmax(), (20, 20))
    assert np.hypot(row - 10, column - 10) >= 2


def test_setting_down_elsewhere_is_another_move_and_no_likelier():
    assert discount(Action("place", (10, 12), 0), [Avoid("place", (10, 10), 0)]) == pytest.approx(DEFAULT.penalty)


def test_no_failures_cost_no_copy():
    maps = np.zeros((5, 4, 3, 3), np.float32)
    assert discounted(maps, []) is maps


def test_an_unknown_primitive_or_penalty_is_named():
    with pytest.raises(ValueError, match="shove"):
        Avoid("shove", (0, 0))
    with pytest.raises(ValueError, match="penalty"):
        Avoid("push", (0, 0), penalty=1.5)


def test_a_second_failure_near_the_first_speaks_for_the_whole_thing():
    once = learned((), Action("push", (70, 80), 0))
    again = learned(once, Action("push", (70, 90), 0))
    other = learned(once, Action("push", (70, 93), 0))
    assert [item.radius for item in (*again, other[-1])] == [DEFAULT.radius, DEFAULT.wide, DEFAULT.radius]
    assert discount(Action("push", (70, 102), 0), again) == pytest.approx(DEFAULT.penalty**0.5)
    assert learned(again, Action("pull", (70, 90), 0))[-1].radius == DEFAULT.radius


def test_out_of_reach_is_sure_and_speaks_for_the_next_cells_only():
    avoid = refused((), Action("grasp", (10, 10), 1))
    assert all(discount(Action("grasp", cell, 1), avoid) < 0.2 for cell in ((10, 10), (11, 10), (11, 11)))
    assert discount(Action("grasp", (10, 10), 1), avoid) == pytest.approx(0.02)
    assert discount(Action("grasp", (12, 10), 1), avoid) == discount(Action("grasp", (10, 10), 0), avoid) == 1.0

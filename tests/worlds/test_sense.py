"""What contradicts itself, and what masks can show, whatever the world."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiermap.worlds.errors import InvalidGoalError
from hiermap.worlds.goals import BINARY, PREDICATES, UNARY, Goal, Predicate, Target, from_text
from hiermap.worlds.perception.fusion import FRAME, SpatialView
from hiermap.worlds.sense import check_goal, check_seen

NAMES = ("a", "b", "c", "d")


def goal(*predicates: Predicate) -> Goal:
    """Over things whose masks are apart."""
    targets = {}
    for row, name in enumerate(dict.fromkeys(name for p in predicates for name in p.arguments)):
        mask = np.zeros(FRAME.shape, bool)
        mask[8 * row : 8 * row + 4, 10:20] = True
        targets[name] = Target(name, mask)
    return Goal(predicates, targets)


def says(words: str) -> Goal:
    return goal(*from_text(words))


@given(st.permutations(NAMES), st.integers(1, 4), st.lists(st.sampled_from(BINARY), min_size=4, max_size=4))
def test_nothing_is_in_or_on_itself_through_however_many_things(names: list[str], length: int, kinds: list[str]):
    ring = [Predicate(kinds[k], (names[k], names[(k + 1) % length])) for k in range(length)]
    with pytest.raises(InvalidGoalError, match="itself"):
        check_goal(goal(*ring))
    check_goal(goal(*ring[:-1]))


@given(st.sampled_from(("held", *BINARY)), st.sampled_from(("held", *BINARY)))
def test_a_thing_is_in_one_place_and_a_hand_holds_one_thing(one: str, other: str):
    def where(kind: str, thing: str, place: str) -> Predicate:
        return Predicate(kind, (thing, place)[: PREDICATES[kind].arity])

    check_goal(goal(where(one, "a", "b"), where(one, "a", "b")))
    first, second = where(one, "a", "b"), where(other, "a", "c")
    if first != second:
        with pytest.raises(InvalidGoalError, match="one place"):
            check_goal(goal(first, second))
    if one == other == "held":
        with pytest.raises(InvalidGoalError, match="one hand"):
            check_goal(goal(first, where("held", "d", "")))


@given(st.sampled_from(UNARY), st.sampled_from(UNARY))
def test_only_what_no_joint_can_be_at_once_contradicts(one: str, other: str):
    pair = goal(Predicate(one, ("a",)), Predicate(other, ("a",)))
    if {one, other} in ({"open", "closed"}, {"on", "off"}, {"open", "off"}, {"on", "closed"}):
        with pytest.raises(InvalidGoalError, match="both at once"):
            check_goal(pair)
    else:
        check_goal(pair)


def test_a_goal_with_everything_in_a_place_of_its_own_makes_sense():
    check_goal(says("inside(a, b) and closed(b) and on_top(c, d)"))
    check_goal(says("held(a) and open(b)"))
    check_goal(Goal((), {}))


@pytest.mark.parametrize(("shift", "refused"), [(0, True), (1, True), (3, False)])
def test_masks_of_two_things_may_touch_but_not_cover_each_other(shift: int, refused: bool):
    two = says("open(a) and on(b)")
    masks = {"a": two.targets["a"].mask, "b": np.roll(two.targets["a"].mask, shift, axis=1)}
    two = Goal(two.predicates, {name: Target(name, mask) for name, mask in masks.items()})
    if refused:
        with pytest.raises(InvalidGoalError, match="'a' and 'b' cover the same cells"):
            check_goal(two)
    else:
        check_goal(two)


def test_a_mask_of_what_is_not_seen_is_refused():
    valid = np.zeros(FRAME.shape, bool)
    asked = says("open(a)")
    view = SpatialView(np.zeros((*FRAME.shape, 3), np.uint8), np.zeros(FRAME.shape, np.float32), valid, False)
    with pytest.raises(InvalidGoalError, match="'a' covers nothing that is seen"):
        check_seen(asked, view)
    valid[0, 12] = True
    check_seen(asked, view)


def test_goals_are_read_as_they_are_written():
    asked = says("inside(a,  b) and closed(b)")
    assert from_text(str(asked)) == asked.predicates
    for words in ("", "open a", "open(a) closed(b)", "shut(a)", "inside(a)", "open(a) and"):
        with pytest.raises(ValueError):
            from_text(words)

"""A goal in an observation says exactly what was asked, and one that does not fit is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import PREDICATES, Predicate
from hiermap.worlds.gym.goal_encoding import MOST_PREDICATES, encoded, goal_of, goal_space

FRAME = SpatialFrame(rows=8, columns=12)
THINGS = ("mug", "left_drawer_1", "board", "knob_2", "Bowl-3")
PREDICATE = st.sampled_from([Predicate(kind, names) for kind, s in PREDICATES.items() for names in product(THINGS, repeat=s.arity)])


def masks_of(predicates: list[Predicate]) -> dict[str, np.ndarray]:
    names = dict.fromkeys(name for predicate in predicates for name in predicate.arguments)
    return {name: np.arange(96).reshape(8, 12) % 7 == THINGS.index(name) for name in names}


@settings(deadline=None, max_examples=50)
@given(st.lists(PREDICATE, max_size=MOST_PREDICATES))
def test_a_goal_comes_back_from_an_observation_as_it_was_but_for_its_names(predicates: list[Predicate]) -> None:
    masks = masks_of(predicates)
    observed = encoded(predicates, masks, FRAME)
    assert all(space.contains(observed[name]) for name, space in goal_space(FRAME).items())
    goal = goal_of(observed)
    called = {name: f"thing_{number}" for number, name in enumerate(masks, 1)}
    assert goal.predicates == tuple(Predicate(p.kind, tuple(map(called.get, p.arguments))) for p in predicates)
    assert {name: target.mask.tolist() for name, target in goal.targets.items()} == {called[n]: m.tolist() for n, m in masks.items()}


def test_what_an_array_says_is_known() -> None:
    goal = [Predicate("inside", ("mug", "board")), Predicate("closed", ("board",))]
    observed = encoded(goal, masks_of(goal), FRAME)
    kinds = list(PREDICATES)
    assert observed["goal_predicates"][:3].tolist() == [[kinds.index("inside") + 1, 1, 2], [kinds.index("closed") + 1, 2, 0], [0, 0, 0]]
    assert observed["goal_words"] == "the mug is in the board, and the board is shut"
    assert observed["goal_masks"].sum(axis=(1, 2)).tolist()[:3] == [14, 14, 0]


@pytest.mark.parametrize(
    "predicates",
    [[Predicate("open", ("mug",))] * 13, [Predicate("open", (f"drawer_{i}",)) for i in range(17)], [Predicate("open", ("ünder",))]],
)
def test_a_goal_that_does_not_fit_is_refused(predicates: list[Predicate]) -> None:
    masks = {name: np.zeros(FRAME.shape, bool) for predicate in predicates for name in predicate.arguments}
    with pytest.raises(ConfigError, match="does not fit into an observation"):
        encoded(predicates, masks, FRAME)

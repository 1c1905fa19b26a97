"""Things are told apart by their colours, not by the light on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hiermap.worlds.imagined.colours import palette, unlike

RED, TEAL, GREY, BLACK = (200, 40, 40), (30, 140, 130), (130, 130, 130), (12, 12, 12)


def filled(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((6, 8, 3), colour, np.uint8)


@pytest.mark.parametrize(("own", "seen", "other"), [(RED, RED, False), (RED, TEAL, True), (GREY, BLACK, True), (TEAL, GREY, True)])
def test_another_colour_is_another_thing(own, seen, other):
    assert (unlike([palette(filled(own))], filled(seen), (3, 4)) == {0}) is other


def test_a_thing_of_two_colours_is_like_both_and_one_without_any_like_everything():
    striped = np.concatenate([filled(RED), filled(TEAL)])
    assert unlike([palette(striped), np.zeros((0, 4))], filled(TEAL), (0, 7)) == frozenset()


@given(arrays(np.uint8, (6, 8, 3), elements=st.integers(60, 250)), st.floats(0.6, 1.0), st.tuples(st.integers(0, 5), st.integers(0, 7)))
def test_less_light_is_no_other_thing(rgb, light, cell):
    assert unlike([palette(rgb)], (rgb * light).astype(np.uint8), cell) == frozenset()

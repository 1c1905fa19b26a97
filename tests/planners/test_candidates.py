"""Peaks of maps: one candidate per blob and effect, in its middle, named targets always among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiermap.planners.candidates import EFFECTS, PeakOptions, Pointed, candidates, every_action
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action

SHAPE = (5, 4, 96, 128)


def blank():
    return np.zeros(SHAPE, np.float32)


def test_orientations_that_only_turn_the_hand_share_an_effect():
    grouped = {(e.primitive, e.rotations) for e in EFFECTS}
    assert grouped == {
        ("grasp", (0, 1, 2, 3)), ("place", (0, 1)), ("pull", (0, 1)), ("rotate", (0, 2)), ("rotate", (1, 3)),
        ("push", (0,)), ("push", (1,)), ("push", (2,)), ("push", (3,)),
    }  # fmt: skip


def test_a_flat_blob_gives_one_candidate_in_its_middle_with_the_best_rotation():
    maps = blank()
    maps[3, 0, 40:45, 60:71], maps[3, 1, 40:45, 60:71] = 0.5, 0.9
    found = candidates(maps, PeakOptions())
    assert [(c.action.primitive, c.action.rotation_index) for c in found] == [("pull", 1)]
    row, column = found[0].action.cell
    assert row == 42 and 62 <= column <= 68 and found[0].prior == pytest.approx(0.9)


def test_two_blobs_give_two_candidates_best_first():
    maps = blank()
    maps[4, 0, 10:13, 10:13], maps[4, 0, 10:13, 20:23] = 0.6, 0.8
    assert [c.action for c in candidates(maps, PeakOptions())] == [Action("rotate", (11, 21), 0), Action("rotate", (11, 11), 0)]


def test_nothing_above_the_threshold_gives_no_candidate():
    maps = blank()
    maps[0, 0, 5, 5] = 0.09
    assert candidates(maps, PeakOptions(threshold=0.1)) == []


def test_a_named_target_keeps_its_candidate_among_many_better_peaks():
    maps = blank()
    maps[1, 0, 4:90:8, 4:120:8] = 0.9
    maps[1, 0, 50:53, 77:80] = 0.3
    mask = np.zeros(SHAPE[2:], bool)
    mask[51, 78] = True
    options = PeakOptions(per_effect=4, top_k=5)
    assert Action("place", (51, 78), 0) not in [c.action for c in candidates(maps, options)]
    assert Action("place", (51, 78), 0) in [c.action for c in candidates(maps, options, Pointed.at([mask]))]


def test_the_inside_of_an_opened_drawer_is_looked_for_below_its_front():
    maps = blank()
    maps[1, 0, 30:90, 10:30] = 0.9
    maps[1, 0, 60:64, 60:70] = 0.4
    front = np.zeros(SHAPE[2:], bool)
    front[50:56, 60:70] = True
    cells = [c.action.cell for c in candidates(maps, PeakOptions(per_effect=1), Pointed.at([front]))]
    assert any(60 <= row < 64 and 60 <= column < 70 for row, column in cells)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), top_k=st.integers(1, 40), radius=st.integers(0, 6))
def test_candidates_are_true_map_values_apart_and_within_the_limits(seed, top_k, radius):
    rng = np.random.default_rng(seed)
    maps = (rng.random((5, 4, 24, 30)) ** 8).astype(np.float32)
    for channel, spec in enumerate(PRIMITIVES.values()):
        maps[channel, len(spec.rotations) :] = 0
    options = PeakOptions(top_k=top_k, radius=radius)
    found = candidates(maps, options)
    assert found == candidates(maps.copy(), options) and len(found) <= top_k
    names = list(PRIMITIVES)
    for candidate in found:
        action = candidate.action
        assert candidate.prior == maps[names.index(action.primitive), action.rotation_index][action.cell] >= options.threshold
    for effect in EFFECTS:
        cells = [c.action.cell for c in found if c.action.primitive == effect.primitive and c.action.rotation_index in effect.rotations]
        assert all(np.hypot(a[0] - b[0], a[1] - b[1]) > radius for i, a in enumerate(cells) for b in cells[:i])
    assert [c.prior for c in found] == sorted((c.prior for c in found), reverse=True)


def test_every_action_misses_nothing():
    maps = blank()
    maps[2, 2, 7, 8], maps[0, 2, 1, 1] = 0.4, 0.7
    assert [c.action for c in every_action(maps, 0.01)] == [Action("grasp", (1, 1), 2), Action("push", (7, 8), 2)]

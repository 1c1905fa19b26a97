"""Paths through records: effective, connected, and through a drawer being shut when asked."""

import numpy as np
import pytest

from hiermap.training.sampling.batches import PathSampler
from hiermap.training.sampling.shards import UNKNOWN, Shard, hiding_steps, paths_of_length, walk_through
from hiermap.worlds.goals import BINARY, UNARY
from hiermap.worlds.legend import registered

MUG, DRAWER = range(2)
INSIDE, CLOSED = BINARY.index("inside"), UNARY.index("closed")


@pytest.fixture
def shard() -> Shard:
    """Views 0 -pull-> 1 -grasp-> 2 -place in-> 3 -shut-> 4 -open-> 5, a failure at 3, and from 1 the empty drawer is shut into 6."""
    before, after = np.array([0, 1, 2, 3, 3, 4, 1]), np.array([1, 2, 3, 3, 4, 5, 6])
    effect = before != after
    shut, within = np.array([1, 0, 0, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 1, 1, 0])
    unary, binary = np.full((7, 2, len(UNARY)), UNKNOWN, np.uint8), np.full((7, 2, 2, len(BINARY)), UNKNOWN, np.uint8)
    unary[:, DRAWER, CLOSED], binary[:, MUG, DRAWER, INSIDE] = shut, within
    legend = registered()
    return Shard(
        legend=legend,
        known=np.ones(len(legend.bins), bool),
        rgb=np.zeros((7, 16, 16, 3), np.uint8),
        rest=np.zeros((7, 7, 16, 16), np.float16),
        maps_packed=np.zeros((7, len(legend.bins), 16, 2), np.uint8),
        before=before,
        after=after,
        bin_index=np.zeros(len(before), np.int64),
        cell=np.zeros((len(before), 2), np.int64),
        effect=effect,
        masks=np.ones((2, 16, 16), bool),
        is_object=np.array([True, False]),
        unary=unary,
        binary=binary,
        steps_unary=unary,
        steps_binary=binary,
        goals=np.array([[[CLOSED, DRAWER, -1], [len(UNARY) + INSIDE, MUG, DRAWER]], [[len(UNARY) + INSIDE, MUG, DRAWER], [-1, -1, -1]]]),
        goal_steps=np.array([[4, 3, 2, 1, 0, 1, 3], [3, 2, 1, 0, 0, 0, 3]], np.uint8).T,
        executed=False,
    )


def test_only_shutting_a_drawer_on_something_hides_it(shard):
    assert hiding_steps(shard).tolist() == [4]


@pytest.mark.parametrize(
    ("length", "expected"), [(1, {(4,)}), (2, {(2, 4), (4, 5)}), (4, {(0, 1, 2, 4), (1, 2, 4, 5)}), (5, {(0, 1, 2, 4, 5)})]
)
def test_paths_through_a_step_are_all_that_its_past_and_future_allow(shard, length, expected):
    table, rng = paths_of_length(shard, 5), np.random.default_rng(0)
    assert {tuple(walk_through(shard, table, 4, length, rng)) for _ in range(50)} == expected


def test_a_path_longer_than_past_and_future_is_none(shard):
    assert walk_through(shard, paths_of_length(shard, 6), 4, 6, np.random.default_rng(0)) is None


@pytest.mark.parametrize("length", [1, 3, 5])
def test_all_paths_of_a_sampler_that_wants_hiding_hide(shard, length):
    sampler, rng = PathSampler([shard], 5, mirror=True, hiding=1.0), np.random.default_rng(0)
    batch = sampler.batch(6, length, rng)
    assert ((batch.binary[:, 1:, MUG, DRAWER, INSIDE] == 1) & (batch.unary[:, 1:, DRAWER, CLOSED] == 1)).any(dim=1).all()
    assert batch.bin_index.shape == (6, length)


def test_goals_speak_of_the_things_of_their_path(shard):
    row = PathSampler([shard], 2, mirror=False).path(0, 2, 2, np.random.default_rng(0))
    asked = [(goal[goal[:, 0] >= 0].tolist(), steps.tolist()) for goal, steps in zip(row["goals"], row["goal_steps"].T, strict=True)]
    inside = [len(UNARY) + INSIDE, MUG, DRAWER]
    assert sorted(asked[:2]) == [([[CLOSED, DRAWER, -1], inside], [2, 1, 0]), ([inside], [1, 0, 0])]
    assert all(not goal and set(steps) == {UNKNOWN} for goal, steps in asked[2:])

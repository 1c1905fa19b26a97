"""Paths through records: effective, connected, and through a drawer being shut when asked."""

import numpy as np
import pytest

from hiermap.batches import PathSampler
from hiermap.shards import UNKNOWN, Shard, hiding_steps, paths_of_length, walk_through
from worlds.goals import BINARY, UNARY

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
    zeros = np.zeros(len(before), np.int64)
    return Shard(
        rgb=np.zeros((7, 16, 16, 3), np.uint8),
        rest=np.zeros((7, 7, 16, 16), np.float16),
        maps_packed=np.zeros((7, 5, 4, 16, 2), np.uint8),
        before=before,
        after=after,
        primitive=zeros,
        rotation=zeros,
        cell=np.zeros((len(before), 2), np.int64),
        effect=effect,
        masks=np.ones((2, 16, 16), bool),
        is_object=np.array([True, False]),
        unary=unary,
        binary=binary,
        steps_unary=unary,
        steps_binary=binary,
        executed=False,
    )


def test_only_shutting_a_drawer_on_something_hides_it(shard):
    assert hiding_steps(shard).tolist() == [4]


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_path_through_a_step_ends_with_it_as_far_as_its_past_goes(shard, length):
    path = walk_through(shard, paths_of_length(shard, 5), 4, length, np.random.default_rng(0))
    assert path == [0, 1, 2, 4][-length:]


def test_a_path_longer_than_the_past_goes_on_and_one_longer_than_both_is_none(shard):
    table, rng = paths_of_length(shard, 6), np.random.default_rng(0)
    assert walk_through(shard, table, 4, 5, rng) == [0, 1, 2, 4, 5]
    assert walk_through(shard, table, 4, 6, rng) is None


@pytest.mark.parametrize("length", [1, 3, 5])
def test_all_paths_of_a_sampler_that_wants_hiding_hide(shard, length):
    sampler, rng = PathSampler([shard], 5, mirror=True, hiding=1.0), np.random.default_rng(0)
    batch = sampler.batch(6, length, rng)
    assert ((batch.binary[:, 1:, MUG, DRAWER, INSIDE] == 1) & (batch.unary[:, 1:, DRAWER, CLOSED] == 1)).any(dim=1).all()
    assert batch.primitive.shape == (6, length)

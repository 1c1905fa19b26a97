import numpy as np
import pytest

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import DataError
from hiermap.worlds.goals import BINARY, PREDICATES, UNARY
from hiermap.worlds.legend import FIRST, Legend, places, registered

SMALL = Legend((("push", "left"), ("pull", "up"), ("push", "right")), ("open",), ("inside",))


def test_the_registries_legend_lists_every_bin_and_predicate_in_their_order() -> None:
    legend = registered()
    assert legend.primitives == tuple(PRIMITIVES) and (legend.unary, legend.binary) == (UNARY, BINARY)
    assert set(UNARY + BINARY) == set(PREDICATES)
    for (primitive, rotation), flat in zip(legend.bins, legend.flat, strict=True):
        p, r = divmod(flat, ROTATION_BINS)
        assert list(PRIMITIVES)[p] == primitive and PRIMITIVES[primitive].rotations.index(rotation) == r


def test_primitives_stand_in_the_order_of_their_first_bin() -> None:
    assert SMALL.primitives == ("push", "pull") and SMALL.flat == (0, 4, 1)


def test_bins_are_found_by_name_wherever_they_stand() -> None:
    other = Legend((("pull", "up"), ("push", "right"), ("press", "down")), ("open",), ("inside",))
    assert SMALL.bins_in(other).tolist() == [[-1, 1, -1, -1], [0, -1, -1, -1]]
    assert places(("a", "b"), ("b", "c")).tolist() == [-1, 0]
    assert (np.sort(FIRST.bins_in(FIRST)[FIRST.bins_in(FIRST) >= 0]) == np.arange(16)).all()


def test_a_legend_survives_json() -> None:
    assert Legend.from_dict(FIRST.to_dict()) == FIRST


@pytest.mark.parametrize(
    "change",
    [{"bins": [["push"]]}, {"bins": [["push", str(k)] for k in range(5)]}, {"unary": ["open", "open"]}, {"binary": 3}],
)
def test_a_legend_that_cannot_be_is_refused(change: dict) -> None:
    with pytest.raises(DataError, match="legend"):
        Legend.from_dict({**SMALL.to_dict(), **change})

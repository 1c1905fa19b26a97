"""What strange views are made of, and the figure that tells them apart."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from hiermap.worlds.perception.fusion import FRAME, SpatialView


@pytest.fixture
def familiarity(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("familiarity")


def test_auroc_counts_the_pairs_in_the_right_order_and_half_of_the_ties(familiarity) -> None:
    assert familiarity.auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1])) == pytest.approx(3.5 / 4)


def test_every_change_leaves_a_view_that_can_be_looked_at_and_the_first_one_as_it_was(familiarity) -> None:
    rng = np.random.default_rng(0)
    rgb, depth = rng.integers(0, 256, (*FRAME.shape, 3)).astype(np.uint8), rng.uniform(0.8, 1.1, FRAME.shape).astype(np.float32)
    view = SpatialView(rgb, depth, rng.random(FRAME.shape) < 0.9, False)
    before = view.channels()
    for name, change in familiarity.CHANGES.items():
        planes = change(view, np.random.default_rng(1)).channels()
        assert planes.shape == before.shape and np.isfinite(planes).all() and not np.array_equal(planes, before), name
        assert np.array_equal(planes[3:], before[3:]) == name.startswith("colours"), name
    assert np.array_equal(view.channels(), before)

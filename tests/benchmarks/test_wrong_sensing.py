"""Every kind of wrong sensing of the benchmark, in one kitchen; more of them in docs/results."""

import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.simulator.kitchen import Kitchen

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
faults = importlib.import_module("sensing_faults")
sys.path.pop(0)
CORRECTED = {"T: inverted", "T: rotation transposed", "T: quaternion from the wrong end", "T: millimetres", "T: centimetres"}


@pytest.fixture(scope="module")
def seen():
    return Kitchen(160800).observe()


def unmarked(observation):
    return replace(observation, views=tuple(replace(v, fiducials_world=None, fiducials_pixel=None) for v in observation.views))


@pytest.mark.parametrize("of", [faults.of_one, faults.of_all], ids=["one", "all"])
@pytest.mark.parametrize("kind", faults.CHANGES)
def test_a_wrong_camera_is_named_even_without_marks(seen, kind, of):
    with np.errstate(all="ignore"):
        wrong = of(faults.CHANGES[kind])(unmarked(seen), np.random.default_rng(0))
    with pytest.raises(InvalidObservationError, match=r"camera \d: .*(expected|allowed|belongs)"):
        fuse(wrong)


@pytest.mark.parametrize("kind", faults.OTHERS)
def test_cameras_that_are_exchanged_or_moved_together_are_refused(seen, kind):
    with pytest.raises(InvalidObservationError, match=r"camera \d: .*expected"):
        fuse(faults.OTHERS[kind](unmarked(seen), np.random.default_rng(0)))


@pytest.mark.parametrize("kind", sorted(CORRECTED))
def test_a_wrong_pose_is_put_back_by_marks_and_told(seen, kind):
    view, clean = fuse(faults.of_all(faults.CHANGES[kind])(seen, np.random.default_rng(0))), fuse(seen)
    assert len(view.notes) == 3 and all(re.search(r"recalibrated from \d marks: moved", note) for note in view.notes)
    assert np.abs(view.depth - clean.depth)[view.valid & clean.valid].mean() < 0.001

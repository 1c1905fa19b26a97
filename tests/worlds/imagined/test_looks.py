from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.imagined.looks import LOOKS, actions_in, looked_at, mean_map, mirror_views, mirrored_bins
from hiermap.worlds.legend import FIRST, Legend, registered

BINS = registered().bins
EXPECTED = {
    ("push", "left"): "right",
    ("push", "inward"): "inward",
    ("push", "down"): "down",
    ("grasp", "yaw_45"): "yaw_135",
    ("grasp", "yaw_90"): "yaw_90",
    ("rotate", "ccw_roll_0"): "cw_roll_0",
    ("rotate", "cw_roll_90"): "ccw_roll_90",
    ("place", "yaw_90"): "yaw_90",
    ("pull", "roll_90"): "roll_90",
}


@pytest.mark.parametrize("case", EXPECTED)
def test_a_mirror_exchanges_left_and_right_and_leaves_what_is_no_longer_registered(case: tuple[str, str]) -> None:
    assert FIRST.bins[mirrored_bins(FIRST)[FIRST.bins.index(case)]] == (case[0], EXPECTED[case])


def test_mirroring_twice_is_nothing() -> None:
    for legend in (FIRST, registered()):
        partner = mirrored_bins(legend)
        assert (partner[partner] == np.arange(len(legend.bins))).all()
    views = torch.rand(2, 10, 6, 8)
    assert torch.equal(mirror_views(mirror_views(views)), views)


def test_a_legend_without_a_mirror_image_cannot_be_mirrored() -> None:
    with pytest.raises(ConfigError, match="mirror=false"):
        mirrored_bins(Legend((("push", "left"),), ("open",), ("inside",)))


def test_a_mirrored_view_turns_its_normals() -> None:
    view = torch.ones(10, 2, 4)
    view[0, 0, 0] = 7
    out = mirror_views(view).numpy()
    assert out[0, 0, 3] == 7 and (out[6] == -1).all() and (np.delete(out, 6, axis=0) > 0).all()


class Exact:
    """A model that knows no place: its maps say of every cell which way the surface there is turned and how far it is."""

    def __init__(self, looks: int) -> None:
        self.config = SimpleNamespace(looks=looks)

    def encode(self, view: Tensor, mirrored: Tensor) -> Tensor:
        assert mirrored.tolist() == [float(mirrored) for _, mirrored in LOOKS[: self.config.looks]]
        return view

    def decode(self, latent: Tensor) -> Tensor:
        maps = torch.zeros(len(latent), len(PRIMITIVES), ROTATION_BINS, *latent.shape[-2:])
        maps[:, 0, 1], maps[:, 0, 3] = latent[:, 6].clamp(min=0), latent[:, 6].clamp(max=0).abs()
        maps[:, 2] = latent[:, 3, None]
        return maps


@pytest.mark.parametrize("looks", range(1, len(LOOKS) + 1))
def test_looks_that_see_the_same_change_nothing_but_at_the_last_cells(looks: int) -> None:
    model, view = Exact(looks), torch.rand(1, 10, 16, 24) - 0.5
    inside = (..., slice(None, -2), slice(None, -2))
    torch.testing.assert_close(mean_map(model.decode(looked_at(model, view)))[inside], model.decode(view)[0][inside])


def test_what_one_look_alone_makes_out_is_doubted() -> None:
    maps = torch.zeros(2, len(PRIMITIVES), ROTATION_BINS, 16, 24)
    maps[0, 1, 0, 5, 7] = 0.8
    assert mean_map(maps)[1, 0, 5, 7] == 0.4 and mean_map(maps[:1])[1, 0, 5, 7] == maps[0, 1, 0, 5, 7]


@given(st.integers(0, len(BINS) - 1), st.integers(0, 12), st.integers(0, 20))
def test_every_look_acts_where_its_own_map_says_so(bin_: int, row: int, column: int) -> None:
    primitive, rotation = divmod(registered().flat[bin_], ROTATION_BINS)
    actions = torch.tensor([[primitive, rotation, row, column], [0, 0, 0, 0]])
    primitives, rotations, cells = actions_in(len(LOOKS), actions[:, 0], actions[:, 1], actions[:, 2:], (16, 24))
    maps = torch.zeros(len(LOOKS), len(PRIMITIVES), ROTATION_BINS, 16, 24)
    for look in range(len(LOOKS)):  # the looks of the first action come first
        maps[look, primitives[look], rotations[look], cells[look, 0], cells[look, 1]] = 1.0
    together = mean_map(maps)
    assert together[primitive, rotation, row, column] == 1.0 and together.sum() == 1.0

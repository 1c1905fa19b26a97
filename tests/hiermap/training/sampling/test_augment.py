import numpy as np
import pytest
import torch

from hiermap.training.sampling.augment import SHORT, jitter_, mirror_views, mirrored_bins, relabel_
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.legend import FIRST, Legend, registered

EXPECTED = {
    ("push", "left"): "right",
    ("push", "inward"): "inward",
    ("push", "down"): "down",
    ("grasp", "yaw_45"): "yaw_135",
    ("grasp", "yaw_90"): "yaw_90",
    ("rotate", "ccw_roll_0"): "ccw_roll_0",
    ("rotate", "cw_roll_90"): "cw_roll_90",
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


def test_jitter_leaves_unseen_cells_and_flags_alone_and_is_alike_along_a_sequence() -> None:
    views = torch.rand(3, 1, 10, 8, 8).repeat(1, 2, 1, 1, 1)
    views[:, :, 8] = (views[:, :, 8] > 0.5).float()
    views[:, :, :8] *= views[:, :, 8:9]
    before = views.clone()
    jitter_(views, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(views[:, :, 8:], before[:, :, 8:])
    assert not views[:, :, :8][(before[:, :, 8:9] == 0).expand(-1, -1, 8, -1, -1)].any()
    assert torch.equal(views[:, 0, :3], views[:, 1, :3]) and not torch.equal(views[:, :, :3], before[:, :, :3])


def test_spoilt_steps_are_short_or_the_same_ones_elsewhere() -> None:
    steps = torch.tensor([[0, 3, 4, 255], [9, 2, 255, 1]], dtype=torch.uint8)
    short, shuffled, left = steps.clone(), steps.clone(), steps.clone()
    for spoilt, how in ((short, "short"), (shuffled, "shuffled"), (left, "all")):
        relabel_(spoilt, how, torch.Generator().manual_seed(0))
    assert torch.equal(short, torch.where(steps > SHORT, 255, steps)) and torch.equal(left, steps)
    assert torch.equal(shuffled == 255, steps == 255) and not torch.equal(shuffled, steps)
    assert shuffled.flatten().sort().values.tolist() == steps.flatten().sort().values.tolist()

import torch

from hiermap.training.sampling.augment import SHORT, jitter_, relabel_


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

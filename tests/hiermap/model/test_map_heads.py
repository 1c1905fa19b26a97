"""One map and a classifier: the product of both, whole and in blocks, at any size of the numbers."""

from dataclasses import replace

import pytest
import torch

from hiermap.model.config import ModelConfig
from hiermap.model.map_heads import SingleMapHead, joint_logit
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.errors import ConfigError
from tests.hiermap.model.test_world_model import SMALL


def test_the_logit_is_that_of_the_product() -> None:
    act, what = 4 * torch.randn(50, 1), 4 * torch.randn(50, 6)
    product = torch.sigmoid(act) * torch.softmax(what, dim=-1)
    assert torch.allclose(torch.sigmoid(joint_logit(act, torch.log_softmax(what, dim=-1))), product, atol=1e-5)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_extreme_numbers_leave_losses_and_gradients_finite(label: float) -> None:
    act = torch.tensor([[-200.0], [0.0], [200.0]], requires_grad=True)
    what = torch.tensor([[0.0, 0.0, 0.0], [200.0, -200.0, 0.0], [0.0, -200.0, 0.0]], requires_grad=True)
    logits = joint_logit(act, torch.log_softmax(what, dim=-1))
    torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label)).backward()
    assert torch.isfinite(logits).all() and torch.isfinite(act.grad).all() and torch.isfinite(what.grad).all()


def test_one_thing_at_a_time_at_every_cell() -> None:
    torch.manual_seed(0)
    head = SingleMapHead(8, 16, 5, bias=-4.6)
    assert float(torch.sigmoid(head(torch.zeros(1, 8, 2, 3))).mean()) == pytest.approx(0.01, rel=0.5)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    maps = head(torch.randn(2, 8, 2, 3))
    assert maps.shape == (2, 5, 8, 12) and float(torch.sigmoid(maps).sum(dim=1).max()) <= 1 + 1e-5


def test_chosen_cells_are_those_of_the_whole_map() -> None:
    torch.manual_seed(0)
    head, latent = SingleMapHead(8, 16, 5), torch.randn(1, 8, 2, 3)
    block = head.blocks(latent[:, :, 1, 2]).view(5, 4, 4)
    assert torch.allclose(head(latent)[0, :, 4:, 8:], block, atol=1e-5)


def test_a_config_without_the_key_is_factored() -> None:
    record = SMALL.to_dict()
    assert isinstance(HiermapModel(replace(SMALL, heads="single")).maps, SingleMapHead)
    assert ModelConfig.from_dict({k: v for k, v in record.items() if k not in ("heads", "policy")}) == SMALL
    with pytest.raises(ConfigError, match="factored, single"):
        replace(SMALL, heads="both")

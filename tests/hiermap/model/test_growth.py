from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hiermap.model.config import GrowthOptions, ModelConfig
from hiermap.model.weights import adopt
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.errors import ConfigError

SMALL = ModelConfig(rows=48, columns=64, visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16, readout=32)
LARGER = GrowthOptions(stem=24, readout=48, encoder_blocks=4, dynamics_blocks=2)


def _random(config: ModelConfig) -> HiermapModel:
    model = HiermapModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def _said(model: HiermapModel, view: Tensor) -> Tensor:
    latent = model.encode(view)
    after = model.dynamics(latent, torch.tensor([4]), torch.tensor([(9, 20)]))
    return torch.cat([model.maps(latent).flatten(), model.maps(after).flatten()])


@pytest.mark.parametrize("heads", ["factored", "single"])
def test_a_grown_network_says_what_the_small_one_says_and_all_of_it_can_learn(heads: str) -> None:
    torch.manual_seed(3)
    small, view = _random(replace(SMALL, heads=heads)), torch.rand(1, 10, 48, 64)
    larger = HiermapModel(LARGER.of(small.config)).eval()
    adopt(larger, small.state_dict())
    assert torch.allclose(_said(larger, view), _said(small, view), atol=1e-4)
    new = {"encoder.down.weight", "encoder.near.3.narrow.weight", "dynamics.blocks.1.narrow.weight", "maps.out.weight"}
    _said(larger, view).square().sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in larger.named_parameters():
        if name in new:
            assert parameter.grad is not None and parameter.grad[:, -8:].any(), name


def test_sizes_that_are_not_named_stay_and_none_shrinks() -> None:
    assert GrowthOptions().of(SMALL) == SMALL
    with pytest.raises(ConfigError, match=r"grow.stem is 8, expected at least 16"):
        GrowthOptions(stem=8).of(SMALL)

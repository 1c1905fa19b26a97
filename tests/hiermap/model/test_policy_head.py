"""A policy answers with a bin and a point for each, whatever the order of the goal's predicates."""

from dataclasses import replace

import pytest
import torch

from hiermap.model.weights import load_weights, save_weights
from hiermap.model.world_model import HiermapModel
from hiermap.primitives.specs import PRIMITIVES
from tests.hiermap.model.test_goal_head import GOAL, HOLDS, PAIRS
from tests.hiermap.model.test_world_model import SMALL

ACTING = replace(SMALL, policy=True)


@pytest.fixture
def model() -> HiermapModel:
    torch.manual_seed(0)
    made = HiermapModel(ACTING).eval()
    with torch.no_grad():
        for parameter in made.policy.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def acts(model: HiermapModel, goal: torch.Tensor, holds: torch.Tensor, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    latent = model.encode(torch.rand(1, 10, 48, 64, generator=generator))
    reading = model.read(latent, model.things(latent, torch.rand(1, 4, 48, 64, generator=generator) < 0.1))
    return model.acts(latent, reading.token, model.answers(reading, pairs), goal, holds)


def test_chances_sum_to_one_over_the_bins_there_are_and_cells_lie_in_the_frame(model: HiermapModel) -> None:
    chances, cells = acts(model, GOAL, HOLDS, PAIRS)
    bins = torch.tensor([[r < len(spec.rotations) for r in range(chances.shape[2])] for spec in PRIMITIVES.values()])
    assert float(chances.sum()) == pytest.approx(1, abs=1e-5) and ((chances[0] > 0) == bins).all()
    assert cells.shape == (*chances.shape, 2) and (cells >= 0).all() and (cells < torch.tensor([48, 64])).all()


def test_the_order_of_predicates_changes_nothing_and_beliefs_count(model: HiermapModel) -> None:
    order = [2, 0, 1]
    plain, _ = acts(model, GOAL, HOLDS, PAIRS)
    assert torch.allclose(acts(model, GOAL[order], HOLDS[:, order], PAIRS[[1, 0]])[0], plain, atol=1e-5)
    assert not torch.allclose(acts(model, GOAL, 1 - HOLDS, PAIRS)[0], plain, atol=1e-5)


def test_weights_keep_their_policy_and_others_have_none(model: HiermapModel, tmp_path) -> None:
    loaded = load_weights(save_weights(tmp_path, model, {}, "# card\n")).model
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())
    assert HiermapModel(SMALL).policy is None

"""The steps to a whole goal: whatever the order of its predicates, whoever asks beside it, and knowing who shares a thing."""

import pytest
import torch

from hiermap.model.config import ModelConfig
from hiermap.model.goal_head import Conjunctions
from hiermap.model.predicate_head import Answers
from hiermap.model.world_model import HiermapModel

SMALL = ModelConfig(rows=48, columns=64, visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16)
GOAL = torch.tensor([[5, 0, 2], [1, 2, -1], [6, 3, 1]])  # inside(0, 2), closed(2), on_top(3, 1)
PAIRS = torch.tensor([[0, 2], [3, 1]])
HOLDS = torch.tensor([[0.9, 0.2, 0.4]])


@pytest.fixture
def model() -> HiermapModel:
    torch.manual_seed(0)
    made = HiermapModel(SMALL).eval()
    with torch.no_grad():
        for parameter in made.goal.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def asked(model: HiermapModel, goal: torch.Tensor, holds: torch.Tensor, pairs: torch.Tensor | None) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latent = model.encode(torch.rand(1, 10, 48, 64, generator=generator))
    reading = model.read(latent, model.things(latent, torch.rand(1, 4, 48, 64, generator=generator) < 0.1))
    return model.distances(latent, reading.token, model.answers(reading, pairs), goal, holds)


def test_a_goal_that_does_not_hold_needs_a_step_or_more(model: HiermapModel) -> None:
    distance = asked(model, GOAL, HOLDS, PAIRS)
    assert distance.shape == (1,) and 1.0 <= float(distance) <= 13.0


def test_the_order_of_predicates_changes_nothing(model: HiermapModel) -> None:
    order = [2, 0, 1]
    turned = asked(model, GOAL[order], HOLDS[:, order], PAIRS[[1, 0]])
    assert torch.allclose(turned, asked(model, GOAL, HOLDS, PAIRS), atol=1e-5)


def test_answers_of_its_own_pairs_say_what_those_of_all_say(model: HiermapModel) -> None:
    assert torch.allclose(asked(model, GOAL, HOLDS, PAIRS), asked(model, GOAL, HOLDS, None), atol=1e-5)


def test_what_is_missing_from_a_shorter_goal_is_not_asked(model: HiermapModel) -> None:
    padded = torch.cat([GOAL, torch.full((2, 3), -1)])
    holds = torch.cat([HOLDS, torch.rand(1, 2)], dim=1)
    assert torch.allclose(asked(model, padded, holds, PAIRS), asked(model, GOAL, HOLDS, PAIRS), atol=1e-5)


def test_belief_counts(model: HiermapModel) -> None:
    assert not torch.allclose(asked(model, GOAL, HOLDS, PAIRS), asked(model, GOAL, 1 - HOLDS, PAIRS), atol=1e-4)


def test_values_are_those_of_the_goals_own_predicates() -> None:
    unary, binary = torch.arange(12.0).view(1, 4, 3), 100 + torch.arange(32.0).view(1, 4, 4, 2)
    goals = Conjunctions(*torch.tensor([[[1, 2, -1], [4, 3, 0], [-1, -1, -1]]]).unbind(-1))
    assert goals.chosen(unary, binary)[0, :2].tolist() == [float(unary[0, 2, 1]), float(binary[0, 3, 0, 1])]
    answers = Answers(unary, binary, unary[..., None], binary[..., None])
    truth, steps = goals.of(answers)
    assert torch.equal(truth[..., None], steps)

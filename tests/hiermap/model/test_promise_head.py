"""What actions promise: nothing at first, the same alone and together, of all pairs or of some."""

from functools import partial

import pytest
import torch

from hiermap.model.config import ModelConfig
from hiermap.model.predicate_head import Reading
from hiermap.model.world_model import HiermapModel
from hiermap.worlds.legend import registered

SMALL = ModelConfig(rows=48, columns=64, visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16)
ACTIONS = torch.tensor([0, 3, 3]), torch.tensor([0, 1, 1]), torch.tensor([(3, 4), (40, 60), (20, 30)])


@pytest.fixture
def model() -> HiermapModel:
    torch.manual_seed(0)
    return HiermapModel(SMALL).eval()


def stirred(model: HiermapModel) -> HiermapModel:
    with torch.no_grad():
        for parameter in model.promise.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def asked(model: HiermapModel) -> tuple[torch.Tensor, Reading]:
    latent = model.encode(torch.rand(1, 10, 48, 64))
    return latent, model.read(latent, model.things(latent, torch.rand(1, 4, 48, 64) < 0.1))


def test_an_untrained_head_promises_that_nothing_changes(model: HiermapModel) -> None:
    latent, reading = asked(model)
    promise = model.promises(latent, reading, *ACTIONS)
    for now, promised in zip(model.told(model.answers(reading)), model.told(promise.answers), strict=True):
        assert promised.shape == (3, *now.shape[1:]) and torch.allclose(promised, now.expand_as(promised))


def test_actions_tried_together_promise_what_each_does_alone(model: HiermapModel) -> None:
    latent, reading = asked(stirred(model))
    together = model.told(model.promises(latent, reading, *ACTIONS).answers)
    for k in range(3):
        alone = model.told(model.promises(latent, reading, *(part[k : k + 1] for part in ACTIONS)).answers)
        assert all(torch.allclose(one[0], some[k], atol=1e-5) for one, some in zip(alone, together, strict=True))
    assert not torch.allclose(together[0][0], together[0][1], atol=1e-3) and not torch.allclose(together[0][1], together[0][2], atol=1e-4)


def test_some_pairs_are_answered_as_among_all(model: HiermapModel) -> None:
    latent, reading = asked(stirred(model))
    pairs = torch.tensor([(0, 2), (3, 1)])
    for ask in (partial(model.answers, reading), lambda *some: model.promises(latent, reading, *ACTIONS, *some).answers):
        every, some = model.told(ask()), model.told(ask(pairs))
        assert torch.allclose(some[1], every[1][:, pairs[:, 0], pairs[:, 1]], atol=1e-6)
        assert torch.allclose(some[3], every[3][:, pairs[:, 0], pairs[:, 1]], atol=1e-5)
    assert some[1].shape == (3, 2, len(registered().binary))

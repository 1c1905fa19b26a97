import pytest
import torch

from hiermap.model.config import ModelConfig
from hiermap.model.dynamics import draw_actions
from hiermap.model.predicate_head import expected_steps
from hiermap.model.world_model import HiermapModel
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.legend import registered

SMALL = ModelConfig(rows=48, columns=64, visible=16, memory=8, stem=16, context=16, dynamics_blocks=1, token=16)


@pytest.fixture(scope="module")
def model() -> HiermapModel:
    torch.manual_seed(0)
    model = HiermapModel(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def test_shapes_follow_the_contract(model: HiermapModel) -> None:
    latent = model.encode(torch.rand(2, 10, 48, 64))
    assert latent.shape == (2, 24, 12, 16)
    assert model.dynamics(latent, torch.tensor([4, 4]), torch.tensor([(3, 4), (40, 60)])).shape == latent.shape
    assert model.decode(latent).shape == (2, len(PRIMITIVES), ROTATION_BINS, 48, 64)
    answers = model.predicates(latent, model.things(latent, torch.ones(2, 3, 48, 64, dtype=torch.bool)))
    assert answers.unary.shape == (2, 3, 5) and answers.binary.shape == (2, 3, 3, 2)


def test_maps_are_probabilities_and_bins_without_meaning_are_zero(model: HiermapModel) -> None:
    maps = model.decode(model.encode(torch.rand(1, 10, 48, 64)))[0]
    flat = maps.flatten(0, 1)
    used = list(registered().flat)
    unused = [k for k in range(len(flat)) if k not in used]
    assert unused and not flat[unused].any()
    assert ((flat[used] > 0) & (flat[used] < 1)).all()


def test_decoded_depth_is_judged_without_the_worst_tenth_and_without_what_is_not_seen(model: HiermapModel) -> None:
    latent, view = model.encode(torch.rand(2, 10, 48, 64)), torch.zeros(2, 10, 48, 64)
    view[:, 3] = model.decode_depth(latent) - torch.arange(48 * 64.0).view(48, 64)
    view[0, 8, 0, :20] = 1
    found = model.depth_error(latent, view)
    assert found[0].item() == pytest.approx(torch.arange(18.0).mean().item(), abs=1e-3) and found[1] == torch.inf


def test_the_encoder_leaves_memory_empty_and_keeps_a_given_one(model: HiermapModel) -> None:
    view, memory = torch.rand(1, 10, 48, 64), torch.rand(1, 8, 12, 16)
    assert not model.memory_of(model.encode(view)).any()
    assert torch.equal(model.memory_of(model.with_memory(model.encode(view), memory)), memory)


def test_several_moments_are_answered_as_one_by_one(model: HiermapModel) -> None:
    first, later = model.encode(torch.rand(2, 10, 48, 64)), model.encode(torch.rand(2, 10, 48, 64))
    masks = torch.rand(2, 3, 48, 64) < 0.1
    things = model.things(first, masks)
    both = model.predicates(torch.cat([first, later]), things)
    for part, now in ((slice(0, 2), first), (slice(2, 4), later)):
        alone = model.predicates(now, things)
        assert torch.allclose(both.unary[part], alone.unary, atol=1e-5)
        assert torch.allclose(both.binary_steps[part], alone.binary_steps, atol=1e-5)


def test_an_action_is_drawn_at_its_cell() -> None:
    drawn = draw_actions(torch.tensor([(6, 9)]), 12, 16)[0].permute(2, 0, 1)
    assert drawn[:16].sum() == 1 and drawn[2 * 4 + 1, 1, 2] == 1
    assert drawn[16].flatten().argmax() == 1 * 16 + 2
    assert drawn[17, 0].unique() < 0 < drawn[17, 5].unique() and (drawn[18, :, 0] < 0).all() and (drawn[18, :, 9] > 0).all()


def test_steps_are_means_over_their_classes() -> None:
    sure = torch.full((7,), -100.0)
    sure[3] = 0.0
    assert expected_steps(sure) == 3 and expected_steps(sure, least=1) == 3
    done = torch.tensor([50.0, 0, 0, -100, -100, -100, -100])
    assert expected_steps(done) < 1e-6 and expected_steps(done, least=1) == 1.5


def test_calibration_shifts_one_primitive_only(model: HiermapModel) -> None:
    latent = model.encode(torch.rand(1, 10, 48, 64))
    before = model.decode(latent)
    model.calibration[1] = torch.tensor([1.0, 2.0])
    after = model.decode(latent)
    model.calibration[1] = torch.tensor([1.0, 0.0])
    assert torch.equal(before[:, [0, 2, 3, 4]], after[:, [0, 2, 3, 4]])
    assert torch.allclose(torch.logit(after[:, 1, :2]), torch.logit(before[:, 1, :2]) + 2, atol=1e-3)


NO_MOVES = {**SMALL.legend.to_dict(), "bins": []}


@pytest.mark.parametrize("change", [{"rows": 50}, {"visible": 0}, {"token": 1.5}, {"memory": 12}, {"legend": NO_MOVES}])
def test_sizes_that_cannot_work_are_refused(change: dict) -> None:
    with pytest.raises(ConfigError):
        ModelConfig.from_dict({**SMALL.to_dict(), **change})


def test_an_unknown_size_is_named() -> None:
    with pytest.raises(ConfigError, match="width"):
        ModelConfig.from_dict({"width": 3})


def test_the_default_network_is_compact() -> None:
    assert sum(p.numel() for p in HiermapModel().parameters()) < 1_500_000

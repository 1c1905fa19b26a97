from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from hiermap.data.episodes import read_episode
from hiermap.model.world_model import HiermapModel
from hiermap.training.head_losses import _sensible, policy_guesses, possible_actions, promise_loss, sense_loss
from hiermap.training.losses import choose_cells, map_loss, reading_along, unroll
from hiermap.training.module import HiermapModule, losses
from hiermap.training.options import LossWeights
from hiermap.training.sampling.batches import PathSampler, SequenceBatch, together, unpack
from hiermap.training.sampling.shards import load_shards
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.imagined.looks import mirror_views
from hiermap.worlds.legend import registered
from hiermap.worlds.perception.fusion import view_from_arrays
from tests.hiermap.model.test_world_model import SMALL
from tests.hiermap.training.synthetic import square_episode, write_squares

LEGEND = registered()
BINS = len(LEGEND.bins)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> SequenceBatch:
    shards = load_shards(write_squares(tmp_path_factory.mktemp("squares"), 4), LEGEND)
    return PathSampler(list(shards.values()), 5, mirror=False).batch(3, 3, np.random.default_rng(0))


def test_a_path_shows_what_its_actions_did(batch: SequenceBatch) -> None:
    assert batch.views.shape == (3, 4, 10, 48, 64) and batch.maps.shape == (3, 4, BINS, 48, 64) and batch.known.all()
    for b in range(3):
        for k in range(3):
            row, column = batch.cell[b, k].tolist()
            assert batch.maps[b, k, batch.bin_index[b, k], row, column]


def test_a_mirrored_path_is_still_true(tmp_path) -> None:
    shards = load_shards(write_squares(tmp_path, 2), LEGEND)
    sampler = PathSampler(list(shards.values()), 5, mirror=True)
    both = unpack(together([sampler.path(0, 0, 2, np.random.default_rng(1), mirrored) for mirrored in (False, True)]))
    plain, mirrored = both.cell
    assert (mirrored[:, 1] == 63 - plain[:, 1]).all()
    assert torch.equal(both.views[1], mirror_views(both.views[0])) and torch.equal(both.first[1], mirror_views(both.first[0]))
    for row in range(2):
        for k in range(2):
            assert both.maps[row, k, both.bin_index[row, k], both.cell[row, k, 0], both.cell[row, k, 1]]


def test_batches_show_what_is_stored(tmp_path) -> None:
    path = write_squares(tmp_path, 1)
    (shard,) = load_shards(path, LEGEND).values()
    stored = read_episode(next(path.glob("*.npz")))
    batch = PathSampler([shard], 1, mirror=False).batch(1, 1, np.random.default_rng(0))
    episode = SpatialFrame(rows=48, columns=64)
    views = [
        view_from_arrays(stored.rgb[v], stored.depth_mm[v], bool(stored.holding[v]), episode).channels() for v in range(len(stored.rgb))
    ]
    np.testing.assert_allclose(batch.first[0], views[0], atol=1e-3)
    assert any(np.allclose(batch.views[0, 1], view, atol=1e-3) for view in views)
    assert torch.equal(batch.maps[0, 0], torch.from_numpy(shard.maps([0])[0])) or not batch.starts_first[0]


def test_the_chosen_cells_hold_every_positive_and_estimate_the_mean(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    cells = choose_cells(batch)
    assert int(cells.maps.sum()) == int(batch.maps.sum())
    assert float(cells.weight.sum()) == pytest.approx(1, abs=0.1)
    everything = choose_cells(batch, share=1.0)
    assert len(everything.weight) == 3 * 4 * 12 * 16 and float(everything.weight.sum()) == pytest.approx(1, abs=1e-5)


def test_the_map_loss_over_all_cells_is_the_plain_cross_entropy(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    latents = torch.randn(3, 4, 24, 12, 16)
    ours = map_loss(model, latents, choose_cells(batch, share=1.0), torch.ones(BINS))
    logits = model.maps(latents.flatten(0, 1))
    plain = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.maps.flatten(0, 1).float())
    assert float(ours) == pytest.approx(100 * float(plain), rel=1e-4)


def test_the_last_imagined_latent_comes_from_all_actions(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    paths = unroll(model, batch)
    assert paths.real.shape == (3, 4, 24, 12, 16) and paths.imagined.shape == (3, 3, 24, 12, 16)
    assert not model.memory_of(paths.real[:, 0]).any()
    assert torch.equal(model.memory_of(paths.real[:, 3]), model.memory_of(paths.imagined[:, 2]))


def test_every_part_of_the_loss_is_finite_and_trains_something(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    parts = losses(model, batch, LossWeights(), torch.ones(BINS), 0.3)
    assert all(torch.isfinite(value) for value in parts.values())
    parts["loss"].backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []


def test_promises_teach_only_who_promises(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    paths = unroll(model, batch)
    reading = reading_along(model, batch, paths)
    loss = promise_loss(model, batch, paths, reading, model.predicates.answer(reading))
    loss.backward()
    taught = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert float(loss) > 0 and taught == {"promise", "goal"}


@pytest.fixture
def acting() -> HiermapModel:
    torch.manual_seed(0)
    return HiermapModel(replace(SMALL, policy=True))


def test_a_policy_imitates_the_steps_that_lead_nearer(acting: HiermapModel, batch: SequenceBatch) -> None:
    paths = unroll(acting, batch)
    reading = reading_along(acting, batch, paths)
    scores, points, bin_index, right = policy_guesses(acting, batch, paths, reading, acting.predicates.answer(reading))
    steps = batch.goal_steps.long()
    moment, path, _ = (steps[:, :-1] - steps[:, 1:] == 1).transpose(0, 1).nonzero(as_tuple=True)
    assert scores.shape == (len(path), BINS) and points.shape == right.shape == (len(path), 2) and len(path) > 0
    assert torch.equal(bin_index, batch.bin_index[path, moment])
    assert torch.equal((right * torch.tensor([48, 64])).long(), batch.cell[path, moment])


def test_a_policy_learns_alone_or_teaches_the_body_too(acting: HiermapModel, batch: SequenceBatch) -> None:
    alone = LossWeights(**{f.name: 0.0 for f in fields(LossWeights)} | {"policy": 1.0})
    losses(acting, batch, alone, torch.ones(BINS), 0.3)["loss"].backward()
    assert {name.split(".")[0] for name, p in acting.named_parameters() if p.grad is not None} == {"policy"}
    losses(acting, batch, replace(alone, geometry=1e-9), torch.ones(BINS), 0.3)["loss"].backward()
    assert float(acting.encoder.stem.weight.grad.abs().max()) > 1e-6
    losses(acting, batch, LossWeights(policy=1.0), torch.ones(BINS), 0.3)["loss"].backward()
    assert [name for name, p in acting.named_parameters() if p.grad is None] == []


def test_one_map_and_a_classifier_learn_from_the_same_losses(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(replace(SMALL, heads="single"))
    parts = losses(model, batch, LossWeights(), torch.ones(BINS), 0.3)
    parts["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters()) and float(parts["maps"]) > 0


def test_a_policy_that_is_not_there_cannot_be_trained() -> None:
    with pytest.raises(ConfigError, match="policy=true"):
        HiermapModule(SMALL.to_dict(), {"policy": 1.0})


def test_frozen_parts_do_not_learn(batch: SequenceBatch) -> None:
    module = HiermapModule(SMALL.to_dict(), None, {"frozen": ("encoder", "maps")})
    losses(module.model, batch, LossWeights(), torch.ones(BINS), 0.3)["loss"].backward()
    still = {name.split(".")[0] for name, p in module.model.named_parameters() if p.grad is None}
    learning = {id(p) for group in module.configure_optimizers().param_groups for p in group["params"]}
    assert still == {"encoder", "maps"} and not learning & {id(p) for p in module.model.encoder.parameters()}
    with pytest.raises(ConfigError, match="encodr"):
        HiermapModule(SMALL.to_dict(), None, {"frozen": ("encodr",)})


def test_views_that_allow_no_action_leave_promises_to_the_path_itself(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    nowhere = replace(batch, maps=torch.zeros_like(batch.maps))
    parts = losses(model, nowhere, LossWeights(), torch.ones(BINS), 0.3)
    parts["loss"].backward()
    assert float(parts["promises"]) > 0 and all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_actions_to_try_are_drawn_from_what_the_maps_allow() -> None:
    maps = torch.zeros(3, 4, 8, 8, dtype=torch.bool)
    maps[0, 2, 5, 6] = maps[2, 1, 3, 3] = maps[2, 3, 1, 7] = True
    which, bin_index, cell = possible_actions(maps)
    assert which.tolist() == [0, 2] and maps[which, bin_index, cell[:, 0], cell[:, 1]].all()
    assert [len(part) for part in possible_actions(torch.zeros_like(maps))] == [0, 0, 0]


def test_square_episodes_are_pure_functions_of_their_seed() -> None:
    one, other = square_episode(5), square_episode(5)
    assert (one.rgb == other.rgb).all() and (one.maps_packed == other.maps_packed).all()


def test_bare_cells_belong_to_nothing_that_is_asked_about(batch: SequenceBatch) -> None:
    assert batch.bare.any() and not (batch.bare[:, None] & batch.masks).any()


def test_what_makes_sense_of_a_thing_is_what_has_a_truth_of_it(batch: SequenceBatch) -> None:
    forms = [*LEGEND.unary, *(f"{kind} it" for kind in LEGEND.binary), *(f"{kind} of it" for kind in LEGEND.binary)]
    applies, known = _sensible(batch)
    fits = [{forms[k] for k in row.nonzero()[:, 0].tolist()} for row in applies[batch.masks.flatten(2).any(dim=2)]]
    kinds = [{"open", "closed"}, {"on", "off"}, {"held", "inside it", "on_top it"}, {"on_top of it"}]
    assert all(fit - {"inside it"} in [kind - {"inside it"} for kind in kinds] for fit in fits) and len({*map(frozenset, fits)}) == 4
    assert not known[~batch.masks.flatten(2).any(dim=2)].any()


def test_sense_is_learned_by_its_head_alone(batch: SequenceBatch) -> None:
    torch.manual_seed(0)
    model = HiermapModel(SMALL)
    assert model.sense is not None
    optimiser = torch.optim.Adam(model.sense.parameters(), lr=0.02)
    paths = unroll(model, batch)
    costs = []
    for _ in range(60):
        optimiser.zero_grad()
        costs.append(sense_loss(model, batch, paths))
        costs[-1].backward()
        optimiser.step()
    assert costs[-1] < 0.6 * costs[0]
    assert all(p.grad is None for name, p in model.named_parameters() if not name.startswith("sense."))

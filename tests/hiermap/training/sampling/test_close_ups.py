"""Parts of views around what is switched: what is in them is what is in the whole view, and the model reads them alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hiermap.model.world_model import HiermapModel
from hiermap.training.datamodule import KitchenDataModule
from hiermap.training.module import HiermapModule, losses
from hiermap.training.options import DataOptions
from hiermap.training.sampling.batches import unpack
from hiermap.training.sampling.close_ups import COLUMNS, ROWS, CloseUps, cut
from hiermap.training.sampling.shards import UNKNOWN, Shard, load_shards
from hiermap.worlds.errors import DataError
from hiermap.worlds.legend import registered
from tests.hiermap.model.test_world_model import SMALL
from tests.hiermap.training.synthetic import KNOB, write_squares

LEGEND = registered()


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Shard]:
    return list(load_shards(write_squares(tmp_path_factory.mktemp("squares"), 4), LEGEND).values())


def test_a_part_shows_what_the_whole_shows_there(shards: list[Shard]) -> None:
    whole = shards[0]
    part = cut(whole, 4, 16, ROWS, COLUMNS)
    assert part.frame == (ROWS, COLUMNS)
    assert np.array_equal(part.maps([0, 1]), whole.maps([0, 1])[..., 4 : 4 + ROWS, 16 : 16 + COLUMNS])
    for mask, before in zip(part.masks, whole.masks, strict=True):
        assert mask.sum() in (0, before.sum()), "what is cut off has no mask, so nothing is asked of it"


def test_every_close_up_holds_a_switch_wholly_and_says_how_it_is(shards: list[Shard]) -> None:
    batch = unpack(CloseUps(shards, mirror=True).rows(6, np.random.default_rng(0)))
    assert batch.views.shape[0] == 6 * 48 * 64 // (ROWS * COLUMNS) and batch.views.shape[-2:] == (ROWS, COLUMNS)
    on = LEGEND.unary.index("on")
    asked = (batch.unary[:, 0, :, on] != UNKNOWN) & batch.masks.flatten(2).any(dim=2)
    size = int(shards[0].masks[KNOB].sum())
    for row in range(len(asked)):
        assert asked[row].any() and int(batch.masks[row][asked[row]].sum()) == size
        lit = batch.views[row, 0, :3][:, batch.masks[row][asked[row]][0]]
        shade = batch.views[row, 0, :3].amax(dim=(1, 2))
        assert bool(batch.unary[row, 0, asked[row], on]) == bool((lit.mean(dim=1) > 0.85 * shade).all())


def test_kitchens_that_tell_of_affordances_are_half_of_them_however_few(shards: list[Shard]) -> None:
    fixtures_alone = [replace(shard, known=np.zeros_like(shard.known)) for shard in shards[1:] * 5]
    close_ups, rng = CloseUps([shards[0], *fixtures_alone], mirror=False), np.random.default_rng(0)
    told = np.concatenate([unpack(close_ups.rows(6, rng)).known.any(dim=1).numpy() for _ in range(20)])
    assert 0.4 < told.mean() < 0.6


def test_kitchens_without_switches_are_one_sentence(shards: list[Shard]) -> None:
    bare = [replace(shard, unary=np.full_like(shard.unary, UNKNOWN)) for shard in shards]
    with pytest.raises(DataError, match=r"none of 4 training kitchens .* take data_options\.close_ups=0"):
        CloseUps(bare, mirror=False)


def test_a_part_of_the_model_has_its_parameters_and_its_places() -> None:
    model = HiermapModel(SMALL)
    part = model.part(32, 32)
    assert all(a is b for a, b in zip(model.parameters(), part.parameters(), strict=True)) and model.config.columns == 64
    whole = model.predicates.grid.view(12, 16, 2)
    assert torch.equal(part.predicates.grid.view(8, 8, 2), whole[2:10, 4:12]) and model.predicates.grid.shape == (192, 2)
    latent = part.encode(torch.rand(2, 10, 32, 32))
    masks = torch.zeros(2, 3, 32, 32, dtype=torch.bool)
    masks[:, 0, 4:9, 4:9] = True
    assert part.predicates(latent, part.things(latent, masks)).unary.isfinite().all()


def test_they_come_as_often_as_asked_and_teach(tmp_path: Path) -> None:
    data = KitchenDataModule(write_squares(tmp_path, 4), DataOptions(close_ups=0.5, batches_per_epoch=30, views_per_batch=4, unroll=(1.0,)))
    data.setup()
    batches = [unpack(rows) for rows in data.train_dataloader()]
    close, whole = ([batch for batch in batches if (batch.views.shape[-1] == COLUMNS) == wanted] for wanted in (True, False))
    assert 7 <= len(close) <= 23
    module = HiermapModule({**vars(SMALL), "legend": SMALL.legend.to_dict()})
    model, batch, weights = module._taught_by(close[0])
    assert model is not module.model and weights.goals == weights.promises == 0
    assert module._taught_by(whole[0]) == (module.model, whole[0], module.weights)
    losses(model, batch, weights, module.bin_weights, 0.0)["loss"].backward()
    assert module.model.predicates.unary[0].weight.grad.abs().sum() > 0

"""Views of fixtures without moves: what they say is true, and training takes them for what they are."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from hiermap.data.collect import CollectSettings, collect
from hiermap.data.episodes import NOT_APPLICABLE, Episode, check_episode, encode
from hiermap.data.exchange.lerobot import export
from hiermap.data.verify import info, verify
from hiermap.data.walks.fixture_views import fixture_views
from hiermap.model.world_model import HiermapModel
from hiermap.system.config import load_config, typed
from hiermap.training.datamodule import KitchenDataModule
from hiermap.training.losses import steps_along
from hiermap.training.module import losses
from hiermap.training.options import DataOptions, LossWeights
from hiermap.training.sampling.batches import PathSampler
from hiermap.training.sampling.shards import load_shards
from hiermap.worlds.errors import DataError
from hiermap.worlds.goals import UNARY
from hiermap.worlds.legend import registered
from tests.hiermap.model.test_world_model import SMALL
from tests.hiermap.training.synthetic import write_squares

SEED, VIEWS = 178474, 6


@cache
def seen() -> Episode:
    settings = typed(CollectSettings, load_config("collect", ["out=unused", "source=fixtures", f"interactions_per_episode={VIEWS}"]))
    return fixture_views(SEED, settings)


def test_an_episode_is_a_consistent_record_of_fixtures_only() -> None:
    episode = seen()
    check_episode(episode, f"fixtures-{SEED:09d}.npz")
    fixtures = np.isin(episode.names, episode.meta["joints"])
    told = episode.unary != NOT_APPLICABLE
    assert len(episode.rgb) == VIEWS and len(episode.effect) == 0 and episode.legend.bins == ()
    assert told[:, fixtures].any(axis=2).all() and not told[:, ~fixtures].any() and (episode.binary == NOT_APPLICABLE).all()


def test_what_is_told_is_how_far_each_fixture_is() -> None:
    episode = seen()
    row = [list(episode.names).index(name) for name in episode.meta["joints"]]
    for kind, holds in (("open", 1), ("on", 1), ("closed", 0), ("off", 0)):
        told = episode.unary[:, row, UNARY.index(kind)]
        at_end = (np.abs(episode.fractions - holds) < 0.01) & (told != NOT_APPLICABLE)
        assert (told[at_end] == 1).all() and (told[(np.abs(episode.fractions - holds) > 0.6) & (told != NOT_APPLICABLE)] == 0).all()
    assert len(np.unique(episode.fractions.round(1), axis=0)) > 1


def test_they_are_counted_in_views_and_verified(tmp_path: Path) -> None:
    words = ["source=fixtures", "seed=0", "interactions=6", "interactions_per_episode=3", "workers=1"]
    collect(load_config("collect", [f"out={tmp_path / 'seen'}", *words]))
    assert verify(tmp_path / "seen").clean and len(list((tmp_path / "seen").glob("fixtures-*.npz"))) == 2
    assert "6 views" in info(tmp_path / "seen")
    with pytest.raises(DataError, match="views without actions"):
        export(tmp_path / "seen", tmp_path / "exported")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three episodes of views only."""
    for seed in range(3):
        episode = Episode(**{**vars(seen()), "meta": {**seen().meta, "seed": seed}})
        (tmp_path / f"fixtures-{seed:09d}.npz").write_bytes(encode(f"fixtures-{seed:09d}.npz", episode))
    return tmp_path


def test_they_teach_predicates_and_neither_maps_nor_steps(directory: Path) -> None:
    shards = load_shards(directory, registered())
    batch = PathSampler(list(shards.values()), 3, mirror=True).batch(4, 0, np.random.default_rng(0))
    assert not batch.known.any() and all((classes == -1).all() for classes in steps_along(batch))
    torch.manual_seed(0)
    config = replace(SMALL, rows=96, columns=128)
    parts = losses(HiermapModel(config), batch, LossWeights(), torch.ones(len(config.legend.bins)), 0.3)
    assert parts["maps"] == 0 and parts["steps"] == 0 and parts["goals"] == 0 and parts["predicates"] > 0 and parts["loss"].isfinite()


def test_single_views_come_as_often_as_asked(tmp_path: Path) -> None:
    options = DataOptions(single=0.5, batches_per_epoch=60, views_per_batch=6, unroll=(1.0,))
    data = KitchenDataModule(write_squares(tmp_path, 4), options)
    data.setup()
    alone = [rows["bin_index"].shape[1] == 0 for rows in data.train_dataloader()]
    assert 15 <= sum(alone) <= 45

"""Walks through the wide world: labels that agree with each other, the judge and the motor programs."""

from functools import cache
from itertools import islice
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hiermap.data import having_options
from hiermap.data.collect import CollectSettings
from hiermap.data.episodes import NOT_APPLICABLE, Episode, check_episode, encode, tells_of
from hiermap.data.walks.exploration import explored
from hiermap.data.walks.wide import Wide
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.config import load_config, typed
from hiermap.training.sampling.shards import load_shard
from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import UNARY, Predicate
from hiermap.worlds.legend import registered
from hiermap.worlds.wide.kitchens import kind_of, wide_kitchen

SEED = 176124


def settings(*words: str) -> CollectSettings:
    return typed(CollectSettings, load_config("collect", ["out=unused", "source=wide", "interactions_per_episode=12", *words]))


@cache
def walked() -> Episode:
    return explored(SEED, settings())


def test_an_episode_is_a_consistent_record_and_a_function_of_its_seed() -> None:
    episode = walked()
    check_episode(episode, f"wide-{SEED:09d}.npz")
    assert len(episode.effect) == 12 and episode.effect.any() and not episode.effect.all()
    assert np.isin(episode.fractions, (0.0, 1.0)).all(), "the rules of geometry know fixtures at their ends"
    assert np.array_equal(episode.maps_packed[0], explored(SEED, settings("interactions_per_episode=1")).maps_packed[0])


def test_an_action_has_an_effect_exactly_where_the_maps_say_so() -> None:
    episode = walked()
    maps = np.unpackbits(episode.maps_packed, axis=-1, count=episode.rgb.shape[2]).astype(bool)
    rows, columns = episode.cell.T
    assert np.array_equal(maps[episode.before, episode.primitive, episode.rotation, rows, columns], episode.effect)
    assert (episode.before == episode.after)[~episode.effect].all()


def test_things_are_what_can_be_held_and_unlike_furniture_the_trainer_knows_them(tmp_path: Path) -> None:
    episode = walked()
    held = episode.unary[0, :, UNARY.index("held")] != NOT_APPLICABLE
    named = set(np.array(episode.names)[held])
    assert named and not named & set(episode.meta["joints"])
    path = tmp_path / f"wide-{SEED:09d}.npz"
    path.write_bytes(encode(path.name, episode))
    assert np.array_equal(load_shard(path, registered()).is_object, held)


def test_what_the_maps_offer_mostly_comes_true_in_physics() -> None:
    ground = Wide(SEED, settings(), np.random.default_rng(0))
    now, done = ground.look(), []
    for region in now.regions:
        cells = np.argwhere(region.cells)
        row, column = cells[np.argmin(np.linalg.norm(cells - cells.mean(axis=0), axis=1))]
        move = region.operator.move
        ground.scene.act(Action(move.primitive, (int(row), int(column)), region.rotation), now.view)
        wanted = Predicate(move.to or "held", (move.target,))
        done.append(ground.scene.truth([wanted])[str(wanted)])
        ground.restore(now)
    assert set(PRIMITIVES) > {region.operator.move.primitive for region in now.regions} and len(done) >= 4
    assert np.mean(done) >= 0.75


def test_beside_a_place_of_the_rules_a_walk_sets_down_at_it() -> None:
    ground = Wide(SEED, settings(), np.random.default_rng(0))
    for primitive in ("grasp", "place"):
        now = ground.look()
        region = next(r for r in now.regions if r.operator.move.primitive == primitive)
        beside = np.argwhere(region.beside & ~np.any([r.cells for r in now.regions], axis=0))
        cell = region.best if primitive == "grasp" else (int(beside[0, 0]), int(beside[0, 1]))
        step = ground.attempt(now, Action(primitive, cell, region.rotation))
        assert step.effect and step.after.maps.any()
    assert step.action.cell != cell
    assert any(r.cells[step.action.cell] for r in now.regions)


def test_older_labels_tell_nothing_of_room_of_whole_fronts_of_bars_and_of_things() -> None:
    meta, legend = dict(walked().meta), registered()
    assert tells_of(meta, legend).all()
    del meta["labels"]
    untold = {bin_ for bin_, told in zip(legend.bins, tells_of(meta, legend), strict=True) if not told}
    assert untold == {bin_ for bin_ in legend.bins if bin_[0] in ("place", "pull", "grasp") or bin_ == ("push", "inward")}
    assert tells_of(meta | {"source": "rules"}, legend).all()


def test_nothing_is_bumped_and_nobody_is_told_it_was() -> None:
    with pytest.raises(ConfigError, match=r"walk.bump_share=0.3 and source=wide do not go together.*take walk.bump_share=0"):
        settings("walk.bump_share=0.3")


def test_rare_kinds_can_be_asked_for_in_every_shard() -> None:
    def chosen(*words: str) -> list[int]:
        return list(islice(settings("seed=62000", "having.kinds=[lever,knobs]", "having.least=2", "having.most_things=1", *words).seeds, 4))

    for seed in (whole := chosen()):
        joints = wide_kitchen(seed).joints
        assert sum(kind_of(joint.name) in ("lever", "knobs") for joint in joints) >= 2
        assert sum(joint.type == mujoco.mjtJoint.mjJNT_FREE for joint in joints) == 1
    assert set(whole) <= {*chosen("shard=1/2"), *chosen("shard=2/2")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["having.kinds=[oven]"], "having.kinds"),
        (["having.kinds=[lever]", "source=rules"], r"having \(with 1 lever\) and source=rules do not go together; take source=wide"),
        (["having.kinds=[lever]", "having.least=30"], "20 kitchens up to seed 19, none with 30 lever; ask for less"),
    ],
)
def test_kitchens_that_cannot_be_had_are_one_sentence(words: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(having_options, "SEARCHED", 20)
    with pytest.raises(ConfigError, match=message):
        next(settings(*words).seeds)

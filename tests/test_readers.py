"""Every reader of a file: whatever is damaged ends in one sentence, asks for little memory, and what is checked is never taken changed."""

import io
import json
import os
import pickle
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from hiermap.data import manifest
from hiermap.data.episodes import read_episode, write_episode
from hiermap.data.exchange.lerobot import export, take_in
from hiermap.data.toy_episodes import toy_episode
from hiermap.data.verify import info
from hiermap.evaluation.evaluate import finish
from hiermap.evaluation.plan import plan
from hiermap.evaluation.results import EpisodeRow, PartialRows, read_run
from hiermap.model.config import ModelConfig
from hiermap.model.locate import trained_on
from hiermap.model.weights import load_weights, save_weights
from hiermap.model.world_model import HiermapModel
from hiermap.report.report import report
from hiermap.system.config import load_config
from hiermap.system.files import SEAL
from hiermap.training.keeping.checkpoints import read_checkpoint
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.goals import Goal
from hiermap.worlds.records import read_json
from tests.fuzzing import CHANGES, PYTHONS_OWN, little_memory

NAME = "toy-000000007.npz"
ROWS = [EpisodeRow(k, 5 + k, "chain-3", 3, 1, True, 3, 3, 0, 0.5) for k in range(4)]
MANY, MORE = 1_000, 10_000


@dataclass(frozen=True)
class Reader:
    """A file and what reads it.

    Attributes:
        file: inside the sample's directory.
        change: key of `CHANGES`.
        read: given the sample's directory.
        checked: what may come of a changed file, given what comes of the sample and of the file; True where any that is accepted may.
        share: of the changes of other readers in the short test: reading takes longer.
    """

    file: str
    change: str
    read: Callable[[Path], Any]
    checked: Callable[[Any, Any], bool] = lambda sample, got: True
    share: float = 1.0


def _weights(directory: Path) -> tuple:
    trained_on(directory / "model.safetensors")
    return tuple((name, tensor.numpy().tobytes()) for name, tensor in load_weights(directory).model.state_dict().items())


WARNED = "without a digest, which is warned of"


def _as_told(path: Path, got: Any) -> Any:
    """What was read of a file, and of one that lost its digest that this is told."""
    return got if SEAL in json.loads(path.read_text()) else WARNED


def _page(directory: Path) -> str:
    return report(directory).read_text()


def _the_same(sample: Any, got: Any) -> bool:
    return got in (sample, WARNED)


READERS = {
    "episode": Reader(NAME, "archive", lambda d: read_episode(d / NAME)),
    "episode, bytes": Reader(NAME, "bytes", lambda d: _bytes_of(read_episode(d / NAME)), _the_same),
    "manifest": Reader(manifest.NAME, "lines", info),
    "partial rows": Reader("episodes.partial.jsonl", "lines", lambda d: _rows(d), lambda sample, got: set(got) <= set(sample), share=0.3),
    "run.json": Reader("run.json", "json", lambda d: _as_told(d / "run.json", read_run(d)), _the_same, share=0.5),
    "eval_info.json": Reader("eval_info.json", "json", lambda d: _as_told(d / "eval_info.json", _page(d)), _the_same, share=0.5),
    "episodes.csv": Reader("episodes.csv", "bytes", lambda d: _page(d), _the_same, share=0.5),
    "plan.json": Reader("plan.json", "json", lambda d: _as_told(d / "plan.json", _page(d)), _the_same, share=0.5),
    "config.json": Reader("config.json", "json", _weights, _the_same, share=0.15),
    "model.safetensors": Reader("model.safetensors", "tensors", _weights, _the_same, share=0.25),
    "model.safetensors without a digest": Reader("old/model.safetensors", "tensors", lambda d: _weights(d / "old"), share=0.2),
    "checkpoint": Reader("last.ckpt", "bytes", lambda d: read_checkpoint(d / "last.ckpt")["epoch"], _the_same, share=0.5),
    "export.json": Reader(
        "meta/hiermap/export.json", "json", lambda d: take_in(d, d.with_name(f"{d.name}-back"), overwrite=True), share=0.2
    ),
    "goal": Reader("goal.json", "json", lambda d: Goal.from_json(read_json(d / "goal.json", "write it again"))),
}
"""Name -> every reader of a file that somebody else may have written."""


def _bytes_of(episode: Any) -> tuple:
    return tuple(value.tobytes() if hasattr(value, "tobytes") else json.dumps(value) for value in vars(episode).values())


def _rows(directory: Path) -> list[EpisodeRow]:
    return list(PartialRows(directory, {"seed": 5}).load().values())


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reader -> the directory of a valid file of its own."""
    root = tmp_path_factory.mktemp("samples")
    places = {name: root / str(number) for number, name in enumerate(READERS)}
    for name, place in places.items():
        place.mkdir()
        _make(name.partition(",")[0].partition(" without")[0], place)
    return places


def _make(name: str, place: Path) -> None:
    if name in ("episode", "manifest"):
        path = write_episode(place, NAME, toy_episode(7))
        manifest.append(place, manifest.describe(NAME, path.read_bytes(), read_episode(path)))
        manifest.append(place, {"state": "void", "file": "toy-000000008.npz", "seed": 8, "reason": "no goal"})
    elif name == "export.json":
        _make("episode", place.with_name(f"{place.name}-data"))
        export(place.with_name(f"{place.name}-data"), place)
    elif name == "partial rows":
        PartialRows(place, {"seed": 5}).load()
        for row in ROWS:
            PartialRows(place, {"seed": 5}).append(row)
    elif name in ("run.json", "eval_info.json", "episodes.csv"):
        finish(ROWS, {"config": {"suite": "chain-3", "seed": 5}}, place)
    elif name == "plan.json":
        words = ["kitchen=toy", "world=simulator", "maps=oracle", "task=chain-3", "execute=true", f"out={place}"]
        plan(load_config("plan", words))
    elif name == "goal":
        mask = {"shape": [12, 16], "runs": [[2, 3, 5], [3, 3, 4]]}
        (place / "goal.json").write_text(
            json.dumps(
                {"predicates": [["open", "a"], ["inside", "b", "a"]], "targets": {"a": mask, "b": {"shape": [12, 16], "point": [1, 2]}}}
            )
        )
    elif name == "checkpoint":
        _make_checkpoint(place / "last.ckpt")
    else:
        _make_weights(place)


def _make_checkpoint(path: Path) -> None:
    plain = {"loops": {}, "callbacks": {}, "optimizer_states": [], "lr_schedulers": []}
    state = {"state_dict": {"a": torch.arange(50.0)}, "epoch": 3, "global_step": 9, "pytorch-lightning_version": "2.6.6", **plain}
    torch.save(state, path)


def _make_weights(place: Path) -> None:
    widths = {"visible": 8, "memory": 8, "stem": 8, "context": 8, "token": 8}
    model = HiermapModel(ModelConfig(rows=16, columns=16, encoder_blocks=1, dynamics_blocks=1, **widths))
    save_weights(place, model, {"config": {"data": "x"}, "data": {"name": "x", "manifest_sha256": None}}, "card")
    save_weights(place / "old", model, {}, "card")
    record = json.loads((place / "old" / "config.json").read_text())
    del record["model_sha256"]
    (place / "old" / "config.json").write_text(json.dumps(record))


def _fuzz(reader: Reader, name: str, place: Path, times: int, capsys: pytest.CaptureFixture) -> None:
    """Read so many changed files; what is wrong is told with the number that makes the change again."""
    path = place / reader.file
    content = path.read_bytes()
    with little_memory():
        sample = reader.read(place)
        for number in range(times):
            changed = CHANGES[reader.change](content, random.Random(zlib.crc32(f"{name} {number}".encode())))
            path.write_bytes(changed)
            try:
                got = reader.read(place)
            except (DataError, ConfigError) as error:
                told = str(error)
                assert told and "\n" not in told and len(told) < 900 and not PYTHONS_OWN.search(told), f"{name} {number}: {told[:1000]}"
            except Exception as error:
                raise AssertionError(f"{name}, change {number}: {type(error).__name__}: {str(error)[:300]}") from error
            else:
                assert reader.checked(sample, got) or changed == content, f"{name}, change {number} was accepted"
            if not number % 100:
                capsys.readouterr()
    path.write_bytes(content)
    reader.read(place)


def test_a_pickle_is_refused_unread_wherever_it_lies(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "exploded"),)

    _make_weights(tmp_path / "old")
    for name, content in {"plain": pickle.dumps(Bomb()), "zipped": _saved({"state_dict": Bomb()}), "empty": b""}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match="no checkpoint of a training"):
            read_checkpoint(path)
        (tmp_path / "old" / "old" / "model.safetensors").write_bytes(content)
        with pytest.raises(DataError, match="safetensors"):
            load_weights(tmp_path / "old" / "old")
    assert not (tmp_path / "exploded").exists()


def _saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_a_newer_format_is_told_as_one(tmp_path: Path) -> None:
    _make_weights(tmp_path)
    text = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace("hiermap-weights-1", "hiermap-weights-2"))
    with pytest.raises(DataError, match="format 'hiermap-weights-2', expected 'hiermap-weights-1'; was it made by a newer version"):
        load_weights(tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_whatever_is_damaged_ends_in_one_sentence(name: str, samples: dict[str, Path], capsys: pytest.CaptureFixture) -> None:
    _fuzz(READERS[name], name, samples[name], int(MANY * READERS[name].share), capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_whatever_is_damaged_ends_in_one_sentence_ten_times_as_often(
    name: str, samples: dict[str, Path], capsys: pytest.CaptureFixture
) -> None:
    _fuzz(READERS[name], f"more {name}", samples[name], MORE, capsys)

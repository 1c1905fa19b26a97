import csv
import errno
import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

import hiermap.training
from hiermap.model.weights import load_weights
from hiermap.system.config import load_config
from hiermap.system.files import DiskFullError
from hiermap.system.run_folder import LOCK, RECORD, clear
from hiermap.training.datamodule import KitchenDataModule, held_out_names
from hiermap.training.keeping.checkpoints import AtomicCheckpointIO, usable_checkpoint
from hiermap.training.module import HiermapModule, schedule
from hiermap.training.options import DataOptions
from hiermap.training.train import train
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.legend import Legend, registered
from tests.hiermap.training.synthetic import write_squares

SIZES = ["model.rows=48", "model.columns=64"]
SMALL = ["model.visible=8", "model.memory=8", "model.stem=8", "model.context=8", "data_options.limit=8", "data_options.views_per_batch=4"]
SMALL += ["data_options.validation_sequences=2"]


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squares(tmp_path_factory.mktemp("squares"), 60)


def _config(data: Path, out: Path, *more: str) -> dict:
    return load_config(
        "train",
        [
            "config=train_debug",
            f"data={data}",
            f"out={out}",
            "threads=1",
            "trainer.enable_progress_bar=false",
            "trainer.max_time=null",
            *SIZES,
            *more,
        ],
    )


@pytest.fixture(scope="module")
def trained(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    assert train(_config(squares, out)) == 0
    return out


def test_debug_training_finds_where_primitives_work(trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())["metrics"]
    assert metrics["ap"] > 10 * metrics["guess_ap"] and metrics["ap"] > 0.4
    assert metrics["promised_changes"] > 0.2


def test_imagined_maps_beat_nothing_changes(trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())["metrics"]
    assert all(metrics[f"imagined_ap_{h}"] > metrics[f"unchanged_ap_{h}"] for h in (2, 3, 4, 5))


def test_training_exports_weights_that_load_and_a_card(trained: Path) -> None:
    loaded = load_weights(trained)
    assert loaded.model.config.rows == 48 and (loaded.model.calibration[:, 1] != 0).any()
    assert 0 < loaded.model.usual_depth_error_m <= 1
    card = (trained / "README.md").read_text()
    assert "Held-out results" in card
    made = json.loads((trained / "config.json").read_text())["config"]
    command = shlex.split(re.search(r"`hiermap train (.*?)`", card)[1])
    assert load_config("train", command) == made and "model.rows=48" in command
    assert str(trained.parent) not in (trained / "config.json").read_text()


def test_training_logs_every_figure_as_csv(trained: Path) -> None:
    rows = list(csv.DictReader((trained / "log" / "metrics.csv").open()))
    assert {"val/ap_grasp", "val/ece_grasp", "val/imagined_ap_5", "train/maps", "train/samples_per_second"} <= set(rows[0])


def test_the_same_command_resumes_where_it_stopped(squares: Path, tmp_path: Path) -> None:
    few = ["data_options.batches_per_epoch=3", "data_options.validation_sequences=4"]
    train(_config(squares, tmp_path, *few, "trainer.max_epochs=1"))
    first = json.loads((tmp_path / "metrics.json").read_text())
    train(_config(squares, tmp_path, *few, "trainer.max_epochs=2"))
    second = json.loads((tmp_path / "metrics.json").read_text())
    assert (first["steps"], second["steps"]) == (3, 6) and 0 < first["minutes"] < second["minutes"]


def test_another_training_in_the_same_folder_is_refused_and_begins_anew_when_told(squares: Path, tmp_path: Path) -> None:
    few = [*SMALL, "data_options.batches_per_epoch=2", "trainer.max_epochs=1"]
    train(_config(squares, tmp_path, *few))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for change, words in (
        ("losses.maps=2", "losses.maps is 1.0 there and 2.0 now"),
        ("model.memory=16", "model.memory is 8 there and 16 now"),
        ("weights=default", "weights_sha256 is null there"),
        ("trainer.max_epochs=0", "trainer.max_epochs is 1 there and 0 now"),
        ("trainer.max_time=00:00:01:00", "trainer.max_time is null there and 60.0 now"),
    ):
        with pytest.raises(ConfigError, match=words):
            train(_config(squares, tmp_path, *few, change))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    train(_config(squares, tmp_path, *few, "losses.maps=2", "overwrite=true"))
    assert json.loads((tmp_path / "metrics.json").read_text())["steps"] == 2
    assert "losses.maps=2" in (tmp_path / "README.md").read_text()
    clear(tmp_path, "train")
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, LOCK}, "overwrite=true would leave a file of this training"


def test_training_can_start_from_weights(squares: Path, trained: Path, tmp_path: Path) -> None:
    few = ["data_options.batches_per_epoch=2", "data_options.validation_sequences=4", "trainer.max_epochs=1", "optimiser.lr=0.0"]
    train(_config(squares, tmp_path, f"weights={trained}", *few))
    old, new = load_weights(trained).model.state_dict(), load_weights(tmp_path).model.state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old if name != "calibration")


@pytest.mark.parametrize("name", hiermap.training.__all__)
def test_the_parts_of_a_training_can_be_imported_from_the_room(name: str) -> None:
    assert getattr(hiermap.training, name).__name__ == name


def test_an_empty_directory_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hiermap collect"):
        train(_config(tmp_path, tmp_path / "out"))


def test_an_unknown_trainer_option_is_an_error(squares: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_epoch"):
        train(_config(squares, tmp_path, "trainer.max_epoch=3"))


@pytest.mark.parametrize(
    "change", ["data_options.unroll=[]", "data_options.views_per_batch=1", "data_options.validation_share=1.0", "trainer.max_time=soon"]
)
def test_unusable_options_are_errors(squares: Path, tmp_path: Path, change: str) -> None:
    with pytest.raises(ConfigError):
        train(_config(squares, tmp_path, change))


def test_a_training_that_diverges_says_where_and_what_to_try(squares: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss is not finite at step \d+ \(.*maps.*lower optimiser.lr=1e\+30 and begin again"):
        train(_config(squares, tmp_path, "optimiser.lr=1e30"))
    assert not (tmp_path / "model.safetensors").exists()


def test_held_out_kitchens_do_not_depend_on_the_others() -> None:
    names = [f"play-{k:09d}" for k in range(200)]
    held = held_out_names(names, 0.1)
    assert 5 < len(held) < 40 and held_out_names(names[:100], 0.1) == held & set(names[:100])


def test_the_learning_rate_rises_and_ends_at_zero() -> None:
    assert schedule(0.0) < 0.1 < schedule(0.03) < schedule(0.05) == 1 and schedule(1.0) < 1e-9


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"step": 1}, path)
    with pytest.raises(Exception, match="pickle"):
        AtomicCheckpointIO().save_checkpoint({"step": lambda: 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1} and [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_options_refuse_negative_chances() -> None:
    with pytest.raises(ConfigError, match="unroll"):
        DataOptions(unroll=(1.0, -1.0))


def test_batches_do_not_depend_on_how_many_processes_draw_them(squares: Path) -> None:
    def drawn(workers: int) -> list[torch.Tensor]:
        data = KitchenDataModule(squares, DataOptions(views_per_batch=4, batches_per_epoch=5, workers=workers))
        data.setup()
        return [batch["cell"] for batch in data.train_dataloader()]

    alone = drawn(0)
    assert len(alone) == 5 and len({str(cells) for cells in alone}) > 1
    assert all(torch.equal(a, b) for a, b in zip(alone, drawn(2), strict=True))


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("damage", ["empty", "truncated", "random", "malicious", "of another model"])
def test_a_damaged_checkpoint_is_left_out_for_an_older_one(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    module = HiermapModule({"rows": 48, "columns": 64, "visible": 8, "memory": 8, "stem": 8, "context": 8})
    good, bad = tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    rest = {"pytorch-lightning_version": "2", "epoch": 0, "global_step": 1, "loops": {}, "callbacks": {}, "lr_schedulers": []}
    whole = {**rest, "state_dict": module.state_dict(), "optimizer_states": []}
    torch.save(whole, good)
    content = good.read_bytes()
    bad.write_bytes(
        {"empty": b"", "truncated": content[: len(content) // 2], "random": np.random.default_rng(0).bytes(9999)}.get(damage, b"")
    )
    if damage == "malicious":
        torch.save({"state_dict": Malicious(tmp_path / "ran")}, bad)
    elif damage == "of another model":
        torch.save({**whole, "state_dict": {"x": torch.zeros(3)}}, bad)
    assert usable_checkpoint(module, [bad, good]) == good
    assert (
        re.search(f"{re.escape(str(bad))} is (truncated, damaged|of another model).*left out", caplog.text)
        and not (tmp_path / "ran").exists()
    )
    assert usable_checkpoint(module, [bad]) is None


def test_training_goes_on_from_the_older_checkpoint(squares: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    few = [*SMALL, "data_options.batches_per_epoch=2"]
    train(_config(squares, tmp_path, *few, "trainer.max_epochs=1"))
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"\x80\x04 no checkpoint")
    train(_config(squares, tmp_path, *few, "trainer.max_epochs=2"))
    assert "last.ckpt is truncated, damaged" in caplog.text
    assert json.loads((tmp_path / "metrics.json").read_text())["steps"] == 4
    assert usable_checkpoint(HiermapModule(**_hyperparameters(tmp_path)), [tmp_path / "checkpoints" / "last.ckpt"])


def _hyperparameters(out: Path) -> dict:
    return torch.load(out / "checkpoints" / "best.ckpt", weights_only=True)["hyper_parameters"]


def test_weights_that_are_not_finite_are_never_saved(squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [*SMALL, "data_options.batches_per_epoch=1", "trainer.max_epochs=3"]
    ended = HiermapModule.on_train_batch_end

    def broken(self: HiermapModule, *arguments: object) -> None:
        if self.trainer.global_step == 2:
            next(self.model.parameters()).data.fill_(torch.nan)
        ended(self, *arguments)

    monkeypatch.setattr(HiermapModule, "on_train_batch_end", broken)
    with pytest.raises(
        ConfigError, match=r"not finite at step 2 .*lower optimiser\.lr=0\.004 .*last good weights: .*checkpoints/\w+\.ckpt"
    ):
        train(_config(squares, tmp_path, *few))
    assert all(torch.load(path, weights_only=True)["global_step"] == 1 for path in (tmp_path / "checkpoints").glob("*.ckpt"))


def test_data_without_a_primitive_are_warned_of_by_its_name(squares: Path, caplog: pytest.LogCaptureFixture) -> None:
    extended = registered()
    legend = Legend((*extended.bins, ("wipe", "left"), ("wipe", "right")), extended.unary, extended.binary)
    KitchenDataModule(squares, DataOptions(limit=4), legend).setup()
    assert "no action with" in caplog.text and "wipe" in caplog.text


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_disk_that_is_full_keeps_the_checkpoint_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"step": 1}, path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "write":
        monkeypatch.setattr(torch, "save", full)
    else:
        monkeypatch.setattr(os, where, full)
    with pytest.raises(DiskFullError, match=r"last\.ckpt; free space"):
        AtomicCheckpointIO().save_checkpoint({"step": 2}, path)
    monkeypatch.undo()
    assert torch.load(path, weights_only=True) == {"step": 1} and [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]

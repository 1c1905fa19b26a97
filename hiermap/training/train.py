"""`hiermap train`: fit the model on a data directory and export weights with a card."""

import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import lightning as L
import torch
from lightning.pytorch.callbacks import Timer, TQDMProgressBar
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from hiermap.data.manifest import described
from hiermap.model.config import GrowthOptions
from hiermap.model.locate import MODEL_FILE, weights_directory
from hiermap.model.weights import adopt, load_weights, save_weights
from hiermap.system.config import typed
from hiermap.system.files import file_sha256, write_json
from hiermap.system.provenance import settings
from hiermap.system.run_folder import clear, directory, fingerprint, owned
from hiermap.system.versions import versions
from hiermap.training.datamodule import KitchenDataModule
from hiermap.training.held_out import HeldOutScores
from hiermap.training.keeping.checkpoints import AtomicCheckpointIO, Checkpoints, read_checkpoint, usable_checkpoint
from hiermap.training.keeping.curve import Curve, Table
from hiermap.training.model_card import card, checkpoint_card, results_table
from hiermap.training.module import HiermapModule, Pace, timer_of
from hiermap.training.options import TrainOptions
from hiermap.worlds.errors import ConfigError, DataError, HiermapError
from hiermap.worlds.records import Positive, check, one_of, shown

_log = logging.getLogger(__name__)
LOGGERS: Mapping[str, Callable[[Path], Logger]] = {
    "tensorboard": lambda out: TensorBoardLogger(out, name="tensorboard", version=""),
    "wandb": lambda out: WandbLogger(out.name, out),
}
"""Option, and the extra it needs -> what also logs a training."""
LENGTHS = ("max_epochs", "max_steps", "max_time")
"""Options of the trainer that end a training: a folder's may come to be longer."""
NO_PART = (
    *("out", "overwrite", "resume", "save_seconds", "threads", *LOGGERS, "data_options.workers", "data", "weights"),
    *(f"trainer.{name}" for name in (*LENGTHS, "enable_progress_bar", "enable_model_summary", "log_every_n_steps")),
)
"""Keys that weights do not depend on; for data and first weights stand their digests, for lengths what `_lengths` says."""


def train(config: Mapping[str, Any]) -> int:
    """Train as `configs/train.yaml` describes; resumes from `out`'s last checkpoint; prints a table; returns the exit code 0.

    Writes `model.safetensors`, `config.json`, `README.md` (card) and `metrics.json` into `out`, the log under `out/log`.
    Raises ConfigError for unusable options or the folder of another training, and DataError for unusable data or weights.
    """
    options = typed(TrainOptions, config)
    weights = weights_directory(options.weights) if options.weights else None
    about = settings(_plain(config), weights and weights / MODEL_FILE, described(Path(options.data)))
    with _owned(options, about, [Path(options.data), weights]) as out:
        if not options.resume and not rank_zero_only.rank:  # type: ignore[attr-defined]
            clear(out, "train")
        return _train(config, options, about, out)


def _owned(options: TrainOptions, about: Mapping[str, Any], reads: list[Path | None]) -> AbstractContextManager[Path]:
    """The folder of a training; of several processes the first holds it for all."""
    if rank_zero_only.rank:  # type: ignore[attr-defined]
        return nullcontext(directory(options.out))
    run = {"command": "train", **_lengths(options.trainer), **fingerprint(about, NO_PART)}
    return owned(options.out, run, options.overwrite, [f"trainer.{name}" for name in LENGTHS], reads)


def _lengths(trainer: Mapping[str, Any]) -> dict[str, float | None]:
    """How long a training may be, in epochs, steps and seconds; None is endless."""
    counts = {f"trainer.{name}": None if trainer.get(name) in (None, -1) else trainer[name] for name in LENGTHS[:2]}
    return {**counts, "trainer.max_time": _seconds(trainer["max_time"]) if trainer.get("max_time") else None}


def _train(config: Mapping[str, Any], options: TrainOptions, about: Mapping[str, Any], out: Path) -> int:
    torch.set_flush_denormal(True)
    L.seed_everything(int(config["seed"]), verbose=False)
    module = build_module(config)
    data = KitchenDataModule(config["data"], replace(options.data_options, seed=options.seed), module.model_config.legend)
    trainer = build_trainer(config, out)
    if trainer.strategy.root_device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # products in TF32: a third of the time, and what is learned needs no more
    torch.set_num_threads(int(config["threads"]) or max(1, (os.cpu_count() or 1) // trainer.num_devices))
    newest_first = sorted((out / "checkpoints").glob("*.ckpt"), key=lambda path: (path.stem == "last", path.stat().st_mtime), reverse=True)
    resume = usable_checkpoint(module, newest_first) if options.resume else None
    data.setup()
    if data.frame != (module.model_config.rows, module.model_config.columns):
        rows, columns = data.frame
        raise ConfigError(f"views in {config['data']} have {rows} x {columns} cells; expected model.rows={rows} model.columns={columns}")
    if trainer.is_global_zero and (duration := options.trainer.get("max_time")):
        print(f"trains for {timedelta(seconds=_seconds(duration))} at most, then scores what was held out", file=sys.stderr)
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # where progress bars belong
        warnings.filterwarnings("ignore", message=".*(IterableDataset|LeafSpec|logging interval|does not have many workers).*")
        try:
            trainer.fit(module, datamodule=data, ckpt_path=resume)
        except MisconfigurationException as error:
            raise ConfigError(_refused(error)) from error
        except SystemExit as error:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from error
    if trainer.interrupted:
        raise KeyboardInterrupt
    if trainer.is_global_zero:
        print(results_table(export(module, data, trainer, about, out)))
        print(f"written {out} after {trainer.global_step} steps; whether they helped: hiermap evaluate weights={out}, then hiermap compare")
    return 0


def build_module(config: Mapping[str, Any]) -> HiermapModule:
    """A fresh module, or one that starts from `config.weights`, whose shape, grown as `config.grow` says, then wins over `config.model`."""
    if not config["weights"]:
        return HiermapModule(config["model"], config["losses"], config["optimiser"])
    loaded = load_weights(config["weights"])
    shape = GrowthOptions(**config.get("grow", {})).of(loaded.model.config)
    module = HiermapModule(shape.to_dict(), config["losses"], config["optimiser"])
    adopt(module.model, loaded.model.state_dict())  # checked when read; they may lack promises
    if module.weights.maps:
        module.model.calibration.copy_(torch.tensor([1.0, 0.0]).expand_as(module.model.calibration))
    return module


def build_trainer(config: Mapping[str, Any], out: Path) -> L.Trainer:
    """A Lightning Trainer with every option of `config.trainer` passed on; raises ConfigError for one it does not know."""
    options = dict(config["trainer"])
    duration = options.pop("max_time", None)
    keep, table = partial(Checkpoints, out / "checkpoints", enable_version_counter=False), Table(out / "log" / "metrics.csv")
    callbacks: list[L.Callback] = [
        keep("best", monitor="val/score", mode="max", save_last=True, save_on_train_epoch_end=True),
        # A SIGTERM can come without time for an emergency save, and epochs are long.
        keep("last", train_time_interval=timedelta(seconds=config["save_seconds"])),
        Timer(timedelta(seconds=_seconds(duration)) if duration else None, interval="step"),
        Pace(),
        Curve(table),
    ]
    loggers: list[Logger] = [table]
    loggers += [_logger(name, out) for name in LOGGERS if config[name]]
    fixed: dict[str, Any] = {
        "logger": loggers,
        "callbacks": callbacks,
        "plugins": [AtomicCheckpointIO()],
        "default_root_dir": str(out),
        "reload_dataloaders_every_n_epochs": 1,  # each epoch draws paths of its own, also after a resume
    }
    if options.get("enable_progress_bar", True):
        callbacks.append(TQDMProgressBar(refresh_rate=10))
    clash = sorted(set(options) & set(fixed))
    if clash:
        raise ConfigError(f"trainer.{clash[0]} is set by the training itself; leave it out")
    _check_trainer(options)
    try:
        return L.Trainer(**options, **fixed)
    # Lightning and what it starts raise many kinds of errors.
    except Exception as error:
        raise ConfigError(_refused(error)) from error


def _check_trainer(options: Mapping[str, Any]) -> None:
    """ConfigError for an option that Lightning's Trainer does not have, or of another type than it says."""
    kinds = {**get_type_hints(L.Trainer.__init__), "check_val_every_n_epoch": Positive | None}
    for name, value in options.items():
        one_of("trainer option", name, sorted(kinds.keys() - {"return"}))
        try:
            check(value, kinds[name], f"trainer.{name}")
        except DataError as error:
            raise ConfigError(str(error)) from error


def _refused(error: Exception) -> str:
    return f"lightning.Trainer refuses these trainer.* options: {str(error).strip().partition(chr(10))[0]}"


def export(module: HiermapModule, data: KitchenDataModule, trainer: L.Trainer, about: Mapping[str, Any], out: Path) -> dict[str, float]:
    """Take the best checkpoint, calibrate it on the held-out kitchens, score it and write everything a user needs; returns the scores.

    What is written says where it comes from: `about`, as `hiermap.system.provenance.settings` tells it.
    """
    best = usable_checkpoint(module, (out / "checkpoints").glob("best.ckpt"))
    if best is not None:
        module.load_state_dict(AtomicCheckpointIO().load_checkpoint(best)["state_dict"])
    module.eval()
    scores = HeldOutScores(module.model_config.legend)
    for batch in data.held_out():
        scores.add(module.model, batch)
    if module.weights.maps:
        module.model.calibration.copy_(torch.tensor(scores.calibration()))
    values = {name: value for name, value in scores.summary().items() if math.isfinite(value)}
    timer = timer_of(trainer)
    record = {
        "metrics": values,
        "minutes": timer.time_elapsed() / 60 if timer else 0.0,
        "steps": trainer.global_step,
        **about,
    }
    write_json(out / "metrics.json", record)
    save_weights(out, module.model, record, card(record, len(data.train_shards), len(data.validation_shards)))
    return values


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config without the machine's paths, which are nobody's business in shipped files."""
    return {**config, **{key: config[key] and Path(config[key]).name for key in ("data", "out", "weights")}}


def _seconds(value: Any) -> float:
    """Of Lightning's `DD:HH:MM:SS`, or of minutes as a number."""
    if not isinstance(value, bool) and re.fullmatch(r"[0-9]{1,7}(\.[0-9]*)?", str(value)):  # trainer.* passes through as it was typed
        return float(value) * 60
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}(:[0-9]{1,2}){3}", value):
        return float(sum(unit * int(part) for unit, part in zip((86400, 3600, 60, 1), value.split(":"), strict=True)))
    raise ConfigError(f"trainer.max_time is {shown(value)}, expected minutes or DD:HH:MM:SS, for example 00:00:25:00")


def _logger(name: str, out: Path) -> Logger:
    try:
        return LOGGERS[name](out)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{name}=true needs the package {name}; run: pip install 'hiermap[{name}]'") from error


def export_checkpoint(path: str, out: str, overwrite: bool = False) -> None:
    """Write the weights in a checkpoint of a `HiermapModule` to `out`, as they are: neither calibrated nor scored.

    Raises DataError for what is no such checkpoint, and ConfigError where `out` is another run's.
    """
    if not Path(path).is_file():
        raise DataError(f"{path} is no file; expected a checkpoint of a training, for example runs/mine/checkpoints/last.ckpt")
    checkpoint = read_checkpoint(Path(path))
    module = _module_of(checkpoint, path)
    digest = file_sha256(Path(path))
    with owned(out, {"command": "export", "checkpoint_sha256": digest}, overwrite, reads=[Path(path).parent]) as folder:
        made = {"name": Path(path).name, "sha256": digest, **{key: checkpoint[key] for key in ("epoch", "global_step")}}
        save_weights(folder, module.model, {"checkpoint": made, "versions": versions()}, checkpoint_card(made))
    print(f"{out}: weights after {checkpoint['global_step']} steps")


def _module_of(checkpoint: Mapping[str, Any], path: str) -> HiermapModule:
    """The module that a checkpoint is of."""
    try:
        module = HiermapModule(**checkpoint["hyper_parameters"])
        module.load_state_dict(checkpoint["state_dict"])
    # A foreign one may hold anything in place of either.
    except (HiermapError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise DataError(
            f"{path} is of another model than a HiermapModule with its own encoder; "
            "rebuild yours in Python, load its state_dict and call hiermap.model.weights.save_weights"
        ) from error
    return module

"""The Lightning module: losses while training, average precision and calibration on held-out kitchens."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Timer
from torch import Tensor, nn

from hiermap.model.config import ModelConfig
from hiermap.model.encoder import Encoder
from hiermap.model.world_model import HiermapModel
from hiermap.training.head_losses import goal_loss, policy_loss, promise_loss, sense_loss
from hiermap.training.held_out import HeldOutScores
from hiermap.training.losses import (
    choose_cells,
    consistency_loss,
    executed_loss,
    geometry_loss,
    map_loss,
    reading_along,
    steps_loss,
    truth_loss,
    unroll,
)
from hiermap.training.options import LossWeights, OptimiserOptions
from hiermap.training.sampling.batches import SequenceBatch
from hiermap.worlds.errors import ConfigError

_WARM_UP = 0.05
"""Share of the training in which the learning rate rises."""
_BODY = ("maps", "imagined_maps", "executed", "geometry", "predicates", "steps", "consistency")
"""Parts of the loss without which only the heads of goals, promises and the policy learn."""


def losses(model: HiermapModel, batch: SequenceBatch, weights: LossWeights, bin_weights: Tensor, look_again: float) -> dict[str, Tensor]:
    """Every part that has a weight, unweighted, and "loss", their weighted sum; `bin_weights` `[bins]` evens out rare orientation bins."""
    # Where only the heads that guide a search learn, all that they look at is fixed.
    with torch.set_grad_enabled(torch.is_grad_enabled() and any(getattr(weights, name) > 0 for name in _BODY)):
        paths = unroll(model, batch, look_again)
        reading = reading_along(model, batch, paths)
        answers = model.predicates.answer(reading)
    cells = choose_cells(batch)
    later = cells.without_start() if batch.bin_index.shape[1] else None
    wanted: dict[str, Callable[[], Tensor]] = {
        "maps": lambda: map_loss(model, paths.real, cells, bin_weights, weights.positive),
        "executed": lambda: executed_loss(model, paths.real, batch),
        "geometry": lambda: geometry_loss(model, paths, cells, later),
        "predicates": lambda: truth_loss(answers, batch),
        "steps": lambda: steps_loss(answers, batch),
        "goals": lambda: goal_loss(model, batch, paths, reading, answers),
        "sense": lambda: sense_loss(model, batch, paths),
        "promises": lambda: promise_loss(model, batch, paths, reading, answers),
    }
    if later is not None:
        wanted["imagined_maps"] = lambda: map_loss(model, paths.imagined, later, bin_weights, weights.positive)
        wanted["policy"] = lambda: policy_loss(model, batch, paths, reading, answers)
        wanted["consistency"] = lambda: consistency_loss(model, paths)
    parts = {name: part() for name, part in wanted.items() if getattr(weights, name) > 0}
    total = sum(getattr(weights, name) * value for name, value in parts.items())
    return {**parts, "loss": total}  # type: ignore[dict-item]


class HiermapModule(L.LightningModule):
    """Trains a `HiermapModel`; hyperparameters are plain dicts, so checkpoints load with `weights_only`.

    Args:
        model: what differs from the defaults of `ModelConfig`.
        losses: of `LossWeights`.
        optimiser: of `OptimiserOptions`.
        encoder: makes the encoder, as `HiermapModel` takes it.
    """

    bin_weights: Tensor

    def __init__(
        self,
        model: Mapping[str, Any] | None = None,
        losses: Mapping[str, float] | None = None,
        optimiser: Mapping[str, Any] | None = None,
        encoder: Callable[[ModelConfig], nn.Module] = Encoder,
    ) -> None:
        super().__init__()
        self.model_config = ModelConfig.from_dict(model or {})
        self.weights, self.options = LossWeights(**(losses or {})), OptimiserOptions(**(optimiser or {}))
        if self.weights.policy > 0 and not self.model_config.policy:
            raise ConfigError(f"losses.policy={self.weights.policy:g} trains a head that is not there; set model.policy=true")
        self.save_hyperparameters({"model": self.model_config.to_dict(), "losses": asdict(self.weights), "optimiser": asdict(self.options)})
        self.model = HiermapModel(self.model_config, encoder)
        self._freeze()
        self.register_buffer("bin_weights", torch.ones(len(self.model_config.legend.bins)))
        self.scores = HeldOutScores(self.model_config.legend)

    def _freeze(self) -> None:
        parts = dict(self.model.named_children())
        for name in self.options.frozen:
            if name not in parts:
                raise ConfigError(f"optimiser.frozen names {name!r}; the model has {', '.join(parts)}")
            parts[name].requires_grad_(False)

    def on_fit_start(self) -> None:
        prevalence = getattr(self.trainer.datamodule, "prevalence", None)  # type: ignore[attr-defined]
        if prevalence is not None:
            share = prevalence().clamp(min=1e-4)
            self.bin_weights.copy_(((share.mean() / share) ** self.options.rare_bins).clamp(0.3, 4.0))

    def on_train_batch_start(self, batch: SequenceBatch, batch_idx: int) -> None:
        scale = schedule(self.progress_share())
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = self.options.lr * scale

    def training_step(self, batch: SequenceBatch, batch_idx: int) -> Tensor:
        parts = losses(*self._taught_by(batch), self.bin_weights, self.options.look_again)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in parts.items()}, on_step=False, on_epoch=True, batch_size=1, sync_dist=True
        )
        if not torch.isfinite(parts["loss"]):
            raise self._diverged(name for name, value in parts.items() if name != "loss" and not torch.isfinite(value))
        if self.trainer.world_size > 1:
            # Processes await gradients of every parameter; single views and close-ups do not teach all of them.
            return parts["loss"] + 0.0 * sum(p.sum() for p in self.parameters() if p.requires_grad)
        return parts["loss"]

    def _taught_by(self, batch: SequenceBatch) -> tuple[HiermapModel, SequenceBatch, LossWeights]:
        """What learns from a batch, and how much: from close-ups only what does not look at the whole frame."""
        rows, columns = batch.views.shape[-2:]
        if (rows, columns) == (self.model_config.rows, self.model_config.columns):
            return self.model, batch, self.weights
        return self.model.part(rows, columns), batch, replace(self.weights, goals=0.0, promises=0.0, sense=0.0, policy=0.0)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """No checkpoint holds weights that are not finite, so the last one is good."""
        self._check_finite()

    def _check_finite(self) -> None:
        if bad := [name for name, tensor in self.named_parameters() if not torch.isfinite(tensor).all()]:
            raise self._diverged(bad[:1])

    def _diverged(self, bad: Iterable[str]) -> ConfigError:
        saved = sorted(Path(self.trainer.default_root_dir, "checkpoints").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
        return ConfigError(
            f"loss is not finite at step {self.trainer.global_step} ({', '.join(bad)}); lower optimiser.lr={self.options.lr:g} and begin "
            f"again in another out=, or here with overwrite=true; last good weights: {saved[-1] if saved else 'none were saved yet'}"
        )

    def on_validation_epoch_start(self) -> None:
        self._check_finite()
        self.scores = HeldOutScores(self.model_config.legend, self.trainer.global_rank, self.trainer.world_size)

    def validation_step(self, batch: SequenceBatch | None, batch_idx: int) -> None:
        if batch is not None:
            self.scores.add(self.model, batch)

    def on_validation_epoch_end(self) -> None:
        self.scores.add_up(lambda counts: self.trainer.strategy.reduce(counts.to(self.device), reduce_op="sum").cpu())
        values = {name: value for name, value in self.scores.summary().items() if math.isfinite(value)}
        self.log("val/score", values.pop("score", 0.0), prog_bar=True, sync_dist=True)
        self.log_dict({f"val/{name}": value for name, value in values.items()}, sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        learning = [p for p in self.model.parameters() if p.requires_grad]
        decayed, free = [p for p in learning if p.dim() > 1], [p for p in learning if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": self.options.weight_decay}, {"params": free, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=self.options.lr)

    def progress_share(self) -> float:
        """How much of the training is over, in [0, 1], by whichever of steps and time is nearer its end; the same in every process."""
        trainer = self.trainer
        share, timer = trainer.global_step / trainer.estimated_stepping_batches, timer_of(trainer)
        left = timer.time_remaining() if timer else None
        if timer is not None and left is not None:
            share = max(share, timer.time_elapsed() / (timer.time_elapsed() + left))
        return trainer.strategy.broadcast(min(1.0, share))


def timer_of(trainer: L.Trainer) -> Timer | None:
    """What measures the time of a training, that before a resume included, and may limit it."""
    return next((c for c in trainer.callbacks if isinstance(c, Timer)), None)  # type: ignore[attr-defined]


def schedule(share: float) -> float:
    """Learning rate over its highest value after `share` in [0, 1] of the training."""
    if share < _WARM_UP:
        return (share + 0.002) / (_WARM_UP + 0.002)
    return 0.5 * (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP)))


class Pace(L.Callback):
    """Prints, and logs as `train/samples_per_second`, the real views learned from per second of an epoch, its looks at held-out data
    left out; the share of that time spent waiting for batches; and how long the rest of the training will take.
    """

    def __init__(self) -> None:
        self._begin()  # a training that goes on within an epoch does not start it again

    def _begin(self) -> None:
        self.samples, self.waited_s, self.begun = 0, 0.0, time.monotonic()
        self.ready = self.begun

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._begin()

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: SequenceBatch, batch_idx: int) -> None:
        self.waited_s += time.monotonic() - self.ready

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, outputs: Any, batch: SequenceBatch, batch_idx: int) -> None:
        self.samples += batch.views.shape[:2].numel()
        self.ready = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        seconds, timer = self.ready - self.begun, timer_of(trainer)
        assert isinstance(module, HiermapModule) and timer is not None
        left = timer.time_elapsed() * (1 / max(module.progress_share(), 1e-6) - 1)
        module.log("train/samples_per_second", self.samples / seconds)
        print(
            f"epoch {trainer.current_epoch}: {self.samples / seconds:.1f} samples/s, {self.waited_s / seconds:.1%} of it waiting for data, "
            f"{timedelta(seconds=round(left))} left",
            file=sys.stderr,
        )

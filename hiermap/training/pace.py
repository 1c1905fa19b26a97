"""How fast training goes: a line after every epoch."""

import sys
import time
from datetime import timedelta
from typing import Any

import lightning as L

from hiermap.training.batches import SequenceBatch
from hiermap.training.module import HiermapModule, timer_of


class Pace(L.Callback):
    """Prints, and logs as `train/samples_per_second`, the real views learned from per second of an epoch, its looks at held-out data
    left out; the share of that time spent waiting for batches; and how long the rest of the training will take.
    """

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.samples, self.waited_s, self.begun = 0, 0.0, time.monotonic()
        self.ready = self.begun

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: SequenceBatch, batch_idx: int) -> None:
        self.waited_s += time.monotonic() - self.ready

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, outputs: Any, batch: SequenceBatch, batch_idx: int) -> None:
        self.samples += batch.views.shape[:2].numel()
        self.ready = time.monotonic()

    def on_validation_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        seconds, timer = self.ready - self.begun, timer_of(trainer)
        assert isinstance(module, HiermapModule) and timer is not None
        left = timer.time_elapsed() * (1 / max(module.progress_share(), 1e-6) - 1)
        module.log("train/samples_per_second", self.samples / seconds)
        print(
            f"epoch {trainer.current_epoch}: {self.samples / seconds:.1f} samples/s, {self.waited_s / seconds:.1%} of it waiting for data, "
            f"{timedelta(seconds=round(left))} left",
            file=sys.stderr,
        )

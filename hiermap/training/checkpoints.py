"""Checkpoints that survive a kill: written beside their place, synced, then renamed; saved on a timer as well as per epoch."""

import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from hiermap.system.files import write_atomically

LAST = "last.ckpt"


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's own goes through TMPDIR and is never synced, so a kill or another filesystem can leave half a file."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        write_atomically(Path(path), lambda file: torch.save(checkpoint, file))


class TimedSave(L.Callback):
    """Saves `last.ckpt` every `seconds` and at the end of every epoch: a SIGTERM can come without time for an emergency save."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self.path, self.seconds, self.saved = directory / LAST, seconds, time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, *_: Any) -> None:
        if time.monotonic() - self.saved >= self.seconds:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._save(trainer)

    def _save(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(self.path)
        self.saved = time.monotonic()

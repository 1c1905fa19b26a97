"""Checkpoints of a training: whole files only, from which nothing but plain values is read, and each a place to go on from."""

import logging
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from hiermap.system.files import write_atomically
from hiermap.worlds.errors import DataError
from hiermap.worlds.records import Count, check

MAX_CHECKPOINT_BYTES = 1 << 30
"""Weights and both moments of the largest model a config can ask for are smaller; ours have 15 MB."""

_log = logging.getLogger(__name__)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's own goes through TMPDIR and is never synced, so a kill or another filesystem can leave half a file."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        write_atomically(Path(path), lambda file: torch.save(checkpoint, file))

    def load_checkpoint(self, path: Any, map_location: Any | None = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Plain values and tensors only, whatever is asked for: a checkpoint may come from anybody."""
        return read_checkpoint(Path(path))


Checkpoint = TypedDict(
    "Checkpoint",
    {
        "pytorch-lightning_version": str,
        "epoch": Count,
        "global_step": Count,
        "state_dict": dict[str, torch.Tensor],
        "loops": dict[str, dict],
        "callbacks": dict[str, dict],
        "optimizer_states": list[dict],
        "lr_schedulers": list,
    },
)
"""What Lightning takes up again."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of ours, of which nothing but plain values and tensors is unpickled; DataError for anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_CHECKPOINT_BYTES or archive.testzip():
                raise ValueError("too large or damaged")
        checkpoint = torch.load(path, weights_only=True, map_location="cpu")
        check(checkpoint, Checkpoint, path.name)
    # zipfile, torch and its unpickler raise whatever they stumble over.
    except Exception as error:
        raise DataError(f"{path} is truncated, damaged or no checkpoint of a training") from error
    return checkpoint


def usable_checkpoint(module: torch.nn.Module, paths: Iterable[Path]) -> Path | None:
    """The first of the files that is a whole checkpoint of this module; those before it are warned of."""
    wanted = {name: tensor.shape for name, tensor in module.state_dict().items()}
    for path in paths:
        try:
            if {name: tensor.shape for name, tensor in read_checkpoint(path)["state_dict"].items()} == wanted:
                return path
            problem = f"{path} is of another model"
        except DataError as error:
            problem = str(error)
        _log.warning("%s; it is left out: an older checkpoint goes on, or the training begins anew", problem)
    return None


class Checkpoints(ModelCheckpoint):
    """Lightning's, but what is due after an epoch's last batch waits for its end: else none would look at held-out data again."""

    def on_train_batch_end(self, trainer: L.Trainer, *arguments: Any) -> None:
        if not trainer.is_last_batch:
            super().on_train_batch_end(trainer, *arguments)

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        super().on_train_epoch_end(trainer, module)
        super().on_train_batch_end(trainer, module, {}, None, 0)

"""Train the world model in a Lightning Trainer of your own: own callback, own logger, own weights of the losses, own encoder; then plan.

hiermap collect out=data/mine interactions=400 seed=0
python examples/train_your_own.py data/mine runs/mine
"""

import sys
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers.logger import DummyLogger
from torch import Tensor, nn

from hiermap import Planner, SearchOptions, SpatialFrame
from hiermap.model.config import ModelConfig
from hiermap.model.weights import load_weights, save_weights
from hiermap.training import DataOptions, HiermapModule, KitchenDataModule
from hiermap.worlds.imagined.latent import LatentWorld


class Patches(nn.Module):
    """An encoder: view `[B, channels, H, W]` and mirror flag `[B]` -> latent `[B, visible, H / 4, W / 4]`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.patches = nn.Conv2d(config.channels + 1, config.visible, 4, stride=4)
        self.mixed = nn.Sequential(nn.ReLU(), nn.Conv2d(config.visible, config.visible, 5, padding=2))

    def forward(self, view: Tensor, mirrored: Tensor) -> Tensor:
        flag = mirrored.to(view.dtype)[:, None, None, None].expand(-1, 1, *view.shape[-2:])
        x = self.patches(torch.cat([view, flag], dim=1))
        return x + self.mixed(x)


class Best(L.Callback):
    """Remembers the best score on held-out kitchens."""

    def __init__(self) -> None:
        self.score = float("-inf")

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.score = max(self.score, float(trainer.callback_metrics["val/score"]))


class Lines(DummyLogger):
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.lines.append({"step": step, **metrics})


def train(data: str | Path, out: str | Path, epochs: int = 10, batches: int = 50) -> tuple[Planner, Best, Lines]:
    """Train on a directory that `hiermap collect` filled, keep the weights in `out`, and give a planner that imagines with them."""
    kitchens = KitchenDataModule(data, DataOptions(batches_per_epoch=batches, views_per_batch=16, validation_sequences=8))
    kitchens.setup()
    rows, columns = kitchens.frame
    module = HiermapModule(
        model={"rows": rows, "columns": columns, "visible": 32, "memory": 8, "stem": 16, "context": 32, "token": 32},
        losses={"geometry": 1.0, "policy": 0.0},
        optimiser={"lr": 2e-3},
        encoder=Patches,
    )
    best, lines = Best(), Lines()
    # With every epoch reloaded, each draws paths of its own.
    trainer = L.Trainer(
        accelerator="auto",
        max_epochs=epochs,
        callbacks=[best],
        logger=lines,
        log_every_n_steps=1,
        reload_dataloaders_every_n_epochs=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, datamodule=kitchens)
    save_weights(out, module.model, {"metrics": {"score": best.score}}, "# Weights with an encoder of patches\n")
    model = load_weights(out, encoder=Patches).model
    world = LatentWorld(model, SpatialFrame(rows=rows, columns=columns))
    return Planner(world, options=SearchOptions.learned()), best, lines


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/train_your_own.py DATA OUT")
    print(f"best score on held-out kitchens: {train(sys.argv[1], sys.argv[2])[1].score:.3f}")

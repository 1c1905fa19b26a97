"""The table of a training's figures, which goes on when the training does."""

import csv
import io
import logging
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from hiermap.system.files import write_atomically

_log = logging.getLogger(__name__)


class Table(Logger):
    """A CSV file with one row a step, whole after any kill; Lightning's own logger deletes it when a training goes on.

    Args:
        path: of the file.
    """

    name, version = "log", ""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: dict[int, dict[str, Any]] = {}

    @rank_zero_only
    def go_on(self, step: int) -> None:
        """Take over what the file has of the steps before this one; later ones are done again."""
        for row in _read(self.path) if step else ():
            if row["step"].isdecimal() and int(row["step"]) < step:
                self.rows.setdefault(int(row["step"]), {}).update({name: value for name, value in row.items() if value})

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add to the row of a step."""
        number = max(self.rows, default=-1) + 1 if step is None else step
        self.rows.setdefault(number, {}).update({**metrics, "step": number})

    @rank_zero_only
    def save(self) -> None:
        """Write the whole file."""
        if self.rows:
            text = io.StringIO()
            writer = csv.DictWriter(text, sorted({name for row in self.rows.values() for name in row}), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows[step] for step in sorted(self.rows))
            write_atomically(self.path, text.getvalue())

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """They stand in the folder's own record and, in the end, in `config.json`."""


class Curve(L.Callback):
    """Keeps a `Table` in step with checkpoints: it goes on where the training does, and has an epoch's figures before the checkpoint."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.table.go_on(trainer.global_step)

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Lightning logs the means of an epoch only after its checkpoint, and a kill in between would lose them."""
        figures = {name: float(value) for name, value in trainer.logged_metrics.items() if name.startswith("train/")}
        self.table.log_metrics({**figures, "epoch": trainer.current_epoch}, trainer.global_step - 1)
        self.table.save()


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of the file, none where it is absent or damaged."""
    if not path.exists():
        return []
    try:
        rows = list(csv.DictReader(path.read_bytes().decode().splitlines(), strict=True, restkey="", restval=""))
        if all("step" in row and "" not in row for row in rows):
            return rows
    except (OSError, ValueError, csv.Error):
        pass
    _log.warning("%s is damaged; it is begun anew", path)
    return []

"""A training that was killed anywhere goes on as if it had not been: its curve is whole, and every epoch was judged."""

import csv
from pathlib import Path
from shutil import copytree

import pytest

from hiermap.system.config import load_config
from hiermap.training.keeping.checkpoints import AtomicCheckpointIO
from hiermap.training.keeping.curve import Table
from hiermap.training.train import train
from tests.hiermap.training.synthetic import write_squares

WORDS = ["config=train_debug", "threads=1", "trainer.enable_progress_bar=false", "trainer.max_time=null", "save_seconds=0.0001"]
WORDS += ["model.rows=48", "model.columns=64", *(f"model.{part}=8" for part in ("visible", "memory", "stem", "context", "token"))]
WORDS += ["data_options.batches_per_epoch=2", "data_options.views_per_batch=4", "data_options.validation_sequences=2"]


def _trained(data: Path, out: Path) -> list[dict[str, str]]:
    """The rows of the curve after two epochs of two steps."""
    train(load_config("train", [*WORDS, f"data={data}", f"out={out}", "trainer.max_epochs=2"]))
    return list(csv.DictReader((out / "log" / "metrics.csv").open()))


def test_a_training_killed_after_any_checkpoint_has_every_row_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = write_squares(tmp_path / "squares", 8), tmp_path / "out"
    save, killed = AtomicCheckpointIO.save_checkpoint, list[Path]()

    def saving(self: AtomicCheckpointIO, checkpoint: dict, path: Path, storage_options: object = None) -> None:
        save(self, checkpoint, path)
        killed.append(copytree(out, tmp_path / f"killed-{len(killed)}"))  # what a kill just now would leave

    monkeypatch.setattr(AtomicCheckpointIO, "save_checkpoint", saving)
    whole = _trained(data, out)
    monkeypatch.undo()
    assert [row["step"] for row in whole] == ["1", "3"] and len(killed) >= 4
    for folder in killed:
        rows = _trained(data, folder)
        assert [row["step"] for row in rows] == ["1", "3"], folder.name
        assert all(row["val/score"] and row["train/loss"] and row["train/samples_per_second"] for row in rows), folder.name


def test_steps_that_are_done_again_replace_their_rows(tmp_path: Path) -> None:
    first, again = Table(tmp_path / "metrics.csv"), Table(tmp_path / "metrics.csv")
    for step in (4, 9, 14):
        first.log_metrics({"loss": step}, step)
    first.save()
    again.go_on(10)
    again.log_metrics({"loss": 0.5, "new": 1.0}, 14)
    again.save()
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert [(row["step"], row["loss"], row["new"]) for row in rows] == [("4", "4", ""), ("9", "9", ""), ("14", "0.5", "1.0")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"loss\n1\n", b"step,loss\n1,2,3\n", b"step\n\x00\n", b'step,loss\n"1,2\n'])
def test_a_damaged_curve_is_begun_anew(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    table = Table(path)
    table.go_on(10)
    table.log_metrics({"loss": 1.0}, 12)
    table.save()
    assert [row["step"] for row in csv.DictReader(path.open())] == ["12"]

"""Trainings that are not `hiermap train`: the example runs, checkpoints become weights, and what loggers need is told."""

import pickle
import runpy
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch

from hiermap import Budget, Goal, Planner, Predicate, Target
from hiermap.cli import main
from hiermap.model.weights import load_weights
from hiermap.system.config import load_config
from hiermap.training import DataOptions, HiermapModule, KitchenDataModule
from hiermap.training.train import LOGGERS, build_trainer
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.perception.fusion import view_from_arrays
from tests.hiermap.training.synthetic import COLUMNS, ROWS, write_squares

EXAMPLE = Path(__file__).parents[3] / "examples" / "train_your_own.py"
SMALL = {"rows": ROWS, "columns": COLUMNS, "visible": 8, "memory": 8, "stem": 8, "context": 8, "token": 8}


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squares(tmp_path_factory.mktemp("squares"), 8)


@pytest.fixture(scope="module")
def checkpoint(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a bare Lightning Trainer."""
    data = KitchenDataModule(squares, DataOptions(batches_per_epoch=2, views_per_batch=4, validation_sequences=2))
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = L.Trainer(accelerator="cpu", max_epochs=1, num_sanity_val_steps=0, **quiet)
    trainer.fit(HiermapModule(SMALL), datamodule=data)
    path = tmp_path_factory.mktemp("checkpoint") / "last.ckpt"
    trainer.save_checkpoint(path)
    return path


def test_the_example_trains_with_parts_of_its_own_and_plans(squares: Path, tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLE))
    planner, best, lines = example["train"](squares, tmp_path, epochs=2, batches=3)
    assert isinstance(planner.world.model.encoder, example["Patches"])
    assert {"val/score", "train/geometry", "train/loss"} <= set().union(*lines.lines)
    assert best.score == max(line["val/score"] for line in lines.lines if "val/score" in line) > 0
    frame, rgb = planner.world.frame, np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)
    view = view_from_arrays(rgb, np.full((ROWS, COLUMNS), 9000, np.uint16), False, frame)
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[10:20, 10:20] = True
    result = planner.plan(view, Goal((Predicate("open", ("door",)),), {"door": Target("door", mask)}), Budget(seconds=60, expansions=1))
    assert result.metrics["expansions"] == 1 or result.message
    assert pickle.loads(pickle.dumps(result)).to_json() == result.to_json()
    with pytest.raises(DataError, match=r"does not fit its config\.json"):
        load_weights(tmp_path)  # without the encoder


def test_an_encoder_of_the_wrong_shape_is_told_what_is_expected() -> None:
    module = HiermapModule(SMALL, encoder=lambda config: torch.nn.Conv2d(config.channels, 8, 1))
    module.model.encoder.forward = lambda view, mirrored: view
    with pytest.raises(ConfigError, match=r"latents \[10, 48, 64\], expected \[8, 12, 16\]"):
        module.model.encode(torch.zeros(1, 10, ROWS, COLUMNS))


def test_a_checkpoint_becomes_the_weights_in_it(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["export", str(checkpoint), f"out={tmp_path / 'out'}"]
    assert main(command) == 0 and "weights after 2 steps" in capsys.readouterr().out
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    exported = load_weights(tmp_path / "out")
    assert all(torch.equal(tensor, state[f"model.{name}"]) for name, tensor in exported.model.state_dict().items())
    assert "neither calibrated nor scored" in (tmp_path / "out" / "README.md").read_text()
    assert exported.record["checkpoint"]["global_step"] == 2 and main(command) == 0


def test_from_pretrained_says_what_to_do_with_a_checkpoint(checkpoint: Path) -> None:
    for path in (str(checkpoint), "x.ckpt"):
        with pytest.raises(DataError) as told:
            Planner.from_pretrained(path)
        assert str(told.value) == f"{path} is a checkpoint of a training; run `hiermap export {path} out=DIR` and take the weights in DIR"


@pytest.mark.parametrize("kind", ["missing", "text", "foreign", "another encoder", "no hyperparameters", "strange hyperparameters"])
def test_what_is_no_checkpoint_of_ours_is_refused_in_one_sentence(
    kind: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path, whole = tmp_path / "x.ckpt", torch.load(checkpoint, weights_only=True)
    if kind == "text":
        path.write_text("hello")
    elif kind == "foreign":
        torch.save({"state_dict": {"a": torch.zeros(3)}}, path)
    elif kind == "another encoder":
        torch.save({**whole, "state_dict": {**whole["state_dict"], "model.encoder.mine": torch.zeros(3)}}, path)
    elif kind == "no hyperparameters":
        torch.save({key: value for key, value in whole.items() if key != "hyper_parameters"}, path)
    elif kind == "strange hyperparameters":
        torch.save({**whole, "hyper_parameters": {"model": {"rows": "many"}}}, path)
    assert main(["export", str(path), f"out={tmp_path / 'out'}"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "x.ckpt" in said and not (tmp_path / "out").exists()


def test_without_out_the_command_says_what_it_needs(checkpoint: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["export", str(checkpoint)]) == 2
    assert "expected hiermap export CKPT out=... [overwrite=true]" in capsys.readouterr().err


@pytest.mark.parametrize("name", LOGGERS)
def test_a_logger_whose_package_is_missing_names_its_extra(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(out: Path) -> None:
        raise ModuleNotFoundError(f"no {name}")

    monkeypatch.setitem(LOGGERS, name, missing)  # type: ignore[arg-type]
    config = load_config("train", ["data=d", f"out={tmp_path}", f"{name}=true"])
    with pytest.raises(ConfigError, match=rf"{name}=true needs the package {name}; run: pip install 'hiermap\[{name}\]'"):
        build_trainer(config, tmp_path)

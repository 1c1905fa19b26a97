"""Two training processes (gloo) against one with the doubled batch: other data each, the same gradients and validation."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.hiermap.training.synthetic import write_squares

STEPS = 3
SCRIPT = """
import hashlib, sys
from functools import partial
from pathlib import Path
import torch
from hiermap.cli import main
from hiermap.training import head_losses, module
from hiermap.training.module import HiermapModule

# Which cells far from every positive one a step looks at is drawn at random; here it looks at all.
module.choose_cells = partial(module.choose_cells, share=1.0)
# Nor is it left to chance which truths the goal head is told and which views promise.
head_losses.REMEMBERED, head_losses.TRIED = 1.0, 1000

# Nor how masks are told to the sense head, and which patches are bare.
head_losses._as_told = lambda masks: masks
head_losses._bare_patches = lambda bare: bare[:, None].expand(-1, head_losses.PATCHES, -1, -1)

# So is which action is tried; here it is the first.
def first_actions(maps):
    which = maps.flatten(1).any(dim=1).nonzero()[:, 0]
    place = maps[which].flatten(1).float().argmax(dim=1)
    columns, cells = maps.shape[3], maps.shape[2] * maps.shape[3]
    return which, place // cells, torch.stack([place % cells // columns, place % columns], dim=1)

head_losses.possible_actions = first_actions
seen, out = [], Path(sys.argv[1])
training_step = HiermapModule.training_step

def recording(self, batch, index):
    seen.append([hashlib.sha256(row.numpy().tobytes()).hexdigest() for row in batch.views])
    return training_step(self, batch, index)

def record(self, optimizer):
    gradients = {name: parameter.grad.clone() for name, parameter in self.named_parameters()}
    torch.save({"seen": seen[-1], "gradients": gradients}, out / f"step{self.global_step}-rank{self.global_rank}.pt")

HiermapModule.training_step, HiermapModule.on_before_optimizer_step = recording, record
sys.exit(main(sys.argv[2:]))
"""


def trained(data: Path, out: Path, *words: str) -> list[list[dict]]:
    """`[step][rank]`: the hashes of the paths seen and the gradients."""
    out.mkdir()
    script = out.with_suffix(".py")
    script.write_text(SCRIPT)
    common = ["model.rows=48", "model.columns=64", "data_options.unroll=[0.5,0,0.5]", "data_options.validation_sequences=20", "threads=1"]
    common += [f"data_options.batches_per_epoch={STEPS}", "data_options.jitter=0", "optimiser.look_again=0", "trainer.max_epochs=1"]
    common += ["trainer.max_time=null"]
    command = [sys.executable, script, out, "train", "config=train_debug", f"data={data}", f"out={out / 'out'}", *common, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count(done.stdout.splitlines()[0]) == 1, "one process prints the results"
    return [[torch.load(path) for path in sorted(out.glob(f"step{step}-rank*.pt"))] for step in range(STEPS)]


def logged(out: Path) -> dict[str, float]:
    rows = list(csv.DictReader((out / "log" / "metrics.csv").open()))
    return {key: float(value) for row in rows for key, value in row.items() if value and "/" in key and "per_second" not in key}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list, list]:
    folder = tmp_path_factory.mktemp("ddp")
    data = write_squares(folder / "squares", 30)
    one = trained(data, folder / "one", "data_options.views_per_batch=24")
    two = trained(data, folder / "two", "data_options.views_per_batch=12", "trainer.devices=2", "trainer.strategy=ddp")
    return folder, one, two


def test_the_ranks_see_other_data_and_together_that_of_one_process(runs) -> None:
    _, one, two = runs
    for (alone,), (first, second) in zip(one, two, strict=True):
        assert not set(first["seen"]) & set(second["seen"])
        assert sorted(first["seen"] + second["seen"]) == sorted(alone["seen"])


def test_the_gradients_are_those_of_the_doubled_batch(runs) -> None:
    _, one, two = runs
    for (alone,), ranks in zip(one, two, strict=True):
        assert max(float(gradient.abs().max()) for gradient in alone["gradients"].values()) > 0.1
        for rank in ranks:
            # Adam divides by small roots, so what is rounded otherwise grows a little from step to step.
            torch.testing.assert_close(rank["gradients"], alone["gradients"], rtol=0, atol=1e-4)


def test_the_logged_validation_and_losses_are_those_of_one_process(runs) -> None:
    folder, _, _ = runs
    one, two = logged(folder / "one" / "out"), logged(folder / "two" / "out")
    assert {"val/score", "val/ece", "val/steps_error", "train/loss"} <= set(one)
    assert two == pytest.approx(one, abs=1e-5, nan_ok=True)

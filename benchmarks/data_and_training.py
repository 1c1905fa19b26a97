"""Collecting and training against an older commit: interactions and samples per second, both sides taking turns.

    git worktree add ../baseline 78b06c8
    OMP_NUM_THREADS=1 python benchmarks/data_and_training.py baseline=../baseline [seed=101000] [rules=8] [play=4] [steps=10] [threads=2]

Each side is a process that is asked for one episode, or one training step, at a time, in turns; both make the same seeds. Seconds are
the processes' own CPU time, so that other work on the machine counts less, and for training, which uses several threads, wall time.
The first task of each kind is not counted: it compiles.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sides import HERE, side

KINDS = ("rules", "play", "train")


def explorer(source: str, directory: str) -> Callable[[int], tuple[int, float, float]]:
    """Makes and writes the episode of a seed: interactions, CPU seconds, and those of them within motor programs."""
    from hiermap.data.collect import CollectSettings, file_name
    from hiermap.data.episodes import write_episode
    from hiermap.data.walks.exploration import explored
    from hiermap.worlds.simulator.kitchen import Kitchen

    settings, run, programs = CollectSettings(out=directory, source=source), Kitchen.run, [0.0]

    def timed(kitchen, command):
        begun = time.process_time()
        try:
            return run(kitchen, command)
        finally:
            programs[0] += time.process_time() - begun

    def made(seed: int) -> tuple[int, float, float]:
        begun, programs[0] = time.process_time(), 0.0
        episode = explored(seed, settings)
        write_episode(Path(directory), file_name(source, seed), episode)
        return len(episode.before), time.process_time() - begun, programs[0]

    Kitchen.run = timed
    return made


def trainer(directory: str) -> Callable[[int], tuple[int, float, float]]:
    """Takes one training step: real views learned from, wall seconds, and those of them spent waiting for the batch."""
    import torch

    from hiermap.training.datamodule import KitchenDataModule
    from hiermap.training.module import HiermapModule, losses

    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    torch.set_num_threads(int(os.environ["TRAINING_THREADS"]))
    data, module = KitchenDataModule(directory), HiermapModule({}, {}, {})
    data.setup()
    batches, optimiser = iter(data.train_dataloader()), module.configure_optimizers()

    def step(number: int) -> tuple[int, float, float]:
        begun = time.perf_counter()
        batch = data.on_after_batch_transfer(next(batches), 0)
        waited = time.perf_counter() - begun
        optimiser.zero_grad()
        losses(module.model, batch, module.weights, module.bin_weights, module.options.look_again)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        return batch.views.shape[:2].numel(), time.perf_counter() - begun, waited

    return step


def serve(directory: str) -> None:
    """A side: answers lines `kind number` with what the task gave."""
    tasks: dict[str, Callable[[int], tuple[int, float, float]]] = {}
    for line in sys.stdin:
        kind, number = line.split()
        if kind not in tasks:
            tasks[kind] = trainer(directory) if kind == "train" else explorer(kind, directory)
        print("done", *tasks[kind](int(number)), flush=True)


def main(words: list[str]) -> None:
    options = {"seed": "101000", "rules": "8", "play": "4", "steps": "10", "threads": "2", **dict(word.split("=", 1) for word in words)}
    if "baseline" not in options:
        raise SystemExit(__doc__)
    counts = {"rules": int(options["rules"]), "play": int(options["play"]), "train": int(options["steps"])}
    with tempfile.TemporaryDirectory() as old_data, tempfile.TemporaryDirectory() as new_data:
        checkouts, variables = (Path(options["baseline"]), HERE), {"TRAINING_THREADS": options["threads"]}
        old, new = (side(__file__, *each, **variables) for each in zip(checkouts, (old_data, new_data), strict=True))
        with old as before, new as after:
            print(f"{'':24}{'n':>6}{'baseline/s':>12}{'now/s':>10}{'ratio':>8}   of the time in motor programs, or waiting for a batch")
            for kind in KINDS:
                numbers = task_numbers(kind, counts[kind], int(options["seed"]))
                report(kind, [tuple(tuple(map(float, ask(kind, n))) for ask in (before, after)) for n in numbers])


def task_numbers(kind: str, count: int, seed: int) -> range:
    """The seeds or steps of a kind, one more than are counted."""
    return range(seed, seed + count + 1) if count else range(0)


def report(kind: str, answers: list[tuple[tuple[float, ...], ...]]) -> None:
    """A row of what both sides did."""
    if not answers:
        return
    unit = "samples" if kind == "train" else f"{kind} interactions"
    then, now = (tuple(map(sum, zip(*column, strict=True))) for column in zip(*answers[1:], strict=True))
    rates = then[0] / then[1], now[0] / now[1]
    shares = f"{then[2] / then[1]:.0%} then, {now[2] / now[1]:.0%} now"
    print(f"{unit:24}{int(now[0]):6}{rates[0]:12.2f}{rates[1]:10.2f}{rates[1] / rates[0]:8.2f}   {shares}", flush=True)


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["serve"] else main(sys.argv[1:])

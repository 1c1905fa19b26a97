"""Kills at random moments: nothing finished is lost or doubled, nobody is left behind, and in the end all is as in an undisturbed run."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from hiermap.data import manifest
from hiermap.data.verify import verify
from hiermap.evaluation.results import PARTIAL, RUN
from hiermap.model.weights import load_weights
from hiermap.system.files import file_sha256
from tests.hiermap.training.synthetic import write_squares

COLLECT = ["collect", "source=toy", "interactions=400", "interactions_per_episode=4", "seed=160000", "hang_seconds=2", "max_retries=99"]
EVALUATE = ["evaluate", "suite=chain-3", "kitchen=toy", "world=simulator", "maps=oracle", "seed=160000", "episodes=60", "progress=false"]
EVALUATE += ["hang_seconds=2", "max_retries=99"]
TRAIN = [
    "train",
    "config=train_debug",
    "threads=1",
    "trainer.enable_progress_bar=false",
    "trainer.max_time=null",
    "model.rows=48",
    "model.columns=64",
]
TRAIN += ["data_options.batches_per_epoch=6", "data_options.views_per_batch=4", "data_options.validation_sequences=2"]
TRAIN += [f"model.{part}=8" for part in ("visible", "memory", "stem", "context")]
LENGTH = ["trainer.max_epochs=4", "save_seconds=0.05"]
NURSERY = """
import json, os, signal, sys
import hiermap.data.toy_episodes, hiermap.data.collect, hiermap.training.train
import hiermap.evaluation.episode_runner, hiermap.evaluation.evaluate
from hiermap.cli import main
from hiermap.system import provenance
provenance.commit = lambda: "this one"
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (0, 1, 2): os.dup2(log, stream)
        os._exit(main(json.loads(line)))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Loads everything once and forks a command for every line: a thousand starts would take hours. A commit meanwhile does not matter."""


class Nursery:
    """Commands in processes of their own, each the head of its session."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        self.log = folder / "log"
        command, pipe = [sys.executable, "-c", NURSERY], subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder, env=environment)
        assert self.process.stdout.readline() == "ready\n"

    def start(self, words: list[str]) -> int:
        self.log.unlink(missing_ok=True)
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> int:
        """The exit code of what was started last."""
        return int(self.process.stdout.readline())

    def run(self, words: list[str]) -> None:
        self.start(words)
        assert self.end() == 0, self.log.read_text()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.process.kill()
    made.process.wait()


def session(head: int) -> dict[int, int]:
    """Process -> its parent, of everybody in a session who is alive, the head aside."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, parent, _, leader = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(leader) == head and state not in "ZX" and int(entry.name) != head:
                found[int(entry.name)] = int(parent)
    return found


def gone(head: int) -> bool:
    """Whether everybody has left: the server of workers notices once it has imported, which lasts on a busy machine."""
    deadline = time.monotonic() + 120
    while session(head) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not session(head)


def strike(nursery: Nursery, head: int, rng: np.random.Generator) -> None:
    """One kill of a command: KILL or TERM, of it or of its whole session, now and then after a STOP, or to some worker of it first."""
    if (others := session(head)) and rng.random() < 0.5:  # workers are the server's children
        for worker in rng.permutation([pid for pid, parent in others.items() if parent != head])[:1]:
            with suppress(ProcessLookupError):
                os.kill(int(worker), [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP][rng.integers(3)])
        time.sleep(rng.uniform(0, 0.3))
    number, stopped = [signal.SIGKILL, signal.SIGTERM][rng.integers(2)], rng.random() < 0.3
    with suppress(ProcessLookupError):
        if stopped:
            os.kill(head, signal.SIGSTOP)
            time.sleep(rng.uniform(0, 0.1))
        (os.killpg if rng.random() < 0.3 else os.kill)(head, number)
        os.kill(head, signal.SIGCONT)
    code = nursery.end()
    assert code in (0, -number, 143), nursery.log.read_text()
    assert gone(head), f"left behind: {session(head)}"


def disturbed(nursery: Nursery, words: list[str], kills: int, longest_s: float, look: Callable[[], None]) -> None:
    """Start a command again and again, each time killed at a random moment, and let it end at last."""
    rng = np.random.default_rng(kills)
    for _ in range(kills):
        head = nursery.start(words)
        time.sleep(rng.uniform(0, longest_s))
        strike(nursery, head, rng)
        look()
    nursery.run(words)
    look()


FEW_OR_MANY = [4, pytest.param(334, marks=pytest.mark.slow)]


@pytest.mark.parametrize("kills", FEW_OR_MANY)
def test_a_collection_loses_and_doubles_no_episode(nursery: Nursery, tmp_path: Path, kills: int) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    kept: dict[str, str] = {}

    def look() -> None:
        now = {path.name: file_sha256(path) for path in out.glob("*.npz")}
        assert kept.items() <= now.items(), "a finished episode was lost or rewritten"
        kept.update(now)

    nursery.run([*COLLECT, f"out={whole}", "workers=0"])
    for part, workers in ((kills // 2, "workers=0"), (kills - kills // 2, "workers=2")):
        disturbed(nursery, [*COLLECT, f"out={out}", workers], part, 1.0, look)
        if workers == "workers=0":
            for path in sorted(out.glob("*.npz"))[10:]:
                manifest.quarantine(out, path.name, "so that there is something left to do")
            kept = {path.name: file_sha256(path) for path in out.glob("*.npz")}
    assert kept == {path.name: file_sha256(path) for path in whole.glob("*.npz")} and len(kept) == 100
    report = verify(out)
    assert report.clean and report.good == 100 and report.unlisted == () and not list(out.glob(".*.npz.*"))


def rows(out: Path) -> list[dict]:
    with (out / "episodes.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "plan_seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("kills", FEW_OR_MANY)
def test_an_evaluation_loses_and_doubles_no_row(nursery: Nursery, tmp_path: Path, kills: int) -> None:
    out, kept = tmp_path / "out", set[str]()

    def look() -> None:
        now = set((out / PARTIAL).read_text().splitlines()) if (out / PARTIAL).exists() else set()
        assert (out / RUN).exists() or {line for line in kept if line.endswith("]")} <= now, "a finished row was lost"
        kept.clear(), kept.update(now)

    nursery.run([*EVALUATE, f"out={tmp_path / 'whole'}", "workers=0"])
    disturbed(nursery, [*EVALUATE, f"out={out}", "workers=0"], kills // 2, 0.6, look)
    disturbed(nursery, [*EVALUATE, f"out={out}", "workers=2"], kills - kills // 2, 2.0, look)
    assert rows(out) == rows(tmp_path / "whole") and [row["episode"] for row in rows(out)] == [str(index) for index in range(60)]
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {path.name for path in out.iterdir()}


@pytest.mark.parametrize("kills", [2, pytest.param(332, marks=pytest.mark.slow)])
def test_a_training_goes_on_from_whole_checkpoints(nursery: Nursery, tmp_path: Path, kills: int) -> None:
    data, out, steps = write_squares(tmp_path / "squares", 8), tmp_path / "out", [0]

    def look() -> None:
        for path in out.glob("checkpoints/*.ckpt"):
            step = torch.load(path, weights_only=True)["global_step"]
            if path.stem == "last":
                assert step >= steps[-1], "steps that were saved are lost"
                steps.append(step)

    disturbed(nursery, [*TRAIN, *LENGTH, f"data={data}", f"out={out}"], kills, 4.0, look)
    assert json.loads((out / "metrics.json").read_text())["steps"] == 24 == steps[-1]
    assert load_weights(out).record["steps"] == 24 and not list(out.rglob(".*.ckpt.*"))
    curve = list(csv.DictReader((out / "log" / "metrics.csv").open()))
    assert [row["step"] for row in curve] == ["5", "11", "17", "23"] and all(row["val/score"] and row["train/loss"] for row in curve)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_training_and_says_so(nursery: Nursery, tmp_path: Path, number: int) -> None:
    words = [
        *TRAIN,
        f"data={write_squares(tmp_path / 'squares', 8)}",
        f"out={tmp_path / 'out'}",
        "trainer.max_epochs=-1",
        "save_seconds=0.05",
    ]
    head = nursery.start(words)
    while not list(tmp_path.glob("out/checkpoints/last.ckpt")):
        time.sleep(0.05)
    os.kill(head, number)
    assert nursery.end() == 128 + number and gone(head)
    assert "what was finished is kept" in nursery.log.read_text() and "Traceback" not in nursery.log.read_text()

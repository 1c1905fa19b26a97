"""`hiermap evaluate`: runs a suite of seeded episodes, judges them by the true state, and writes down what happened."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hiermap.evaluation.episode_runner import Bench
from hiermap.evaluation.results import EpisodeRow, PartialRows, episodes_csv, eval_info, table
from hiermap.evaluation.single_primitive import Judged
from hiermap.evaluation.suites import RunOptions, Trial, at_least, out_directory, trials
from hiermap.system.files import write_atomically, write_json
from hiermap.system.provenance import settings
from hiermap.worlds.errors import HiermapError

EPISODES_PER_PROCESS = 50
"""A worker is replaced after this many episodes, so that no simulator's memory adds up."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread a process: sums come out alike on every machine, and workers do not fight over cores."""
FAILURES = "failures"
"""Folder of the pictures of failed episodes."""
NO_PART_IN_ROWS = ("out", "workers", "progress", "pictures", "episodes")
"""Keys a row does not depend on; more episodes or other workers go on from the rows that are there."""


def evaluate(config: Mapping[str, Any]) -> int:
    """Run what the resolved config asks for, write eval_info.json, episodes.csv and run.json, print the table; 0 when done.

    An unfinished run of the same command is taken up where it stopped. Raises ConfigError for unusable values.
    """
    options, out = RunOptions.from_config(config), out_directory(config["out"])
    todo = trials(config["suite"], config["seed"], config["episodes"])
    options.check_suite(config["suite"])
    at_least("workers", config["workers"], 0)
    about = settings(config, options.weights_file(config["suite"]))
    partial = PartialRows(out, fingerprint(about))
    rows = {index: row for index, row in partial.load().items() if index < len(todo)}
    _forget_pictures(out, rows)
    left = [trial for trial in todo if trial.episode not in rows]
    with tqdm(total=len(todo), initial=len(rows), desc=config["suite"], file=sys.stderr, disable=not config["progress"]) as bar:
        for row, picture in judged(left, options, config["workers"]):
            if picture is not None:
                write_atomically(out / FAILURES / f"{row.episode:04d}_{row.task}_{row.kind or row.seed}.png", picture)
            partial.append(row)
            rows[row.episode] = row
            bar.set_postfix_str(f"{100 * sum(r.success for r in rows.values()) / len(rows):.1f} % solved")
            bar.update()
    finish([rows[index] for index in sorted(rows)], about, out)
    partial.remove()
    return 0


def _forget_pictures(out: Path, rows: Mapping[int, EpisodeRow]) -> None:
    """Remove the failures an earlier run left here, but those of the episodes that are taken over."""
    for path in (out / FAILURES).glob("[0-9][0-9][0-9][0-9]_*.png"):
        if int(path.name[:4]) not in rows:
            path.unlink()


def finish(rows: Sequence[EpisodeRow], about: Mapping, out: Path) -> None:
    """Write the three result files and print the table."""
    info = eval_info(rows, about)
    write_atomically(out / "episodes.csv", episodes_csv(rows))
    write_json(out / "run.json", {"command": "evaluate", "settings": about, "episodes": [asdict(row) for row in rows]})
    write_json(out / "eval_info.json", info)
    print(table(info))


def fingerprint(about: Mapping) -> dict:
    """What rows depend on, from an evaluation's settings."""
    config = {key: value for key, value in about["config"].items() if key not in NO_PART_IN_ROWS}
    return {**about, "config": config}


def judged(todo: Sequence[Trial], options: RunOptions, workers: int) -> Iterator[Judged]:
    """Rows as they are finished, in any order. Each depends on its trial and the options alone, not on the process it ran in.

    `workers` processes of one thread each; 0 runs in this process, for debugging.
    """
    if workers == 0:
        bench = Bench(options)
        yield from map(bench.run, todo)
        return
    block = workers * EPISODES_PER_PROCESS
    for start in range(0, len(todo), block):
        yield from _in_pool(todo[start : start + block], options, workers)


def _in_pool(todo: Sequence[Trial], options: RunOptions, workers: int) -> Iterator[Judged]:
    before = set(multiprocessing.active_children())
    with _one_thread_each():
        pool = ProcessPoolExecutor(min(workers, len(todo)), multiprocessing.get_context("spawn"), _start, (options,))
        try:
            for future in as_completed([pool.submit(_run, trial) for trial in todo]):
                yield future.result()
        except BrokenProcessPool as error:
            raise HiermapError("a worker died (out of memory?); finished rows are kept, the same command goes on from them") from error
        except BaseException:
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_bench: Bench | None = None
"""This worker process's bench, built once by `_start`."""


def _start(options: RunOptions) -> None:
    """Set up a worker: signals are the parent's business, and it ends when the parent is gone."""
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bench = Bench(options)


def _run(trial: Trial) -> Judged:
    assert _bench is not None  # set by the pool's initializer before any task
    return _bench.run(trial)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Spawned processes inherit one thread for every numeric library; this process's environment is put back afterwards."""
    kept = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

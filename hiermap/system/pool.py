"""Worker processes: spawned, one thread each, replaced now and then, and gone when the parent is."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from hiermap.worlds.errors import HiermapError

Task = TypeVar("Task")
Result = TypeVar("Result")
TASKS_PER_PROCESS = 50
"""A worker is replaced after about this many tasks, so that no simulator's memory adds up."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""One thread a process: sums come out alike on every machine, and workers do not fight over cores."""


class WorkerDiedError(HiermapError, RuntimeError):
    """A worker process ended in the middle of its task."""


def run_all(
    prepare: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], workers: int, tasks_per_process: int = TASKS_PER_PROCESS
) -> Generator[Result, None, None]:
    """Results as they are finished, in any order; close the iterator to stop early, which ends the workers.

    Args:
        prepare: called once in every process, gives the function of one task; both sides of it are pickled.
        tasks: drawn as they are needed.
        workers: processes; 0 runs in this process, for debugging.
        tasks_per_process: the workers are replaced after so many tasks each.

    Raises:
        WorkerDiedError: a worker was killed; whatever a task itself raises is raised here.
    """
    if workers == 0:
        yield from map(prepare(), tasks)
        return
    left = iter(tasks)
    # The whole pool is replaced, for with `max_tasks_per_child` Python 3.11 forgets to start new workers and waits for ever.
    while block := list(islice(left, workers * tasks_per_process)):
        yield from _in_pool(prepare, block, min(workers, len(block)))


def _in_pool(prepare: Callable[[], Callable[[Task], Result]], tasks: Sequence[Task], workers: int) -> Generator[Result, None, None]:
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (prepare,))
    try:
        with _one_thread_each(), _interrupts_blocked():
            futures = [pool.submit(_do, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise WorkerDiedError(
            "a worker process died (out of memory?); what was finished is kept and the same command goes on from it, try fewer workers"
        ) from error
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_work: Callable[[Any], Any]
"""This worker process's function of one task, set by `_begin`."""


def _begin(prepare: Callable[[], Callable[[Any], Any]]) -> None:
    global _work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work = prepare()


def _do(task: Any) -> Any:
    return _work(task)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes spawned in here inherit one thread for every numeric library; this process's environment is put back afterwards."""
    kept = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name in THREAD_VARIABLES:
            del os.environ[name]
        os.environ.update({name: value for name, value in kept.items() if value is not None})


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes started in here never see Ctrl-C, not even while they start; this one sees it afterwards."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

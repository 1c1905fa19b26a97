"""Worker processes of this machine: one thread each, replaced now and then, and gone when the parent is."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Any

from hiermap.system.pool import THREAD_VARIABLES, Lost, Outcome, Unit, attempt

CONTEXT = multiprocessing.get_context("forkserver")
"""A server that never started a thread loads what all need once and forks: a new worker costs milliseconds, not the imports anew."""


@dataclass(eq=False)
class Member:
    """A worker process, the pipe to it, and the units it may still do."""

    process: ForkServerProcess
    pipe: Connection
    left: int

    def dismiss(self) -> None:
        """End it; it holds nothing that would be lost."""
        self.process.terminate()
        self.pipe.close()


class LocalCrew:
    """A `hiermap.system.pool.Crew` of `workers` processes, each replaced after `units_per_process`."""

    def __init__(self, prepare: bytes, workers: int, units_per_process: int, preload: Sequence[str]) -> None:
        CONTEXT.set_forkserver_preload(list(preload))
        self._prepare, self._workers, self._units_per_process = prepare, workers, units_per_process
        self._idle, self._at_work = list[Member](), dict[Any, tuple[Member, Unit]]()  # by pipe

    @property
    def room(self) -> bool:
        return len(self._at_work) < self._workers

    @property
    def busy(self) -> bool:
        return bool(self._at_work)

    def give(self, unit: Unit) -> None:
        member = self._idle.pop() if self._idle else self._hire()
        with suppress(BrokenPipeError):  # one that died idle is noticed when its answer is read
            member.pipe.send(unit.task)
        self._at_work[member.pipe] = member, unit

    def take(self) -> tuple[Unit, Outcome | Lost]:
        pipe = wait(list(self._at_work))[0]
        member, unit = self._at_work.pop(pipe)
        try:
            outcome: Outcome | Lost = member.pipe.recv()
        except (EOFError, OSError):
            outcome = Lost("its process ended")
        member.left -= 1
        if isinstance(outcome, Lost) or member.left == 0:
            member.dismiss()
        else:
            self._idle.append(member)
        return unit, outcome

    def close(self) -> None:
        members = [*self._idle, *(member for member, _ in self._at_work.values())]
        for member in members:
            member.dismiss()
        for member in members:
            member.process.join()

    def _hire(self) -> Member:
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=_serve, args=(self._prepare, theirs), daemon=True)
        with _one_thread_each(), _interrupts_blocked():
            process.start()
        theirs.close()  # so that its death ends the pipe
        return Member(process, ours, self._units_per_process)


def _serve(prepare: bytes, pipe: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            pipe.send(attempt(prepare, pipe.recv()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started in here inherit one thread for every numeric library; this process's environment is put back afterwards."""
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
    resource_tracker.ensure_running()  # the fork server starts it otherwise, and it unblocks the signal once it has
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

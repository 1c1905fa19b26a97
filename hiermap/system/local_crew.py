"""Worker processes of this machine: one thread each, replaced now and then, and gone when the parent is."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Any

from hiermap.system.pool import THREAD_VARIABLES, Lost, Outcome, PoolOptions, Unit, attempt

CONTEXT = multiprocessing.get_context("forkserver")
"""A server that never started a thread loads what all need once and forks: a new worker costs milliseconds, not the imports anew."""
BEAT_S = 0.5
"""Between two signs of life of a worker, and between two looks for them."""
START_S = 30.0
"""Of a new worker, until its heart has to beat."""
STARTS = 3
"""Tries to start a worker: the server may be killed meanwhile, and is then started again."""


@dataclass(eq=False)
class Member:
    """A worker process, the pipes to it and from its heart, the units it may still do, and how long it has been silent [s]."""

    process: ForkServerProcess
    pipe: Connection
    heart: Connection
    left: int
    silent_s: float = -START_S

    def dismiss(self) -> None:
        """End it, even if it is stopped; it holds nothing that would be lost."""
        self.process.kill()
        self.pipe.close()
        self.heart.close()

    def listen(self) -> None:
        """Note whether there was a sign of life since the last time."""
        beaten = False
        while self.heart.poll():
            self.heart.recv_bytes()
            beaten = True
        self.silent_s = 0.0 if beaten else self.silent_s + BEAT_S


class LocalCrew:
    """A `hiermap.system.pool.Crew` of `options.workers` processes, each replaced after `units_per_process`, or when it hangs."""

    def __init__(self, prepare: bytes, options: PoolOptions, units_per_process: int, preload: Sequence[str]) -> None:
        CONTEXT.set_forkserver_preload(list(preload))
        self._prepare, self._options, self._units_per_process = prepare, options, units_per_process
        self._idle, self._at_work = list[Member](), dict[Any, tuple[Member, Unit]]()  # by pipe
        self._closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def room(self) -> bool:
        return len(self._at_work) < self._options.workers

    @property
    def busy(self) -> bool:
        return bool(self._at_work)

    def give(self, unit: Unit) -> None:
        member = self._idle.pop() if self._idle else self._hire()
        with suppress(BrokenPipeError):  # one that died idle is noticed when its answer is read
            member.pipe.send(unit.task)
        member.silent_s = min(member.silent_s, 0.0)
        self._at_work[member.pipe] = member, unit

    def take(self) -> tuple[Unit, Outcome | Lost]:
        pipe = wait(list(self._at_work))[0]
        member, unit = self._at_work[pipe]
        try:
            outcome: Outcome | Lost = member.pipe.recv()
        except (EOFError, OSError):
            hung = member.silent_s >= self._options.hang_seconds
            outcome = Lost(f"it gave no sign of life for {member.silent_s:g} s" if hung else "its process ended; out of memory?")
        del self._at_work[pipe]  # only now: it may have stopped in the middle of its answer
        member.left -= 1
        if isinstance(outcome, Lost) or member.left == 0:
            member.dismiss()
        else:
            self._idle.append(member)
        return unit, outcome

    def close(self) -> None:
        self._closed.set()
        members = [*self._idle, *(member for member, _ in self._at_work.values())]
        for member in members:
            member.dismiss()
        for member in members:
            member.process.join(timeout=1)  # none has a choice; only a server that is stopped would not tell

    def _hire(self) -> Member:
        for left in reversed(range(STARTS)):
            (ours, theirs), (heart, beating) = CONTEXT.Pipe(), CONTEXT.Pipe(duplex=False)
            process = CONTEXT.Process(target=_serve, args=(self._prepare, theirs, beating), daemon=True)
            try:
                with _one_thread_each(), _interrupts_blocked():
                    process.start()
                break
            except (EOFError, OSError):
                if not left:
                    raise
            finally:
                for end in (theirs, beating):  # so that its death ends the pipes
                    end.close()
        return Member(process, ours, heart, self._units_per_process)

    def _watch(self) -> None:
        """Kill who hangs; whoever waits for its answer, or for the rest of it, then reads that it is gone.

        Looks are counted, not the time, so that nobody is blamed for a while in which this process was stopped itself.
        """
        while not self._closed.wait(BEAT_S):
            for member, _ in list(self._at_work.values()):
                with suppress(EOFError, OSError):  # it is gone, or was dismissed just now
                    member.listen()
                    if member.silent_s >= self._options.hang_seconds:
                        member.process.kill()


def _serve(prepare: bytes, pipe: Connection, heart: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_beat, args=(heart,), daemon=True).start()
    with suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            pipe.send(attempt(prepare, pipe.recv()))


def _beat(heart: Connection) -> None:
    with suppress(OSError):  # the parent is gone
        while True:
            heart.send_bytes(b".")
            time.sleep(BEAT_S)


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

"""SIGTERM and Ctrl-C end a command where it is, so that `finally` blocks run, and in time whatever they wait for."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from typing import Any, NoReturn

GRACE_S = 4.0
"""From a signal to the end of the process: what is finished is on disk at any moment, so nothing is lost by not waiting longer."""


class Terminated(BaseException):
    """SIGTERM arrived; raised where the main thread is."""


@contextmanager
def heeded() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated`, and whoever has not left `GRACE_S` after a signal is ended with its worker processes.

    A thread waits for that, since a computation, or a wait for a process that was stopped, may keep the main one from its handler.
    """
    if threading.current_thread() is not threading.main_thread():  # the caller keeps its own handling
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    over = threading.Event()
    watch = threading.Thread(target=_end_in_time, args=(reading, over), daemon=True)
    watch.start()
    terminating, waking = signal.signal(signal.SIGTERM, _terminate), signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    except (Terminated, KeyboardInterrupt):
        _end_server()
        raise
    finally:
        over.set()
        signal.set_wakeup_fd(waking)
        signal.signal(signal.SIGTERM, terminating or signal.SIG_DFL)
        os.close(writing)
        watch.join()
        os.close(reading)


def _end_in_time(reading: int, over: threading.Event) -> None:
    while number := os.read(reading, 1):
        if number[0] in (signal.SIGINT, signal.SIGTERM) and not over.wait(GRACE_S):
            for worker in multiprocessing.active_children():
                worker.kill()
            _end_server()
            os._exit(128 + number[0])


def _end_server() -> None:
    """Kill the process that starts workers: it has nothing to lose, but many libraries to leave. The next worker starts it again."""
    server: Any = forkserver
    if (process_id := server._forkserver._forkserver_pid) is not None:
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


def _unwatched() -> None:
    """In a forked child, whose signals are its own."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_unwatched)

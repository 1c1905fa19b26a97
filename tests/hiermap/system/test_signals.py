"""Signals: raised where the main thread is, and no process outlives them for long."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from hiermap.system.signals import Terminated, heeded

SCRIPT = """
import multiprocessing, signal, sys, time
from hiermap.system import signals
signals.GRACE_S = 0.3
signal.signal(signal.SIGINT, signal.default_int_handler)
if __name__ == "__main__":
    with signals.heeded():
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        worker.start()
        while True:
            try:
                print(worker.pid, flush=True)
                time.sleep(60)
            except BaseException:
                pass
"""


def test_a_signal_to_terminate_is_raised_and_the_old_handling_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), threading.active_count()
    with pytest.raises(Terminated), heeded():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert (signal.getsignal(signal.SIGTERM), threading.active_count()) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_does_not_end_by_himself_is_ended_with_his_workers(number: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True)
    worker = int(process.stdout.readline())
    os.kill(worker, signal.SIGSTOP)
    os.kill(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    process.stdout.read()  # at its end when the worker is gone too, which holds the other end of the pipe


def test_in_another_thread_the_caller_keeps_its_own_handling() -> None:
    seen = []

    def body() -> None:
        with heeded():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]

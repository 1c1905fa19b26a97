"""Worker processes: what they give back, how they end, and what they inherit."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from operator import add
from pathlib import Path

import pytest

from hiermap.system.pool import THREAD_VARIABLES, PoolOptions, WorkerDiedError, run_all
from hiermap.worlds.errors import ConfigError, DataError

ONE = PoolOptions(workers=1)


def adder(amount: int):
    return partial(add, amount)


def process_ids():
    return lambda _: os.getpid()


def fatal_once(path: Path):
    """Kills its process the first time only."""

    def task(number: int) -> int:
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    return task


def environment():
    return lambda name: os.environ.get(name)


def killer():
    return lambda fatal: os.kill(os.getpid(), signal.SIGKILL) if fatal else fatal


def failing():
    def fail(task: int) -> None:
        raise DataError(f"task {task} is damaged")

    return fail


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_task_gives_its_result_once(workers):
    assert sorted(run_all(partial(adder, 10), range(7), PoolOptions(workers=workers), units_per_process=2)) == list(range(10, 17))


def test_workers_are_replaced_after_their_share_of_tasks():
    ids = list(run_all(process_ids, range(6), ONE, units_per_process=2))
    assert len(set(ids)) == 3 and os.getpid() not in ids
    assert set(run_all(process_ids, range(3), PoolOptions(workers=0))) == {os.getpid()}


def test_workers_have_one_thread_a_library_and_the_parent_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert set(run_all(environment, THREAD_VARIABLES, ONE)) == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_the_unit_of_a_worker_that_is_killed_is_done_by_another(tmp_path):
    assert sorted(run_all(partial(fatal_once, tmp_path / "died"), range(4), PoolOptions(workers=2))) == [0, 1, 2, 3]


def stopped_once(path: Path):
    """Stops its process the first time only, in the middle of a unit."""

    def task(number: int) -> int:
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return number

    return task


def stopped_in_half_an_answer(path: Path):
    """Gives large answers, and stops its process when half of the first one is sent."""
    send = Connection._send

    def half(self: Connection, content: bytes) -> None:
        if len(content) > 100_000 and not path.exists():
            path.touch()
            send(self, content[:50_000])
            os.kill(os.getpid(), signal.SIGSTOP)
        send(self, content)

    Connection._send = half
    return lambda number: bytes([number]) * 200_000


def test_the_unit_of_a_worker_that_hangs_is_done_by_another(tmp_path):
    options = PoolOptions(workers=2, hang_seconds=3)
    assert sorted(run_all(partial(stopped_once, tmp_path / "stopped"), range(4), options)) == [0, 1, 2, 3]


def test_a_worker_that_hangs_in_half_an_answer_holds_nobody_up(tmp_path):
    options = PoolOptions(workers=1, hang_seconds=3)
    results = list(run_all(partial(stopped_in_half_an_answer, tmp_path / "stopped"), range(3), options))
    assert sorted(results) == [bytes([number]) * 200_000 for number in range(3)] and (tmp_path / "stopped").exists()


def test_a_worker_that_is_only_slow_is_waited_for():
    assert list(run_all(sleeper, [4.0], PoolOptions(workers=1, hang_seconds=2.5, max_retries=0)))


def test_an_error_over_a_worker_that_hangs_says_so(tmp_path):
    with pytest.raises(WorkerDiedError, match="no sign of life for 2 s"):
        list(run_all(stopper, [0], PoolOptions(workers=1, hang_seconds=2, max_retries=0)))


def stopper():
    return lambda _: os.kill(os.getpid(), signal.SIGSTOP)


def test_the_server_that_starts_workers_may_be_killed():
    results = run_all(process_ids, range(6), PoolOptions(workers=1), units_per_process=1)
    first = next(results)
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    assert len({first, *results}) == 6


def test_a_unit_that_kills_every_worker_is_an_error_that_says_what_to_do():
    with pytest.raises(WorkerDiedError, match=r"4 times.*same command goes on.*fewer workers"):
        list(run_all(killer, [True], ONE))


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_task_raises_is_raised_here(workers):
    with pytest.raises(DataError, match="task 0 is damaged"):
        list(run_all(failing, [0], PoolOptions(workers=workers)))


SCRIPT = """
import sys, time
sys.path[:0] = {path!r}
from hiermap.system.pool import PoolOptions, run_all
from {module} import sleeper
if __name__ == "__main__":
    print(next(run_all(sleeper, [0.0, 60.0], PoolOptions())), flush=True)
    time.sleep(60)
"""


def sleeper():
    def sleep(seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()

    return sleep


def test_workers_end_when_the_parent_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.format(path=[str(Path(__file__).parent)], module=Path(__file__).stem))
    with subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text()


def test_closing_early_ends_the_workers():
    results = run_all(sleeper, [0.0, 60.0], ONE)
    worker = next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 20
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_shards_do_every_unit_once():
    shards = [list(PoolOptions(shard=f"{i}/3").mine(range(8))) for i in (1, 2, 3)]
    assert shards == [[0, 3, 6], [1, 4, 7], [2, 5]]


@pytest.mark.parametrize(
    "options",
    [
        {"shard": "0/2"},
        {"shard": "3/2"},
        {"shard": "half"},
        {"launcher": "slurm"},
        {"workers": -1},
        {"max_retries": -1},
        {"hang_seconds": 0.0},
    ],
)
def test_an_unusable_option_is_an_error_that_names_it(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        PoolOptions(**options)


def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'hiermap\[ray\]'"):
        list(run_all(process_ids, range(2), PoolOptions(launcher="ray")))

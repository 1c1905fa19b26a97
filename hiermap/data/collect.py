"""`hiermap collect`: many kitchens, many processes, whole episodes only.

A worker writes an episode's file in one step; the parent then lists it in the manifest. Whatever dies in between, the file is either
whole or absent, and the next run lists what is whole and makes the rest. A seed belongs to exactly one file name.
"""

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hiermap.data import manifest
from hiermap.data.episodes import FILE_NAME, Episode, file_name, read_episode, write_episode
from hiermap.system.files import file_sha256
from hiermap.worlds.errors import ConfigError, DataError, HiermapError

SOURCES: Mapping[str, str] = {
    "play": "hiermap.data.exploration:play_episode",
    "rules": "hiermap.data.exploration:rules_episode",
    "toy": "hiermap.data.collect:_toy",
}
"""Source name -> "module:function", called with (seed, settings) in a worker process."""
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
PARENT_LOCK, WORKER_LOCK = ".collect.lock", ".workers.lock"
ORPHAN_SECONDS = 60.0
"""How long to wait for workers of a killed run to notice; they need a fraction of a second."""
MAX_BREAKS = 5
"""A pool that breaks this often without one finished episode in between will not recover."""
MAX_VOID_SHARE, MIN_VOID = 0.5, 10
"""More void seeds than this share (and number) means something is wrong, not unlucky."""


@dataclass(frozen=True)
class CollectSettings:
    """The keys of configs/collect.yaml, checked; see there for their meaning."""

    out: str
    interactions: int
    seed: int
    workers: int
    source: str
    weights: str | None
    interactions_per_episode: int
    purpose_share: float
    random_share: float
    model_share: float
    branch_share: float
    episodes_per_process: int

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ConfigError(f"source={self.source!r}; expected one of {', '.join(SOURCES)}")
        for name in ("interactions", "workers", "interactions_per_episode", "episodes_per_process"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}; expected at least 1")
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed}; expected 0 or more")
        for name in ("purpose_share", "random_share", "model_share", "branch_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name}={getattr(self, name)}; expected a share from 0 to 1")

    @property
    def walks(self) -> str:
        """How actions are chosen, in words for the record: directories may hold walks of several kinds."""
        shares = f"purpose {self.purpose_share:g} random {self.random_share:g} branch {self.branch_share:g}"
        return shares + (f" model {self.model_share:g}" if self.weights else "")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "CollectSettings":
        """From a resolved config; ConfigError names what is missing or unknown."""
        names = {field.name for field in fields(cls)}
        if set(config) != names:
            raise ConfigError(f"collect: missing {sorted(names - set(config))}, unknown {sorted(set(config) - names)}")
        return cls(**config)


def collect(config: Mapping[str, Any]) -> None:
    """Collect until `interactions` transitions of this source, from `seed` on, are stored in `out`; resumes what is there."""
    settings = CollectSettings.from_config(config)
    directory = Path(settings.out)
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"out={settings.out} is a file; expected a directory")
    if settings.weights is not None:
        from hiermap.model.weights import weights_directory  # needs torch, which collecting without a model does not

        weights_directory(settings.weights)
    directory.mkdir(parents=True, exist_ok=True)
    os.environ.update(ONE_THREAD)  # workers inherit it before they import anything that starts threads
    with manifest.locked(directory, PARENT_LOCK):
        _await_orphans(directory)
        _sweep(directory)
        stored, done, void = _progress(directory, settings)
        with tqdm(total=settings.interactions, initial=min(stored, settings.interactions), unit="act", file=sys.stderr) as bar:
            _Collector(directory, settings, bar, stored, done, void).run()
    print(f"{directory}: {len(manifest.read_manifest(directory).finished)} episodes")


class _Collector:
    """Keeps the pool busy, lists what it returns, and survives workers that die."""

    def __init__(self, directory: Path, settings: CollectSettings, bar: tqdm, stored: int, done: set[int], void: int) -> None:
        self.directory, self.settings, self.bar = directory, settings, bar
        self.stored, self.done, self.void, self.breaks = stored, done, void, 0

    def run(self) -> None:
        """Rounds of episodes, each in a fresh pool so that leaks of native libraries stay bounded."""
        while self.stored < self.settings.interactions:
            missing = -(-(self.settings.interactions - self.stored) // self.settings.interactions_per_episode)
            self._round(self._next_seeds(min(missing, self.settings.workers * self.settings.episodes_per_process)))

    def _next_seeds(self, count: int) -> list[int]:
        seeds: list[int] = []
        seed = self.settings.seed
        while len(seeds) < count:
            if seed not in self.done:
                seeds.append(seed)
            seed += 1
        return seeds

    def _round(self, seeds: Iterable[int]) -> None:
        context = multiprocessing.get_context("spawn")
        stop, broken = context.Event(), False
        pool = ProcessPoolExecutor(self.settings.workers, context, _begin_worker, (str(self.directory), stop))
        try:
            with _interrupts_blocked():
                futures = {pool.submit(_work, seed, self.settings): seed for seed in seeds}
            while futures:
                finished, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._list(futures.pop(future), future)
        except BrokenProcessPool as error:
            self.breaks += 1
            broken = True
            if self.breaks >= MAX_BREAKS:
                raise HiermapError(f"worker processes died {self.breaks} times in a row ({error}); try workers=1") from error
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            _sweep(self.directory, adopt=broken)
        if broken:
            self.stored, self.done, self.void = _progress(self.directory, self.settings)

    def _list(self, seed: int, future: "Future[dict[str, Any]]") -> None:
        record = future.result()
        manifest.append(self.directory, record)
        self.breaks = 0
        self.done.add(seed)
        if record["state"] == manifest.FINISHED:
            self.stored += record["transitions"]
            self.bar.update(min(record["transitions"], self.settings.interactions - self.bar.n))
            return
        self.void += 1
        self.bar.write(f"seed {seed} is void: {record['reason']}", file=sys.stderr)
        if self.void > max(MIN_VOID, MAX_VOID_SHARE * len(self.done)):
            raise HiermapError(f"{self.void} of {len(self.done)} seeds gave no episode, the last because: {record['reason']}")


def _progress(directory: Path, settings: CollectSettings) -> tuple[int, set[int], int]:
    """Transitions stored, seeds done and void seeds so far, of this source from this first seed on."""
    stored, done, void = 0, set(), 0
    for name, record in manifest.read_manifest(directory).current.items():
        source, seed = name[: name.index("-")], int(name[name.index("-") + 1 : -4])
        if source != settings.source or seed < settings.seed or record["state"] not in (manifest.FINISHED, manifest.VOID):
            continue
        done.add(seed)
        void += record["state"] == manifest.VOID
        stored += record.get("transitions", 0) if record["state"] == manifest.FINISHED else 0
    return stored, done, void


def _sweep(directory: Path, adopt: bool = True) -> None:
    """Remove temporaries of killed writers; list whole episodes whose line was never written."""
    for leftover in directory.glob(".*.npz.*"):
        leftover.unlink(missing_ok=True)
    if not adopt:
        return
    listed = manifest.read_manifest(directory).finished
    for path in sorted(directory.glob("*.npz")):
        if path.name in listed or not FILE_NAME.fullmatch(path.name):
            continue
        try:
            episode = read_episode(path)
        except DataError as error:
            manifest.quarantine(directory, path.name, str(error))
            print(f"set aside: {error}", file=sys.stderr)
            continue
        manifest.append(directory, manifest.describe(path.name, episode, file_sha256(path), path.stat().st_size))


def _await_orphans(directory: Path) -> None:
    """Wait until no worker of a killed run can write any more."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        try:
            with manifest.locked(directory, WORKER_LOCK):
                return
        except DataError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes started in here never see Ctrl-C, not even while they start; this one sees it afterwards."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _begin_worker(directory: str, stop: Any) -> None:
    """Runs first in every worker: its share of the lock, and an end when the parent's comes."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    lock = contextlib.ExitStack()
    lock.enter_context(manifest.locked(Path(directory), WORKER_LOCK, shared=True))
    threading.Thread(target=_end_with_parent, args=(stop, lock), daemon=True).start()


def _end_with_parent(stop: Any, lock: contextlib.ExitStack) -> None:
    parent = multiprocessing.parent_process()
    while not stop.is_set() and parent is not None and parent.is_alive():
        time.sleep(0.1)
    with lock:
        os._exit(0)


def _work(seed: int, settings: CollectSettings) -> dict[str, Any]:
    """One seed in a worker: generate, write, describe; a seed that cannot give an episode gives a void record."""
    name = file_name(settings.source, seed)
    module, _, attribute = SOURCES[settings.source].partition(":")
    make: Callable[[int, CollectSettings], Episode] = getattr(importlib.import_module(module), attribute)
    try:
        episode = make(seed, settings)
    except (MemoryError, ImportError, OSError):
        raise
    except Exception as error:  # any other failure voids this kitchen only; the parent counts them
        return {"state": manifest.VOID, "file": name, "seed": seed, "reason": f"{type(error).__name__}: {error}"}
    directory = Path(settings.out)
    size = write_episode(directory, name, episode)
    return manifest.describe(name, episode, file_sha256(directory / name), size)


def _toy(seed: int, settings: CollectSettings) -> Episode:
    from hiermap.data.toy_episodes import toy_episode

    return toy_episode(seed, settings.interactions_per_episode)

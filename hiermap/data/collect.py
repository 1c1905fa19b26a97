"""`hiermap collect`: many kitchens, many processes, whole episodes only.

A worker writes an episode's file in one step; the parent then lists it in the manifest. Whatever dies in between, the file is either
whole or absent, and the next run lists what is whole and makes the rest. A seed belongs to exactly one file name.
"""

import fcntl
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, filterfalse, islice
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from tqdm import tqdm

from hiermap.data import manifest
from hiermap.data.episodes import FILE_NAME, Episode, file_name, read_episode, write_episode
from hiermap.data.walk_options import WalkOptions
from hiermap.system.config import typed
from hiermap.system.pool import TASKS_PER_PROCESS, WorkerDiedError, run_all
from hiermap.worlds.errors import ConfigError, DataError, HiermapError
from hiermap.worlds.perception.sensing_options import SensingOptions

SOURCES: Mapping[str, str] = {
    "play": "hiermap.data.exploration:explored",
    "rules": "hiermap.data.exploration:explored",
    "toy": "hiermap.data.collect:_toy",
}
"""Source name -> "module:function", called with (seed, settings) in a worker process."""
PARENT_LOCK, WORKER_LOCK = ".collect.lock", ".workers.lock"
MAX_DEATHS = 5
"""When workers die this often without one finished episode in between, the next ones will too."""
MAX_VOID_SHARE, MIN_VOID = 0.5, 10
"""More void seeds than this share (and number) means something is wrong, not unlucky."""


@dataclass(frozen=True)
class CollectSettings:
    """The keys of `hiermap collect`.

    Attributes:
        out: directory of the episodes and their manifest; made if absent, resumed if not.
        interactions: stop when this many (transitions) are stored.
        seed: first kitchen; episodes use seed, seed + 1, ...
        workers: processes, one thread each.
        source: play (motor programs in the simulator), rules (effects teleported by the exact rules), toy (tiny synthetic files).
        weights: directory or name that proposes model-guided actions; null for none.
        interactions_per_episode: along one kitchen's walk.
        purpose_share: chance that a wandering walk sets out for a random goal by the shortest way; it wanders on once it is there.
        random_share: while it wanders, share of actions at random cells.
        model_share: and at map peaks of the given weights; the rest is geometry-guided.
        branch_share: chance that the next action restarts from the same snapshot instead of walking on.
        episodes_per_process: a worker process is replaced after this many (native libraries leak).
        walk: what a walk aims for, and how its actions miss.
        sensing: how well the cameras see.
    """

    out: str
    interactions: int = 2000
    seed: int = 0
    workers: int = 2
    source: str = "rules"
    weights: str | None = None
    interactions_per_episode: int = 16
    purpose_share: float = 0.4
    random_share: float = 0.15
    model_share: float = 0.3
    branch_share: float = 0.3
    episodes_per_process: int = TASKS_PER_PROCESS
    walk: WalkOptions = field(default_factory=WalkOptions)
    sensing: SensingOptions = field(default_factory=SensingOptions)

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
        """How actions are chosen and seen, in words for the record: directories may hold walks of several kinds."""
        shares = f"purpose {self.purpose_share:g} random {self.random_share:g} branch {self.branch_share:g}"
        return shares + (f" model {self.model_share:g}" if self.weights else "") + self.walk.told + self.sensing.told


def collect(config: Mapping[str, Any]) -> None:
    """Collect until `interactions` transitions of this source, from `seed` on, are stored in `out`; resumes what is there."""
    settings = typed(CollectSettings, config)
    directory = Path(settings.out)
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"out={settings.out} is a file; expected a directory")
    if settings.weights is not None:
        from hiermap.model.weights import weights_directory  # needs torch, which collecting without a model does not

        weights_directory(settings.weights)
    directory.mkdir(parents=True, exist_ok=True)
    with manifest.locked(directory, PARENT_LOCK), tqdm(total=settings.interactions, unit="act", file=sys.stderr) as bar:
        with manifest.locked(directory, WORKER_LOCK, fcntl.LOCK_EX):
            pass  # workers of a killed run have noticed and can write no more
        _fill(directory, settings, bar)
    print(f"{directory}: {len(manifest.read_manifest(directory).finished)} episodes")


Done = dict[int, Mapping[str, Any]]
"""Seed -> its record: what is there of a source from a first seed on."""


def _fill(directory: Path, settings: CollectSettings, bar: tqdm) -> None:
    """Make episodes until enough are stored; workers that died are replaced."""
    deaths = 0
    while (missing := settings.interactions - _show(done := _taken_up(directory, settings), bar)) > 0:
        episodes = -(-missing // settings.interactions_per_episode)
        tasks = islice(filterfalse(done.__contains__, count(settings.seed)), episodes)
        try:
            with closing(run_all(partial(_worker, settings), tasks, settings.workers, settings.episodes_per_process)) as records:
                for record in records:
                    _list(directory, record, done, bar)
                    deaths = 0
        except WorkerDiedError:
            deaths += 1
            if deaths == MAX_DEATHS:
                raise
        finally:
            _remove_temporaries(directory)


def _show(done: Done, bar: tqdm) -> int:
    """The transitions stored, on the bar too."""
    stored = sum(record.get("transitions", 0) for record in done.values())
    bar.update(min(stored, bar.total) - bar.n)
    return stored


def _list(directory: Path, record: Mapping[str, Any], done: Done, bar: tqdm) -> None:
    """Enter a worker's record; HiermapError when too many seeds give nothing."""
    manifest.append(directory, record)
    done[record["seed"]] = record
    _show(done, bar)
    if record["state"] != manifest.VOID:
        return
    bar.write(f"seed {record['seed']} is void: {record['reason']}", file=sys.stderr)
    void = sum(other["state"] == manifest.VOID for other in done.values())
    if void > max(MIN_VOID, MAX_VOID_SHARE * len(done)):
        raise HiermapError(f"{void} of {len(done)} seeds gave no episode, the last because: {record['reason']}")


def _taken_up(directory: Path, settings: CollectSettings) -> Done:
    """What is there of this source from this first seed on, once whole episodes whose line was never written are listed."""
    _remove_temporaries(directory)
    listed = manifest.read_manifest(directory).finished
    for path in sorted(directory.glob("*.npz")):
        if path.name not in listed and FILE_NAME.fullmatch(path.name):
            _adopt(path)
    ours = [record for name, record in manifest.read_manifest(directory).current.items() if name.startswith(f"{settings.source}-")]
    known = [record for record in ours if record["state"] in (manifest.FINISHED, manifest.VOID)]
    return {record["seed"]: record for record in known if record["seed"] >= settings.seed}


def _adopt(path: Path) -> None:
    """List an episode, or set it aside when it is damaged."""
    try:
        episode = read_episode(path)
    except DataError as error:
        manifest.quarantine(path.parent, path.name, str(error))
        print(f"set aside: {error}", file=sys.stderr)
    else:
        manifest.append(path.parent, manifest.describe(path, episode))


def _remove_temporaries(directory: Path) -> None:
    """Of writers that were killed."""
    for leftover in directory.glob(".*.npz.*"):
        leftover.unlink(missing_ok=True)


def _worker(settings: CollectSettings) -> Callable[[int], dict[str, Any]]:
    """What a process makes episodes with; it holds its share of the lock until it ends."""
    _held.enter_context(manifest.locked(Path(settings.out), WORKER_LOCK, fcntl.LOCK_SH | fcntl.LOCK_NB))
    return partial(_work, settings)


_held = ExitStack()
"""This worker process's locks."""


def _work(settings: CollectSettings, seed: int) -> dict[str, Any]:
    """One seed in a worker: generate, write, describe; a seed that cannot give an episode gives a void record."""
    name = file_name(settings.source, seed)
    make: Callable[[int, CollectSettings], Episode] = resolve_name(SOURCES[settings.source])
    try:
        episode = make(seed, settings)
    except (MemoryError, ImportError, OSError):
        raise
    except Exception as error:  # any other failure voids this kitchen only; the parent counts them
        return {"state": manifest.VOID, "file": name, "seed": seed, "reason": f"{type(error).__name__}: {error}"}
    return manifest.describe(write_episode(Path(settings.out), name, episode), episode)


def _toy(seed: int, settings: CollectSettings) -> Episode:
    from hiermap.data.toy_episodes import toy_episode

    return toy_episode(seed, settings.interactions_per_episode)

"""`hiermap collect`: many kitchens, many processes, whole episodes only.

A worker, wherever it is, sends an episode's content; the parent writes the file in one step and then lists it in the manifest. Whatever
dies in between, the file is either whole or absent, and the next run lists what is whole and makes the rest. A seed belongs to exactly one
file name.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count, filterfalse, islice
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

from tqdm import tqdm

from hiermap.data import manifest
from hiermap.data.episodes import FILE_NAME, Episode, encode, file_name, read_episode, store
from hiermap.data.having_options import HavingOptions
from hiermap.data.walk_options import WalkOptions
from hiermap.model.locate import MODEL_FILE, weights_directory
from hiermap.system import provenance
from hiermap.system.config import typed
from hiermap.system.pool import UNITS_PER_PROCESS, WHO_WORKS, PoolOptions, Workers, run_all
from hiermap.system.run_folder import OutOptions, fingerprint, owned
from hiermap.worlds.errors import ConfigError, DataError, HiermapError
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.records import MANY, Positive, Share, one_of
from hiermap.worlds.wide.options import DRAWN, WideOptions

SOURCES: Mapping[str, str] = {
    "play": "hiermap.data.walks.exploration:explored",
    "rules": "hiermap.data.walks.exploration:explored",
    "wide": "hiermap.data.walks.exploration:explored",
    "fixtures": "hiermap.data.walks.fixture_views:fixture_views",
    "toy": "hiermap.data.collect:_toy",
}
"""Source name -> "module:function", called with (seed, settings) in a worker process."""
NO_PART_IN_EPISODES = (*WHO_WORKS, "out", "overwrite", "shard", "interactions", "episodes_per_process")
"""Keys an episode does not depend on."""
MAX_VOID_SHARE, MIN_VOID = 0.5, 10
"""More void seeds than this share (and number) means something is wrong, not unlucky."""


@dataclass(frozen=True, kw_only=True)
class CollectSettings(PoolOptions, OutOptions):
    """The keys of `hiermap collect`.

    Attributes:
        out: directory of the episodes and their manifest; made if absent, resumed if not.
        interactions: stop when this many (transitions; of source=fixtures, views) are stored.
        seed: first kitchen; episodes use seed, seed + 1, ...
        source: play (motor programs in the simulator), rules (effects teleported by the exact rules), wide (the same in
            kitchens of the wide world, by the rules of their geometry), fixtures (views of such kitchens in random states, without moves or
            maps), toy (tiny synthetic files).
        weights: directory or name that proposes model-guided actions; null for none.
        interactions_per_episode: along one kitchen's walk.
        purpose_share: chance that a wandering walk sets out for a random goal by the shortest way; it wanders on once it is there.
        random_share: while it wanders, share of actions at random cells.
        model_share: and at map peaks of the given weights; the rest is geometry-guided.
        branch_share: chance that the next action restarts from the same snapshot instead of walking on.
        episodes_per_process: a worker process is replaced after this many (native libraries leak).
        walk: what a walk aims for, and how its actions miss.
        wide: of source=wide and fixtures, from what kitchens are drawn.
        having: of source=wide and fixtures only kitchens with this; rare kinds can be asked for so.
        sensing: how well the cameras see.
    """

    interactions: Positive = 2000
    seed: Annotated[int, 0, MANY - 1] = 0
    workers: Workers = 2
    source: str = "rules"
    weights: str | None = None
    interactions_per_episode: Annotated[int, 1, 1000] = 16
    purpose_share: Share = 0.4
    random_share: Share = 0.15
    model_share: Share = 0.3
    branch_share: Share = 0.3
    episodes_per_process: Positive = UNITS_PER_PROCESS
    walk: WalkOptions = field(default_factory=WalkOptions)
    wide: WideOptions = DRAWN
    having: HavingOptions = field(default_factory=HavingOptions)
    sensing: SensingOptions = field(default_factory=SensingOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("source", self.source, SOURCES)
        if self.source == "wide" and self.walk.bump_share:
            share = f"{self.walk.bump_share:g}"
            raise ConfigError(
                f"walk.bump_share={share} and source=wide do not go together: the rules of geometry know fixtures at their ends only; "
                "take walk.bump_share=0"
            )
        for section, told in (("wide", self.wide.told), ("having", self.having.told)):
            if told and self.source not in ("wide", "fixtures"):
                where = f"{section} ({told.strip()}) and source={self.source}"
                raise ConfigError(f"{where} do not go together; take source=wide or source=fixtures")

    @property
    def wanted(self) -> int:
        """The transitions that this shard is to store: of all there are, those of its share of the episodes."""
        episodes = -(-self.interactions // self.interactions_per_episode)
        return min(self.interactions, len(range(episodes)[self.part]) * self.interactions_per_episode)

    @property
    def seeds(self) -> Iterator[int]:
        """The seeds of this shard, without end."""
        return self.having.chosen(self.mine(count(self.seed)), self.wide)

    @property
    def walks(self) -> str:
        """How actions are chosen and seen, in words for the record: merged directories may hold walks of several kinds."""
        shares = f"purpose {self.purpose_share:g} random {self.random_share:g} branch {self.branch_share:g}"
        model = f" model {self.model_share:g}" if self.weights else ""
        return shares + model + self.walk.told + self.wide.told + self.having.told + self.sensing.told


def collect(config: Mapping[str, Any]) -> None:
    """Collect until `interactions` transitions of this source, from `seed` on, are stored in `out`; resumes what is there."""
    settings = typed(CollectSettings, config)
    weights = None if settings.weights is None else weights_directory(settings.weights)
    about = provenance.settings(config, weights and weights / MODEL_FILE)
    run = {"command": "collect", **fingerprint(about, NO_PART_IN_EPISODES)}
    with owned(settings.out, run, settings.overwrite, reads=[weights]) as directory:
        with tqdm(total=settings.wanted, unit="act", file=sys.stderr) as bar:
            _fill(directory, settings, bar)
        print(f"{directory}: {len(manifest.read_manifest(directory).finished)} episodes")


Done = dict[int, Mapping[str, Any]]
"""Seed -> its record: what is there of a source from a first seed on."""


def _fill(directory: Path, settings: CollectSettings, bar: tqdm) -> None:
    """Make episodes until enough are stored."""
    while (missing := settings.wanted - _show(done := _taken_up(directory, settings), bar)) > 0:
        episodes = -(-missing // settings.interactions_per_episode)
        tasks = islice(filterfalse(done.__contains__, settings.seeds), episodes)
        module, _, _ = SOURCES[settings.source].partition(":")
        with closing(run_all(partial(partial, _work, settings), tasks, settings, settings.episodes_per_process, [module])) as made:
            for record, content in made:
                if content is not None:
                    store(directory, record["file"], content)
                _list(directory, record, done, bar)


def _show(done: Done, bar: tqdm) -> int:
    """The transitions stored, or views where there are no transitions, on the bar too."""
    stored = sum(record.get("transitions") or record.get("views", 0) for record in done.values())
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
    listed = manifest.read_manifest(directory).finished
    for path in sorted(directory.glob("*.npz")):
        if path.name not in listed and FILE_NAME.fullmatch(path.name):
            _adopt(path)
    ours = [record for name, record in manifest.read_manifest(directory).current.items() if name.startswith(f"{settings.source}-")]
    known = {record["seed"]: record for record in ours if record["state"] in (manifest.FINISHED, manifest.VOID)}
    wanted = range(settings.seed, MANY)[settings.part]
    return {seed: known[seed] for seed in sorted(known) if seed in wanted}


def _adopt(path: Path) -> None:
    """List an episode, or set it aside when it is damaged."""
    try:
        episode = read_episode(path)
    except DataError as error:
        manifest.quarantine(path.parent, path.name, str(error))
        print(f"set aside: {error}", file=sys.stderr)
    else:
        manifest.append(path.parent, manifest.describe(path.name, path.read_bytes(), episode))


def _work(settings: CollectSettings, seed: int) -> tuple[dict[str, Any], bytes | None]:
    """One seed in a worker: its record and its file's content; a seed that cannot give an episode gives a void record."""
    name = file_name(settings.source, seed)
    make: Callable[[int, CollectSettings], Episode] = resolve_name(SOURCES[settings.source])
    try:
        episode = make(seed, settings)
    except (MemoryError, ImportError, OSError):
        raise
    except Exception as error:  # any other failure voids this kitchen only; the parent counts them
        return {"state": manifest.VOID, "file": name, "seed": seed, "reason": f"{type(error).__name__}: {error}"}, None
    content = encode(name, episode)
    return manifest.describe(name, content, episode), content


def _toy(seed: int, settings: CollectSettings) -> Episode:
    from hiermap.data.toy_episodes import toy_episode

    return toy_episode(seed, settings.interactions_per_episode)

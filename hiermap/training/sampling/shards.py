"""Stored episodes decoded into compact arrays in memory, and where paths of effective actions lie in them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hiermap.data.episodes import FILE_NAME, NOT_APPLICABLE, read_episode, tells_of
from hiermap.worlds.errors import DataError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.legend import Legend, places
from hiermap.worlds.perception.fusion import view_from_arrays

UNKNOWN = NOT_APPLICABLE
"""Label of a predicate that does not apply, or of steps beyond the cap."""
_COLOUR = 3
"""Channels of colour in `SpatialView.channels`."""


@dataclass(frozen=True, eq=False)
class Shard:
    """One kitchen: V views, T transitions, N things; K bins, U unary and B binary predicates as the reader's `legend` names them.

    Attributes:
        known: `[K]` bool, the bins of which the episode tells anything.
        rgb: `[V, H, W, 3]` uint8.
        rest: `[V, channels - 3, H, W]` float16, what follows colour in `SpatialView.channels`.
        maps_packed: `[V, K, H, W / 8]` uint8, `np.packbits` of the true maps along columns.
        before, after, bin_index: `[T]` int64; cell: `[T, 2]` int64; effect: `[T]` bool.
        masks: `[N, H, W]` bool in view 0; is_object: `[N]` bool.
        unary: `[V, N, U]`, binary: `[V, N, N, B]` uint8, 255 where it does not apply; steps_* likewise, 255 also beyond the cap.
        goals: `[G, Q, 3]` int64 (kind of `legend.unary + legend.binary`, thing, place; -1 none).
        goal_steps: `[V, G]` uint8, 255 beyond the cap.
        executed: whether the motor programs produced `effect` (else the exact rules did).
    """

    legend: Legend
    known: np.ndarray
    rgb: np.ndarray
    rest: np.ndarray
    maps_packed: np.ndarray
    before: np.ndarray
    after: np.ndarray
    bin_index: np.ndarray
    cell: np.ndarray
    effect: np.ndarray
    masks: np.ndarray
    is_object: np.ndarray
    unary: np.ndarray
    binary: np.ndarray
    steps_unary: np.ndarray
    steps_binary: np.ndarray
    goals: np.ndarray
    goal_steps: np.ndarray
    executed: bool

    @property
    def frame(self) -> tuple[int, ...]:
        """Rows and columns of its views."""
        return self.rgb.shape[1:3]

    def maps(self, indices: Sequence[int]) -> np.ndarray:
        """True maps `[len(indices), K, H, W]` bool."""
        return np.unpackbits(self.maps_packed[indices], axis=-1, count=self.rgb.shape[2]).astype(bool)


def load_shard(path: Path, legend: Legend) -> Shard:
    """Read, check and decode one stored episode by name: what the legend does not name is left out, what the episode does not is unknown.

    Raises DataError naming the file when it is damaged or foreign.
    """
    stored = read_episode(path)
    frame = SpatialFrame(rows=stored.rgb.shape[1], columns=stored.rgb.shape[2])
    views = [view_from_arrays(stored.rgb[v], stored.depth_mm[v], bool(stored.holding[v]), frame) for v in range(len(stored.rgb))]
    bins = stored.legend.bins_in(legend)
    bin_index = bins[stored.primitive, stored.rotation]
    named = bin_index >= 0
    goals, clear = _goals_by_name(stored.goals, legend, stored.legend)
    maps = np.zeros((len(views), len(legend.bins), *stored.maps_packed.shape[3:]), np.uint8)
    maps[:, bins[bins >= 0]] = stored.maps_packed[:, bins >= 0]
    unary, binary = places(legend.unary, stored.legend.unary), places(legend.binary, stored.legend.binary)
    return Shard(
        legend=legend,
        known=tells_of(stored.meta, legend),
        rgb=stored.rgb,
        maps_packed=maps,
        bin_index=bin_index[named],
        before=stored.before[named].astype(np.int64),
        after=stored.after[named].astype(np.int64),
        cell=stored.cell[named].astype(np.int64),
        effect=stored.effect[named].astype(bool),
        unary=_by_name(stored.unary, unary),
        binary=_by_name(stored.binary, binary),
        steps_unary=_by_name(stored.steps_unary, unary),
        steps_binary=_by_name(stored.steps_binary, binary),
        goals=goals[clear],
        goal_steps=stored.goal_steps[:, clear],
        rest=np.stack([view.channels()[_COLOUR:] for view in views]).astype(np.float16),
        masks=stored.masks(),
        is_object=~np.isin(stored.names, stored.meta["joints"]) & (stored.kinds != "surface"),
        executed=stored.meta.get("source") == "play",
    )


def _by_name(values: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The last axis taken from where `source` says; `UNKNOWN` where that is nowhere."""
    return np.where(source >= 0, values[..., source], np.uint8(UNKNOWN))


def _goals_by_name(goals: np.ndarray, legend: Legend, stored: Legend) -> tuple[np.ndarray, np.ndarray]:
    """Goals with kinds as the legend counts them, and which of them speak of nothing that it does not name."""
    kinds = places(stored.unary + stored.binary, legend.unary + legend.binary)
    told = goals.astype(np.int64)
    told[..., 0] = np.where(goals[..., 0] >= 0, kinds[goals[..., 0]], -1)
    return told, ((told[..., 0] >= 0) == (goals[..., 0] >= 0)).all(axis=1)


def load_shards(directory: Path, legend: Legend, limit: int = 0) -> dict[str, Shard]:
    """File name -> shard for every stored episode in order (`limit` > 0: only the first); what the manifest set aside is left out.

    Raises DataError for a damaged file or when there is none.
    """
    if not directory.is_dir():
        raise DataError(f"{directory} is not a directory; expected the out= directory of `hiermap collect`")
    paths = sorted(path for path in directory.glob("*.npz") if FILE_NAME.fullmatch(path.name))
    paths = paths[:limit] if limit else paths
    if not paths:
        raise DataError(f"{directory} holds no episodes (*.npz); run `hiermap collect out={directory}` first")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        shards = dict(zip((path.stem for path in paths), pool.map(partial(load_shard, legend=legend), paths), strict=True))
    frames = {shard.frame: name for name, shard in shards.items()}
    if len(frames) > 1:
        told = " and ".join(f"{rows} x {columns} in {name}" for (rows, columns), name in list(frames.items())[:2])
        raise DataError(f"{directory} holds views of several sizes ({told}); expected one: train on them apart")
    return shards


def paths_of_length(shard: Shard, longest: int) -> np.ndarray:
    """`[longest + 1, V]` bool: from which views a path of so many effective actions starts."""
    views = len(shard.rgb)
    good = shard.effect & (shard.before != shard.after)
    table = np.zeros((longest + 1, views), bool)
    table[0] = True
    for length in range(1, longest + 1):
        reaches = good & table[length - 1, shard.after]
        table[length, shard.before[reaches]] = True
    return table


def walk(shard: Shard, table: np.ndarray, start: int, length: int, rng: np.random.Generator) -> list[int]:
    """Transition indices of a random path of `length` effective actions from view `start`."""
    path, view = [], start
    for left in range(length, 0, -1):
        usable = shard.effect & (shard.before == view) & (shard.after != view) & table[left - 1, shard.after]
        chosen = int(rng.choice(np.flatnonzero(usable)))
        path.append(chosen)
        view = int(shard.after[chosen])
    return path


def hiding_steps(shard: Shard) -> np.ndarray:
    """Transition indices that shut a drawer on something in it: what is true afterwards can no longer be seen."""
    inside = shard.binary[..., shard.legend.binary.index("inside")] == 1
    closed = shard.unary[..., shard.legend.unary.index("closed")]
    shut = (closed[shard.before] == 0) & (closed[shard.after] == 1)
    return np.flatnonzero(shard.effect & (shut[:, None] & inside[shard.after]).any(axis=(1, 2)))


def walk_through(shard: Shard, table: np.ndarray, step: int, length: int, rng: np.random.Generator) -> list[int] | None:
    """Transition indices of a path of `length` effective actions with `step` anywhere among them; None if there is none."""
    past, end = _past(shard, step, length - 1), int(shard.after[step])
    usable = [k for k in range(len(past) + 1) if table[length - 1 - k, end]]
    if not usable:
        return None
    earlier = int(rng.choice(usable))
    return [*past[len(past) - earlier :], step, *walk(shard, table, end, length - 1 - earlier, rng)]


def _past(shard: Shard, step: int, most: int) -> list[int]:
    """Up to `most` effective transitions that led to a step, in their order."""
    path: list[int] = []
    view = shard.before[step]
    while len(path) < most:
        led = np.flatnonzero(shard.effect & (shard.after == view) & (shard.before != view))
        if len(led) == 0:
            break
        path.insert(0, int(led[0]))
        view = shard.before[led[0]]
    return path

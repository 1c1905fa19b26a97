"""Training batches: paths of effective actions through episodes, with every label along them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from hiermap.training.sampling.shards import UNKNOWN, Shard, hiding_steps, paths_of_length, walk, walk_through
from hiermap.worlds.imagined.looks import mirror_views, mirrored_bins

TRIES = 4
"""Executed actions looked at per view."""
THINGS = 12
"""Things asked about per sequence: every object, those of its goals, then fixtures and surfaces drawn at random."""
GOALS, PREDICATES = 6, 8
"""Whole goals asked about per sequence, and predicates of each, at most."""
_VALID = 5
"""Channel of a shard's `rest` that tells seen cells."""
StoredRows = dict[str, Tensor]
"""What `together` makes of paths and `unpack` takes."""
_FROM_THE_FIRST_VIEW = 0.5
"""Share of the paths that start in the episode's first view when there is one long enough."""


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """B paths of K actions through T = K + 1 real views.

    Attributes:
        views: `[B, T, channels, H, W]` float32; first: `[B, channels, H, W]`, the episode's view 0.
        starts_first: `[B]` bool, whether the path starts there.
        maps: `[B, T, bins, H, W]` bool, of the legend that the shards were read by.
        known: `[B, bins]` bool, the bins whose maps are told.
        bin_index: `[B, K]` int64; cell: `[B, K, 2]` int64.
        masks: `[B, N, H, W]` bool, in view 0.
        bare: `[B, H, W]` bool, what in view 0 belongs to nothing that has a name.
        unary: `[B, T, N, unary]`, binary: `[B, T, N, N, binary]`, unary_steps, binary_steps: uint8, 255 unknown.
        goals: `[B, GOALS, PREDICATES, 3]` int64 (kind, thing of N, place of N; -1 none); goal_steps: `[B, T, GOALS]` uint8, 255 beyond the
            cap or no goal.
        tried_bin, tried_cell: `[B, T, TRIES]` int64, bin and flat cell of actions executed there by the motor
            programs; tried_effect: uint8, 255 none.
        mirrored: `[B]` bool.
    """

    views: Tensor
    first: Tensor
    starts_first: Tensor
    maps: Tensor
    known: Tensor
    bin_index: Tensor
    cell: Tensor
    masks: Tensor
    bare: Tensor
    unary: Tensor
    binary: Tensor
    unary_steps: Tensor
    binary_steps: Tensor
    goals: Tensor
    goal_steps: Tensor
    tried_bin: Tensor
    tried_cell: Tensor
    tried_effect: Tensor
    mirrored: Tensor

    def to(self, device: torch.device, non_blocking: bool = False) -> "SequenceBatch":
        """The same batch on another device."""
        return SequenceBatch(*(getattr(self, f.name).to(device, non_blocking=non_blocking) for f in fields(self)))


class PathSampler:
    """Draws paths of effective actions from episodes, mirrored half of the time if asked.

    A share `hiding` of them, at most, shuts a drawer on something: rare in the data, and the only lesson in remembering what is out of
    sight; fewer where the data hold no such path of the wanted length.
    """

    def __init__(self, shards: Sequence[Shard], longest: int, mirror: bool, hiding: float = 0.0) -> None:
        self.shards, self.mirror, self.hiding = shards, mirror, hiding
        self.tables = [paths_of_length(shard, longest) for shard in shards]
        self.starts = [
            np.array([(e, v) for e, table in enumerate(self.tables) for v in np.flatnonzero(table[k])], np.int64).reshape(-1, 2)
            for k in range(longest + 1)
        ]
        self.roots = [starts[starts[:, 1] == 0] for starts in self.starts]
        self.hidings = [(e, int(t)) for e, shard in enumerate(shards) for t in hiding_steps(shard)]

    def longest(self) -> int:
        """The longest path there is, at most what was asked for."""
        return max(k for k, starts in enumerate(self.starts) if len(starts))

    def batch(self, size: int, length: int, rng: np.random.Generator) -> SequenceBatch:
        """`size` paths of `length` actions (shortened to what exists)."""
        return unpack(self.rows(size, length, rng))

    def rows(self, size: int, length: int, rng: np.random.Generator, rank: int = 0, ranks: int = 1) -> StoredRows:
        """`batch` before it is unpacked: every `ranks`-th path from the `rank`-th on of as many times `size`."""
        length = min(length, self.longest())
        return together([self._row(length, own) for own in rng.spawn(size * ranks)[rank::ranks]])

    def _row(self, length: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        mirrored = self.mirror and bool(rng.random() < 0.5)
        if length and self.hidings and rng.random() < self.hiding:
            episode, step = self.hidings[rng.integers(len(self.hidings))]
            source = self.shards[episode]
            steps = walk_through(source, self.tables[episode], step, length, rng)
            if steps is not None:
                return sequence_arrays(source, int(source.before[steps[0]]), steps, rng, mirrored)
        pool = self.roots[length] if len(self.roots[length]) and rng.random() < _FROM_THE_FIRST_VIEW else self.starts[length]
        episode, view = pool[rng.integers(len(pool))]
        return self.path(int(episode), int(view), length, rng, mirrored)

    def path(self, episode: int, view: int, length: int, rng: np.random.Generator, mirrored: bool = False) -> dict[str, np.ndarray]:
        """One path as `sequence_arrays` gives it."""
        source = self.shards[episode]
        return sequence_arrays(source, view, walk(source, self.tables[episode], view, length, rng), rng, mirrored)


def sequence_arrays(source: Shard, start: int, steps: list[int], rng: np.random.Generator, mirrored: bool) -> dict[str, np.ndarray]:
    """Everything about a path from view `start` along transitions `steps`, mirrored left to right if asked, as `together` takes it.

    Named like `SequenceBatch`'s fields and without the leading B, but for what is large: views and maps as they are stored, not mirrored,
    `rgb` and `rest` of the episode's first view and the path's, and in `partner` which bin each of a mirrored map was.
    """
    views = [start, *source.after[steps]]
    columns, partner = source.rgb.shape[2], np.arange(len(source.legend.bins))
    known, cell, bin_index = source.known, source.cell[steps], source.bin_index[steps]
    chosen = _goals(source, views, rng)
    things = _things(source, source.goals[chosen], rng)
    masks, bare = _pad(source.masks[things], 0, axes=(0,)), ~source.masks.any(axis=0)
    tried = [_tried(source, view, rng) for view in views]
    tried_bin, tried_cell, tried_effect = (np.stack([t[k] for t in tried]) for k in range(3))
    if mirrored:
        partner = mirrored_bins(source.legend)
        masks, bare, known = masks[..., ::-1], bare[:, ::-1], known[partner]
        bin_index, tried_bin = partner[bin_index], partner[tried_bin]
        cell, tried_cell = cell.copy(), tried_cell.copy()
        cell[:, 1], tried_cell[..., 1] = columns - 1 - cell[:, 1], columns - 1 - tried_cell[..., 1]
    pair = np.ix_(views, things, things)
    return {
        "rgb": source.rgb[[0, *views]],
        "rest": source.rest[[0, *views]],
        "maps_packed": source.maps_packed[views],
        "partner": partner,
        "starts_first": np.bool_(views[0] == 0),
        "known": known,
        "bin_index": bin_index,
        "cell": cell,
        "masks": masks,
        "bare": bare,
        "unary": _pad(source.unary[views][:, things], UNKNOWN, axes=(1,)),
        "unary_steps": _pad(source.steps_unary[views][:, things], UNKNOWN, axes=(1,)),
        "binary": _pad(source.binary[pair], UNKNOWN, axes=(1, 2)),
        "binary_steps": _pad(source.steps_binary[pair], UNKNOWN, axes=(1, 2)),
        **_asked(source, views, chosen, things),
        "tried_bin": tried_bin,
        "tried_cell": tried_cell[..., 0] * columns + tried_cell[..., 1],
        "tried_effect": tried_effect,
        "mirrored": np.bool_(mirrored),
    }


def _goals(source: Shard, views: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Up to GOALS goals of which something is known in one of the views, as many as THINGS let name what they speak of."""
    fits = (source.goals[:, PREDICATES:, 0] < 0).all(axis=1)
    named, chosen = set(np.flatnonzero(source.is_object).tolist()), list[int]()
    for goal in rng.permutation(np.flatnonzero(fits & (source.goal_steps[views] != UNKNOWN).any(axis=0)))[:GOALS]:
        wider = named | {int(thing) for thing in source.goals[goal, :, 1:].flatten() if thing >= 0}
        if len(wider) <= THINGS:
            named = wider
            chosen.append(int(goal))
    return np.array(chosen, np.int64)


def _things(source: Shard, goals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to THINGS things seen in view 0: every object, those that the goals `[n, Q, 3]` name, then others at random."""
    visible = source.masks.any(axis=(1, 2))
    others, named = rng.permutation(np.flatnonzero(visible & ~source.is_object)), goals[..., 1:]
    wanted = [np.flatnonzero(visible & source.is_object), named[named >= 0], others]
    return np.array(list(dict.fromkeys(np.concatenate(wanted).tolist()))[:THINGS], np.int64)


def _asked(source: Shard, views: Sequence[int], chosen: np.ndarray, things: np.ndarray) -> dict[str, np.ndarray]:
    """The chosen goals in terms of the chosen things, and the steps to them from each view."""
    goals = np.full((GOALS, PREDICATES, 3), -1, np.int64)
    steps = np.full((len(views), GOALS), UNKNOWN, np.uint8)
    told = source.goals[chosen][:, :PREDICATES]
    row_of = np.full(len(source.masks) + 1, -1, np.int64)  # the last for what is no thing
    row_of[things] = np.arange(len(things))
    goals[: len(chosen), : told.shape[1], 0] = told[..., 0]
    goals[: len(chosen), : told.shape[1], 1:] = row_of[told[..., 1:]]
    steps[:, : len(chosen)] = source.goal_steps[np.ix_(list(views), list(chosen))]
    return {"goals": goals, "goal_steps": steps}


def together(rows: Sequence[Mapping[str, np.ndarray]]) -> StoredRows:
    """Equally long paths, each as `sequence_arrays` gives it, as they are stored."""
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


def unpack(rows: StoredRows) -> SequenceBatch:
    """The batch of stored rows, on their device: views and maps are six times as large as what is stored."""
    stored = dict(rows)
    mirrored, partner = stored["mirrored"][:, None, None, None, None], stored.pop("partner")
    seen, maps = _inputs(stored.pop("rgb"), stored.pop("rest")), _unpacked(stored.pop("maps_packed"))
    if mirrored.any():
        seen = torch.where(mirrored, mirror_views(seen), seen)
        path, moment = (torch.arange(n, device=maps.device) for n in maps.shape[:2])
        maps = maps[path[:, None, None], moment[:, None], partner[:, None]]
        maps = torch.where(mirrored, maps.flip(-1), maps)
    return SequenceBatch(views=seen[:, 1:].contiguous(), first=seen[:, 0].contiguous(), maps=maps, **stored)


def _inputs(rgb: Tensor, rest: Tensor) -> Tensor:
    """What a network is shown `[..., channels, H, W]` float32, of a shard's `rgb` and `rest`: colour is blank where nothing is seen."""
    rest = rest.float()
    colour = rgb.movedim(-1, -3) / 255 * (rest[..., _VALID : _VALID + 1, :, :] > 0)
    return torch.cat([colour, rest], dim=-3)


def _unpacked(packed: Tensor) -> Tensor:
    """`np.unpackbits` along the last axis, as bool."""
    bits = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=packed.device)
    return ((packed[..., None] & bits) != 0).flatten(-2)


def held_out_batches(sampler: PathSampler, size: int, sequences: int, longest: int) -> Iterator[SequenceBatch]:
    """A fixed set of about `sequences` paths, as long as each episode allows up to `longest`, spread evenly over the episodes."""
    rng = np.random.default_rng(0)
    by_length: dict[int, list[dict[str, np.ndarray]]] = {}
    count = len(sampler.shards)
    each = max(1, sequences // count)
    for episode in np.linspace(0, count, min(sequences, count), endpoint=False).astype(int):
        table = sampler.tables[episode]
        length = int(np.flatnonzero(table[: longest + 1].any(axis=1)).max())
        views = np.flatnonzero(table[length])
        chosen = [0] * bool(table[length, 0]) + list(rng.permutation(views[views > 0]))
        for view in chosen[:each]:
            rows = by_length.setdefault(length, [])
            rows.append(sampler.path(episode, int(view), length, rng))
            if len(rows) == size:
                yield unpack(together(by_length.pop(length)))
    for rows in by_length.values():
        yield unpack(together(rows))


def _tried(source: Shard, view: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Bin, cell and effect (255 none) of up to TRIES actions the motor programs executed from a view."""
    bin_index, cell, effect = np.zeros(TRIES, np.int64), np.zeros((TRIES, 2), np.int64), np.full(TRIES, UNKNOWN, np.uint8)
    chosen = rng.permutation(np.flatnonzero(source.executed & (source.before == view)))[:TRIES]
    count = len(chosen)
    bin_index[:count], cell[:count], effect[:count] = source.bin_index[chosen], source.cell[chosen], source.effect[chosen]
    return bin_index, cell, effect


def _pad(array: np.ndarray, value: int, axes: tuple[int, ...]) -> np.ndarray:
    """`THINGS` long along the axes of things."""
    return np.pad(array, [(0, (THINGS - size) * (axis in axes)) for axis, size in enumerate(array.shape)], constant_values=value)

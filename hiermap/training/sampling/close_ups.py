"""Close-ups of what is switched: how a lever stands takes a few cells, and a step learns from many times as many of them as whole views."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hiermap.training.sampling.batches import StoredRows, sequence_arrays, together
from hiermap.training.sampling.shards import UNKNOWN, Shard
from hiermap.worlds.errors import DataError

ROWS, COLUMNS = 32, 32
"""Cells of a close-up, at most those of the view; maps are stored in bytes of eight columns."""
STRAYS_CELLS = 6
"""What is looked at lies up to this far from the middle, and up to a byte of columns farther."""


class CloseUps:
    """Draws single views of parts of kitchens around fixtures that can be on or off, mirrored half of the time if asked.

    Half of them come from kitchens whose affordances are told, where both sorts are there: cheap views of fixtures alone, which tell
    none, may be most of the data. Raises DataError where the shards have no such fixture.
    """

    def __init__(self, shards: Sequence[Shard], mirror: bool) -> None:
        self.shards, self.mirror = shards, mirror
        switches = [(shard, box) for shard in shards for box in _switches(shard)]
        sorts = ([switch for switch in switches if switch[0].known.any() == told] for told in (True, False))
        self.sorts = [sort for sort in sorts if sort]
        if not switches:
            raise DataError(f"none of {len(shards)} training kitchens shows anything that can be on; take data_options.close_ups=0")

    def rows(self, size: int, rng: np.random.Generator, rank: int = 0, ranks: int = 1) -> StoredRows:
        """As many as `size` whole views have cells, as `PathSampler.rows` gives them."""
        whole, part = self.shards[0].frame, self._shape
        count = max(1, size * whole[0] * whole[1] // (part[0] * part[1]))
        return together([self._row(own) for own in rng.spawn(count * ranks)[rank::ranks]])

    @property
    def _shape(self) -> tuple[int, int]:
        rows, columns = self.shards[0].frame
        return min(ROWS, rows), min(COLUMNS, columns)

    def _row(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        sort = self.sorts[rng.integers(len(self.sorts))]
        source, box = sort[rng.integers(len(sort))]
        rows, columns = self._shape
        corner = [_start(low, high, size, whole, rng) for (low, high), size, whole in zip(box, (rows, columns), source.frame, strict=True)]
        part = cut(source, corner[0], corner[1] // 8 * 8, rows, columns)
        return sequence_arrays(part, int(rng.integers(len(source.rgb))), [], rng, self.mirror and bool(rng.random() < 0.5))


def cut(shard: Shard, top: int, left: int, rows: int, columns: int) -> Shard:
    """A part of a shard's views, `left` and `columns` multiples of 8; what is not wholly in it has no mask."""
    down, across = slice(top, top + rows), slice(left, left + columns)
    inside = shard.masks[:, down, across]
    whole = inside.sum(axis=(1, 2)) == shard.masks.sum(axis=(1, 2))
    return replace(
        shard,
        rgb=shard.rgb[:, down, across],
        rest=shard.rest[:, :, down, across],
        maps_packed=shard.maps_packed[..., down, left // 8 : (left + columns) // 8],
        masks=inside & whole[:, None, None],
    )


def _switches(shard: Shard) -> list[list[tuple[int, int]]]:
    """First and last row, first and last column of every fixture that can be on and is seen in view 0."""
    can_be_on = (shard.unary[0, :, shard.legend.unary.index("on")] != UNKNOWN) & shard.masks.any(axis=(1, 2))
    extents = ([np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)] for mask in shard.masks[can_be_on])
    return [[(int(low), int(high)) for low, high in extent] for extent in extents]


def _start(low: int, high: int, size: int, whole: int, rng: np.random.Generator) -> int:
    """Where a part of `size` cells begins that has `low` to `high` near its middle."""
    middle = (low + high + 1) // 2 + int(rng.integers(-STRAYS_CELLS, STRAYS_CELLS + 1))
    return int(np.clip(middle - size // 2, 0, whole - size))

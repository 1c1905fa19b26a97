"""Lightning data: stored episodes in memory, batches of paths drawn from them."""

import logging
import zlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from hiermap.training.options import DataOptions
from hiermap.training.sampling.augment import jitter_, relabel_
from hiermap.training.sampling.batches import PathSampler, SequenceBatch, StoredRows, held_out_batches, unpack
from hiermap.training.sampling.close_ups import CloseUps
from hiermap.training.sampling.shards import Shard, load_shards
from hiermap.worlds.errors import DataError
from hiermap.worlds.legend import Legend, registered

_log = logging.getLogger(__name__)


class KitchenDataModule(L.LightningDataModule):
    """Batches of `hiermap.training.sampling.batches.SequenceBatch` from what `hiermap collect` filled, read by the `legend`'s names."""

    def __init__(self, directory: str | Path, options: DataOptions | None = None, legend: Legend | None = None) -> None:
        super().__init__()
        self.legend = legend or registered()
        self.directory, self.options = Path(directory), options or DataOptions()
        self.frame: tuple[int, ...] = ()
        self.train_shards: list[Shard] = []
        self.validation_shards: list[Shard] = []
        self._sampler: PathSampler | None = None
        self._close_ups: CloseUps | None = None
        self._held_out: PathSampler | None = None

    def setup(self, stage: str | None = None) -> None:
        """Load every episode once; raises DataError for damaged files or too few kitchens."""
        if self.train_shards:
            return
        shards = load_shards(self.directory, self.legend, self.options.limit)
        self.frame = next(iter(shards.values())).frame
        held = held_out_names(list(shards), self.options.validation_share)
        self.train_shards = [shard for name, shard in shards.items() if name not in held]
        self.validation_shards = [shards[name] for name in sorted(held)]
        if not self.train_shards:
            raise DataError(f"{self.directory} holds {len(shards)} episode(s); at least 2 are needed, one of them to validate on")
        tried = {self.legend.bins[index][0] for shard in self.train_shards for index in np.unique(shard.bin_index)}
        if lacking := [name for name in self.legend.primitives if name not in tried]:
            _log.warning(
                "%s holds no action with %s, so what it leads to cannot be learned; collect more (interactions=, source=) to learn it too",
                *(self.directory, ", ".join(lacking)),
            )
        views = sum(len(shard.rgb) for shard in self.train_shards)
        _log.info("%d training kitchens with %d views, %d held out", len(self.train_shards), views, len(held))

    def train_dataloader(self) -> DataLoader:
        """Endless variety, `batches_per_epoch` at a time, as it is stored: `on_after_batch_transfer` unpacks it on the device."""
        self._sampler = self._sampler or PathSampler(self.train_shards, len(self.options.unroll), self.options.mirror, self.options.hiding)
        if self.options.close_ups:
            self._close_ups = self._close_ups or CloseUps(self.train_shards, self.options.mirror)
        paths = _Paths(self._sampler, self._close_ups, self.options, self.trainer.current_epoch if self.trainer else 0, *self._place())
        # Shards are shared with workers that are forked, and would be copied to others.
        context = "fork" if self.options.workers else None
        return DataLoader(paths, batch_size=None, num_workers=self.options.workers, multiprocessing_context=context)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """The `SequenceBatch` of stored rows, unpacked on their device, jittered and relabelled; one that is unpacked stays as it is."""
        if not isinstance(batch, dict):
            return batch
        generator = torch.Generator(batch["rgb"].device).manual_seed(int(torch.randint(2**31, ())) + self._place()[0])
        unpacked = unpack(batch)
        relabel_(unpacked.goal_steps, self.options.goal_labels, generator)
        if self.options.jitter > 0:
            together = torch.cat([unpacked.first[:, None], unpacked.views], dim=1)
            jitter_(together, self.options.jitter, generator)
            unpacked.first.copy_(together[:, 0])
            unpacked.views.copy_(together[:, 1:])
        return unpacked

    def val_dataloader(self) -> DataLoader:
        """The same held-out paths every time, up to five actions long; of several processes each has its own part of them."""
        return self.held_out(*self._place())

    def held_out(self, rank: int = 0, ranks: int = 1) -> DataLoader:
        """Every `ranks`-th held-out batch from the `rank`-th on, with None for one that is missing at the end."""
        self._held_out = self._held_out or PathSampler(self.validation_shards, 5, mirror=False)
        return DataLoader(_HeldOut(self._held_out, self.options, rank, ranks), batch_size=None, num_workers=0)

    def _place(self) -> tuple[int, int]:
        """Which of how many training processes this is."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def prevalence(self) -> torch.Tensor:
        """Share of positive cells per bin of the legend in the training maps that tell of it, `[bins]`; 0 for one that none does."""
        chosen = self.train_shards[:: max(1, len(self.train_shards) // 200)]
        total = sum(shard.maps([0, len(shard.rgb) // 2]).mean(axis=(0, 2, 3)) for shard in chosen)
        told = np.sum([shard.known for shard in chosen], axis=0)
        return torch.tensor(total / np.maximum(told, 1), dtype=torch.float32)


def held_out_names(names: Sequence[str], share: float) -> set[str]:
    """The names to validate on: a fixed function of each name, at least one."""
    ranked = sorted(names, key=lambda name: zlib.crc32(name.encode()))
    held = {name for name in names if zlib.crc32(name.encode()) < share * 2**32}
    return held if held and len(held) < len(names) else {ranked[0]}


class _Paths(IterableDataset):
    """The stored rows of an epoch's batches, the same however many processes take turns in drawing them."""

    def __init__(self, sampler: PathSampler, close_ups: CloseUps | None, options: DataOptions, epoch: int, rank: int, ranks: int) -> None:
        self.sampler, self.close_ups, self.options = sampler, close_ups, options
        self.epoch, self.rank, self.ranks = epoch, rank, ranks

    def __len__(self) -> int:
        return self.options.batches_per_epoch

    def __iter__(self) -> Iterator[StoredRows]:
        worker = get_worker_info()
        rngs = np.random.default_rng([self.options.seed, self.epoch]).spawn(len(self))  # on every rank: their paths are equally long
        chances = np.array(self.options.unroll) / sum(self.options.unroll)
        for rng in rngs[worker.id :: worker.num_workers] if worker else rngs:
            # Without close-ups or single views nothing is drawn, and seeds give the batches that they always gave.
            if self.close_ups is not None and rng.random() < self.options.close_ups:
                yield self.close_ups.rows(max(1, self.options.views_per_batch // 2), rng, self.rank, self.ranks)
                continue
            alone = self.options.single > 0 and rng.random() < self.options.single
            length = 0 if alone else min(1 + int(rng.choice(len(chances), p=chances)), self.sampler.longest())
            size = max(1, self.options.views_per_batch // (length + 1))
            yield self.sampler.rows(size, length, rng, self.rank, self.ranks)


class _HeldOut(IterableDataset):
    def __init__(self, sampler: PathSampler, options: DataOptions, rank: int, ranks: int) -> None:
        self.sampler, self.sequences, self.rank, self.ranks = sampler, options.validation_sequences, rank, ranks

    def __iter__(self) -> Iterator[SequenceBatch | None]:
        """As many on every rank, None where there is none left: whatever strategy Lightning follows, ranks step together."""
        batches = held_out_batches(self.sampler, 8, self.sequences, 5)
        yield from (together[self.rank] for together in zip_longest(*[batches] * self.ranks))

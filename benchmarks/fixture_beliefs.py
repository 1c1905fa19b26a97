"""What is believed of fixtures in random states, by kind: how often rightly, and how often wrongly where the model is sure.

hiermap collect source=fixtures seed=181000 interactions=360 interactions_per_episode=6 out=data/seen
python benchmarks/fixture_beliefs.py data=data/seen [weights=wide]

Masks are those of the first view, as a planner has them. `sure` counts beliefs above `SURE`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from results_table import table

from hiermap.data.episodes import read_episode
from hiermap.model.weights import load_weights
from hiermap.model.world_model import HiermapModel
from hiermap.system.proportions import wilson
from hiermap.training.sampling.shards import UNKNOWN, load_shard

SURE = 0.8
HEADER = ("kind", "predicate", "n", "right %", "95 %", "wrong where sure")


def beliefs(model: HiermapModel, path: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Kind, predicate, beliefs `[V]` and truths `[V]` of every fixture that an episode's first view shows."""
    legend, kinds = model.config.legend, read_episode(path).kinds
    shard = load_shard(path, legend)
    asked = np.flatnonzero((shard.unary[0] != UNKNOWN).any(axis=1) & shard.masks.any(axis=(1, 2)))
    colour = torch.from_numpy(shard.rgb).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        latent = model.encode(torch.cat([colour, torch.from_numpy(shard.rest).float()], dim=1))
        things = model.things(latent[:1], torch.from_numpy(shard.masks[asked])[None]).repeated(len(latent))
        told = model.answers(model.read(latent, things)).chances().unary.numpy()
    for place, thing in enumerate(asked):
        for which in np.flatnonzero(shard.unary[0, thing] != UNKNOWN):
            yield str(kinds[thing]), legend.unary[which], told[:, place, which], shard.unary[:, thing, which] == 1


def main(arguments: list[str]) -> None:
    """Print the table over every episode of `source=fixtures` in `data`."""
    options = dict(argument.split("=", 1) for argument in arguments)
    torch.set_num_threads(1)
    model, paths = load_weights(options.get("weights", "wide")).model, sorted(Path(options["data"]).glob("fixtures-*.npz"))
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for path in paths:
        for kind, predicate, chance, truth in beliefs(model, path):
            found.setdefault((kind, predicate), []).append(np.stack([chance, truth]))
    rows = []
    for (kind, predicate), parts in sorted(found.items()):
        chance, truth = np.concatenate(parts, axis=1)
        right, sure = int(((chance > 0.5) == truth).sum()), chance > SURE
        low, high = wilson(right, len(truth))
        interval, wrong = f"{100 * low:.1f} to {100 * high:.1f}", f"{int((truth[sure] == 0).sum())} of {int(sure.sum())}"
        rows.append([kind, predicate, f"{len(truth)}", f"{100 * right / len(truth):.1f}", interval, wrong])
    print(f"{len(paths)} kitchens\n\n{table(HEADER, rows)}")


if __name__ == "__main__":
    main(sys.argv[1:])

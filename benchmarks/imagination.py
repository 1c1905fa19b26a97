"""What the world model sees and imagines in kitchens of the test families: the table of `hiermap train`, on data nothing was fitted to.

hiermap collect out=data/test interactions=1600 seed=230000 workers=2 source=rules
python benchmarks/imagination.py data=data/test [weights=default] [paths=400]
"""

import sys
from pathlib import Path

import torch

from hiermap.model.weights import load_weights
from hiermap.training.held_out import HORIZONS, HeldOutScores
from hiermap.training.model_card import results_table
from hiermap.training.sampling.batches import PathSampler, held_out_batches
from hiermap.training.sampling.shards import load_shards


def main(arguments: list[str]) -> None:
    """Print the table over every kitchen in `data`."""
    options = dict(argument.split("=", 1) for argument in arguments)
    torch.set_num_threads(1)
    model = load_weights(options.get("weights", "default")).model
    shards = list(load_shards(Path(options["data"]), model.config.legend).values())
    scores, paths = HeldOutScores(model.config.legend), 0
    for batch in held_out_batches(PathSampler(shards, HORIZONS, mirror=False), 8, int(options.get("paths", 400)), HORIZONS):
        scores.add(model, batch)
        paths += len(batch.views)
    print(f"{len(shards)} kitchens, {paths} paths\n\n{results_table(scores.summary())}")


if __name__ == "__main__":
    main(sys.argv[1:])

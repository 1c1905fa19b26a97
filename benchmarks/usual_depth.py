"""Tell weights that do not say it how well they decode depth in kitchens like those they learned from, as `hiermap train` does by itself.

    hiermap collect out=data/home seed=174000 interactions=1600 workers=1
    OMP_NUM_THREADS=1 python benchmarks/usual_depth.py data=data/home weights=hiermap/shipped/default

Writes `metrics.usual_depth_error_m` into the `config.json` of the weights; their tensors, and so their digest, stay.
"""

import json
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from hiermap.data.episodes import read_episode
from hiermap.model.locate import CONFIG_FILE
from hiermap.model.weights import load_weights
from hiermap.system.files import write_json
from hiermap.training.held_out import USUAL
from hiermap.training.metrics import ErrorHistogram
from hiermap.worlds.perception.fusion import DEPTH_SCALE_M, view_from_arrays


@torch.inference_mode()
def main(arguments: list[str]) -> None:
    """Go through every view of a data directory."""
    options = dict(word.split("=", 1) for word in arguments)
    weights, episodes = load_weights(options["weights"]), sorted(Path(options["data"]).glob("*.npz"))
    errors = ErrorHistogram()
    for path in tqdm(episodes):
        stored = read_episode(path)
        for rgb, depth, holding in zip(stored.rgb, stored.depth_mm, stored.holding, strict=True):
            view = torch.from_numpy(view_from_arrays(rgb, depth, bool(holding)).channels())[None]
            errors.add(DEPTH_SCALE_M * weights.model.depth_error(weights.model.encode(view), view))
    usual = round(errors.quantile(USUAL), 4)
    print(f"{usual} m in {USUAL:.0%} of {errors.counts.sum()} views of {len(episodes)} kitchens, half of them {errors.quantile(0.5):.4f} m")
    file = weights.directory / CONFIG_FILE
    record = json.loads(file.read_text())
    record["metrics"]["usual_depth_error_m"] = usual
    write_json(file, record)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Statistics of features as `meta/stats.json` keeps them: of every run, and of all together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
Statistics = dict[str, np.ndarray]
"""min, max, mean, std and quantiles, and the count of frames `[1]`."""


def of_run(values: np.ndarray, feature: Mapping[str, Any]) -> Statistics:
    """Of the values `[F, ...]` of a feature: of each part of a vector, each channel of an image in [0, 1], any other grid as one."""
    shape: tuple[int, ...]
    if feature["dtype"] == "image":
        parts, shape = values.reshape(-1, 3) / 255, (3, 1, 1)
    elif len(feature["shape"]) == 1:
        parts, shape = values.reshape(len(values), -1), tuple(feature["shape"])
    else:
        parts, shape = values.reshape(-1, 1), (1,) * len(feature["shape"])
    parts = parts.astype(float)
    quantiles = zip(QUANTILES, np.quantile(parts, [*QUANTILES.values()], axis=0), strict=True)
    told = {"min": parts.min(0), "max": parts.max(0), "mean": parts.mean(0), "std": parts.std(0), **dict(quantiles)}
    return {**{name: value.reshape(shape) for name, value in told.items()}, "count": np.array([len(values)])}


def of_all(runs: Sequence[Statistics]) -> Statistics:
    """Of all runs together; quantiles are the mean of those of the runs, as LeRobot does it."""
    stacked = {name: np.stack([run[name] for run in runs]) for name in runs[0]}
    count = stacked["count"].ravel()

    def mean(values: np.ndarray) -> np.ndarray:
        return np.average(values, axis=0, weights=count)

    centre = mean(stacked["mean"])
    spread = np.sqrt(mean(stacked["std"] ** 2 + (stacked["mean"] - centre) ** 2))
    ends = {"min": stacked["min"].min(0), "max": stacked["max"].max(0)}
    return {**ends, "mean": centre, "std": spread, **{name: mean(stacked[name]) for name in QUANTILES}, "count": count.sum(keepdims=True)}

"""Whether plans keep what they promise: promised against observed success of first plans that are carried out blind.

    hiermap evaluate suite=chain-5 execution.blind=true max_replans=0 budget.expansions=60 seed=118500 out=runs/blind/chain-5
    python benchmarks/honesty.py runs/blind/* [picture=FILE.png] [fit=true] [trust=1] [slips=0]

Prints the expected calibration error over ten equally wide bins of the promise, and every bin with the Wilson interval of its success.
Episodes without a complete plan promise nothing and are counted apart. `fit=true` also prints the `search.trust` and `search.slips` that
make what was seen most likely, of runs with `search.trust=1 search.slips=0`; `trust` and `slips` judge what they had promised with others.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from hiermap.evaluation.results import EpisodeRow, read_run
from hiermap.system.proportions import wilson

BINS = 10
LEAST = 1e-6
"""No promise is taken to be surer than this."""


def bins_of(rows: list[EpisodeRow]) -> list[tuple[float, int, int]]:
    """Of every bin that is not empty: the mean promise, how many of its plans succeeded, and how many there are."""
    which = np.minimum([int(row.promised * BINS) for row in rows], BINS - 1)
    found = [[row for row, k in zip(rows, which, strict=True) if k == n] for n in range(BINS)]
    return [(float(np.mean([row.promised for row in some])), sum(row.success for row in some), len(some)) for some in found if some]


def calibration_error(bins: list[tuple[float, int, int]]) -> float:
    """Mean gap between promise and success over plans (Naeini, Cooper and Hauskrecht 2015)."""
    return sum(abs(promised * n - successes) for promised, successes, n in bins) / sum(n for *_, n in bins)


def fitted(rows: list[EpisodeRow]) -> tuple[float, float]:
    """`search.trust` and `search.slips` of greatest likelihood, of rows whose promises are plain products."""
    said = np.log(np.clip([row.promised for row in rows], LEAST, 1 - LEAST))
    steps, done = np.array([row.planned for row in rows]), np.array([row.success for row in rows])

    def surprise(parameters: np.ndarray) -> float:
        log_kept = np.minimum(parameters[0] * said - parameters[1] * steps, -LEAST)
        return -float(np.where(done, log_kept, np.log(-np.expm1(log_kept))).sum())

    trust, slips = minimize(surprise, (1.0, 0.01), method="L-BFGS-B", bounds=((0, 5), (0, 1))).x
    return float(trust), float(slips)


def draw(bins: list[tuple[float, int, int]], path: str) -> None:
    """The reliability diagram."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for promised, successes, n in bins:
        low, high = wilson(successes, n)
        axes.plot([promised, promised], [low, high], color="tab:blue")
        axes.scatter(promised, successes / n, s=10 + 2 * n, color="tab:blue")
        axes.annotate(f"n = {n}", (promised, successes / n), xytext=(6, -10), textcoords="offset points", fontsize=7)
    axes.set(xlabel="promised", ylabel="succeeded", xlim=(0, 1.02), ylim=(0, 1.02), title="First plans, carried out blind")
    figure.savefig(path, dpi=150)


def main(arguments: list[str]) -> None:
    """Print the table of all runs together."""
    options = dict(word.split("=", 1) for word in arguments if "=" in word)
    rows = [row for word in arguments if "=" not in word for row in read_run(Path(word)).rows]
    trust, slips = float(options.get("trust", 1)), float(options.get("slips", 0))
    planned = [replace(row, promised=float(row.promised**trust * np.exp(-slips * row.planned))) for row in rows if row.planned]
    bins = bins_of(planned)
    print(f"{len(rows)} episodes, {len(planned)} with a complete plan; expected calibration error {calibration_error(bins):.3f}\n")
    print("| promised % | succeeded % | 95 % | plans |\n| --- | --- | --- | --- |")
    for promised, successes, n in bins:
        low, high = wilson(successes, n)
        print(f"| {100 * promised:.1f} | {100 * successes / n:.1f} | {100 * low:.0f} to {100 * high:.0f} | {n} |")
    if options.get("fit") == "true":
        print("\nsearch.trust={:.3f} search.slips={:.4f}".format(*fitted(planned)))
    if "picture" in options:
        draw(bins, options["picture"])


if __name__ == "__main__":
    main(sys.argv[1:])

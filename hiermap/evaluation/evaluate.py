"""`hiermap evaluate`: runs a suite of seeded episodes, judges them by the true state, and writes down what happened."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from hiermap.evaluation.results import RUN, EpisodeRow, PartialRows, episodes_csv, eval_info, table
from hiermap.evaluation.suites import EvaluateOptions, trials
from hiermap.model.locate import trained_on
from hiermap.report.evaluation_page import EPISODES, FAILURES, INFO
from hiermap.system.config import typed
from hiermap.system.files import out_directory, write_atomically, write_json
from hiermap.system.pool import run_all
from hiermap.system.provenance import settings
from hiermap.worlds.errors import ConfigError

if TYPE_CHECKING:
    from hiermap.evaluation.episode_runner import Bench

NO_PART_IN_ROWS = ("out", "workers", "launcher", "max_retries", "shard", "ray", "progress", "pictures", "episodes")
"""Keys a row does not depend on; more episodes or other workers go on from the rows that are there."""


def evaluate(config: Mapping[str, Any]) -> int:
    """Run what the resolved config asks for, write eval_info.json, episodes.csv and run.json, print the table; 0 when done.

    An unfinished run of the same command is taken up where it stopped. Raises ConfigError for unusable values.
    """
    options = typed(EvaluateOptions, config)
    todo = list(options.mine(trials(options.suite, options.seed, options.episodes)))
    if not todo:
        raise ConfigError(f"shard={options.shard} has none of the {options.episodes} episodes; take fewer shards")
    out = out_directory(options.out)
    weights_file = options.weights_file(options.suite)
    about = settings(config, weights_file, trained_on(weights_file))
    kept = PartialRows(out, fingerprint(about))
    stored = kept.load()
    rows = {trial.episode: stored[trial.episode] for trial in todo if trial.episode in stored}
    _forget_pictures(out, rows)
    left = [trial for trial in todo if trial.episode not in rows]
    with tqdm(total=len(todo), initial=len(rows), desc=options.suite, file=sys.stderr, disable=not options.progress) as bar:
        for row, picture in run_all(partial(_bench, options), left, options, preload=_needed(options)):
            if picture is not None:
                write_atomically(out / FAILURES / f"{row.episode:04d}_{row.task}_{row.kind or row.seed}.png", picture)
            kept.append(row)
            rows[row.episode] = row
            bar.set_postfix_str(f"{100 * sum(r.success for r in rows.values()) / len(rows):.1f} % solved")
            bar.update()
    finish([rows[index] for index in sorted(rows)], about, out)
    kept.path.unlink(missing_ok=True)
    return 0


def _needed(options: EvaluateOptions) -> list[str]:
    """The modules that workers load, those too that are loaded only where they are used."""
    learned = ["hiermap.model.weights"] if options.needs_weights(options.suite) else []
    return [__name__, "hiermap.evaluation.episode_runner", "hiermap.planners.peaks", "networkx", *learned]


def _bench(options: EvaluateOptions) -> "Bench":
    """In a worker: only there is needed what loads torch and mujoco."""
    from hiermap.evaluation.episode_runner import Bench

    return Bench(options)


def _forget_pictures(out: Path, rows: Mapping[int, EpisodeRow]) -> None:
    """Remove the failures an earlier run left here, but those of the episodes that are taken over."""
    for path in (out / FAILURES).glob("[0-9][0-9][0-9][0-9]_*.png"):
        if int(path.name[:4]) not in rows:
            path.unlink()


def finish(rows: Sequence[EpisodeRow], about: Mapping, out: Path) -> None:
    """Write the three result files and print the table."""
    info = eval_info(rows, about)
    write_atomically(out / EPISODES, episodes_csv(rows))
    write_json(out / RUN, {"command": "evaluate", "settings": about, "episodes": [asdict(row) for row in rows]})
    write_json(out / INFO, info)
    print(table(info))


def fingerprint(about: Mapping) -> dict:
    """What rows depend on, from an evaluation's settings; not on the machine, timings aside."""
    config = {key: value for key, value in about["config"].items() if key not in NO_PART_IN_ROWS}
    return {**{key: value for key, value in about.items() if key != "machine"}, "config": config}

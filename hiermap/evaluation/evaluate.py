"""`hiermap evaluate`: runs a suite of seeded episodes, judges them by the true state, and writes down what happened."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from hiermap.evaluation.results import RUN, EpisodeRow, PartialRows, episodes_csv, eval_info, table
from hiermap.evaluation.suites import EvaluateOptions, Trial, trials
from hiermap.model.locate import trained_on
from hiermap.report.evaluation_page import EPISODES, EPISODES_SHA256, INFO, PICTURES
from hiermap.report.video import check_installed
from hiermap.system import run_folder
from hiermap.system.config import typed
from hiermap.system.files import sealed, write_atomically, write_json
from hiermap.system.pool import WHO_WORKS, run_all
from hiermap.system.provenance import settings
from hiermap.worlds.errors import ConfigError

if TYPE_CHECKING:
    from hiermap.evaluation.episode_runner import Bench

NO_PART_IN_ROWS = (*WHO_WORKS, "out", "overwrite", "progress", "pictures", "storyboards", "video", "episodes")
"""Keys a row does not depend on; more episodes or other workers go on from the rows that are there."""
GROWS = ("episodes",)
"""What an evaluation may have more of than when it was begun, but not less: its rows would be lost."""


def evaluate(config: Mapping[str, Any]) -> int:
    """Run what the resolved config asks for, write eval_info.json, episodes.csv and run.json, print the table; 0 when done.

    An unfinished run of the same command is taken up where it stopped. Raises ConfigError for unusable values.
    """
    options = typed(EvaluateOptions, config)
    if options.video:
        check_installed()
    if options.video and options.policy.factory:
        raise ConfigError("video=... films what planners do; a policy is filmed in its environment, by Gymnasium's RecordVideo")
    todo = list(options.mine(trials(options.suite, options.seed, options.episodes)))
    if not todo:
        raise ConfigError(f"shard={options.shard} has none of the {options.episodes} episodes; take fewer shards")
    about = provenance(options, config)
    with run_folder.owned(options.out, owner(about), options.overwrite, GROWS, [Path(options.weights)]) as out:
        _run(options, todo, about, out)
    return 0


def _run(options: EvaluateOptions, todo: Sequence[Trial], about: Mapping, out: Path) -> None:
    """The episodes that are left, and then the result files."""
    kept = PartialRows(out, fingerprint(about))
    stored = kept.load()
    rows = {trial.episode: stored[trial.episode] for trial in todo if trial.episode in stored}
    _forget_pictures(out, rows)
    left = [trial for trial in todo if trial.episode not in rows]
    bar = tqdm(total=len(todo), initial=len(rows), desc=options.suite, file=sys.stderr, disable=not options.progress)
    with bar, closing(run_all(partial(_bench, options), left, options, preload=_needed(options))) as judged:
        for row, files in judged:
            for folder, content in files.items():
                write_atomically(out / folder / f"{row.episode:04d}_{row.task}_{row.kind or row.seed}{PICTURES[folder]}", content)
            kept.append(row)
            rows[row.episode] = row
            bar.set_postfix_str(f"{100 * sum(r.success for r in rows.values()) / len(rows):.1f} % solved")
            bar.update()
    finish([rows[index] for index in sorted(rows)], about, out)
    kept.path.unlink(missing_ok=True)


def _needed(options: EvaluateOptions) -> list[str]:
    """The modules that workers load, those too that are loaded only where they are used."""
    learned = ["hiermap.model.weights"] if options.needs_weights(options.suite) else []
    return [__name__, "hiermap.evaluation.episode_runner", "hiermap.planners.peaks", "networkx", *learned]


def _bench(options: EvaluateOptions) -> "Bench":
    """In a worker: only there is needed what loads torch and mujoco."""
    from hiermap.evaluation.episode_runner import Bench

    return Bench(options)


def _forget_pictures(out: Path, rows: Mapping[int, EpisodeRow]) -> None:
    """Remove the pictures an earlier run left here, but those of the episodes that are taken over."""
    for folder, suffix in PICTURES.items():
        for path in (out / folder).glob(f"[0-9]*_*{suffix}"):
            if int(path.name.partition("_")[0]) not in rows:
                path.unlink()


def finish(rows: Sequence[EpisodeRow], about: Mapping, out: Path) -> None:
    """Write the three result files, remove the page that showed earlier ones, and print the table."""
    info, lines = eval_info(rows, about), episodes_csv(rows)
    write_atomically(out / EPISODES, lines)
    write_json(out / RUN, sealed({"command": "evaluate", "settings": about, "episodes": [asdict(row) for row in rows]}))
    write_json(out / INFO, sealed({**info, EPISODES_SHA256: hashlib.sha256(lines.encode()).hexdigest()}))
    (out / run_folder.REPORT).unlink(missing_ok=True)
    print(table(info))


def fingerprint(about: Mapping) -> dict:
    """What rows depend on, from an evaluation's settings; not on the machine, timings aside."""
    return run_folder.fingerprint(about, NO_PART_IN_ROWS)


def owner(about: Mapping) -> dict:
    """Whose the folder of an evaluation with these settings is."""
    return {"command": "evaluate", **fingerprint(about), "episodes": about["config"]["episodes"]}


def provenance(options: EvaluateOptions, config: Mapping[str, Any]) -> dict:
    """The settings of an evaluation, with where its rows come from; ConfigError for a policy that is not there."""
    weights_file = options.weights_file(options.suite)
    told = settings(config, weights_file, trained_on(weights_file))
    if not options.policy.factory:
        return told
    from hiermap.worlds.gym.policy import about_policy  # loads what simulates, and somebody's module

    return {**told, "policy": about_policy(options.policy.factory)}

"""`hiermap results merge`: one evaluation out of the shards that several jobs ran."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from hiermap.evaluation.evaluate import fingerprint, finish, owner
from hiermap.evaluation.results import read_run
from hiermap.report.evaluation_page import PICTURES
from hiermap.system.files import write_atomically
from hiermap.system.run_folder import owned
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import shown


def results(action: str, out: str, *shards: str, overwrite: bool = False) -> None:
    """The command: write into `out` what one evaluation would have written, and print its table.

    Raises:
        ConfigError: no shards are named, one is not the directory of an evaluation, or `out` is that of another run.
        DataError: the shards are of different evaluations, or an episode is in none or two of them.
    """
    if action != "merge" or not shards:
        raise ConfigError(f"got {shown(' '.join((action, out, *shards)))}; expected merge OUT DIR [DIR ...]")
    runs = [read_run(Path(shard)) for shard in shards]
    about = _whole(runs[0].settings)
    for shard, run in zip(shards, runs, strict=True):
        if fingerprint(_whole(run.settings)) != fingerprint(about):
            raise DataError(f"{shard} has other settings, versions or weights than {shards[0]}; only shards of one evaluation go together")
    rows = sorted((row for run in runs for row in run.rows), key=lambda row: row.episode)
    _check_complete([row.episode for row in rows], about["config"].get("episodes", len(rows)))
    machines = dict.fromkeys(run.settings.get("machine", "unknown") for run in runs)
    with owned(out, owner(about), overwrite, reads=map(Path, shards)) as folder:
        for kind, suffix in PICTURES.items():
            for picture in (picture for shard in shards for picture in Path(shard, kind).glob(f"*{suffix}")):
                write_atomically(folder / kind / picture.name, picture.read_bytes())
        finish(rows, {**about, "machine": "; ".join(machines)}, folder)


def _whole(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the evaluation that a shard is a part of."""
    return {**settings, "config": {**settings["config"], "shard": "1/1"}}


def _check_complete(episodes: Iterable[int], expected: int) -> None:
    """DataError unless every episode is there once."""
    found = Counter(episodes)
    twice = sorted(episode for episode, times in found.items() if times > 1)
    missing = list(islice((episode for episode in range(expected) if episode not in found), 5))
    if twice or missing:
        raise DataError(f"of {expected} episodes {missing} are missing and {twice[:5]} are there twice; name each shard once")

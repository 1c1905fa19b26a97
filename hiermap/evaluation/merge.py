"""`hiermap results merge`: one evaluation out of the shards that several jobs ran."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hiermap.evaluation.evaluate import RUN, fingerprint, finish
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.suites import out_directory
from hiermap.report.evaluation_page import FAILURES
from hiermap.system.files import write_atomically
from hiermap.worlds.errors import ConfigError, DataError


def results(action: str, out: str, *shards: str) -> None:
    """The command: write into `out` what one evaluation would have written, and print its table.

    Raises:
        ConfigError: no shards are named, or one is not the directory of an evaluation.
        DataError: the shards are of different evaluations, or an episode is in none or two of them.
    """
    if action != "merge" or not shards:
        raise ConfigError(f"hiermap results {' '.join((action, out, *shards))}; expected hiermap results merge OUT DIR [DIR ...]")
    records = [_read(Path(shard)) for shard in shards]
    about = records[0]["settings"]
    for shard, record in zip(shards, records, strict=True):
        if fingerprint(record["settings"]) != fingerprint(about):
            raise DataError(f"{shard} has other settings, versions or weights than {shards[0]}; only shards of one evaluation go together")
    rows = sorted((EpisodeRow(**row) for record in records for row in record["episodes"]), key=lambda row: row.episode)
    _check_complete([row.episode for row in rows], about["config"]["episodes"])
    for picture in (picture for shard in shards for picture in Path(shard, FAILURES).glob("*.png")):
        write_atomically(out_directory(out) / FAILURES / picture.name, picture.read_bytes())
    finish(rows, {**about, "config": {**about["config"], "shard": "1/1"}}, out_directory(out))


def _read(shard: Path) -> Mapping[str, Any]:
    try:
        return json.loads((shard / RUN).read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{shard}: no finished evaluation there ({error}); run the same command with this shard again") from error


def _check_complete(episodes: Iterable[int], expected: int) -> None:
    """DataError unless every episode is there once."""
    found = list(episodes)
    twice = sorted({episode for episode in found if found.count(episode) > 1})
    missing = sorted(set(range(expected)) - set(found))
    if twice or missing:
        raise DataError(f"of {expected} episodes {missing[:5]} are missing and {twice[:5]} are there twice; name each shard once")

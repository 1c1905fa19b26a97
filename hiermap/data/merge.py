"""`hiermap data merge`: one data directory out of those that several jobs filled."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hiermap.data import manifest
from hiermap.data.episodes import episode_path, store
from hiermap.system.files import file_sha256
from hiermap.system.run_folder import owned, record
from hiermap.worlds.errors import ConfigError, DataError


def merge(target: Path, sources: Sequence[Path], overwrite: bool = False) -> int:
    """Copy into `target` what the manifests of `sources` list, episodes and void seeds; returns how many episodes were new.

    The same command again adds nothing. Raises DataError for a damaged episode, or one that two directories hold differently, and
    ConfigError where `target` is of another run.
    """
    listed = [(source, entry) for source in sources for entry in records(source)]
    with owned(target, _together(sources), overwrite, reads=sources) as folder:
        there = dict(manifest.read_manifest(folder).current)
        return sum(take_over(folder, entry, there, partial(listed_content, source, entry), source) for source, entry in listed)


def _together(sources: Iterable[Path]) -> Mapping[str, Any]:
    """Whose the merged folder is: the collection's, of which `sources` are shards, else that of just these collections."""
    runs = {hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:16]: run for run in map(record, sources)}
    (first, *others) = runs.values()
    return first if first and not others else {"command": "data merge", "collections": sorted(runs)}


def records(source: Path) -> list[Mapping[str, Any]]:
    """What a directory's manifest lists, episodes and void seeds; ConfigError where there is none."""
    if not (source / manifest.NAME).is_file():
        raise ConfigError(f"{source} holds no {manifest.NAME}; expected what `hiermap collect out=...` wrote")
    known = manifest.read_manifest(source).current.values()
    return [record for record in known if record["state"] in (manifest.FINISHED, manifest.VOID)]


def take_over(
    target: Path, record: Mapping[str, Any], there: dict[str, Mapping[str, Any]], content: Callable[[], bytes], source: Path
) -> bool:
    """Add what a record tells of, an episode with its file's `content`, unless it is `there`; whether that is a new episode."""
    name, own = record["file"], there.get(record["file"], {})
    if own.get("state") == manifest.FINISHED and record["state"] == manifest.FINISHED and own["sha256"] != record["sha256"]:
        raise DataError(f"{name} of {source} differs from the one in {target}; were they made by different versions or settings?")
    if own.get("state") in (manifest.FINISHED, record["state"]):
        return False
    if record["state"] == manifest.FINISHED:
        store(target, name, content())
    manifest.append(target, record)
    there[name] = record
    return record["state"] == manifest.FINISHED


def listed_content(source: Path, record: Mapping[str, Any]) -> bytes:
    """The content of an episode's file; DataError unless it is what the directory's manifest lists."""
    path = episode_path(source, record["file"])
    if not path.is_file() or file_sha256(path) != record["sha256"]:
        raise DataError(f"{path} is not what its manifest lists; run `hiermap data verify {source}`, then collect it again")
    return path.read_bytes()

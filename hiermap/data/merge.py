"""`hiermap data merge`: one data directory out of those that several jobs filled."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hiermap.data import manifest
from hiermap.data.collect import PARENT_LOCK
from hiermap.data.episodes import episode_path, store
from hiermap.system.files import file_sha256
from hiermap.worlds.errors import ConfigError, DataError


def merge(target: Path, sources: Iterable[Path]) -> int:
    """Copy into `target` what the manifests of `sources` list, episodes and void seeds; returns how many episodes were new.

    The same command again adds nothing. Raises DataError for a damaged episode, or one that two directories hold differently.
    """
    target.mkdir(parents=True, exist_ok=True)
    with manifest.locked(target, PARENT_LOCK):
        there = dict(manifest.read_manifest(target).current)
        return sum(_take_over(target, source, record, there) for source in sources for record in _records(source))


def _records(source: Path) -> Iterable[Mapping[str, Any]]:
    if not (source / manifest.NAME).is_file():
        raise ConfigError(f"{source} holds no {manifest.NAME}; expected what `hiermap collect out=...` wrote")
    known = manifest.read_manifest(source).current.values()
    return [record for record in known if record["state"] in (manifest.FINISHED, manifest.VOID)]


def _take_over(target: Path, source: Path, record: Mapping[str, Any], there: dict[str, Mapping[str, Any]]) -> bool:
    """Add what a record tells of unless it is there; whether that is a new episode."""
    name, own = record["file"], there.get(record["file"], {})
    if own.get("state") == manifest.FINISHED and record["state"] == manifest.FINISHED and own["sha256"] != record["sha256"]:
        raise DataError(f"{name} of {source} differs from the one in {target}; were they made by different versions or settings?")
    if own.get("state") in (manifest.FINISHED, record["state"]):
        return False
    if record["state"] == manifest.FINISHED:
        path = episode_path(source, name)
        if not path.is_file() or file_sha256(path) != record["sha256"]:
            raise DataError(f"{path} is not what its manifest lists; run `hiermap data verify {source}`, then collect it again")
        store(target, name, path.read_bytes())
    manifest.append(target, record)
    there[name] = record
    return record["state"] == manifest.FINISHED

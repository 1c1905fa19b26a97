"""The manifest of a data directory: one JSON line per event, only ever appended, readable after any kill."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from hiermap.data.episodes import FILE_NAME, Episode
from hiermap.system.files import append_line, file_sha256
from hiermap.worlds.records import Amount, Count, check, parse_json

NAME = "manifest.jsonl"
FINISHED, QUARANTINED, MISSING, VOID = "finished", "quarantined", "missing", "void"
"""States a line may announce: a stored episode, one moved aside, one that vanished, a seed that gave no episode."""


class Line(TypedDict):
    """What every line holds."""

    state: Literal["finished", "quarantined", "missing", "void"]
    file: str


class VoidLine(Line):
    """Of a seed that gave no episode."""

    seed: Count
    reason: str


class FinishedLine(Line):
    """Of a stored episode, as `describe` makes it; lines of older ones lack what they do not tell."""

    sha256: str
    bytes: Count
    views: Count
    transitions: Count
    primitives: dict[str, tuple[Count, Count]]
    seed: Count
    source: str
    family: NotRequired[str]
    walks: NotRequired[str]
    versions: NotRequired[dict[str, str]]
    calibration_error_px: NotRequired[Amount]
    flags: NotRequired[list[str]]


LINES: Mapping[str, type] = {FINISHED: FinishedLine, VOID: VoidLine, QUARANTINED: Line, MISSING: Line}
_FROM_META: Mapping[str, Any] = {
    "seed": None,
    "source": "",
    "family": "",
    "walks": "",
    "versions": {},
    "calibration_error_px": 0.0,
    "flags": [],
}
"""What a line repeats of an episode's `meta`, and what it says of older ones that lack it."""


@dataclass(frozen=True)
class Manifest:
    """What the lines say.

    Attributes:
        current: file name -> its newest record.
        twice: files announced as finished more than once without being set aside in between.
        torn: numbers of lines that cannot be read (from 1); a kill in mid-line leaves one.
    """

    current: Mapping[str, Mapping[str, Any]]
    twice: tuple[str, ...]
    torn: tuple[int, ...]

    @property
    def finished(self) -> dict[str, Mapping[str, Any]]:
        """File name -> record of every episode that should be there."""
        return {name: record for name, record in self.current.items() if record["state"] == FINISHED}


def described(directory: Path) -> dict[str, str | None]:
    """What provenance tells of a data directory: its name and the sha256 of its manifest, None where it has none."""
    path = directory / NAME
    return {"name": directory.name, "manifest_sha256": file_sha256(path) if path.is_file() else None}


def read_manifest(directory: Path) -> Manifest:
    """Read all lines; unreadable ones are counted in `torn`, a missing file is an empty manifest."""
    current: dict[str, Mapping[str, Any]] = {}
    twice, torn = [], []
    path = directory / NAME
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record = _record(line)
        if record is None:
            torn.append(number)
            continue
        name = record["file"]
        if record["state"] == FINISHED and current.get(name, {}).get("state") == FINISHED:
            twice.append(name)
        current[name] = record
    return Manifest(current, tuple(twice), tuple(torn))


def append(directory: Path, record: Mapping[str, Any]) -> None:
    """Append one record durably."""
    append_line(directory / NAME, json.dumps(record, sort_keys=True, allow_nan=False).encode())


def describe(name: str, content: bytes, episode: Episode) -> dict[str, Any]:
    """The manifest record of the episode whose file has this name and content; a pure function of the file."""
    names = episode.legend.primitives
    tried = np.bincount(episode.primitive, minlength=len(names))
    worked = np.bincount(episode.primitive[episode.effect], minlength=len(names))
    return {
        "state": FINISHED,
        "file": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "views": len(episode.rgb),
        "transitions": len(episode.primitive),
        "primitives": {p: [int(tried[i]), int(worked[i])] for i, p in enumerate(names)},
        **{key: episode.meta.get(key, default) for key, default in _FROM_META.items()},
    }


def _record(line: bytes) -> Mapping[str, Any] | None:
    """What a line says; None where it is not as one is written."""
    try:
        record = parse_json(line)
        check(record, Line, NAME)
        check(record, LINES[record["state"]], NAME)
    except ValueError:
        return None
    name = FILE_NAME.fullmatch(record["file"])
    if not name or record.get("seed", int(name[2])) != int(name[2]):
        return None
    return {**_FROM_META, **record} if record["state"] == FINISHED else record


def quarantine(directory: Path, name: str, reason: str) -> None:
    """Move a file aside, and say so in the manifest if its name is an episode's."""
    aside = directory / "quarantine"
    aside.mkdir(exist_ok=True)
    names = chain([name], (f"{name}.{number}" for number in count(1)))
    (directory / name).rename(next(aside / free for free in names if not (aside / free).exists()))
    if FILE_NAME.fullmatch(name):
        append(directory, {"state": QUARANTINED, "file": name, "reason": reason})

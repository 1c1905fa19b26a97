"""A folder of results belongs to one run: a command, its resolved config, and the commit, versions, weights and data behind it."""

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hiermap.system.config import flatten
from hiermap.system.files import disk_error, write_json
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import shown

RECORD, LOCK = ".hiermap.json", ".hiermap.lock"
"""Whose a folder is, written before anything else; and what the process that writes there holds."""
MOST_FOLDERS = 200
"""Within each other, that an `out` may lie in: as many as Python can make at once."""
REPORT = "report.html"
TEMPORARY = ".*." + "[0-9a-f]" * 16
"""What `write_atomically` leaves when it is killed."""
_DATA = (f"*-{'[0-9]' * 9}.npz", "manifest.jsonl", "quarantine/*.npz*")
_PLAN = ("plan.json", "graph.graphml", "view.png", "graph.png", "step_[0-9]*.png", "storyboard.json", "film.mp4", REPORT)
_WEIGHTS = ("model.safetensors", "config.json", "README.md", "metrics.json")
_LOGS = (
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "log/metrics.csv",
    "log/hparams.yaml",
    "tensorboard/events.*",
    "tensorboard/hparams.yaml",
    *("wandb/" + "*/" * depth + "*" for depth in range(5)),
)
_LEROBOT = (
    "README.md",
    *("data/chunk-[0-9]*/file-[0-9]*.parquet", "meta/episodes/chunk-[0-9]*/file-[0-9]*.parquet", "meta/*tasks.parquet"),
    *(
        "meta/info.json",
        "meta/stats.json",
        "meta/hiermap/*.json",
        "meta/hiermap/manifest.jsonl",
        f"meta/hiermap/labels/*-{'[0-9]' * 9}.npz",
    ),
)
_PICTURES = ("failures/[0-9]*_[cgps]*.png", "storyboards/[0-9]*_[cgps]*.json", "videos/[0-9]*_[cgps]*.mp4")
MADE: Mapping[str, tuple[str, ...]] = {
    "collect": _DATA,
    "data merge": _DATA,
    "data import": _DATA,
    "data export": _LEROBOT,
    "export": _WEIGHTS,
    "train": (*_WEIGHTS, *_LOGS),
    "evaluate": ("run.json", "eval_info.json", "episodes.csv", "episodes.partial.jsonl", *_PICTURES, REPORT),
    "plan": _PLAN,
    "kitchen": ("kitchen.png",),
    "demo": (REPORT, *(f"chain-*_[0-9]*/{name}" for name in (*_PLAN, RECORD, LOCK))),
}
"""Command -> patterns of the files that it leaves in its folder: what `overwrite=true` removes, and nothing else."""
ANYBODYS = {"README.md", "config.json", REPORT}
"""Names of ours that a folder may well have from somebody else."""
_held: set[BinaryIO] = set()
os.register_at_fork(after_in_child=lambda: [file.close() for file in _held])  # a child that outlives its parent holds no lock


@dataclass(frozen=True, kw_only=True)
class OutOptions:
    """Where a command's files go.

    Attributes:
        out: their directory.
        overwrite: begin anew there, without what hiermap left; otherwise the folder of another run, or of nobody's, is refused.
    """

    out: str
    overwrite: bool = False


def fingerprint(about: Mapping[str, Any], no_part: Collection[str] = ()) -> dict[str, Any]:
    """Dotted name -> value of all that results depend on, from `provenance.settings`: no machine, no keys of the config of no part."""
    config = {key: value for key, value in flatten(about["config"]).items() if not {key, key.partition(".")[0]} & set(no_part)}
    behind = ("weights_sha256", "policy", "data", "commit", "versions")
    return {**config, **flatten({key: about[key] for key in behind if key in about})}


@contextmanager
def owned(
    out: str | Path, run: Mapping[str, Any], overwrite: bool = False, grows: Collection[str] = (), reads: Iterable[Path | None] = ()
) -> Iterator[Path]:
    """Hold the folder `out`, made if absent, for a run; what the same run has left there stays.

    Args:
        run: "command", a key of `MADE`, and the `fingerprint`.
        overwrite: remove what hiermap made there, whosever it is.
        grows: keys of numbers that may be larger than when the folder was begun; None is endless.
        reads: folders that the run needs and so may not overwrite.

    Raises:
        ConfigError: `out` is a file, or the folder of another run or of nobody's.
        DataError: another process is writing there.
    """
    folder, run = directory(out), json.loads(json.dumps(run), parse_constant=str)
    _refuse(folder, run, overwrite, grows)
    if overwrite and any(path is not None and path.exists() and folder.exists() and path.samefile(folder) for path in reads):
        raise ConfigError(f"out={out} is read by this command, so overwrite=true would remove what it needs; take another out=")
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _refuse(folder, run, overwrite, grows)  # once more: another process may have begun there meanwhile
        if overwrite:
            clear(folder, (record(folder) or run)["command"])
        for leftover in folder.rglob(TEMPORARY):
            leftover.unlink(missing_ok=True)
        try:
            if record(folder) != run:
                write_json(folder / RECORD, run)
            yield folder
        except OSError as error:
            raise disk_error(error, folder) from error


def directory(out: str | Path) -> Path:
    """The `out` of a command as a path that is, or can become, a directory; ConfigError for anything else."""
    try:
        path = Path(out).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"out={out} is in the home of nobody; expected a directory") from error
    if len(path.parts) > MOST_FOLDERS:
        raise ConfigError(f"out={shown(str(out))} lies in {len(path.parts)} folders within each other, expected at most {MOST_FOLDERS}")
    if not str(out) or (path.exists() and not path.is_dir()):
        raise ConfigError(f"out={out} is {'a file' if str(out) else 'empty'}; expected a directory")
    return path


def record(folder: Path) -> dict[str, Any] | None:
    """Whose a folder is, None where nothing readable tells."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("command") in [*MADE] else None


def stranger(folder: Path, run: Mapping[str, Any], grows: Collection[str] = ()) -> str | None:
    """What shows that a folder is not this run's, in words; None when it is, or when nothing is in it."""
    if not any(path.name not in (RECORD, LOCK) and not path.match(TEMPORARY) for path in folder.glob("*")):
        return None
    there = record(folder)
    if there is None:
        return f"is not empty, and holds no {RECORD} that says which run it belongs to"
    for key in dict.fromkeys([*run, *there]):
        old, new = there.get(key), run.get(key)
        if old != new and not (key in grows and _more(new, old)):
            return f"belongs to another run: {key} is {json.dumps(old)} there and {json.dumps(new)} now"
    return None


def _more(new: Any, old: Any) -> bool:
    return new is None or (isinstance(new, int | float) and isinstance(old, int | float) and new > old)


def clear(folder: Path, command: str) -> None:
    """Remove what a command makes in its folder, and the folders within that are empty then."""
    for path in (path for pattern in MADE[command] for path in folder.glob(pattern) if not path.is_dir()):
        path.unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or not ours to remove
            if path.parent != folder:
                path.parent.rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes; DataError if one holds it. The kernel frees it on any death."""
    with open(folder / LOCK, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"another process is writing to {folder}; wait for it or choose another out=") from error
        _held.add(file)
        try:
            yield
        finally:
            _held.discard(file)


def _refuse(folder: Path, run: Mapping[str, Any], overwrite: bool, grows: Collection[str]) -> None:
    why = stranger(folder, run, grows)
    if why and not overwrite:
        raise ConfigError(f"{folder} {why}; take another out=, or overwrite=true to begin anew without what hiermap left there")
    if (
        why
        and record(folder) is None
        and (found := sorted(name for name in ANYBODYS & {*MADE[run["command"]]} if (folder / name).exists()))
    ):
        raise ConfigError(f"{folder} {why}, and {', '.join(found)} there may be somebody's; move it away or take another out=")

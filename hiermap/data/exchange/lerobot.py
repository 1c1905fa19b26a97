"""`hiermap data export|import format=lerobot`: a data directory as a LeRobotDataset v3.0, and back without any loss."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, TypedDict

import numpy as np
from tqdm import tqdm

from hiermap.data import manifest
from hiermap.data.episodes import SHAPES, Episode, encode, episode_path, legend_of, read_arrays, whole
from hiermap.data.exchange import frames, layout, statistics, tables
from hiermap.data.merge import listed_content, records, take_over
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.files import write_atomically
from hiermap.system.run_folder import owned, record
from hiermap.worlds.errors import DataError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.records import check, read_json

DATA_FILE_BYTES = layout.FILE_MB << 19
"""Of the episodes in one Parquet file: frames repeat a view where a walk begins again, so they may take twice as much."""
AGAIN = "export it again, or copy all of it"
MANIFEST = f"{layout.OURS}/{manifest.NAME}"
CALIBRATION = f"{layout.OURS}/calibration.json"
COMMANDS = ("collect", "data merge", "data import")
"""Whose folder of episodes may be."""


class ExportRecord(TypedDict):
    """What `EXPORT` tells."""

    format: str
    run: dict[str, Any] | None
    files: dict[str, str]


@dataclass(frozen=True, eq=False)
class _Written:
    """What was written of an export so far.

    Attributes:
        folder: where.
        subtasks: names of the primitives, and `END`.
        tasks: what walks are for.
        digests: path -> sha256 of every file.
        runs: a row of `meta/episodes` of every run.
        told: its statistics, feature by feature.
    """

    folder: Path
    subtasks: Sequence[str]
    tasks: Sequence[str]
    digests: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, statistics.Statistics]] = field(default_factory=list)

    @property
    def total_frames(self) -> int:
        return self.runs[-1]["dataset_to_index"] if self.runs else 0

    def put(self, path: str, content: bytes) -> None:
        """Write a file and keep its digest."""
        self.digests[path] = sha256(content).hexdigest()
        write_atomically(self.folder / path, content)

    def put_json(self, path: str, value: Any) -> None:
        """Write JSON as `put` does."""
        self.put(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def export(source: Path, out: Path, overwrite: bool = False) -> str:
    """Write the episodes that a data directory lists as a LeRobotDataset; returns what was done, in words.

    Raises DataError for a directory without episodes or with one of views without actions, a damaged one, or views of two sizes, and
    ConfigError where `out` is another run's.
    """
    listed = records(source)
    finished = {told["file"]: told for told in listed if told["state"] == manifest.FINISHED}
    if not finished:
        raise DataError(f"{source} lists no episode, so there is nothing to export; expected what `hiermap collect out=...` wrote")
    if still := [name for name, told in finished.items() if not told["transitions"]]:
        raise DataError(
            f"{still[0]} holds views without actions, which LeRobot has no place for; export what other sources than fixtures made"
        )
    run = {"command": "data export", "format": layout.FORMAT, "data": manifest.described(source)["manifest_sha256"]}
    with owned(out, run, overwrite, reads=[source]) as folder:
        primitives = dict.fromkeys([*PRIMITIVES, *(name for told in finished.values() for name in told["primitives"])])
        tasks = list(dict.fromkeys(layout.task(told) for told in finished.values()))
        written = _Written(folder, [*primitives, layout.END], tasks)
        shape = _put_walks(source, finished, written)
        _put_meta(listed, shape, record(source), written)
    return f"{len(finished)} episodes as {len(written.runs)} unbroken runs, {written.total_frames} frames"


def take_in(source: Path, out: Path, overwrite: bool = False) -> str:
    """Rebuild the data directory that `export` was given; returns what was done, in words.

    Raises DataError for anything that is no whole export of hiermap's, and ConfigError where `out` is another run's.
    """
    told = _export_record(source)
    listed = manifest.read_manifest(_whole(source, MANIFEST, told).parent).current
    run = told["run"] or {"command": "data import", "data": told["files"][MANIFEST]}
    with owned(out, run, overwrite, reads=[source]) as folder:
        there = dict(manifest.read_manifest(folder).current)
        rebuilt = _rebuilt(source, told)
        new, other = 0, 0
        for name, entry in tqdm(listed.items(), unit="episode", file=sys.stderr):
            content = b""
            if entry["state"] == manifest.FINISHED:
                content, again = _next(rebuilt, name, source)
                other += again["sha256"] != entry["sha256"]
                entry = {**entry, **{key: again[key] for key in ("sha256", "bytes")}}
            new += take_over(folder, entry, there, partial(bytes, content), source)
    return f"{new} new episodes" + (f", {other} of them the same arrays in other bytes" if other else "")


def _put_walks(source: Path, finished: Mapping[str, Mapping[str, Any]], written: _Written) -> tuple[int, ...]:
    """Frames and labels of every episode; returns rows and columns of their views."""
    shape: tuple[int, ...] = ()
    with tqdm(total=len(finished), unit="episode", file=sys.stderr) as bar:
        for number, names in enumerate(_grouped(finished)):
            groups = []
            for name in names:
                episode, absent = _listed_episode(source, name, finished[name])
                shape = shape or episode.rgb.shape[1:3]
                if episode.rgb.shape[1:3] != shape:
                    raise DataError(f"{source} holds views of {shape} and of {episode.rgb.shape[1:3]} cells; export them apart")
                groups.append(_walk_table(name, episode, number, written))
                written.put(f"{layout.LABELS}/{name}", encode(name, episode, absent | frames.IN_FRAMES))
                bar.update()
            written.put(layout.numbered(layout.DATA, number), tables.written(groups))
    return shape


def _grouped(finished: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Names of the episodes of every Parquet file."""
    names, size = list[str](), 0
    for name, told in finished.items():
        if names and size + told["bytes"] > DATA_FILE_BYTES:
            yield names
            names, size = [], 0
        names.append(name)
        size += told["bytes"]
    yield names


def _listed_episode(source: Path, name: str, told: Mapping[str, Any]) -> tuple[Episode, frozenset[str]]:
    """An episode, and which arrays its file does not hold."""
    listed_content(source, told)
    found, meta = read_arrays(source / name)
    return whole(found, meta, name), frozenset(SHAPES) - set(found)


def _walk_table(name: str, episode: Episode, number: int, written: _Written) -> Any:
    """The frames of an episode as a table of data file `number`, its runs entered in `written`."""
    features = layout.features(*episode.rgb.shape[1:3])
    parts = [_run_columns(name, episode, run, number, written, features) for run in frames.runs(episode)]
    return tables.table({key: np.concatenate([part[key] for part in parts]) for key in features}, features)


def _run_columns(
    name: str, episode: Episode, run: frames.Run, number: int, written: _Written, features: tables.Features
) -> dict[str, np.ndarray]:
    """Every column of a run, which is entered in `written`."""
    begun, count, task = written.total_frames, np.arange(len(run)), layout.task(episode.meta)
    columns = {
        **frames.columns(episode, run, written.subtasks),
        layout.WALK: np.full(len(run), name.removesuffix(".npz")),
        layout.DONE: count == len(run) - 1,
        "timestamp": (count / layout.FPS).astype(np.float32),
        "frame_index": count,
        "index": begun + count,
        "episode_index": np.full(len(run), len(written.runs)),
        "task_index": np.full(len(run), written.tasks.index(task)),
    }
    place = {"chunk_index": number // layout.FILES_A_CHUNK, "file_index": number % layout.FILES_A_CHUNK}
    written.runs.append(
        {
            "episode_index": len(written.runs),
            "tasks": [task],
            "length": len(run),
            **{f"data/{key}": value for key, value in place.items()},
            "dataset_from_index": begun,
            "dataset_to_index": begun + len(run),
            **{f"meta/episodes/{key}": 0 for key in place},
        }
    )
    numbers = {key: feature for key, feature in features.items() if feature["dtype"] != "string"}
    written.told.append({key: statistics.of_run(columns[key], feature) for key, feature in numbers.items()})
    return columns


def _put_meta(listed: Sequence[Mapping[str, Any]], shape: tuple[int, ...], run: Mapping[str, Any] | None, written: _Written) -> None:
    """Everything but frames and labels; `meta/info.json` last, so that what was cut off is no data set."""
    rows = [{**row, **_flat(told)} for row, told in zip(written.runs, written.told, strict=True)]
    written.put(layout.numbered(layout.EPISODES, 0), tables.written([tables.rows(rows)]))
    whole_statistics = {key: statistics.of_all([told[key] for told in written.told]) for key in written.told[0]}
    written.put_json(layout.STATS, {key: {name: value.tolist() for name, value in told.items()} for key, told in whole_statistics.items()})
    written.put(layout.TASKS, tables.named_rows("task_index", written.tasks))
    written.put(layout.SUBTASKS, tables.named_rows("subtask_index", written.subtasks))
    written.put(MANIFEST, b"".join(json.dumps(dict(told), sort_keys=True).encode() + b"\n" for told in listed))
    written.put_json(CALIBRATION, _calibration(*shape))
    card = Template((files("hiermap.data.exchange") / "card.md").read_text(encoding="utf-8"))
    written.put(layout.CARD, card.substitute(layout=", ".join(layout.ACTION_NAMES), runs=len(rows), frames=written.total_frames).encode())
    info = (json.dumps(layout.info(shape, len(rows), written.total_frames, len(written.tasks)), indent=4) + "\n").encode()
    exported = {"format": layout.FORMAT, "run": run, "files": {**written.digests, layout.INFO: sha256(info).hexdigest()}}
    written.put_json(layout.EXPORT, exported)
    written.put(layout.INFO, info)


def _flat(told: Mapping[str, statistics.Statistics]) -> dict[str, Any]:
    return {f"stats/{key}/{name}": value.tolist() for key, parts in told.items() for name, value in parts.items()}


def _calibration(rows: int, columns: int) -> dict[str, Any]:
    """How cells lie in the world."""
    frame = SpatialFrame(rows=rows, columns=columns)
    axes = {name: getattr(frame, name).tolist() for name in ("view_direction", "up_direction", "left_direction")}
    return {"frame": asdict(frame), **axes, "depth_unit_m": 1e-4}


def _export_record(source: Path) -> ExportRecord:
    """The record of a whole export; DataError for any other folder."""
    if not (source / layout.INFO).is_file():
        raise DataError(f"{source} holds no {layout.INFO}; expected what `hiermap data export DIR format=lerobot out=...` wrote")
    version = read_json(source / layout.INFO, AGAIN)
    version = version.get("codebase_version") if isinstance(version, dict) else None
    if version != layout.VERSION or not (source / layout.EXPORT).is_file():
        raise DataError(
            f"{source} is a LeRobotDataset {version} without {layout.EXPORT}; expected a {layout.VERSION} that hiermap exported"
        )
    told = read_json(source / layout.EXPORT, AGAIN)
    check(told, ExportRecord, layout.EXPORT)
    if told["format"] != layout.FORMAT or (told["run"] or {"command": COMMANDS[0]}).get("command") not in COMMANDS:
        raise DataError(f"{source / layout.EXPORT} is of another format than {layout.FORMAT}; was it made by a newer version?")
    _whole(source, layout.INFO, told)
    return told


def _whole(source: Path, path: str, told: ExportRecord) -> Path:
    """The path of a file that is as it was exported; DataError otherwise."""
    found = source / path
    size = found.stat().st_size if found.is_file() else tables.MAX_BYTES + 1
    if size > tables.MAX_BYTES or sha256(found.read_bytes()).hexdigest() != told["files"].get(path):
        raise DataError(f"{found} is not what {layout.EXPORT} lists: missing, damaged or changed since; {AGAIN}")
    return found


def _rebuilt(source: Path, told: ExportRecord) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Name, content and manifest line of every episode, in the order of their export."""
    number = 0
    subtasks = tables.names_of(_whole(source, layout.SUBTASKS, told).read_bytes())
    features = layout.features(*_shape(source, told))
    while (path := layout.numbered(layout.DATA, number)) in told["files"]:
        for group in tables.row_groups(_whole(source, path, told).read_bytes()):
            columns = tables.columns(group, features)
            (walk,) = np.unique(columns[layout.WALK])
            yield _episode(f"{walk}.npz", columns, subtasks, source, told)
        number += 1


def _shape(source: Path, told: ExportRecord) -> tuple[int, int]:
    frame = read_json(_whole(source, CALIBRATION, told), AGAIN)["frame"]
    return frame["rows"], frame["columns"]


def _episode(
    name: str, columns: frames.Columns, subtasks: Sequence[str], source: Path, told: ExportRecord
) -> tuple[str, bytes, dict[str, Any]]:
    """An episode from its frames and its labels."""
    path = episode_path(source / layout.LABELS, name)
    labels, meta = read_arrays(_whole(source, f"{layout.LABELS}/{name}", told), frames.IN_FRAMES)
    found = frames.arrays(columns, len(labels["maps_packed"]), legend_of(meta).primitives, subtasks)
    episode = whole({**labels, **found}, meta, path.name)
    content = encode(name, episode, frozenset(SHAPES) - set(labels) - set(found))
    return name, content, manifest.describe(name, content, episode)


def _next(rebuilt: Iterator[tuple[str, bytes, dict[str, Any]]], name: str, source: Path) -> tuple[bytes, dict[str, Any]]:
    """Content and line of the episode of this name, which has to come next; DataError for whatever is in its place."""
    try:
        found, content, told = next(rebuilt)
        if found != name:
            raise ValueError(f"{found} comes first")
    except DataError:
        raise
    except (*tables.TABLE_ERRORS, StopIteration) as error:
        raise DataError(f"{source} does not hold the frames of {name} as they were exported ({type(error).__name__}); {AGAIN}") from error
    return content, told

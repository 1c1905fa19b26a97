"""What a LeRobotDataset v3.0 of kitchen walks looks like on disk.

The layout is that of LeRobot 0.4 (https://huggingface.co/docs/lerobot/lerobot-dataset-v3): what its `LeRobotDataset` reads, field by field,
and beside it `meta/hiermap`, which it does not look at. Letters: `H x W` cells of a view.
"""

from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "v3.0"
INFO, STATS, TASKS, SUBTASKS, CARD = "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/subtasks.parquet", "README.md"
NUMBERED = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES, DATA = f"meta/episodes/{NUMBERED}", f"data/{NUMBERED}"
OURS = "meta/hiermap"
"""What is not LeRobot's: the manifest of the episodes, the `EXPORT` record and `LABELS`."""
EXPORT, LABELS = f"{OURS}/export.json", f"{OURS}/labels"
FORMAT = "hiermap-lerobot-1"
FILES_A_CHUNK, FILE_MB = 1000, 100
FPS = 1
"""Nominal: a frame is a view between two primitives, which take seconds; how many, `DURATION` tells."""
NOTHING = -1
"""Transition of a frame in which nothing is done: the last of a run."""
END = "end"
"""Subtask of such a frame."""

IMAGE, DEPTH, HOLDING = "observation.images.oblique", "observation.depth", "observation.state"
ACTION, EFFECT, DONE, SUBTASK = "action", "next.success", "next.done", "subtask_index"
WALK, VIEW, TRANSITION = "hiermap.episode", "hiermap.view", "hiermap.transition"
SUCCEEDED, REASON, DURATION, DISPLACEMENT = "hiermap.succeeded", "hiermap.reason", "hiermap.duration", "hiermap.displacement"
ACTION_NAMES = (
    "primitive",
    "rotation",
    "row",
    "column",
    *(f"{kind}_{axis}" for kind in ("point", "normal") for axis in "xyz"),
)
"""Parts of an action: numbers of the subtask and of the orientation bin, the cell, the point in the world [m] and the normal there."""
_COUNTED = ("frame_index", "episode_index", "index", "task_index", SUBTASK, VIEW, TRANSITION)


def features(rows: int, columns: int) -> dict[str, dict[str, Any]]:
    """Column -> dtype, shape and names, of views of so many cells."""
    return {
        IMAGE: _feature("image", (rows, columns, 3), ("height", "width", "channels")),
        DEPTH: _feature("uint16", (rows, columns), ("height", "width")),
        HOLDING: _feature("float32", (1,), ("holding",)),
        ACTION: _feature("float32", (len(ACTION_NAMES),), ACTION_NAMES),
        **{name: _feature("bool") for name in (EFFECT, DONE, SUCCEEDED)},
        **{name: _feature("float32") for name in ("timestamp", DURATION, DISPLACEMENT)},
        **{name: _feature("int64") for name in _COUNTED},
        **{name: _feature("string") for name in (WALK, REASON)},
    }


def info(shape: Sequence[int], episodes: int, frames: int, tasks: int) -> dict[str, Any]:
    """The content of `meta/info.json`."""
    return {
        "codebase_version": VERSION,
        "robot_type": "panda",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": FILE_MB,
        "video_files_size_in_mb": 2 * FILE_MB,
        "fps": FPS,
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA,
        "video_path": None,
        "features": features(*shape),
    }


def numbered(path: str, number: int) -> str:
    """The path of the so-manieth file."""
    return path.format(chunk_index=number // FILES_A_CHUNK, file_index=number % FILES_A_CHUNK)


def task(meta: Mapping[str, Any]) -> str:
    """In words what a walk is for: nothing but to see what comes of what."""
    return f"explore a kitchen ({meta['source']})"


def _feature(dtype: str, shape: Sequence[int] = (1,), names: Sequence[str] | None = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "names": None if names is None else list(names)}

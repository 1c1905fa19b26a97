"""Where weights lie; loads no torch."""

import importlib.resources
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from hiermap.system.config import read_artefact_config
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import check

MODEL_FILE, CONFIG_FILE = "model.safetensors", "config.json"
CHECKPOINT = ".ckpt"
REMEDY = "expected a directory that `hiermap train` wrote, or a shipped name"


class TrainingConfig(TypedDict):
    """What of the config of a training is read again."""

    data: NotRequired[str | None]


class TrainingRecord(TypedDict):
    """What `config.json` tells of the data."""

    data: NotRequired[dict[str, Any] | None]
    config: NotRequired[TrainingConfig]


def shipped_names() -> list[str]:
    """Names of the weights inside the package."""
    root = importlib.resources.files("hiermap") / "shipped"
    return sorted(entry.name for entry in root.iterdir() if (entry / MODEL_FILE).is_file()) if root.is_dir() else []


def weights_directory(name_or_path: str | Path) -> Path:
    """Directory of shipped weights by name, or of any `hiermap train` output; raises DataError listing what exists."""
    path = Path(name_or_path)
    if path.suffix == CHECKPOINT:
        raise DataError(f"{path} is a checkpoint of a training; run `hiermap export {path} out=DIR` and take the weights in DIR")
    if str(name_or_path) in shipped_names():
        return Path(str(importlib.resources.files("hiermap") / "shipped" / str(name_or_path)))
    if path.is_file() and path.name == MODEL_FILE:
        return path.parent
    if not (path / MODEL_FILE).is_file():
        raise DataError(f"no weights at {str(name_or_path)!r}; {REMEDY} ({', '.join(shipped_names()) or 'none is shipped'})")
    return path


def trained_on(weights_file: Path | None) -> dict[str, Any] | None:
    """The data that weights were last trained on, as the record beside them tells: name and sha256 of its manifest; None without one.

    Weights from before the digest was kept tell the name only. Raises ConfigError for a damaged record.
    """
    record_file = weights_file and weights_file.with_name(CONFIG_FILE)
    if record_file is None or not record_file.is_file():
        return None
    record = read_artefact_config(record_file)
    try:
        check(record, TrainingRecord, str(record_file))
    except DataError as error:
        raise ConfigError(str(error)) from error
    return record.get("data") or {"name": record.get("config", {}).get("data"), "manifest_sha256": None}

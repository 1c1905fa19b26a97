"""Where weights lie; loads no torch."""

import importlib.resources
from pathlib import Path

from hiermap.worlds.errors import DataError

MODEL_FILE = "model.safetensors"
REMEDY = "expected a directory that `hiermap train` wrote, or a shipped name"


def shipped_names() -> list[str]:
    """Names of the weights inside the package."""
    root = importlib.resources.files("hiermap") / "shipped"
    return sorted(entry.name for entry in root.iterdir() if (entry / MODEL_FILE).is_file()) if root.is_dir() else []


def weights_directory(name_or_path: str | Path) -> Path:
    """Directory of shipped weights by name, or of any `hiermap train` output; raises DataError listing what exists."""
    path = Path(name_or_path)
    if str(name_or_path) in shipped_names():
        return Path(str(importlib.resources.files("hiermap") / "shipped" / str(name_or_path)))
    if path.is_file() and path.name == MODEL_FILE:
        return path.parent
    if not (path / MODEL_FILE).is_file():
        raise DataError(f"no weights at {str(name_or_path)!r}; {REMEDY} ({', '.join(shipped_names()) or 'none is shipped'})")
    return path

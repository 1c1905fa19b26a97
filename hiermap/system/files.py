"""Files that no kill, full disk or reader ever sees half of."""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from hiermap.worlds.errors import ConfigError, HiermapError


class DiskFullError(HiermapError, OSError):
    """Writing stopped because the disk (or the quota) is full; what was finished is kept."""


def write_atomically(path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Replace `path` in one step by text, bytes or what a function writes into the open file, synced to disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # known before it is there: an interrupt leaves nothing behind
    try:
        with temporary.open("xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def out_directory(value: str) -> Path:
    """The `out` of a command as a path that is, or can become, a directory."""
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"out={value} is in the home of nobody; expected a directory") from error
    if not value or (path.exists() and not path.is_dir()):
        raise ConfigError(f"out={value} is {'a file' if value else 'empty'}; expected a directory")
    return path


def write_json(path: Path, record: object) -> None:
    """Write `record` as indented JSON, atomically; NaN is refused since it is no JSON."""
    write_atomically(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def file_sha256(path: Path) -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disk_error(error: OSError, path: Path, size: int) -> HiermapError | OSError:
    """The error to raise when writing `size` bytes to `path` failed: a full disk gets a remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(f"{path.name}: no room for {size} bytes in {path.parent}; free space and run the same command again")
    return error

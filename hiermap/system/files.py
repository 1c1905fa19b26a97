"""Files that no kill, full disk or reader ever sees half of."""

import errno
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from hiermap.worlds.errors import DataError, HiermapError
from hiermap.worlds.records import read_json

SEAL = "sha256"
"""Key of a record's own digest."""
_log = logging.getLogger(__name__)


class DiskFullError(HiermapError, OSError):
    """Writing stopped because the disk (or the quota) is full; what was finished is kept."""

    def __str__(self) -> str:
        return str(self.args[-1])


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
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise disk_error(error, path) from error
        raise


def append_line(path: Path, line: bytes) -> None:
    """Append a line durably; ends a torn last line first, and takes its own bytes back if the disk is full."""
    line += b"\n"
    with open(path, "ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            while line:
                line = line[file.write(line) :]
            os.fsync(file.fileno())
        except OSError as error:
            os.ftruncate(file.fileno(), size)
            raise disk_error(error, path) from error


def write_json(path: Path, record: object) -> None:
    """Write `record` as indented JSON, atomically; NaN is refused since it is no JSON."""
    write_atomically(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the digest of all that it says."""
    plain = json.loads(json.dumps(record))
    return {**plain, SEAL: hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()}


def read_sealed(path: Path, remedy: str) -> Any:
    """The JSON of a file without its digest; DataError if it does not say what was written, a warning if it has none, as older ones."""
    record = read_json(path, remedy)
    if not isinstance(record, dict) or SEAL not in record:
        _log.warning("%s has no sha256 of its content: nobody can tell whether it is as it was written", path)
        return record
    plain = {key: value for key, value in record.items() if key != SEAL}
    if sealed(plain) != record:
        raise DataError(f"{path} is damaged (its content is not what its sha256 says); {remedy}")
    return plain


def file_sha256(path: Path) -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disk_error(error: OSError, path: Path) -> HiermapError | OSError:
    """The error to raise when writing to `path` failed: a full disk gets a remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and not isinstance(error, DiskFullError):
        return DiskFullError(error.errno, f"No space left to write {path}; free space and run the same command again")
    return error

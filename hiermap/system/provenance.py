"""Where a result comes from: commit, weights, data, versions, machine."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hiermap.system.files import file_sha256
from hiermap.system.versions import versions

CPU_INFO = Path("/proc/cpuinfo")
"""Where Linux tells the processor's model; `platform.processor()` there tells the architecture only."""


def settings(config: Mapping, weights_file: Path | None = None, data: Mapping[str, Any] | None = None) -> dict:
    """Resolved config and where its results come from, as `eval_info.json` keeps them: versions, commit, weights, data, machine.

    Args:
        weights_file: the learned part, kept as its sha256; None if there is none.
        data: name and sha256 of the manifest of what that was trained on; None if nothing is known.
    """
    return {
        "config": dict(config),
        "versions": versions(),
        "commit": commit(),
        "weights_sha256": file_sha256(weights_file) if weights_file is not None else None,
        "data": data,
        "machine": machine(),
    }


def machine() -> str:
    """System, processor and number of cores this process may use; names no host, user or path."""
    return f"{platform.system()} {platform.machine()}, {_processor()}, {cores()} cores"


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    told = re.search(r"^model name\s*:\s*(.+)$", CPU_INFO.read_text(), re.MULTILINE) if CPU_INFO.is_file() else None
    return told[1].strip() if told else platform.processor() or "unknown processor"


def commit() -> str | None:
    """The git commit of the running source tree, with "+" after it when files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(root),
        *arguments,
    ]  # a kill in the middle would leave a lock in somebody's repository
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()

"""Where a result comes from: versions, commit, weights."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from hiermap.system.files import file_sha256
from hiermap.system.versions import versions


def settings(config: Mapping, weights_file: Path | None = None) -> dict:
    """Resolved config, package versions, commit of the code and sha256 of the weights, as `eval_info.json` keeps them."""
    digest = file_sha256(weights_file) if weights_file is not None else None
    return {"config": dict(config), "versions": versions(), "commit": commit(), "weights_sha256": digest}


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
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()

"""Where a result comes from: versions, commit, weights; and goals in words."""

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from hiermap.suites import RunOptions
from hiermap.versions import versions
from worlds.goals import Predicate

_WORDS = {
    "open": "the {} is open",
    "closed": "the {} is shut",
    "on": "the {} is on",
    "off": "the {} is off",
    "held": "the {} is in the hand",
    "inside": "the {} is in the {}",
    "on_top": "the {} stands on the {}",
}


def in_words(predicates: Iterable[Predicate]) -> str:
    """The goal as a sentence, for example "the mug is in the left drawer 1, and the left drawer 1 is shut"."""
    clauses = [_WORDS[p.kind].format(*(name.replace("_", " ") for name in p.arguments)) for p in predicates]
    return ", and ".join(clauses) or "nothing is asked for"


def settings(config: Mapping, weights_file: Path | None = None) -> dict:
    """Resolved config, package versions, commit of the code and sha256 of the weights, as `eval_info.json` keeps them."""
    digest = sha256(weights_file) if weights_file is not None else None
    return {"config": dict(config), "versions": versions(), "commit": commit(), "weights_sha256": digest}


def weights_file(options: RunOptions, suite: str) -> Path | None:
    """The file behind what is learned in a run, or None if nothing is; DataError when there is no such file."""
    if not options.needs_weights(suite):
        return None
    from hiermap.weights import MODEL_FILE, weights_directory

    return weights_directory(options.weights) / MODEL_FILE


def commit() -> str | None:
    """The git commit of the running source tree, with "+" after it when files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()

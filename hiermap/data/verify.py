"""`hiermap data`: is what the manifest promises there, whole, calibrated and balanced?"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hiermap.data import manifest
from hiermap.data.episodes import episode_path, read_episode
from hiermap.data.merge import merge
from hiermap.primitives.specs import PRIMITIVES
from hiermap.system.files import file_sha256
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import one_of, shown

FORMATS: Mapping[str, str] = {"lerobot": "hiermap.data.exchange.lerobot"}
"""Format of others -> the module that exports to it and takes in what was exported; it may need an extra."""
_MOVED = False, ["format", "out"]
_WORDS = {"verify": (False, []), "info": (False, []), "merge": (True, []), "export": _MOVED, "import": _MOVED}
"""Action -> whether it takes other directories, and which words `key=value`."""
_EXPECTED = "verify DIR, info DIR, merge OUT DIR [DIR ...], export DIR or import DIR with format=lerobot out=OUT"
MAX_CALIBRATION_PX = 0.3
"""Stored views must reproject better than this; live ones only better than 0.5 px."""
MIN_SHARE = 0.05
"""A primitive with a smaller share of the transitions is called rare."""


@dataclass(frozen=True)
class VerifyReport:
    """What verify found.

    Attributes:
        good: episodes that passed.
        quarantined: file name -> why it was moved to DIR/quarantine.
        missing: files the manifest promises but that are gone (now struck from it).
        twice: files the manifest announces twice.
        unlisted: whole episodes that no line announces yet; the next collect lists them.
        torn: unreadable manifest lines.
        rare: primitives with less than `MIN_SHARE` of the transitions.
    """

    good: int
    quarantined: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    torn: tuple[int, ...] = ()
    rare: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True unless something was damaged, missing or doubled."""
        return not (self.quarantined or self.missing or self.twice)


def data(action: str, directory: str, *others: str, overwrite: bool = False, **moved: str) -> int:
    """The command: prints the table and returns 0 when clean, 1 otherwise."""
    path = Path(directory)
    if _WORDS.get(action) != (bool(others), sorted(moved)) or (overwrite and action in ("verify", "info")):
        told = [action, directory, *others, *(f"{key}={value}" for key, value in moved.items())]
        raise ConfigError(f"got {shown(' '.join(told))}; expected {_EXPECTED}")
    if action == "merge":
        print(f"{directory}: {merge(path, [*map(Path, others)], overwrite)} new episodes")
        return 0
    if not path.is_dir():
        raise ConfigError(f"{directory} is not a directory; expected what `hiermap collect out=...` wrote")
    if moved:
        one_of("format", moved["format"], FORMATS)
        move = getattr(import_module(FORMATS[moved["format"]]), {"export": "export", "import": "take_in"}[action])
        print(f"{moved['out']}: {move(path, Path(moved['out']), overwrite)}")
        return 0
    if not (path / manifest.NAME).exists() and not any(path.glob("*.npz")):
        raise ConfigError(f"{directory} holds neither {manifest.NAME} nor episodes; expected what `hiermap collect out=...` wrote")
    if action == "info":
        print(info(path))
        return 0
    report = verify(path)
    print(_verdict(path, report))
    return 0 if report.clean else 1


def verify(directory: str | Path) -> VerifyReport:
    """Read and check every episode; damaged ones are moved to DIR/quarantine, vanished ones struck from the manifest."""
    directory = Path(directory)
    listed = manifest.read_manifest(directory)
    good, unlisted, missing = list[str](), list[str](), list[str]()
    quarantined: dict[str, str] = {}
    others = {path.name for path in directory.glob("*.npz")} - set(listed.finished)
    for name in tqdm([*sorted(listed.finished), *sorted(others)], unit="episode", file=sys.stderr, disable=not listed.finished):
        try:
            _check(directory, name, listed.finished.get(name))
            (unlisted if name in others else good).append(name)
        except FileNotFoundError:
            missing.append(name)
            manifest.append(directory, {"state": manifest.MISSING, "file": name})
        except DataError as error:
            quarantined[name] = str(error)
            manifest.quarantine(directory, name, str(error))
    tried = _primitive_counts(manifest.read_manifest(directory))[:, 0]
    rare = tuple(name for name, n in zip(PRIMITIVES, tried, strict=True) if n < MIN_SHARE * tried.sum())
    return VerifyReport(len(good), quarantined, tuple(missing), listed.twice, tuple(unlisted), listed.torn, rare)


def info(directory: str | Path) -> str:
    """A table of what a data directory holds, from its manifest alone."""
    listed = manifest.read_manifest(Path(directory))
    records = list(listed.finished.values())
    void = sum(record["state"] == manifest.VOID for record in listed.current.values())
    lines = [
        f"{directory}: {len(records)} episodes, {sum(r['transitions'] for r in records)} transitions, "
        f"{sum(r['views'] for r in records)} views, {sum(r['bytes'] for r in records) / 1e6:.1f} MB, {void} void seeds",
        f"sources  {_counts(r['source'] for r in records)}",
        f"families {_counts(r['family'] for r in records)}",
        f"walks    {_counts(r['walks'] or 'unknown' for r in records)}",
        f"flags    {_counts(f for r in records for f in r['flags'])}",
        "",
        f"{'primitive':12}{'tried':>8}{'effect':>8}{'share':>8}",
    ]
    counts = _primitive_counts(listed)
    for name, (tried, worked) in zip(PRIMITIVES, counts, strict=True):
        lines.append(f"{name:12}{tried:8d}{worked:8d}{tried / max(1, counts[:, 0].sum()):8.2f}")
    return "\n".join(lines)


def _check(directory: Path, name: str, record: Mapping[str, Any] | None) -> None:
    """Raise what is wrong with a file; less is asked of one without a record."""
    path = episode_path(directory, name)
    if record and file_sha256(path) != record["sha256"]:
        raise DataError(f"{name}: its sha256 is not the manifest's; the file was changed or damaged")
    error_px = read_episode(path).meta.get("calibration_error_px", np.inf)
    if record and not error_px <= MAX_CALIBRATION_PX:
        raise DataError(f"{name}: calibration error {error_px} px; stored data allows {MAX_CALIBRATION_PX} px")


def _primitive_counts(listed: manifest.Manifest) -> np.ndarray:
    """[P, 2]: transitions tried and with effect."""
    counts = np.zeros((len(PRIMITIVES), 2), dtype=int)
    for record in listed.finished.values():
        counts += np.array([record["primitives"].get(name, (0, 0)) for name in PRIMITIVES])
    return counts


def _counts(values: Iterable[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(Counter(values).items())) or "none"


def _verdict(directory: Path, report: VerifyReport) -> str:
    lines = [f"{directory}: {report.good} episodes good, {'clean' if report.clean else 'NOT clean'}"]
    lines += [f"quarantined  {name}: {reason}" for name, reason in report.quarantined.items()]
    lines += [f"missing      {name} (the next collect makes it again)" for name in report.missing]
    lines += [f"listed twice {name}" for name in report.twice]
    lines += [f"unlisted     {name} (the next collect lists it)" for name in report.unlisted]
    lines += [f"torn line    {number} of {manifest.NAME} (harmless)" for number in report.torn]
    lines += [f"rare         {name}: below {MIN_SHARE:.0%} of the transitions" for name in report.rare]
    return "\n".join(lines)

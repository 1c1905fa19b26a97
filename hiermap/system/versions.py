"""The versions hiermap runs on, read from package metadata without importing the packages."""

import platform
import re
from functools import cache
from importlib import metadata

from hiermap.worlds.errors import HiermapError

PINS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "mujoco": ((3, 8), (3, 10)),  # older ones have no sleeping islands; robosuite 1.5.2 breaks on the mj_fullM of mujoco 3.10
    "numpy": ((1, 26), (2, 0)),  # robosuite 1.5.2 needs mink 0.0.5, which needs numpy below 2
}
"""Package -> (lowest version, first version too new)."""
RECORDED = ("hiermap", "mujoco", "robosuite", "numpy", "torch", "lightning", "omegaconf")


class VersionError(HiermapError, RuntimeError):
    """A package outside the range hiermap works with; the message holds the pip command."""


@cache
def versions() -> dict[str, str]:
    """Name -> version of python and every package that results depend on ("absent" where not installed)."""
    return {"python": platform.python_version()} | {name: installed(name) for name in RECORDED}


def installed(name: str) -> str:
    """The installed version of a distribution, or "absent"."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def pin_problem(name: str, version: str) -> str | None:
    """What is wrong with this version of a pinned package and the command that mends it, or None."""
    lowest, too_new = PINS[name]
    low, high = ".".join(map(str, lowest)), ".".join(map(str, too_new))
    if version != "absent" and lowest <= tuple(map(int, re.findall(r"\d+", version))) < too_new:
        return None
    return f"{name} {version} is installed, hiermap needs >= {low} and < {high}; run: pip install '{name}>={low},<{high}'"


def check_pins() -> None:
    """Raise VersionError naming every package outside its pin and the exact pip command."""
    problems = [problem for name in PINS if (problem := pin_problem(name, installed(name)))]
    if problems:
        raise VersionError("\n".join(problems))

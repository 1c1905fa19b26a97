"""`hiermap doctor`: what this machine has, and the fix for what it lacks."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hiermap.model.locate import MODEL_FILE, shipped_names
from hiermap.system.graphics import probe_gl, said_of
from hiermap.system.provenance import cores
from hiermap.system.versions import PINS, pin_problem, versions
from hiermap.worlds.errors import HiermapError

GL_FIX = {
    "egl": "install libegl1 (apt-get install libegl1)",
    "osmesa": "install libosmesa6 (apt-get install libosmesa6)",
    "glfw": "needs a display; set DISPLAY or use egl",
}
MAX_WEIGHTS_MB = 15.0
MIN_PYTHON = (3, 11)
LOW_DISK_GB = 2.0


@dataclass(frozen=True)
class Finding:
    """One line: `ok`, what was found, and the `fix` when not ok; `needed` is False for what hiermap can do without."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = True

    def __str__(self) -> str:
        state = "ok" if self.ok else "FIX" if self.needed else "optional"
        return f"{state:9}{self.name:12}{self.found}{'' if self.ok or not self.fix else f'; {self.fix}'}"


def doctor() -> int:
    """Print one line per finding; 0 when everything hiermap needs is there, 1 otherwise."""
    healthy = True
    for check in CHECKS:
        for finding in check():
            print(finding, flush=True)
            healthy &= finding.ok or not finding.needed
    return 0 if healthy else 1


def check_versions() -> Iterator[Finding]:
    """Python and the packages, against the pins."""
    fixes = {"python": f"hiermap needs Python >= {'.'.join(map(str, MIN_PYTHON))}", "hiermap": "run: make setup, in its checkout"}
    for name, version in versions().items():
        problem = pin_problem(name, version) if name in PINS else None
        ok = sys.version_info >= MIN_PYTHON if name == "python" else not problem and version != "absent"
        yield Finding(name, ok, version, problem or fixes.get(name, f"run: pip install {name}"))


def check_graphics() -> Iterator[Finding]:
    """MuJoCo's renderer under each backend, tried in a process of its own; hiermap sees by ray casting and needs none, but what is set."""
    if told := os.environ.get("MUJOCO_GL"):
        error = said_of([sys.executable, "-c", "import mujoco; print('drawn')"], told)
        yield Finding("MUJOCO_GL", error is None, f"{told}: {error or 'loads'}", "unset it, or name one that draws")
    for backend, fix in GL_FIX.items():
        error = probe_gl(backend)
        yield Finding(f"gl {backend}", error is None, error or "draws", fix, needed=False)


def check_machine() -> Iterator[Finding]:
    """Cores, free disk and a GPU (not needed)."""
    usable = cores()
    yield Finding("cores", usable >= 2, str(usable), "workers=1 is all this machine carries", needed=False)
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Finding("disk", free_gb > LOW_DISK_GB, f"{free_gb:.1f} GB free here", "free some before collecting or training", needed=False)
    gpu = ""
    with suppress(ImportError):
        from torch import cuda

        gpu = cuda.get_device_name(0) if cuda.is_available() else ""
    yield Finding("gpu", bool(gpu), gpu or "none", "not needed; training on a CPU takes longer", needed=False)


def check_weights() -> Iterator[Finding]:
    """Every set of weights that ships inside the package, read and checked."""
    label = "weights"
    try:
        from hiermap.model.weights import load_weights
    except ImportError as error:
        yield Finding(label, False, f"not readable without {error.name}", "run: pip install torch safetensors")
        return
    names = shipped_names()
    if not names:
        yield Finding(label, False, "none shipped", "train your own: hiermap train data=DIR out=DIR, then weights=DIR")
    for name in names:
        try:
            loaded = load_weights(name)
        except HiermapError as error:
            yield Finding(label, False, f"{name}: {error}", "reinstall hiermap")
            continue
        count = sum(parameter.numel() for parameter in loaded.model.parameters()) / 1e6
        size_mb = (loaded.directory / MODEL_FILE).stat().st_size / 1e6
        found = f"{name}: {count:.2f} M parameters, {size_mb:.1f} MB"
        yield Finding(label, size_mb < MAX_WEIGHTS_MB, found, f"expected below {MAX_WEIGHTS_MB} MB")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (check_versions, check_machine, check_graphics, check_weights)
"""In the order of the printed lines."""

"""Whether MuJoCo's renderer draws under a graphics library: asked in a process of its own, for a broken driver hangs or aborts."""

import os
import subprocess
import sys
from functools import lru_cache

from hiermap.system.versions import installed

GL_SECONDS = 60
"""A broken driver may hang instead of failing."""
SLOWLY = "films are drawn by ray casting, a second or two a frame, as egl does not draw here ({}); `hiermap doctor` tells the fix"
GL_PROBE = "import mujoco; r = mujoco.Renderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 8, 8); r.render(); print('drawn')"


def prefer_egl() -> None:
    """Before MuJoCo is loaded, let it draw by EGL where nothing was said about that, there is no display, and EGL draws; else say so."""
    if sys.platform != "linux" or {"MUJOCO_GL", "DISPLAY"} & set(os.environ) or "mujoco" in sys.modules:
        return
    if (said := probe_gl("egl")) is None:
        os.environ["MUJOCO_GL"] = "egl"
    else:
        print(SLOWLY.format(said), file=sys.stderr)


@lru_cache(maxsize=8)
def probe_gl(backend: str) -> str | None:
    """None if the backend draws, else the last line of what it said; asked once a process."""
    return "mujoco is absent" if installed("mujoco") == "absent" else said_of([sys.executable, "-c", GL_PROBE], backend)


def said_of(command: list[str], backend: str) -> str | None:
    """None if a command prints "drawn" under a `MUJOCO_GL`, else the last line of what it said."""
    try:
        done = subprocess.run(command, env={**os.environ, "MUJOCO_GL": backend}, capture_output=True, text=True, timeout=GL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"no answer in {GL_SECONDS} s"
    if done.returncode == 0 and "drawn" in done.stdout:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith((" ", "Exception ignored", "Traceback"))]
    return lines[0].rpartition("/")[2].strip()[:80] if lines else f"exit code {done.returncode}"

"""`hiermap view`: a kitchen in 3-D to click goals in, plan for them, look at the futures imagined, and carry them out step by step."""

import os
import sys
import threading
import webbrowser
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hiermap.agent.learned_maps import LazyWeights
from hiermap.evaluation.problem import planner_for, pose
from hiermap.system.config import typed
from hiermap.view.desk import Desk
from hiermap.view.options import FPS, HOST, ViewOptions
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.simulator.robot_scene import RobotScene

LACKING = "needs the package viser; run: pip install 'hiermap[view]'"


def view(config: Mapping[str, Any]) -> int:
    """Serve the kitchen of a seed to this machine until a signal, or write it to a page that stands alone; returns 0.

    Raises:
        ConfigError: there is no such kitchen, the port is in use, or viser is not installed.
    """
    options = typed(ViewOptions, config)
    if options.export:
        from hiermap.view.export import export

        return export(options, config)
    if not has_viser():
        raise ConfigError(f"hiermap view {LACKING}, or write a page with export=FILE")
    serve(options)
    return 0


def has_viser() -> bool:
    """Whether the extra `view` is there."""
    try:
        import viser  # noqa: F401
    except ImportError:
        return False
    return True


def serve(options: ViewOptions) -> None:
    """Serve until a signal ends it."""
    from hiermap.view.panel import Panel
    from hiermap.view.stage import Stage, local_server, stop

    server = local_server(options.port)
    try:
        desk, film = desk_of(options)
        Panel(desk, Stage(server, film.scene), film)
        address = f"http://{HOST}:{server.get_port()}"
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        if options.open and (sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)):
            webbrowser.open(address)
        forever()
    finally:
        stop(server)


def forever() -> None:
    """Wait for a signal."""
    threading.Event().wait()


def desk_of(options: ViewOptions) -> tuple[Desk, Film]:
    """A desk for the kitchen that options name, and the film of what happens there."""
    problem = pose(options.suite, options.seed, options)
    scene = problem.task.scene
    assert isinstance(scene, RobotScene)
    film = Film(problem.real, scene, FPS)
    planner = planner_for(options, problem, LazyWeights(options.weights))
    return Desk(replace(problem, real=film), planner, options), film

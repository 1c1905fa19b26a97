"""The kitchen in 3-D: meshes of a dressed model on a viser server, moved to the joints of a state."""

import contextlib
import io
import logging
import socket
import time
from collections.abc import Callable, Iterable

import mujoco
import numpy as np
import viser

from hiermap.view.bodies import body_meshes, glb
from hiermap.view.options import FPS, HOST
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.simulator.film import Film
from hiermap.worlds.simulator.photograph import VIEW
from hiermap.worlds.simulator.robot_scene import RobotScene

AMBIENT = 1.5
"""Light from everywhere, so that shut fronts are not dark."""


class LocalServer(viser.ViserServer):
    """A server for this machine alone: it also refuses to be shared through somebody else's."""

    def request_share_url(self, verbose: bool = True) -> None:
        """No."""
        return None


def local_server(port: int = 0, label: str = "hiermap") -> LocalServer:
    """A server at a port of this machine, 0 for any that is free; ConfigError for one that is in use."""
    with socket.socket() as probe:  # the server would silently take the next one
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(f"port={port} cannot be served ({error.strerror}); take another, for example port={port + 1}") from error
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # browsers open connections that they do not use
    with contextlib.redirect_stdout(io.StringIO()):  # it greets
        server = LocalServer(host=HOST, port=port, label=label, verbose=False)
    server.gui.configure_theme(show_logo=False, show_share_button=False, control_width="large")
    return server


class Stage:
    """A scene on a server; the scene is only read.

    Args:
        server: where it is shown.
        scene: a robot in a simulated scene.
    """

    def __init__(self, server: viser.ViserServer, scene: RobotScene) -> None:
        self.server = server
        model = scene.dressed()
        self._model, self._data = model, mujoco.MjData(model)
        server.initial_camera.position = VIEW.position_world
        server.initial_camera.look_at = VIEW.target_world
        server.initial_camera.fov = VIEW.fovy_rad
        # Both cost ten seconds and more where no graphics card draws.
        server.scene.configure_environment_map(None)
        server.scene.configure_default_lights(cast_shadow=False)
        server.scene.add_light_ambient("/light", intensity=AMBIENT)
        meshes = body_meshes(model)
        self._nodes = {
            body: server.scene.add_glb(f"/kitchen/{body}", glb(mesh), cast_shadow=False, receive_shadow=False)
            for body, mesh in meshes.items()
        }
        self._shown = np.full(model.nq, np.nan)
        self.show(scene.data.qpos)

    def show(self, qpos: np.ndarray) -> None:
        """Everything where the joints `[nq]` have it."""
        if np.array_equal(qpos, self._shown):
            return
        self._shown = self._data.qpos[:] = np.array(qpos)
        mujoco.mj_kinematics(self._model, self._data)
        with self.server.atomic():
            for body, node in self._nodes.items():
                if not np.allclose(node.position, self._data.xpos[body]) or not np.allclose(node.wxyz, self._data.xquat[body]):
                    node.position, node.wxyz = self._data.xpos[body], self._data.xquat[body]

    def play(self, states: Iterable[np.ndarray], wait: Callable[[float], object] = time.sleep) -> None:
        """States one after another, at the pace at which they were filmed; `wait` is told seconds."""
        for state in states:
            self.show(state)
            wait(1.0 / FPS)


def recorded(film: Film) -> str:
    """A page that stands alone with the scene in 3-D as it was at first, and with the motions that were filmed since."""
    server = local_server()
    try:
        states = new_states(film, 0)
        stage = Stage(server, film.scene)
        stage.show(states[0] if states else film.state())
        recording = server.get_scene_serializer()
        stage.play(states, recording.insert_sleep)
        return recording.as_html()
    finally:
        stop(server)


def stop(server: viser.ViserServer) -> None:
    """End a server."""
    with contextlib.redirect_stdout(io.StringIO()):  # it says so
        server.stop()


def new_states(film: Film, shots: int) -> list[np.ndarray]:
    """The states of all that was filmed after the first so many shots."""
    return [state for shot in film.shots[shots:] for state in shot.states]

"""The live view in a real browser: a click on the picture becomes a goal, that a plan, and that deeds; served to this machine alone."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from hiermap.cli import main
from hiermap.view.desk import Desk
from hiermap.view.options import HOST
from hiermap.worlds.simulator.film import Film
from tests.hiermap.view.browser import MEASURE, Tab, opened
from tests.hiermap.view.conftest import KNOWN
from tests.hiermap.view.test_desk import middle

viser = pytest.importorskip("viser", reason="the live view needs the extra `view`; run: pip install 'hiermap[view]'")

COARSE = 3000
"""Triangles of what is drawn in these tests."""
BUTTON = "[...document.querySelectorAll('button')].find((e) => e.textContent === '{}')"
CLICK = """(() => {{ const image = document.querySelector('figure img'), box = image.getBoundingClientRect();
const at = (part, start, size) => start + part * size;
image.dispatchEvent(new MouseEvent('click', {{clientX: at({}, box.left, box.width), clientY: at({}, box.top, box.height), bubbles: true}}));
}})()"""
FIELD = "(() => {{ let e = [...document.querySelectorAll('label')].find((l) => l.textContent === '{}'); \
while (!e.querySelector('input, textarea')) e = e.parentElement; return e.querySelector('input, textarea'); }})()"


@pytest.fixture
def address(desk: Desk, posed: tuple[Desk, Film], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the desk is served, without the robot's fine meshes and without its motions, which a browser takes long to draw by software."""
    from hiermap.view import bodies
    from hiermap.view import stage as stages
    from hiermap.view.panel import Panel
    from hiermap.view.stage import Stage, local_server, stop

    film = posed[1]
    monkeypatch.setattr(film, "fps", 0)
    monkeypatch.setattr(
        stages, "body_meshes", lambda model: {body: mesh for body, mesh in bodies.body_meshes(model).items() if len(mesh.faces) < COARSE}
    )
    film.shots.clear()
    server = local_server()
    Panel(desk, Stage(server, film.scene), film)
    yield f"http://{HOST}:{server.get_port()}"
    stop(server)


def is_whole(tab: Tab, width: int) -> None:
    """Nothing is cut off, and every picture has its words; what lies below can be scrolled to."""
    tab.size(width, 844)
    tab.wait("document.querySelector('figure img')?.naturalWidth")
    found = tab.run(MEASURE)
    assert found["cut"] == [] and found["scroll"] <= width and all(found["images"]) and found["loaded"] and found["narrowest"] > 200
    for words in ("Plan", "Next step", "Run to the end"):
        button = BUTTON.format(words)
        tab.run(f"{button}.scrollIntoView()")
        tab.wait(f"(() => {{ const b = {button}.getBoundingClientRect(); return b.bottom <= innerHeight && b.right <= innerWidth; }})()")


def test_a_click_becomes_a_goal_a_plan_and_deeds(address: str, desk: Desk, tmp_path: Path) -> None:
    with opened(address, tmp_path) as tab:
        tab.size(1400, 844)
        tab.wait("document.querySelector('figure img')?.naturalWidth")
        row, column = middle(desk.problem.masks["left_drawer_1"])
        rows, columns = desk.view.frame.shape
        tab.run(CLICK.format((column + 0.5) / columns, (row + 0.5) / rows))
        assert tab.wait(f"{FIELD.format('Cell')}.value") == f"{row} {column}"
        tab.wait(f"{FIELD.format('Ask')}.value === 'the upper left drawer is open'")
        tab.wait(f"!{BUTTON.format('Add to the goal')}.disabled")
        tab.run(f"{BUTTON.format('Add to the goal')}.click()")
        tab.wait(f"{FIELD.format('Goal')}.value === 'open(left_drawer_1)'")
        tab.run(f"{BUTTON.format('Plan')}.click()")
        tab.wait("document.body.textContent.includes('Plan: 2 steps')")
        tab.wait(f"!{BUTTON.format('Next step')}.disabled")
        words = "document.querySelector('figure img').alt"
        assert tab.run(words) == "The fused view, now, with the cell where push is planned"
        tab.run("document.querySelector('[role=slider]').focus()")
        tab.ask("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
        tab.wait(f"{words} === 'The colours seen last, imagined after 1 of 2: push, with the cell where pull is planned'")
        tab.run(f"{BUTTON.format('Next step')}.click()")
        tab.wait("document.body.textContent.includes('1 step left')")
        tab.wait(f"!{BUTTON.format('Run to the end')}.disabled")
        tab.run(f"{BUTTON.format('Run to the end')}.click()")
        tab.wait("document.body.textContent.includes('The goal is believed to hold; it truly does.')")
        is_whole(tab, 1400)
        is_whole(tab, 390)
    assert desk.outcome and len(desk.done) == 2


def test_nobody_else_is_served_and_nothing_is_shared(address: str) -> None:
    port = int(address.rpartition(":")[2])
    other = "127.0.0.2"  # another address of this machine
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, port)) == 0
    with socket.socket() as probe:
        assert probe.connect_ex((other, port)) != 0
    from hiermap.view.stage import local_server, stop

    server = local_server()
    assert server.request_share_url() is None and server._share_tunnel is None
    stop(server)


def test_a_port_in_use_is_told_in_one_sentence(capsys: pytest.CaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", *KNOWN, f"port={port}"]) == 2
    assert (
        capsys.readouterr().err
        == f"hiermap: port={port} cannot be served (Address already in use); take another, for example port={port + 1}\n"
    )


def test_the_command_serves_until_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        address = f"http://{HOST}:{free.getsockname()[1]}"
    served = []

    class Visit:
        """Looks at the page, then ends the command, instead of waiting for a signal."""

        def wait(self) -> None:
            with urlopen(address) as answer:
                served.append(answer.status)
            raise KeyboardInterrupt

    monkeypatch.setattr("hiermap.view.view.forever", Visit().wait)
    assert main(["view", *KNOWN, f"port={address.rpartition(':')[2]}", "open=false"]) == 130
    assert served == [200] and capsys.readouterr().out == f"{address}  (Ctrl-C ends it)\n"
    with pytest.raises(OSError):
        urlopen(address)


def test_the_shapes_are_those_of_the_model(posed: tuple[Desk, Film]) -> None:
    from hiermap.view.bodies import body_meshes

    model = posed[1].scene.dressed()
    meshes = body_meshes(model)
    shown = [geom for geom in range(model.ngeom) if model.geom_group[geom] == 1]
    assert set(meshes) == {int(model.geom_bodyid[geom]) for geom in shown}
    lonely = [geom for geom in shown if sum(model.geom_bodyid[other] == model.geom_bodyid[geom] for other in shown) == 1]
    assert lonely
    for geom in lonely:
        vertices = meshes[int(model.geom_bodyid[geom])].vertices
        assert np.linalg.norm(vertices - model.geom_pos[geom], axis=1).max() <= model.geom_rbound[geom] * 1.001

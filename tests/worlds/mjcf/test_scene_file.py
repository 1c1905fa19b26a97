"""A stranger's file is read within its own folder and within limits, or refused in one sentence that names the element."""

from pathlib import Path

import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.mjcf import scene_file
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene
from hiermap.worlds.mjcf.scene_file import compiled, read_scene

SCENE = "<mujoco>{}<worldbody>{}</worldbody></mujoco>"
BOX = '<body><joint type="slide" range="0 0.2"/><geom type="box" size="0.1 0.1 0.1"/></body>'
TRIANGLES = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


def scene(folder: Path, assets: str = "", things: str = BOX) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "scene.xml"
    path.write_text(SCENE.format(assets, things))
    return path


def test_includes_and_meshes_of_its_own_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes/corner.obj").write_text(TRIANGLES)
    (tmp_path / "parts.xml").write_text('<mujoco><asset><mesh name="corner" file="corner.obj"/></asset></mujoco>')
    path = scene(tmp_path, '<compiler meshdir="meshes"/><include file="parts.xml"/>', '<geom type="mesh" mesh="corner"/>' + BOX)
    model = compiled(read_scene(path), path.name)
    assert (model.nmesh, model.njnt) == (1, 1)


@pytest.mark.parametrize(
    ("assets", "things", "message"),
    [
        ('<include file="../outside.xml"/>', BOX, "<include file='../outside.xml'> lies outside the scene's folder"),
        ('<asset><mesh name="m" file="/etc/passwd"/></asset>', BOX, "file='/etc/passwd'.* lies outside the scene's folder"),
        ('<asset><mesh name="m" file="link.obj"/></asset>', BOX, "lies outside the scene's folder"),
        ('<asset><mesh name="m" file="absent.obj"/></asset>', BOX, "<mesh name='m' file='absent.obj'>: no such file"),
        ('<asset><texture name="t" type="2d" file="absent.png"/></asset>', BOX, "absent.png'>: no such file"),
        ('<include file="scene.xml"/>', BOX, "does one include itself"),
        ('<extension><plugin plugin="mujoco.pid"/></extension>', BOX, "<extension> is refused"),
        ("", "<body><geom/>", "not XML"),
        ("", '<body><geom type="cube" size="1 1 1"/></body>', "MuJoCo cannot read it .*cube"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, assets: str, things: str, message: str) -> None:
    (tmp_path / "outside.xml").write_text("<mujoco/>")
    (tmp_path / "outside.obj").write_text(TRIANGLES)
    path = scene(tmp_path / "kitchen", assets, things)
    (path.parent / "link.obj").symlink_to(tmp_path / "outside.obj")
    with pytest.raises(ConfigError, match=message):
        read_scene(path)


def test_neither_a_folder_nor_a_urdf_nor_nothing_is_a_scene(tmp_path: Path) -> None:
    (tmp_path / "robot.urdf").write_text("<robot/>")
    (tmp_path / "circle.xml").symlink_to("circle.xml")
    with pytest.raises(ConfigError, match="no such file"):
        MjcfScene(tmp_path / "circle.xml")
    for path, message in ((tmp_path, "no such file"), (tmp_path / "absent.xml", "no such file"), (tmp_path / "robot.urdf", "URDF")):
        with pytest.raises(ConfigError, match=message):
            read_scene(path)


@pytest.mark.parametrize("limit", ["MAX_XML_BYTES", "MAX_ASSET_BYTES", "MAX_TOTAL_BYTES"])
def test_large_files_are_refused_before_they_are_read(tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corner.obj").write_text(TRIANGLES)
    path = scene(tmp_path, '<asset><mesh name="corner" file="corner.obj"/></asset>', '<geom type="mesh" mesh="corner"/>' + BOX)
    read_scene(path)
    monkeypatch.setattr(scene_file, limit, 50)
    with pytest.raises(ConfigError, match="allowed"):
        read_scene(path)

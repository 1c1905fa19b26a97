"""Photographs show kitchen and robot; neither physics nor what sensors see knows of them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hiermap.system.graphics import probe_gl
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene
from hiermap.worlds.simulator.dressing import CAMERAS
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.photograph import Portrait, photograph
from hiermap.worlds.simulator.robosuite_env import kitchen_model

SIZE = (96, 72)
EXAMPLE = Path(__file__).parents[3] / "examples" / "bring_your_own_kitchen" / "kitchen.xml"


@pytest.fixture(scope="module")
def kitchen() -> Kitchen:
    return Kitchen(176001)


@pytest.fixture(scope="module")
def portrait(kitchen: Kitchen) -> Portrait:
    return Portrait(kitchen, SIZE, "rays")


@pytest.mark.parametrize(("seed", "digest"), [(176000, "b6d58cbda12707f9"), (176001, "a654720f30ef0425")])
def test_what_sensors_see_is_bit_for_bit_what_the_shipped_weights_were_trained_on(seed: int, digest: str) -> None:
    scene, seen = Kitchen(seed), hashlib.sha256()
    Portrait(scene, SIZE, "rays")(scene.data.qpos)
    for view in scene.observe().views:
        seen.update(view.rgb.tobytes() + view.depth.tobytes())
    assert seen.hexdigest()[:16] == digest


def test_a_dressed_kitchen_moves_bit_for_bit_like_a_plain_one(kitchen: Kitchen) -> None:
    ends = []
    for model in (kitchen_model(kitchen.spec), kitchen.dressed()):
        data = mujoco.MjData(model)
        data.qpos[:] = kitchen.data.qpos
        data.ctrl[:] = np.linspace(-3, 3, model.nu)
        for _ in range(100):
            mujoco.mj_step(model, data)
        ends.append(np.concatenate([data.qpos, data.qvel]))
    np.testing.assert_array_equal(*ends)


def test_taking_photographs_leaves_the_scene_as_it_is(kitchen: Kitchen, portrait: Portrait) -> None:
    before, groups = kitchen.snapshot(), kitchen.model.geom_group.copy()
    portrait(kitchen.data.qpos)
    np.testing.assert_array_equal(kitchen.snapshot(), before)
    np.testing.assert_array_equal(kitchen.model.geom_group, groups)


def shares(portrait: Portrait, scene: Kitchen, camera: str) -> tuple[float, float]:
    """How much of a photograph changes where the robot's, or the kitchen's, geoms are taken away."""
    model = portrait._take.model
    whole = portrait(scene.data.qpos, camera)
    robots = np.array([model.geom(index).name.startswith(("robot0", "gripper0")) for index in range(model.ngeom)])
    backdrop = np.array([model.geom(index).name.startswith(("floor", "backdrop")) for index in range(model.ngeom)])
    found = []
    for gone in (robots, ~robots & ~backdrop):
        groups = model.geom_group.copy()
        model.geom_group[gone] = 5
        found.append(float((np.abs(portrait(scene.data.qpos, camera).astype(int) - whole).max(axis=-1) > 8).mean()))
        model.geom_group[:] = groups
    return found[0], found[1]


@pytest.mark.parametrize("camera", [*CAMERAS, "robot0_eye_in_hand"])
def test_all_of_robosuites_cameras_show_kitchen_and_robot(camera: str, kitchen: Kitchen, portrait: Portrait) -> None:
    robot, rest = shares(portrait, kitchen, camera)
    assert robot > 0.02 and rest > 0.05


def test_a_photograph_has_light_shadow_and_the_things_colours(kitchen: Kitchen, portrait: Portrait) -> None:
    picture = portrait(kitchen.data.qpos, "birdview").astype(int)
    assert picture.shape == (*SIZE[::-1], 3) and picture.max() > 180 and picture.min() < 60
    assert np.ptp(picture, axis=-1).max() > 60


def test_the_same_state_gives_the_same_photograph_and_another_one_another(kitchen: Kitchen, portrait: Portrait) -> None:
    first = portrait(kitchen.data.qpos)
    moved = kitchen.data.qpos.copy()
    moved[kitchen.model.joint(kitchen.spec.drawers[0].name).qposadr[0]] = 0.15
    assert (portrait(moved) != first).any()
    np.testing.assert_array_equal(portrait(kitchen.data.qpos), first)


def test_shadows_fall_where_light_is_kept_off() -> None:
    text = (
        '<mujoco><worldbody><geom name="ground" type="plane" size="1 1 1" group="1" rgba=".8 .8 .8 1"/>'
        '<geom type="box" size=".1 .1 .2" pos=".3 0 .2" group="1"/></worldbody></mujoco>'
    )
    model = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    picture = photograph(model, data, CAMERAS["birdview"], SIZE, "rays").astype(int).sum(axis=-1)
    model.geom_group[1] = 5
    free = photograph(model, data, CAMERAS["birdview"], SIZE, "rays").astype(int).sum(axis=-1)
    darker = np.argwhere(picture < free - 60)
    assert len(darker) > 10 and not (picture > free + 60).any()


def test_somebody_elses_scene_is_photographed_with_the_robot() -> None:
    scene = MjcfScene(EXAMPLE)
    picture = Portrait(scene, SIZE, "rays")(scene.data.qpos, CAMERAS["agentview"]).astype(int)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"camera": "agentveiw"}, "agentview"), ({"size": (0, 4)}, "0 x 4 pixels"), ({"renderer": "cuda"}, "auto, gl, rays")],
)
def test_what_cannot_be_photographed_is_refused_in_words(wrong: dict, words: str, kitchen: Kitchen) -> None:
    model = kitchen_model(kitchen.spec, dressed=True)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with pytest.raises(ConfigError, match=words):
        photograph(model, data, **{"size": SIZE, "renderer": "rays", **wrong})


IN_ROBOSUITE = f"""
import robosuite, hiermap, numpy as np
names = {[*CAMERAS, "robot0_eye_in_hand"]}
options = dict(use_camera_obs=True, has_offscreen_renderer=True, camera_names=names, camera_heights=72, camera_widths=96)
environment = robosuite.make("HiermapKitchen", robots="Panda", kitchen=176001, **options)
seen = environment.reset()
print(min(len(np.unique(seen[f"{{name}}_image"].reshape(-1, 3), axis=0)) for name in names))
"""


@pytest.mark.parametrize("backend", ["osmesa", "egl"])
def test_robosuites_own_renderer_shows_them_too(backend: str, kitchen: Kitchen) -> None:
    if probe_gl(backend) is not None:
        pytest.skip(f"{backend} does not draw here")
    program = [sys.executable, "-c", IN_ROBOSUITE]
    done = subprocess.run(program, env={**os.environ, "MUJOCO_GL": backend}, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) > 300


ELSEWHERE = """
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.photograph import Photographer
from hiermap.worlds.errors import ConfigError
model = Kitchen(176001).dressed()
for _ in range(2):
    print(Photographer(model)._gl is None)
    try:
        Photographer(model, renderer="gl")
    except ConfigError as error:
        print(error)
"""


def test_without_a_graphics_library_rays_are_taken_and_gl_is_refused_in_words() -> None:
    """Trying it in the same process would abort that at the second time."""
    clean = {key: value for key, value in os.environ.items() if key not in ("MUJOCO_GL", "DISPLAY")}
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=clean, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0::2] == ["True", "True"] and all("does not draw here" in line and "MUJOCO_GL=egl" in line for line in lines[1::2])

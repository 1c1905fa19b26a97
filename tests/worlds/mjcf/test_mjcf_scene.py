"""The example's kitchen: where the arm is put, what is true in it, what a seed changes; and the walk-through's commands."""

import json
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hiermap.cli import main
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene
from hiermap.worlds.mjcf.parts import PLATFORM
from hiermap.worlds.simulator.rays import EXACT_GROUP

EXAMPLE = Path(__file__).parents[3] / "examples/bring_your_own_kitchen/kitchen.xml"


@pytest.fixture(scope="module")
def kitchen() -> MjcfScene:
    return MjcfScene(EXAMPLE)


def holds(kitchen: MjcfScene) -> set[str]:
    return {name for name, true in kitchen.truth(kitchen.vocabulary()).items() if true}


def write(tmp_path: Path, bodies: str) -> Path:
    path = tmp_path / "scene.xml"
    path.write_text(f"<mujoco><worldbody>{bodies}</worldbody></mujoco>")
    return path


def test_the_arm_is_put_before_the_fronts_with_every_part_in_sight(kitchen: MjcfScene) -> None:
    assert kitchen.base[3] == pytest.approx(np.pi / 2) and abs(kitchen.base[0]) < 0.05 and kitchen.base[1] < -0.5
    masks = kitchen.masks()
    assert all(masks[name].sum() >= 12 for name in (*kitchen.parts.fixtures, *kitchen.parts.things)) and PLATFORM not in masks
    drawers = [np.argwhere(masks[f"{side}_drawer"])[:, 1].mean() for side in ("left", "right")]
    assert drawers[0] < drawers[1]


def test_what_holds_at_first_is_what_is_written(kitchen: MjcfScene) -> None:
    assert holds(kitchen) == {"closed(left_drawer)", "closed(right_drawer)", "closed(cupboard)", "off(burner)"}


def test_a_seed_changes_the_start_and_only_the_seed(kitchen: MjcfScene) -> None:
    starts = []
    for seed in (1, 2, 1):
        kitchen.perturb(np.random.default_rng(seed))
        starts.append((kitchen.data.qpos.copy(), kitchen.snapshot()))
        assert all(contact.dist > -0.003 for contact in kitchen.data.contact)
    assert np.array_equal(starts[0][1], starts[2][1]) and not np.allclose(starts[0][0], starts[1][0])


def test_a_thing_in_an_open_drawer_is_inside_and_not_on_the_tray(kitchen: MjcfScene) -> None:
    before = kitchen.snapshot()
    fixture, mug = kitchen.parts.fixtures["left_drawer"], kitchen.parts.things["mug"]
    kitchen.data.qpos[kitchen.model.jnt_qposadr[fixture.joint]] = fixture.far
    mujoco.mj_forward(kitchen.model, kitchen.data)
    behind_front = kitchen.data.xpos[fixture.body] + np.array([0.12, 0.0, -0.03])
    kitchen.data.qpos[kitchen.model.jnt_qposadr[kitchen.model.body_jntadr[mug]] :][:3] = behind_front
    asked = [Predicate("inside", ("mug", "left_drawer")), Predicate("open", ("left_drawer",)), Predicate("on_top", ("mug", "tray"))]
    assert list(kitchen.truth(asked).values()) == [True, True, False]
    kitchen.restore(before)
    assert list(kitchen.truth(asked).values())[:2] == [False, False]


def test_meshes_are_seen_as_they_are(tmp_path: Path) -> None:
    octahedron = "0.1 0 0 -0.1 0 0 0 0.1 0 0 -0.1 0 0 0 0.1 0 0 -0.1"
    path = tmp_path / "scene.xml"
    path.write_text(
        f'<mujoco><asset><mesh name="gem" vertex="{octahedron}"/></asset><worldbody><geom type="plane" size="2 2 0.1"/>'
        '<body name="gem" pos="0 0 0.3"><joint name="gem" range="0 1"/><geom type="mesh" mesh="gem"/></body></worldbody></mujoco>'
    )
    scene = MjcfScene(path, base=(-0.62, 0.0, 0.0, 0.0))
    assert EXACT_GROUP in scene.model.geom_group
    view, mask = scene.view(), scene.masks()["gem"]
    offset = np.abs(view.points[mask & view.valid] - [0.62, 0.0, 0.3]).sum(axis=1)
    assert mask.sum() > 100 and np.median(np.abs(offset - 0.1)) < 0.01  # an octahedron is where the sum is 0.1


@pytest.mark.parametrize(
    ("bodies", "base", "message"),
    [
        ('<body name="far" pos="50 0 0"><joint range="0 1"/><geom size="0.1"/></body>', (0.0, 0.0, 0.0, 0.0), None),
        ('<body name="mug" pos="0.6 0 1"><freejoint/><geom size="0.03"/></body>', None, "'mug' falls or jumps"),
        ('<body name="big" pos="0.6 0 0.3"><joint range="0 1"/><geom size="1e9"/></body>', (0.0, 0.0, 0.0, 0.0), "unstable scene"),
        ('<body name="robot0_base"><joint name="d" range="0 1"/><geom size="0.1"/></body>', None, "robot0_base"),
    ],
)
def test_scenes_that_do_not_hold_are_refused(tmp_path: Path, bodies: str, base: tuple | None, message: str | None) -> None:
    path = write(tmp_path, bodies)
    if message is None:  # out of reach, but the place was told
        assert not MjcfScene(path, base).masks()["far"].any()
        return
    with pytest.raises(ConfigError, match=message):
        MjcfScene(path, base)


def test_the_walk_through_works(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    words = ["task=goal", "goal=inside(mug, left_drawer) and closed(left_drawer)", "kitchen=mjcf", f"kitchen.path={EXAMPLE}"]
    assert main(["plan", *words, "execute=true", f"out={tmp_path}"]) == 0
    assert "the goal truly holds" in capsys.readouterr().out
    assert json.loads((tmp_path / "plan.json").read_text())["execution"]["primitives"] <= 6
    assert main(["plan", *words[:1], "goal=open(fridge)", *words[2:], f"out={tmp_path / 'other'}"]) == 2
    assert "it knows open(left_drawer)" in capsys.readouterr().err

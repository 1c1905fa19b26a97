"""The Gymnasium environments obey Gymnasium's own checker, repeat themselves, show themselves and know when a task is done."""

import gc
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import hiermap  # noqa: F401 (registers the environment)
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import CameraView, Observation
from hiermap.worlds.errors import ConfigError, InvalidGoalError
from hiermap.worlds.goals import Predicate, in_words
from hiermap.worlds.gym import controls, observations
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.gym.goal_encoding import goal_of
from hiermap.worlds.gym.options import CONTROLS, OBSERVATIONS
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.tasks.kitchens import KITCHENS

NOTHING = np.array([1, 40, 60, 3])
"""A cell and bin that mean nothing."""


EVERY = [("hiermap/Kitchen-v0", control, obs) for control in CONTROLS for obs in OBSERVATIONS]
SOME = [("hiermap/Chain-v0", control, obs) for control, obs in zip(CONTROLS, OBSERVATIONS, strict=True)]
REST = sorted({("hiermap/Chain-v0", control, obs) for control in CONTROLS for obs in OBSERVATIONS} - {*SOME})


@pytest.mark.parametrize(("name", "control", "obs"), [*EVERY, *SOME, *(pytest.param(*words, marks=pytest.mark.slow) for words in REST)])
def test_after_import_hiermap_gymnasium_makes_environments_that_pass_its_checker(name: str, control: str, obs: str):
    environment = gymnasium.make(name, control=control, obs=obs, first_seed=175000, seeds=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(environment.unwrapped, skip_render_check=True)


def test_names_are_told_once():
    assert (tuple(controls.CONTROLS), tuple(observations.OBSERVATIONS), tuple(observations.FELT)) == (CONTROLS, OBSERVATIONS, CONTROLS)


@pytest.mark.parametrize("length", [0, 11, "three", None])
def test_a_chain_that_does_not_exist_is_refused(length: object):
    with pytest.raises(ConfigError, match="whole number from 1 to 10"):
        gymnasium.make("hiermap/Chain-v0", length=length)


@pytest.mark.parametrize(("key", "value"), [("control", "torque"), ("obs", "pixels"), ("kitchen", "franka"), ("suite", "chain-99")])
def test_a_word_that_is_not_known_is_refused(key: str, value: str):
    with pytest.raises(ConfigError, match=f"{key}='{value}' is unknown"):
        KitchenEnv(**{key: value})


@pytest.mark.parametrize(("key", "value"), [("max_steps", 0), ("seeds", 0), ("first_seed", -1), ("max_steps", 2.5), ("seeds", "x")])
def test_a_number_that_makes_no_sense_is_refused(key: str, value: float):
    with pytest.raises(ConfigError, match=f"{key}={value!r}; expected a whole number"):
        KitchenEnv(**{key: value})


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("seeds", True, "seeds=true; expected a whole number"),
        ("sensing", 3, "sensing=3; expected a SensingOptions"),
        ("sensing", {}, "sensing={}; expected a SensingOptions"),
        ("frame", None, "frame=null; expected a SpatialFrame"),
        ("tell", None, "tell=null; expected a function"),
        ("render_mode", "png", "render_mode='png' is unknown"),
    ],
)
def test_what_is_of_another_kind_is_refused(key: str, value: object, told: str):
    with pytest.raises(ConfigError, match=told):
        KitchenEnv(**{key: value})


@pytest.mark.parametrize("options", ["x", 5, *({"task": task} for task in (-1, "x", None, 1.5, True, []))])
def test_options_that_fix_no_task_are_refused(options: object):
    with pytest.raises(ConfigError, match=r"^options( task)?=.*; expected "):
        KitchenEnv(kitchen="toy", suite="chain-1").reset(seed=1, options=options)


def test_more_seeds_than_can_be_drawn_from_are_cut():
    KitchenEnv("chain-1", kitchen="toy", seeds=10**30).reset(seed=1)


def test_a_goal_that_nobody_can_judge_is_refused():
    environment, task = KitchenEnv(), KITCHENS["hiermap"]("free", 2, None)
    thing = task.scene.spec.objects[0].name
    with pytest.raises(InvalidGoalError, match=rf"the goal open\({thing}\) can never be true here"):
        environment.reset(options={"task": replace(task, predicates=(Predicate("open", (thing,)),))})


def test_environments_can_be_stepped_side_by_side():
    many = gymnasium.make_vec("hiermap/Chain-v0", num_envs=2, vectorization_mode="sync", control="joint", obs="state", first_seed=175000)
    observed, _ = many.reset(seed=1)
    after, *_ = many.step(many.action_space.sample())
    assert observed["goal_masks"].shape[0] == after["privileged_things"].shape[0] == len(after["goal_words"]) == 2


def test_a_goal_is_observed_as_it_was_drawn_and_stays():
    environment = KitchenEnv("chain-3", obs="state")
    before, told = environment.reset(options={"task": 175003})
    after = environment.step(NOTHING)[0]
    task = environment.task
    names = list(dict.fromkeys(name for predicate in task.predicates for name in predicate.arguments))
    goal, masks = goal_of(before), task.scene.masks()
    assert [p.kind for p in goal.predicates] == [p.kind for p in task.predicates] and len(told["goal"]) == len(goal.predicates)
    for number, name in enumerate(names):
        assert np.array_equal(before["goal_masks"][number], masks[name])
        assert before["privileged_things"][number, 1:4] == pytest.approx(task.scene.things()[name].middle_world)
    assert before["goal_words"] == in_words(task.predicates)
    assert all(np.array_equal(before[key], after[key]) for key in ("goal_predicates", "goal_masks", "goal_words"))


def test_images_and_poses_of_the_cameras_show_the_points_that_the_view_shows():
    environment = KitchenEnv(obs="cameras")
    observed, _ = environment.reset(options={"task": 175001})
    images = [{key: observed[f"camera_{i}_{key}"] for key in ("rgb", "depth", "K", "T_camera_to_world")} for i in range(3)]
    views = tuple(CameraView(i["rgb"], np.where(i["depth"] > 0, i["depth"], np.nan), i["K"], i["T_camera_to_world"]) for i in images)
    scene = environment.task.scene
    fused, seen = fuse(Observation(views, scene.gripper(), scene.observe().body)), scene.view()
    assert (np.abs(fused.depth - seen.depth)[fused.valid & seen.valid] < 2e-4).mean() > 0.99
    assert observed["holding"] == [0] and observed["gripper_width"] == pytest.approx(scene.gripper().width)


def test_the_privileged_state_follows_what_moves():
    environment = KitchenEnv(obs="state")
    environment.reset(options={"task": 175002})
    scene = environment.task.scene
    fixture = next(f for f in scene.spec.fixtures if f.kind == "drawer")
    state = scene.scene()
    states = []
    for fraction in (0.0, 1.0):
        scene.set_scene(replace(state, fractions={**state.fractions, fixture.name: fraction}))
        states.append(scene.things()[fixture.name])
    assert [s.fraction for s in states] == pytest.approx([0.0, 1.0], abs=0.02)
    way = np.subtract(states[1].middle_world, states[0].middle_world)
    assert way == pytest.approx(fixture.joint_range * np.array(fixture.joint_axis_world), abs=0.01)


def test_under_fine_control_a_goal_has_to_last():
    task = KITCHENS["hiermap"]("free", 2, None)
    shut = next(f.name for f in task.scene.spec.fixtures if f.kind == "drawer")
    state = task.scene.scene()
    task.scene.set_scene(replace(state, fractions={**state.fractions, shut: 0.0}))
    environment = KitchenEnv(control="joint", obs="state", max_steps=100)
    environment.reset(options={"task": replace(task, predicates=(Predicate("closed", (shut,)),))})
    done = [environment.step(np.zeros(8, np.float32))[2] for _ in range(environment.control.lasting_steps)]
    assert done == [False] * (environment.control.lasting_steps - 1) + [True]


def test_an_episode_is_truncated_after_its_steps():
    environment = KitchenEnv(obs="state", max_steps=2)
    environment.reset(options={"task": 2})
    assert [environment.step(NOTHING)[3] for _ in range(2)] == [False, True]


def test_a_picture_shows_the_arm_that_moves():
    environment = KitchenEnv(control="osc", obs="state", render_mode="rgb_array")
    environment.reset(options={"task": 175000})
    pictures = [environment.render()]
    for _ in range(10):
        environment.step(np.array([0, 1, 0, 0, 0, 0, 1]))
    pictures.append(environment.render())
    assert pictures[0].shape == (480, 640, 3) and pictures[0].dtype == np.uint8
    assert 0.01 < (pictures[0] != pictures[1]).any(axis=-1).mean() < 0.5


def test_gymnasium_records_videos(tmp_path: Path):
    pytest.importorskip("moviepy", reason="RecordVideo needs moviepy, which hiermap does not")
    made = gymnasium.make("hiermap/Chain-v0", control="osc", obs="state", render_mode="rgb_array", first_seed=175000, max_steps=5)
    environment = gymnasium.wrappers.RecordVideo(made, str(tmp_path))
    environment.reset(seed=0)
    while not environment.step(environment.action_space.sample())[3]:
        pass
    environment.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".mp4"]


def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"needs a display.*rgb_array"):
        KitchenEnv(render_mode="human")
    assert KitchenEnv().metadata["render_modes"] == ["rgb_array"]


def test_a_display_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("mujoco.viewer.glfw.init", lambda: False)
    with pytest.raises(ConfigError, match=r"cannot open a window \(GLFW finds no display that answers\); take render_mode='rgb_array'"):
        KitchenEnv(obs="state", render_mode="human").reset(options={"task": 2})


def test_a_window_shows_every_step(monkeypatch: pytest.MonkeyPatch):
    seen = []
    shown = SimpleNamespace(sync=lambda: seen.append("sync"), close=lambda: seen.append("close"))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("mujoco.viewer.glfw.init", lambda: True)
    monkeypatch.setattr("mujoco.viewer.launch_passive", lambda model, data, **_: shown, raising=False)
    environment = KitchenEnv(obs="state", render_mode="human")
    for _ in range(2):
        environment.reset(options={"task": 2})
        environment.step(NOTHING)
    environment.close()
    assert seen == ["sync", "sync", "close"] * 2


def test_a_seed_gives_the_same_kitchen_and_the_same_picture():
    pictures = [KitchenEnv().reset(seed=11)[0] for _ in range(2)]
    assert all(np.array_equal(pictures[0][key], pictures[1][key]) for key in pictures[0])


def test_an_action_on_an_unused_bin_changes_nothing_and_says_so():
    environment = KitchenEnv()
    before, told = environment.reset(seed=2)
    after, reward, terminated, truncated, info = environment.step(NOTHING)
    assert told["goal"] == ()
    assert (reward, terminated, truncated, info["reason"]) == (0.0, False, False, "nothing_there")
    assert np.array_equal(before["rgb"], after["rgb"])


def test_what_truly_holds_is_rewarded_and_ends_the_episode():
    task = KITCHENS["hiermap"]("free", 2, None)
    shut = next(f.name for f in task.scene.spec.fixtures if f.kind == "drawer")
    environment = KitchenEnv()
    for fraction, expected in ((1.0, (0.0, False)), (0.0, (1.0, True))):
        scene = task.scene.scene()
        task.scene.set_scene(replace(scene, fractions={**scene.fractions, shut: fraction}))
        environment.reset(options={"task": replace(task, predicates=(Predicate("closed", (shut,)),))})
        assert environment.step(NOTHING)[1:3] == expected


def test_any_scene_of_the_registry_serves():
    name, instance = next((name, i) for name, i in TOY_INSTANCES.items() if i.shortest)
    environment = KitchenEnv(f"chain-{instance.shortest}", kitchen="toy", frame=ToyScene(instance.kitchen).frame)
    observed, told = environment.reset(options={"task": 0})
    assert environment.observation_space.contains(observed) and told["goal"], name
    assert environment.step(np.array([list(PRIMITIVES).index("pull"), 0, 0, 0]))[1] == 0.0


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_ten_thousand_resets_keep_their_memory():
    environment, after = KitchenEnv(), []
    for number in range(10_000):
        environment.reset(options={"task": 100_000 + number % 500})
        if number % 1000 == 999:
            gc.collect()
            after.append(resident())
    # The first thousand fill what is kept: compiled code, the latest tables, arenas of the allocator.
    assert after[-1] <= 1.01 * after[0], [f"{size / 2**20:.1f} MiB" for size in after]

"""The Gymnasium environment obeys Gymnasium's own checker, repeats itself and knows when a task is done."""

import gc
import os
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import hiermap  # noqa: F401 (registers the environment)
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.goals import Predicate
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene
from hiermap.worlds.tasks.kitchens import KITCHENS

NOTHING = np.array([1, 40, 60, 3])
"""A cell and bin that mean nothing."""


def test_after_import_hiermap_gymnasium_makes_an_environment_that_passes_its_checker():
    check_env(gymnasium.make("hiermap/Kitchen-v0").unwrapped, skip_render_check=True)


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

"""The Gymnasium environment obeys Gymnasium's own checker and repeats itself."""

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

import hiermap  # noqa: F401 (registers the environment)
from hiermap.worlds.simulator.gym_env import KitchenEnv


def test_after_import_hiermap_gymnasium_makes_an_environment_that_passes_its_checker():
    check_env(gymnasium.make("hiermap/Kitchen-v0").unwrapped, skip_render_check=True)


def test_a_seed_gives_the_same_kitchen_and_the_same_picture():
    pictures = [KitchenEnv().reset(seed=11)[0] for _ in range(2)]
    assert all(np.array_equal(pictures[0][key], pictures[1][key]) for key in pictures[0])


def test_an_action_on_an_unused_bin_changes_nothing_and_says_so():
    environment = KitchenEnv()
    before, _ = environment.reset(seed=2)
    after, reward, terminated, truncated, info = environment.step(np.array([1, 40, 60, 3]))
    assert (reward, terminated, truncated, info["reason"]) == (0.0, False, False, "nothing_there")
    assert np.array_equal(before["rgb"], after["rgb"])


def test_success_is_rewarded_once_and_ends_the_episode():
    environment = KitchenEnv(success=lambda kitchen: kitchen.scene().held is None)
    environment.reset(seed=2)
    _, reward, terminated, _, _ = environment.step(np.array([1, 40, 60, 3]))
    assert (reward, terminated) == (1.0, True)

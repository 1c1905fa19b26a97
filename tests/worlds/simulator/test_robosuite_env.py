"""robosuite makes the kitchen by name, and says nothing about parts that are not used here."""

import subprocess
import sys

import numpy as np
import pytest
import robosuite
from robosuite.wrappers import GymWrapper

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.simulator.robosuite_env import HiermapKitchen

MAKE = """
environment = robosuite.make("HiermapKitchen", robots="Panda", kitchen=150006)
environment.reset()
_, reward, done, _ = environment.step([0.0] * environment.action_dim)
print(type(environment).__name__, reward, done)
"""


def made_after(imports: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", f"{imports}\n{MAKE}"], capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    "imports", ["import hiermap, robosuite", "import robosuite, hiermap", "import robosuite.utils, hiermap, robosuite"]
)
def test_robosuite_makes_and_steps_it_whichever_is_imported_first(imports: str):
    assert made_after(imports).stdout.split()[-3:] == ["HiermapKitchen", "0.0", "False"]


def test_it_can_be_wrapped_as_a_gymnasium_environment_by_robosuite():
    environment = GymWrapper(robosuite.make("HiermapKitchen", robots="Panda", kitchen=150006))
    observed, _ = environment.reset(seed=1)
    after, reward, *ends, _ = environment.step(np.zeros(environment.action_space.shape))
    assert observed.shape == after.shape == environment.observation_space.shape and np.isfinite(after).all()
    assert (reward, *ends) == (0.0, False, False)


def test_another_robot_is_refused_in_one_sentence():
    for robots in ("Baxter", ["Panda", "Panda"], "", None):
        with pytest.raises(ConfigError, match="built around one arm"):
            HiermapKitchen(robots=robots)


def test_a_process_that_meets_robosuite_through_hiermap_is_not_warned_of_parts_that_are_not_used():
    done = made_after("import hiermap.worlds.simulator.kitchen, robosuite")
    assert "WARNING" not in done.stdout + done.stderr

"""robosuite makes the kitchen by name, and says nothing about parts that are not used here."""

import subprocess
import sys

SCRIPT = """
import hiermap.worlds.simulator.robosuite_env
import robosuite
environment = robosuite.make("HiermapKitchen", robots="Panda", kitchen=150006)
environment.reset()
_, reward, done, _ = environment.step([0.0] * environment.action_dim)
print(type(environment).__name__, reward, done)
"""


def test_robosuite_makes_and_steps_it_after_one_import_and_warns_of_nothing():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["HiermapKitchen", "0.0", "False"]
    assert "WARNING" not in done.stdout + done.stderr

"""Whatever is wrong with somebody's policy is told in one sentence that says whose it is, what was got and what was expected."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.gym.options import PolicyOptions
from hiermap.worlds.gym.policy import STOPPED, TRUNCATED, about_policy, policy_of, run_episode
from hiermap.worlds.imagined.toy import TOY_FRAME
from hiermap.worlds.tasks.kitchens import KITCHENS

SOURCE = """
import numpy as np
number = 3
class Known:
    privileged = True
    def reset(self, observation, task): self.task = task
    def act(self, observation): raise KeyError(self.task.suite)
class Still:
    def __init__(self, action=(1, 0, 0, 0)): self.action = action
    def reset(self, observation): pass
    def act(self, observation): return self.action if self.action is None else np.array(self.action)
class Deaf:
    def act(self, observation): return None
def broken(): raise ZeroDivisionError("by nothing")
def leaving(): raise SystemExit(3)
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "somebodys.py").write_text(SOURCE)
    (tmp_path / "unimportable.py").write_text("import numpyy\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("somebodys", "unimportable"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("nowhere:Policy", {}, "policy=nowhere:Policy: no module 'nowhere' on Python's path or in"),
        ("somebodys.deeper:Policy", {}, "no module 'somebodys.deeper'"),
        ("unimportable:Policy", {}, r"raised ModuleNotFoundError when it was imported \(unimportable.py, line 1\).*numpyy"),
        ("somebodys:Absent", {}, "somebodys has no function or class 'Absent'; it has Known, Still, Deaf, broken, leaving"),
        ("somebodys:number", {}, "no function or class 'number'"),
        ("somebodys:broken", {}, r"raised ZeroDivisionError when it was made \(somebodys.py, line 14\): 'by nothing'"),
        ("somebodys:leaving", {}, r"raised SystemExit when it was made \(somebodys.py, line 15\): '3'"),
        ("somebodys:Still", {"speed": 1}, "raised TypeError when it was made"),
        ("somebodys:Deaf", {}, "made a Deaf without reset"),
    ],
)
def test_what_is_no_policy_is_refused(name: str, options: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        policy_of(name, options)
    assert "\n" not in str(refused.value)


def played(name: str, **options: object):
    environment = KitchenEnv("chain-1", kitchen="toy", frame=TOY_FRAME, max_steps=4)
    task = KITCHENS["toy"]("chain-1", 0, None)
    return run_episode(environment, task, policy_of(name, options), name, about_policy(name)["privileged"])


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ((1, 0, 0), r"in act: the action has shape \(3,\), expected \(4,\) for MultiDiscrete"),
        ((9, 0, 0, 0), r"the action is \[9, 0, 0, 0\], expected one of MultiDiscrete"),
        ((1, -1, 0, 0), "expected one of MultiDiscrete"),
        ((1.5, 0, 0, 0), "expected one of MultiDiscrete"),
        ((np.nan, 0, 0, 0), "expected finite numbers"),
        (("a", "b", "c", "d"), "expected finite numbers"),
        ("left", r"has shape \(\)"),
    ],
)
def test_what_is_no_action_is_refused(action: object, said: str) -> None:
    with pytest.raises(ConfigError, match=f"policy=somebodys:Still, .*{said}"):
        played("somebodys:Still", action=action)


def test_an_error_of_a_policy_says_where_it_is() -> None:
    with pytest.raises(ConfigError, match=r"raised KeyError in act \(somebodys.py, line 7\): .*chain-1"):
        played("somebodys:Known")


def test_an_episode_ends_when_its_steps_are_over_or_nothing_is_left_to_do() -> None:
    still, stopped = played("somebodys:Still"), played("somebodys:Still", action=None)
    assert (still.success, still.reason, still.steps) == (False, TRUNCATED, 4)
    assert (stopped.success, stopped.reason, stopped.steps) == (False, STOPPED, 0)


def test_results_know_who_is_told_the_truth_and_what_the_module_was() -> None:
    told = [about_policy(f"somebodys:{name}") for name in ("Known", "Still")]
    assert [about["privileged"] for about in told] == [True, False]
    assert told[0]["sha256"] == told[1]["sha256"] and len(told[0]["sha256"]) == 64


@pytest.mark.parametrize("factory", ["module", ":name", "module:", "module:a-b", "module:a:b"])
def test_a_factory_is_named_by_module_and_name(factory: str) -> None:
    with pytest.raises(ConfigError, match="expected module:name"):
        PolicyOptions(factory)

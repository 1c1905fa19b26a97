"""Anyone's policy: what it has to be, how it is found, and one episode of it."""

import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hiermap.system.files import file_sha256
from hiermap.worlds.errors import ConfigError, HiermapError
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.records import shown
from hiermap.worlds.scene import PosedTask

TRUNCATED, STOPPED = "truncated", "policy_stopped"
"""Why an episode ended without success: its steps were over, or the policy had nothing left to do."""


class Policy(Protocol):
    """What a factory makes; it knows nothing but observations.

    One whose factory has `privileged = True` is told the `PosedTask` too, truth and all, as a second argument of `reset`; results say so.
    """

    def reset(self, observation: Mapping[str, Any]) -> None:
        """An episode begins; the observation holds the goal, as every one does."""

    def act(self, observation: Mapping[str, Any]) -> np.ndarray | None:
        """An action of the environment's space; None when there is nothing left to do, which ends the episode."""


Factory = Callable[..., Policy]


@dataclass(frozen=True)
class Episode:
    """How an episode went.

    Attributes:
        success: the judge's word.
        reason: "" on success, else `TRUNCATED` or `STOPPED`.
        steps: of the environment.
        act_seconds: mean wall-clock time of `Policy.act`, and of `reset` with the first [s].
    """

    success: bool
    reason: str
    steps: int
    act_seconds: float


def factory_of(name: str) -> Factory:
    """The factory "module:name" of a module on Python's path or in the present directory; ConfigError where there is none."""
    module, _, attribute = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    with blamed(name, "when it was imported"):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            raise ConfigError(f"policy={name}: no module {error.name!r} on Python's path or in {here}; start where it is") from error
    factory = getattr(found, attribute, None)
    if not callable(factory):
        public = ", ".join(name for name, value in vars(found).items() if callable(value) and not name.startswith("_"))
        raise ConfigError(f"policy={name}: {module} has no function or class {attribute!r}; it has {public or 'none'}")
    return factory


def is_privileged(factory: Factory) -> bool:
    """Whether what it makes is told the truth."""
    return bool(getattr(factory, "privileged", False))


def about_policy(name: str) -> dict[str, Any]:
    """What results keep of a policy: the digest of its module's file, and whether it is told the truth."""
    factory = factory_of(name)
    file = getattr(sys.modules[name.partition(":")[0]], "__file__", None)
    return {"sha256": None if file is None else file_sha256(Path(file)), "privileged": is_privileged(factory)}


def policy_of(name: str, options: Mapping[str, Any]) -> Policy:
    """What the factory makes of the options; ConfigError if that is no policy."""
    with blamed(name, "when it was made"):
        policy = factory_of(name)(**options)
    if missing := [part for part in ("reset", "act") if not callable(getattr(policy, part, None))]:
        raise ConfigError(
            f"policy={name} made a {type(policy).__name__} without {' and '.join(missing)}; expected reset(observation) and act"
        )
    return policy


def run_episode(environment: KitchenEnv, task: PosedTask, policy: Policy, name: str, privileged: bool = False) -> Episode:
    """One episode of the environment on a task, which it leaves as it is at the end.

    Raises:
        ConfigError: the policy raised an error or gave what is no action; the message says which and where.
        PhysicsError: the simulation diverged.
    """
    observation, _ = environment.reset(options={"task": task})
    started, spent, steps = time.perf_counter(), 0.0, 0
    with blamed(name, "in reset"):
        policy.reset(observation, *[task] * privileged)
    while True:
        with blamed(name, "in act"):
            action = policy.act(observation)
        spent += time.perf_counter() - started
        if action is None:
            return Episode(False, STOPPED, steps, spent / (steps + 1))
        with blamed(name, "in act"):
            observation, _, success, over, _ = environment.step(action)
        steps, started = steps + 1, time.perf_counter()
        if success or over:
            return Episode(success, "" if success else TRUNCATED, steps, spent / steps)


@contextmanager
def blamed(name: str, when: str) -> Iterator[None]:
    """In here an error is somebody's policy's, and told in one sentence; those of this project say enough but for whose they are."""
    try:
        yield
    except ConfigError as error:
        raise error if str(error).startswith("policy=") else ConfigError(f"policy={name}, {when}: {error}") from error
    except HiermapError:
        raise
    # Whatever it is: it may not even be possible to send it from one process to another.
    except (Exception, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        raise ConfigError(f"policy={name} raised {type(error).__name__} {when} ({where}): {shown(str(error))}") from error

"""What `hiermap view` can be told; loads neither torch nor mujoco."""

from dataclasses import dataclass
from typing import Annotated

from hiermap.evaluation.suites import RunOptions, Seed
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import one_of
from hiermap.worlds.tasks.chain_names import CHAINS, FREE, GOAL

HOST = "127.0.0.1"
"""Nobody but this machine is served."""
FPS = 10.0
"""States a second of simulated time that are shown of a motion."""


@dataclass(frozen=True, kw_only=True)
class ViewOptions(RunOptions):
    """The keys of `hiermap view`.

    Attributes:
        seed: any non-negative integer.
        task: chain-1 .. chain-10 for the goal of a task to begin with; goal=... says another one; without either the kitchen is in a random
            state and nothing is asked yet.
        port: of the page, which is served to this machine alone.
        open: open it in a browser, where there is a display.
        export: file of a page that stands alone, written instead of serving one; it shows the goal's plan and imagined futures.
        execute: with export, also act, and show what came.
        overwrite: replace an exported file that hiermap did not write.
    """

    seed: Seed = 0
    task: str = ""
    port: Annotated[int, 1, 65535] = 8088
    open: bool = True
    export: str = ""
    execute: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("task", self.task, ("", *CHAINS, GOAL))
        if self.kitchen.name == "toy":
            raise ConfigError("kitchen=toy has nothing to look at; take hiermap, wide or mjcf")
        if self.execute and not self.export:
            raise ConfigError("execute=true goes with export=FILE; in the live view press Next step or Run to the end")
        self.check_suite(CHAINS[0] if self.suite == FREE else self.suite)

    @property
    def suite(self) -> str:
        """Which kind of task is posed."""
        return self.task or (GOAL if self.goal.ask else FREE)

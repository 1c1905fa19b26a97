"""Units of work on many processes: one loop hands them out, gives those of lost workers out again and each result back once.

Who works is a crew: processes of this machine (`local_crew.py`) or a Ray cluster (`ray_crew.py`).
"""

import pickle
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Protocol, TypeVar

from hiermap.worlds.errors import ConfigError, HiermapError
from hiermap.worlds.records import Amount, check_fields, one_of, shown

Task = TypeVar("Task")
Result = TypeVar("Result")
UNITS_PER_PROCESS = 50
"""A worker is replaced after so many units, so that no simulator's memory adds up."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""One thread a process: sums come out alike on every machine, and workers do not fight over cores."""
LAUNCHERS = ("local", "ray")
WHO_WORKS = ("launcher", "workers", "max_retries", "hang_seconds", "ray")
"""Keys of `PoolOptions` that no result depends on."""
Workers = Annotated[int, 0, 1024]


class WorkerDiedError(HiermapError, RuntimeError):
    """Workers died over one unit of work more often than `max_retries` allows."""


@dataclass(frozen=True)
class RayOptions:
    """Which Ray cluster works.

    Attributes:
        address: host:port of a running cluster, or auto for the one this machine belongs to; null starts one of `workers` CPUs here.
    """

    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class PoolOptions:
    """Who does the work; what comes of it does not depend on it.

    Attributes:
        launcher: local (processes of this machine) or ray (a cluster; needs the extra `ray`).
        workers: processes, one thread each; 0 works in this one; a running Ray cluster works with every CPU it has instead.
        max_retries: how often a unit of work is given out again after its worker was lost.
        hang_seconds: a worker process of this machine that gives no sign of life for so long is killed, and so lost.
        shard: i/n does every n-th unit from the i-th (1 to n) on: n jobs of any batch system, merged by `hiermap data|results merge`.
        ray: which cluster.
    """

    launcher: str = "local"
    workers: Workers = 1
    max_retries: Annotated[int, 0, 1000] = 3
    hang_seconds: Amount = 60.0
    shard: str = "1/1"
    ray: RayOptions = field(default_factory=RayOptions)

    def __post_init__(self) -> None:
        check_fields(self)
        one_of("launcher", self.launcher, LAUNCHERS)
        if not self.hang_seconds > 0:
            raise ConfigError(f"hang_seconds={self.hang_seconds}; expected a number of seconds above 0, for example 60")
        place = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", self.shard)
        if not place or not 1 <= int(place[1]) <= int(place[2]):
            raise ConfigError(f"shard is {shown(self.shard)}, expected i/n with i from 1 to n, for example 2/8")

    @property
    def part(self) -> slice:
        """Which of all units this shard does."""
        first, count = map(int, self.shard.split("/"))
        return slice(first - 1, None, count)

    def mine(self, units: Iterable[Task]) -> Iterator[Task]:
        """Those of all units that this shard does."""
        return islice(units, self.part.start, None, self.part.step)


@dataclass(frozen=True)
class Unit:
    """A task and how often its worker was lost."""

    task: Any
    losses: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a unit gave, or the error that it raised."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Lost:
    """The worker was lost before it answered."""

    reason: str


class Crew(Protocol):
    """Who works."""

    @property
    def room(self) -> bool:
        """Whether to give out another unit."""

    @property
    def busy(self) -> bool:
        """Whether units are given out."""

    def give(self, unit: Unit) -> None:
        """Hand out a unit."""

    def take(self) -> tuple[Unit, Outcome | Lost]:
        """Wait for whichever unit is over first."""

    def close(self) -> None:
        """Stop whatever is under way."""


def run_all(
    prepare: Callable[[], Callable[[Task], Result]],
    tasks: Iterable[Task],
    options: PoolOptions,
    units_per_process: int = UNITS_PER_PROCESS,
    preload: Sequence[str] = (),
) -> Generator[Result, None, None]:
    """Each task's result once, as they are finished, in any order; close the iterator to stop early, which ends the workers.

    Args:
        prepare: called once in every process, gives the function of one task, which may run twice if its worker is lost; pickled.
        tasks: drawn as they are needed.
        options: who works.
        units_per_process: a worker is replaced after so many tasks.
        preload: modules that workers need, so that they load them once between them where processes can be forked.

    Raises:
        WorkerDiedError: a task's workers were lost too often; whatever a task itself raises is raised here.
    """
    if options.launcher == "local" and options.workers == 0:
        yield from map(prepare(), tasks)
        return
    left, again = map(Unit, tasks), deque[Unit]()
    with closing(_crew(pickle.dumps(prepare), options, units_per_process, preload)) as crew:
        _fill(crew, again, left)
        while crew.busy:
            unit, outcome = crew.take()
            if isinstance(outcome, Lost):
                again.append(_once_more(unit, outcome, options.max_retries))
            _fill(crew, again, left)  # before the result is used, so that nobody waits for that
            if isinstance(outcome, Outcome):
                yield _value(outcome)


def attempt(prepare: bytes, task: Any) -> Outcome:
    """In a worker: do one task with what the pickled `prepare` gives."""
    try:
        return Outcome(_prepared(prepare)(task))
    except Exception as error:
        return Outcome(error=error)


@lru_cache(maxsize=1)
def _prepared(prepare: bytes) -> Callable[[Any], Any]:
    return pickle.loads(prepare)()


def _crew(prepare: bytes, options: PoolOptions, units_per_process: int, preload: Sequence[str]) -> Crew:
    if options.launcher == "ray":
        from hiermap.system.ray_crew import RayCrew

        return RayCrew(prepare, options, units_per_process)
    from hiermap.system.local_crew import LocalCrew

    return LocalCrew(prepare, options, units_per_process, preload)


def _fill(crew: Crew, again: deque[Unit], left: Iterator[Unit]) -> None:
    while crew.room and (unit := again.popleft() if again else next(left, None)):
        crew.give(unit)


def _once_more(unit: Unit, lost: Lost, max_retries: int) -> Unit:
    if unit.losses == max_retries:
        raise WorkerDiedError(
            f"a worker died {unit.losses + 1} times over the same unit of work ({lost.reason}); what was finished is kept "
            "and the same command goes on from it, try fewer workers"
        )
    return replace(unit, losses=unit.losses + 1)


def _value(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.value

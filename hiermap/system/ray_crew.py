"""A Ray cluster at work: each unit is one Ray task, given out again by the pool and not by Ray."""

import logging
import os
import signal
import threading
from types import ModuleType
from typing import Any

from hiermap.system.pool import THREAD_VARIABLES, Lost, Outcome, PoolOptions, Unit, attempt
from hiermap.worlds.errors import ConfigError

LOOPBACK = "127.0.0.1"
AHEAD = 2
"""Units given out per CPU, so that none waits for the driver."""


class RayCrew:
    """A `hiermap.system.pool.Crew` of every CPU of a Ray cluster; whoever has called `ray.init` before keeps his connection."""

    def __init__(self, prepare: bytes, options: PoolOptions, units_per_process: int) -> None:
        self._ray = _ray(options.ray.address or LOOPBACK)
        self._ours = not self._ray.is_initialized()
        if self._ours:
            _connect(self._ray, options)
        environment = {"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")}
        remote = self._ray.remote(num_cpus=1, max_retries=0, max_calls=units_per_process, runtime_env=environment)
        self._attempt, self._prepare = remote(attempt), self._ray.put(prepare)
        self._given: dict[Any, Unit] = {}
        self._cpus = self._count_cpus()

    @property
    def room(self) -> bool:
        return len(self._given) < AHEAD * self._cpus

    @property
    def busy(self) -> bool:
        return bool(self._given)

    def give(self, unit: Unit) -> None:
        self._given[self._attempt.remote(self._prepare, unit.task)] = unit

    def take(self) -> tuple[Unit, Outcome | Lost]:
        (reference,), _ = self._ray.wait(list(self._given), num_returns=1)
        unit = self._given.pop(reference)
        self._cpus = self._count_cpus()
        try:
            return unit, self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return unit, Lost(f"{type(error).__name__}: {error}".partition("\n")[0])

    def close(self) -> None:
        if self._ours:
            self._ray.shutdown()
            return
        for reference in self._given:
            self._ray.cancel(reference, force=True)

    def _count_cpus(self) -> int:
        """Nodes come and go."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)))


def _ray(address: str) -> ModuleType:
    """The package, told to report no usage and to keep a loopback address instead of looking for another one of this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address.startswith(LOOPBACK):
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # Ray's name for a cluster that spans machines
    try:
        import ray
    except ImportError as error:
        raise ConfigError("launcher=ray needs the package ray; run: pip install 'hiermap[ray]'") from error
    return ray


def _connect(ray: ModuleType, options: PoolOptions) -> None:
    """Join the cluster, or start one that only this machine can reach; ConfigError when there is none at the address."""
    handler = signal.getsignal(signal.SIGTERM)
    here = {"address": "local", "num_cpus": max(1, options.workers), "include_dashboard": False, "_node_ip_address": LOOPBACK}
    where = {"address": options.ray.address} if options.ray.address else here
    try:
        ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"ray.address={options.ray.address}: {error}; start a cluster with `ray start --head`") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray puts its own there, which knows nothing of what is to be kept

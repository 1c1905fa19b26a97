"""A real Ray cluster of two nodes on the loopback address: a node that is killed in the middle of the work loses and doubles nothing."""

import csv
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hiermap.data import collect as collect_module
from hiermap.data.collect import collect
from hiermap.data.manifest import read_manifest
from hiermap.data.verify import verify
from hiermap.evaluation.evaluate import evaluate
from hiermap.evaluation.results import PartialRows
from hiermap.system import pool
from hiermap.system.config import load_config
from hiermap.system.files import file_sha256
from hiermap.system.pool import PoolOptions, WorkerDiedError, run_all
from tests.hiermap.system.test_pool import environment, fatal_once

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read at import; without it Ray replaces the loopback address
ray = pytest.importorskip("ray", reason="launcher=ray needs the extra `ray`; run: pip install 'hiermap[ray]'")
NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": 100 << 20}


@pytest.fixture(scope="module")
def cluster() -> Iterator:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Cluster(initialize_head=True, head_node_args=NODE)
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def connected(cluster) -> Iterator:
    """Somebody's own connection, which the pool uses and leaves open."""
    yield ray.init(address=cluster.address, log_to_driver=False)
    assert ray.is_initialized()
    ray.shutdown()


@pytest.fixture
def second(cluster):
    """A second node, gone after the test whatever the test did to it."""
    node = cluster.add_node(**NODE)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


def at_work(node) -> bool:
    """Whether one of the node's processes does a unit just now: Ray tells by the process's name."""
    raylet = node.all_processes["raylet"][0].process.pid
    children = Path(f"/proc/{raylet}/task/{raylet}/children").read_text().split()
    return any("ray::attempt" in Path(f"/proc/{child}/cmdline").read_text() for child in children)


@dataclass
class Killer:
    """Kills a node while it is at work, once `after` results were adopted; gathers why units were lost."""

    cluster: Any
    node: Any
    after: int
    adopted: int = 0
    killed: bool = False
    lost: list[str] = field(default_factory=list)

    def before_each(self, adopt: Callable) -> Callable:
        def adopting(*arguments):
            self.adopted += 1
            if not self.killed and self.adopted >= self.after and at_work(self.node):
                self.killed = True
                self.cluster.remove_node(self.node, allow_graceful=False)
            return adopt(*arguments)

        return adopting

    def at_each_loss(self, once_more: Callable) -> Callable:
        def losing(unit, lost, max_retries):
            self.lost.append(lost.reason)
            return once_more(unit, lost, max_retries)

        return losing


@pytest.fixture
def killer(cluster, second, monkeypatch: pytest.MonkeyPatch) -> Killer:
    made = Killer(cluster, second, after=4)
    monkeypatch.setattr(pool, "_once_more", made.at_each_loss(pool._once_more))
    return made


def test_a_collection_survives_its_node(cluster, killer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 400 transitions make an episode of half a megabyte, which Ray keeps on the node that made it.
    words = ["source=toy", "interactions=9600", "interactions_per_episode=400", "seed=100000"]
    collect(load_config("collect", [*words, f"out={tmp_path / 'local'}", "workers=1"]))
    monkeypatch.setattr(collect_module, "store", killer.before_each(collect_module.store))
    collect(load_config("collect", [*words, f"out={tmp_path / 'ray'}", "launcher=ray", f"ray.address={cluster.address}"]))
    local, there = ({path.name: file_sha256(path) for path in (tmp_path / name).glob("*.npz")} for name in ("local", "ray"))
    assert killer.killed and killer.lost and len(there) == 24 and there == local
    assert verify(tmp_path / "ray").clean and read_manifest(tmp_path / "ray").twice == ()


def test_an_evaluation_survives_its_node(connected, killer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["suite=chain-8", "kitchen=toy", "world=simulator", "maps=oracle", "episodes=40", "seed=100000", "progress=false"]
    evaluate(load_config("evaluate", [*words, f"out={tmp_path / 'local'}", "workers=0"]))
    monkeypatch.setattr(PartialRows, "append", killer.before_each(PartialRows.append))
    evaluate(load_config("evaluate", [*words, f"out={tmp_path / 'ray'}", "launcher=ray"]))
    assert killer.killed and rows(tmp_path / "ray") == rows(tmp_path / "local")
    assert [row["episode"] for row in rows(tmp_path / "ray")] == [str(index) for index in range(40)]


def rows(out: Path) -> list[dict]:
    with (out / "episodes.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "plan_seconds"} for row in csv.DictReader(file)]


def fatal():
    return lambda _: os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_once_is_replaced_and_one_that_always_dies_is_an_error(connected, tmp_path: Path) -> None:
    options = PoolOptions(launcher="ray", max_retries=1)
    assert sorted(run_all(partial(fatal_once, tmp_path / "died"), range(3), options)) == [0, 1, 2]
    with pytest.raises(WorkerDiedError, match="died 2 times"):
        list(run_all(fatal, [0], options))
    assert set(run_all(environment, pool.THREAD_VARIABLES, options)) == {"1"}, "one thread a library"

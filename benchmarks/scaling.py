"""How collecting and evaluating scale: 1 and 2 local workers, 1 and 2 Ray nodes of one CPU each, start-up included.

Every side runs the same command on the same seeds in a process of its own, one after the other, and leaves the same episodes; a Ray cluster
(on the loopback address) stands before its command starts. What else the machine does falls on every side: the load is printed, and only on
an idle machine with two cores to spare do the ratios say how this project scales.

    python benchmarks/scaling.py [episodes=24] [interactions=1536] [seed=130000] [rounds=1]
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "OMP_NUM_THREADS": "1"}
NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
SIDES = ("1 local worker", "2 local workers", "1 Ray node", "2 Ray nodes")


@dataclass
class Measured:
    """What a command took on each side: wall seconds of every round, and the bytes it left."""

    command: str
    units: int
    walls: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    size: int = 0

    def ratio(self, side: str, peer: str) -> float:
        """How many times the throughput of `peer` a side has."""
        return median(self.walls[peer]) / median(self.walls[side])


@contextmanager
def launched(side: str) -> Iterator[list[str]]:
    """The words of a command that choose a side, its cluster standing."""
    number, kind, _ = side.split()
    if kind == "local":
        yield [f"workers={number}"]
        return
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        for _ in range(int(number) - 1):
            cluster.add_node(**NODE)
        yield ["launcher=ray", f"ray.address={cluster.address}"]
    finally:
        cluster.shutdown()


def run(side: str, measured: Measured) -> None:
    """Run the command on a side and enter how long it took."""
    with launched(side) as words, tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "hiermap", *measured.command.split(), f"out={out}/out", *words]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        measured.walls[side].append(time.perf_counter() - started)
        print(f"{measured.command.split()[0]}, {side}: {measured.walls[side][-1]:.1f} s", file=sys.stderr, flush=True)
        measured.size = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file())


def adopted_per_second(count: int = 300, size: int = 73_000) -> float:
    """Episodes of a usual size that the driver alone writes and lists in a second: what bounds the crew that one driver can feed."""
    from hiermap.data import manifest
    from hiermap.data.episodes import encode, file_name, store
    from hiermap.data.toy_episodes import toy_episode

    episode, content = toy_episode(0), os.urandom(size)
    record = manifest.describe(file_name("toy", 0), encode(file_name("toy", 0), episode), episode)
    with tempfile.TemporaryDirectory(dir=".") as out:
        started = time.perf_counter()
        for seed in range(count):
            manifest.append(Path(out), {**record, "file": store(Path(out), file_name("toy", seed), content).name})
        return count / (time.perf_counter() - started)


def report(measured: Measured) -> None:
    """The table of one command."""
    print(f"\nhiermap {measured.command}\n{'':16s} {'s':>8s} {'per s':>8s} {'x 1 local worker':>18s}")
    for side, walls in measured.walls.items():
        seconds = median(walls)
        print(f"{side:16s} {seconds:8.1f} {measured.units / seconds:8.3f} {measured.ratio(side, SIDES[0]):18.2f}")
    print(f"bytes left per unit {measured.size / measured.units:.0f}")
    for ray, local in (("1 Ray node", "1 local worker"), ("2 Ray nodes", "2 local workers")):
        print(f"{ray} against {local}: {measured.ratio(ray, local):.2f}")


def main(arguments: list[str]) -> None:
    """Print the tables and last of all `ratio NUMBER`: 2 local workers against 1, the worse of collecting and evaluating."""
    options = {"episodes": 24, "interactions": 1536, "seed": 130000, "rounds": 1}
    options |= {key: int(value) for key, value in (argument.split("=", 1) for argument in arguments)}
    commands = [
        Measured(f"collect source=rules seed={options['seed']} interactions={options['interactions']}", options["interactions"]),
        Measured(f"evaluate suite=chain-3 seed={options['seed']} episodes={options['episodes']}", options["episodes"]),
    ]
    print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}", flush=True)
    print(f"the driver alone adopts {adopted_per_second():.0f} episodes of 73 kB per s", flush=True)
    for _ in range(options["rounds"]):
        for measured in commands:
            for side in SIDES:
                run(side, measured)
    for measured in commands:
        report(measured)
    print(f"\nratio {min(measured.ratio(SIDES[1], SIDES[0]) for measured in commands):.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])

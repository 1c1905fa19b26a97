"""`make demo`: plan and carry out a few tasks in kitchens nobody trained on, and leave a report with pictures."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hiermap.evaluation.plan import plan
from hiermap.report.report import report
from hiermap.system.config import load_config
from hiermap.system.provenance import settings
from hiermap.system.run_folder import fingerprint, owned
from hiermap.worlds.errors import HiermapError

TASKS: Sequence[tuple[str, int]] = (("chain-1", 210001), ("chain-3", 210001), ("chain-5", 210003))
"""Suite and seed, in kitchens of the test families; tasks that the shipped weights solve (the README says how many they do not)."""

PATIENCE = "budget.seconds=20"
"""Per plan; a plan takes a second or two, and a demonstration should not wait for a lost cause."""


def demo(out: Path, tasks: Sequence[tuple[str, int]] = TASKS, overrides: Sequence[str] = ()) -> int:
    """Solve each task, write `report.html` over all of them and print where it is.

    Returns:
        0 if every task was solved, else 1.

    Raises:
        ConfigError: `out` holds something else than the same demonstration.
    """
    configs = [
        load_config("plan", [f"task={task}", f"seed={seed}", f"out={out / f'{task}_{seed}'}", "execute=true", PATIENCE, *overrides])
        for task, seed in tasks
    ]
    told = [word for word in overrides if not word.startswith("overwrite=")]
    run = fingerprint(settings({"tasks": tasks, "told": told}))
    with owned(out, {"command": "demo", **run}, any(config["overwrite"] for config in configs)):
        return _shown(out, configs)


def _shown(out: Path, configs: Sequence[dict]) -> int:
    lines = []
    for config in configs:
        started = time.perf_counter()
        print(f"== {config['task']}, kitchen {config['seed']}", flush=True)
        lines.append((config["task"], config["seed"], _solved(config), time.perf_counter() - started))
    print(f"\n{'task':10s} {'kitchen':>8s}  outcome     seconds")
    for task, seed, solved, seconds in lines:
        print(f"{task:10s} {seed:8d}  {'solved' if solved else 'NOT solved':10s} {seconds:8.1f}")
    print("\nreport (open it in a browser):")
    try:
        report(out)
    except HiermapError as error:
        print(f"hiermap: {error}", file=sys.stderr)
        return 1
    return 0 if all(solved for *_, solved, _ in lines) else 1


def _solved(config: dict) -> bool:
    try:
        return plan(config) == 0
    except HiermapError as error:
        print(f"hiermap: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    try:
        raise SystemExit(demo(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"), overrides=sys.argv[2:]))
    except HiermapError as error:
        raise SystemExit(f"hiermap: {error}") from None

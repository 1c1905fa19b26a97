"""Planning time on one thread: against an older commit in turns, by part, and against expansions, candidates, goal size and cells.

    git worktree add ../baseline e81fdc4
    OMP_NUM_THREADS=1 python benchmarks/planning.py [baseline=../baseline] [tasks=12] [seed=132000]

Seconds are the process's own CPU time, so that other work on the machine counts less. Both sides plan from the same views, posed once.
"""

import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sides import HERE, side

from hiermap.agent.planner import Planner
from hiermap.planners import Budget
from hiermap.worlds.goals import UNARY, Goal

SUITES = ("chain-5", "chain-10")
EXPANSIONS = 30
PARTS = ("encode", "things", "read", "answers", "told", "distances", "imagine", "decode", "promises", "decode_depth")
"""Calls of the model."""
Task = tuple[Any, Goal]


def plan(planner: Planner, task: Task, expansions: int = EXPANSIONS) -> tuple[float, Any]:
    """CPU seconds and the result."""
    begun = time.process_time()
    result = planner.plan(*task, Budget(600.0, expansions))
    return time.process_time() - begun, result


def serve(directory: str) -> None:
    """A side: plans the task `suite number`."""
    torch.set_num_threads(1)
    planner, warm = Planner.from_pretrained(), False
    for line in sys.stdin:
        suite, number = line.split()
        task = read_tasks(directory, suite)[int(number)]
        if not warm:
            plan(planner, task)  # compiles
            warm = True
        seconds, result = plan(planner, task)
        steps = ",".join(step.action.primitive for step in result.plan.steps)
        print("done", seconds, int(bool(result)), result.plan.cost, result.metrics["expansions"], steps or "-", flush=True)


def read_tasks(directory: str, suite: str) -> list[Task]:
    return pickle.loads((Path(directory) / suite).read_bytes())


def pose_tasks(directory: str, suite: str, count: int, seed: int) -> None:
    from hiermap.evaluation.problem import pose

    posed = [pose(suite, seed + k) for k in range(count)]
    (Path(directory) / suite).write_bytes(pickle.dumps([(problem.view, problem.goal) for problem in posed]))


def against(baseline: Path, directory: str, counts: dict[str, int]) -> None:
    print("| suite | n | baseline [s] | now [s] | ratio | solved | both solved: same primitives / cost now over then |")
    print("|---|---|---|---|---|---|---|")
    with ExitStack() as stack:
        before, now = (stack.enter_context(side(__file__, checkout, directory)) for checkout in (baseline, HERE))
        for suite, count in counts.items():
            old, new = zip(*[(before(suite, k), now(suite, k)) for k in range(count)], strict=True)
            then, today = (np.mean([float(answer[0]) for answer in answers]) for answers in (old, new))
            both = [(a, b) for a, b in zip(old, new, strict=True) if a[1] == b[1] == "1"]
            same = sum(sorted(a[4].split(",")) == sorted(b[4].split(",")) for a, b in both)
            cost = float(np.mean([float(b[2]) / float(a[2]) for a, b in both])) if both else float("nan")
            solved = f"{sum(a[1] == '1' for a in old)} then, {sum(b[1] == '1' for b in new)} now"
            print(f"| {suite} | {count} | {then:.2f} | {today:.2f} | {today / then:.2f} | {solved} | {same} of {len(both)} / {cost:.3f} |")


def by_part(planner: Planner, tasks: Sequence[Task]) -> None:
    spent = dict.fromkeys(PARTS, 0.0)

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            begun = time.process_time()
            try:
                return call(*arguments)
            finally:
                spent[name] += time.process_time() - begun

        return run

    model = planner.world.model  # type: ignore[attr-defined]
    for name in PARTS:
        setattr(model, name, timed(name, getattr(model, name)))
    total = sum(plan(planner, task)[0] for task in tasks)
    for name in PARTS:
        delattr(model, name)
    print(f"\nshare of planning time outside the model: {1 - sum(spent.values()) / total:.0%}; of the model:")
    print(", ".join(f"{name} {seconds / total:.0%}" for name, seconds in sorted(spent.items(), key=lambda item: -item[1])))


def growth(planner: Planner, tasks: Sequence[Task]) -> None:
    print("\n| what grows | from | to | seconds at each | times as much time per times as much of it |")
    print("|---|---|---|---|---|")
    row("expansions", [(n, [plan(planner, task, n)[0] for task in tasks]) for n in (8, 15, 30, 60)])
    some = planner.options
    sizes = []
    for top_k in (6, 12, 24, 48):
        planner.options = replace(some, peaks=replace(some.peaks, top_k=top_k, per_effect=top_k // 4 + 1))
        sizes.append((top_k, [plan(planner, task)[0] for task in tasks]))
    planner.options = some
    row("candidates", sizes)
    goals = [(n, [per_expansion(planner, (view, first(goal, n))) for view, goal in tasks]) for n in (1, 2, 4, 8)]
    row("predicates of the goal, an expansion", goals)
    row(
        "cells, one of each call of the model",
        [(rows * columns, parts_of_cells(rows, columns)) for rows, columns in ((48, 64), (64, 96), (96, 128), (128, 192))],
    )


def per_expansion(planner: Planner, task: Task) -> float:
    """Goals of few predicates are reached in few expansions."""
    seconds, result = plan(planner, task)
    return seconds / max(result.metrics["expansions"], 1)


def first(goal: Goal, count: int) -> Goal:
    predicates = goal.predicates[:count]
    named = {name for predicate in predicates for name in predicate.arguments}
    return Goal(predicates, {name: target for name, target in goal.targets.items() if name in named})


def parts_of_cells(rows: int, columns: int) -> list[float]:
    """What one expansion asks of a model of another frame: one imagined child and its beliefs, promises, maps."""
    from hiermap.model.config import ModelConfig
    from hiermap.model.world_model import HiermapModel

    model = HiermapModel(ModelConfig(rows=rows, columns=columns)).eval()
    masks = torch.zeros(1, 4, rows, columns, dtype=torch.bool)
    masks[..., rows // 2, columns // 2] = True
    action = torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long), torch.tensor([[rows // 2, columns // 2]])
    pairs, times = torch.tensor([[0, 1]]), []
    goal, holds = torch.tensor([[len(UNARY), 0, 1]]), torch.zeros(1, 1)
    with torch.inference_mode():
        latent = model.encode(torch.rand(1, 10, rows, columns))
        things = model.things(latent, masks)
        for _ in range(8):
            begun = time.process_time()
            child = model.imagine(latent, *action)
            reading = model.read(child, things)
            answers, promise = model.answers(reading, pairs), model.promises(child, reading, *action, pairs)
            model.told(answers), model.distances(child, reading.token, answers, goal, holds), model.decode(child)
            model.told(promise.answers), model.distances(child, promise.token, promise.answers, goal, holds, promised=True)
            times.append(time.process_time() - begun)
    return sorted(times)[:4]


def row(what: str, sizes: Iterable[tuple[int, list[float]]]) -> None:
    numbers = [(size, float(np.mean(times))) for size, times in sizes]
    (least, short), (most, long) = numbers[0], numbers[-1]
    print(
        f"| {what} | {least} | {most} | {', '.join(f'{t:.3f}' for _, t in numbers)} | {(long / short) / (most / least):.2f} |", flush=True
    )


def main(words: list[str]) -> None:
    options = {"tasks": "12", "seed": "132000", "baseline": "", **dict(word.split("=", 1) for word in words)}
    counts = {suite: int(options["tasks"]) // (1 + k) for k, suite in enumerate(SUITES)}
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        for suite, count in counts.items():
            pose_tasks(directory, suite, count, int(options["seed"]))
        if options["baseline"]:
            against(Path(options["baseline"]), directory, counts)
        planner, tasks = Planner.from_pretrained(), read_tasks(directory, "chain-10")
        plan(planner, tasks[0])
        by_part(planner, tasks)
        growth(planner, tasks[:4])


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["serve"] else main(sys.argv[1:])

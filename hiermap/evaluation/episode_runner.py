"""Runs trials under fixed options: one judged episode each, the same whatever process it runs in."""

import time

import numpy as np

from hiermap.agent.learned_maps import LazyWeights
from hiermap.evaluation.problem import PHYSICS, Attempt, attempts, planner_for, pose
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.single_primitive import Judged, run_single
from hiermap.evaluation.suites import LONG, SEQUELS, EvaluateOptions, Trial, chain_length
from hiermap.worlds.errors import PhysicsError

NO_FURTHER_GOAL = "no_further_goal"
"""All goals that could be posed in a row were reached, but they were fewer than the suite asks for."""


class Bench:
    """Judges trials, by the trial and the options alone, whatever the process; weights are loaded once, on first need."""

    def __init__(self, options: EvaluateOptions) -> None:
        self.options, self._learned = options, LazyWeights(options.weights)

    def __call__(self, trial: Trial) -> Judged:
        """One judged episode; a diverging simulation is a failure with its reason, never a success."""
        if self.options.needs_weights(trial.suite):
            self._learned.load()
        started = time.perf_counter()
        try:
            if trial.suite in LONG:
                return self._chain(trial, started)
            maps_of = self._learned.maps_of if self.options.maps == "learned" else None
            return run_single(trial, maps_of, self.options.pictures, self.options.sensing, self.options.kitchen.robot)
        except PhysicsError:
            length, seconds = chain_length(trial.suite), time.perf_counter() - started
            return EpisodeRow(trial.episode, trial.seed, trial.suite, length, 0, False, 0, length, 0, 0.0, PHYSICS, "", seconds), None

    def _chain(self, trial: Trial, started: float) -> Judged:
        problem = pose(trial.suite, trial.seed, self.options)
        planner = planner_for(self.options, problem, self._learned)
        wanted = SEQUELS.get(trial.suite, 1)
        goals = attempts(problem, planner, self.options, wanted)
        first, done = goals[0], goals[-1]
        executions = [goal.execution for goal in goals if goal.execution is not None]  # all: attempts act
        plans = [plan.metrics.get("seconds", 0.0) for execution in executions for plan in execution.plans]
        fewer = bool(done.success) and len(goals) < wanted
        row = EpisodeRow(
            trial.episode,
            trial.seed,
            problem.task.suite,
            chain_length=chain_length(trial.suite),
            detours=problem.task.detours,
            success=bool(done.success) and not fewer,
            primitives=sum(execution.primitives for execution in executions),
            shortest=chain_length(trial.suite),
            replans=sum(execution.replans for execution in executions),
            plan_seconds=float(np.mean(plans)) if plans else 0.0,
            failure_reason=NO_FURTHER_GOAL if fewer else done.failure_reason,
            episode_seconds=time.perf_counter() - started,
            planned=len(first.result.plan) if first.result else 0,
            promised=first.result.plan.success_probability if first.result else 0.0,
        )
        shown = self.options.pictures and not done.success and done.result.first is not None
        return row, chain_picture(done) if shown else None


def chain_picture(done: Attempt) -> bytes:
    """A PNG of the first view, the goal's things outlined, beside the last one."""
    from hiermap.report.pictures import Picture, png  # matplotlib, which most workers never need

    assert done.result.first is not None and done.execution is not None  # only executed attempts are pictured
    masks = {name: np.asarray(target.mask) for name, target in done.problem.goal.targets.items()}
    views = [done.result.first, *(step.after.view for step in done.execution.steps)]
    return png([Picture(views[0].rgb, outlines=masks), Picture(views[-1].rgb)])

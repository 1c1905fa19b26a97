"""Runs trials under fixed options: one judged episode each, the same whatever process it runs in."""

import time
from functools import cached_property

import numpy as np

from hiermap.agent.learned_maps import LazyWeights
from hiermap.evaluation.attempt_recording import filmed, photographed
from hiermap.evaluation.goal_masks import as_told
from hiermap.evaluation.problem import PHYSICS, Attempt, attempts, planner_for, pose, posed
from hiermap.evaluation.results import EpisodeRow
from hiermap.evaluation.single_primitive import Judged, run_single
from hiermap.evaluation.suites import LONG, SEQUELS, EvaluateOptions, Trial, chain_length
from hiermap.planners import Status
from hiermap.report.evaluation_page import FAILURES
from hiermap.worlds.errors import InvalidGoalError, InvalidObservationError, PhysicsError
from hiermap.worlds.gym.environment import KitchenEnv
from hiermap.worlds.gym.policy import Episode, Policy, factory_of, is_privileged, policy_of, run_episode

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
            if self.options.policy.factory:
                return self._policy_episode(trial, started)
            if trial.suite in LONG:
                return self._chain(trial, started)
            maps_of = self._learned.maps_of if self.options.maps == "learned" else None
            return run_single(trial, maps_of, self.options)
        except PhysicsError:
            length, seconds = chain_length(trial.suite), time.perf_counter() - started
            return EpisodeRow(trial.episode, trial.seed, trial.suite, length, 0, False, 0, length, 0, 0.0, PHYSICS, "", seconds), {}

    def _chain(self, trial: Trial, started: float) -> Judged:
        problem = pose(trial.suite, trial.seed, self.options)
        planner = planner_for(self.options, problem, self._learned)
        wanted, video = SEQUELS.get(trial.suite, 1), trial.episode < self.options.video
        problem, film = filmed(problem, self.options.pictures, video)
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
        files = {}
        if self.options.pictures and not done.success and done.result.first is not None:
            files[FAILURES] = chain_picture(done)
        if film is not None and executions and (video or self.options.is_told(trial.episode, row.success)):
            files |= photographed(film, goals, planner.world, video)
        return row, files

    def _policy_episode(self, trial: Trial, started: float) -> Judged:
        options, told = self.options, self.options.policy
        task = posed(trial.suite, trial.seed, options)
        environment = KitchenEnv(
            trial.suite,
            told.control,
            told.obs,
            options.kitchen.name,
            max_steps=told.max_steps,
            sensing=options.sensing,
            frame=task.scene.frame,
            tell=lambda masks, view, seed: as_told(masks, view, options.goal.masks, seed),
        )
        try:
            done = run_episode(environment, task, self._policy, told.factory, is_privileged(factory_of(told.factory)))
        except (InvalidGoalError, InvalidObservationError) as error:  # as a planner answers
            done = Episode(False, Status.INVALID_GOAL if isinstance(error, InvalidGoalError) else Status.INVALID_OBSERVATION, 0, 0.0)
        row = EpisodeRow(
            trial.episode,
            trial.seed,
            task.suite,
            chain_length=chain_length(trial.suite),
            detours=task.detours,
            success=done.success,
            primitives=done.steps,
            shortest=chain_length(trial.suite),
            replans=0,
            plan_seconds=done.act_seconds,
            failure_reason=done.reason,
            episode_seconds=time.perf_counter() - started,
        )
        shown = options.pictures and not done.success and environment.task is not None
        return row, {FAILURES: policy_picture(environment)} if shown else {}

    @cached_property
    def _policy(self) -> Policy:
        """Made once in every process."""
        return policy_of(self.options.policy.factory, self.options.policy_options)


def policy_picture(environment: KitchenEnv) -> bytes:
    """A PNG of what an episode left behind."""
    from hiermap.report.pictures import Picture, png  # matplotlib, which most workers never need

    picture = environment.render()
    assert picture is not None  # a task was run
    return png([Picture(picture)])


def chain_picture(done: Attempt) -> bytes:
    """A PNG of the first view, the goal's things outlined, beside the last one."""
    from hiermap.report.pictures import Picture, png  # matplotlib, which most workers never need

    assert done.result.first is not None and done.execution is not None  # only executed attempts are pictured
    masks = {name: np.asarray(target.mask) for name, target in done.problem.goal.targets.items()}
    views = [done.result.first, *(step.after.view for step in done.execution.steps)]
    return png([Picture(views[0].rgb, outlines=masks), Picture(views[-1].rgb)])

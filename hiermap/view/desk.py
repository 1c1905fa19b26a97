"""What a view is worked with: clicks become a goal, that a plan, and that is carried out step by step. Draws nothing, serves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiermap.agent.execute import Stepping
from hiermap.agent.execution import ExecutedStep, ExecutionResult
from hiermap.agent.planner import Planner
from hiermap.agent.session import Session
from hiermap.evaluation.attempt_recording import imagined_view, seen_view
from hiermap.evaluation.problem import Problem, goal_of
from hiermap.evaluation.suites import RunOptions
from hiermap.planners import PlanResult, PlanStep, Status
from hiermap.report.recording import RecordedView
from hiermap.worlds.base import Action, Node
from hiermap.worlds.errors import ConfigError, InvalidGoalError
from hiermap.worlds.goals import Goal, Predicate, from_text, in_words, is_in_words
from hiermap.worlds.tasks.kitchens import called_in, understood
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS


@dataclass(frozen=True, eq=False)
class Instant:
    """The kitchen now or in a future.

    Attributes:
        words: when that is.
        view: colours, maps and beliefs; of an imagined one the colours are those seen last.
        action: what is planned to be done then.
        imagined: whether nobody has seen it.
    """

    words: str
    view: RecordedView
    action: Action | None = None
    imagined: bool = False


class Desk:
    """One kitchen, one robot, and goals asked of it one after the other.

    What plans is told what `hiermap plan` tells it: views, and masks of the goal's things in the first of them. Which name lies under a
    click, and whether a goal truly holds, is for people only.

    Args:
        problem: as posed; its goal, if it has one, is the first that is asked.
        planner: plans and replans.
        options: budget, replans, and how goals are told.
    """

    def __init__(self, problem: Problem, planner: Planner, options: RunOptions) -> None:
        self.problem, self.planner, self.options = problem, planner, options
        self.session = Session(problem.real, planner, options.execution, problem.view)
        self.view, self.called = problem.view, called_in(problem.task.scene)
        self.goal_text = " and ".join(map(str, problem.goal.predicates))
        self.message = ""
        self.result: PlanResult | None = None
        self.outcome: ExecutionResult | None = None
        self.left: Sequence[PlanStep] = ()
        self.done: list[ExecutedStep] = []
        self._seen_first = {name for name, mask in problem.masks.items() if mask.sum() >= MIN_VISIBLE_CELLS}
        self._run: Stepping | None = None
        self._node: Node | None = None
        self._maps: np.ndarray | None = None

    # From a click to a goal.

    def thing_at(self, cell: tuple[int, int]) -> str:
        """Name of what is seen at a cell (row, column) now; "" for nothing that can be a target."""
        rows, columns = self.view.frame.shape
        if not (0 <= cell[0] < rows and 0 <= cell[1] < columns):
            return ""
        found = (name for name, mask in self.problem.task.scene.masks().items() if mask[cell])
        return next((name for name in found if name in self._seen_first), "")

    def askable(self, thing: str) -> list[Predicate]:
        """What can be asked of a thing first, and of places that were seen."""
        vocabulary = self.problem.task.scene.vocabulary()
        return [p for p in vocabulary if p.arguments[0] == thing and self._seen_first.issuperset(p.arguments)]

    def in_words(self, predicate: Predicate) -> str:
        """What a predicate says, with things as people call them."""
        return in_words([predicate], self.called)

    def ask(self, predicate: Predicate) -> str:
        """Ask for one thing more; a goal in plain words gives way. Returns the goal."""
        asked = [] if not self.goal_text.strip() or is_in_words(self.goal_text) else list(from_text(self.goal_text))
        self.goal_text = " and ".join(map(str, dict.fromkeys([*asked, predicate])))
        return self.goal_text

    # From a goal to a plan.

    def plan(self, text: str) -> bool:
        """Plan for a goal in predicates or plain words from what is seen now; whether there is a plan, else `message` says why not."""
        self._end_run()
        self.goal_text, self.result, self.outcome, self.left, self.done = text, None, None, (), []
        try:
            self.problem = self._asked(text)
        except (ConfigError, InvalidGoalError) as error:
            self.message = str(error)
            return False
        self._follow(self.session.plan(self.problem.goal, self.options.budget, self.problem.task.seed))
        assert self.result is not None
        self._node = self.result.root
        self._maps = None
        return bool(self.result)

    def _asked(self, text: str) -> Problem:
        """The problem with another goal, told by what was seen first."""
        problem = self.problem
        if not text.strip():
            raise ConfigError("nothing is asked for; click on a thing, or type for example open(NAME)")
        predicates = understood(text, problem.task.scene.vocabulary(), problem.view, problem.masks, self.called)
        hidden = sorted({name for p in predicates for name in p.arguments} - self._seen_first)
        if hidden:
            raise ConfigError(f"{', '.join(hidden)} was not seen in the first view, so nobody could point at it; ask for something else")
        task = replace(problem.task, predicates=predicates)
        return replace(problem, task=task, goal=goal_of(task, problem.view, problem.masks, self.options))

    def _follow(self, result: PlanResult) -> None:
        if result is not self.result:
            self.result, self.left, self.message = result, tuple(result.plan.steps), result.message

    # From a plan to deeds.

    @property
    def can_go_on(self) -> bool:
        """Whether there is a plan whose execution has not ended."""
        return self.result is not None and self.outcome is None

    def step(self) -> ExecutedStep | None:
        """Run the next primitive, look, and replan where the world differs; None if there was nothing left to do."""
        if not self.can_go_on:
            return None
        if self._run is None:
            assert self.result is not None
            self._run = self.session.steps(self.result, self.options.max_replans, on_plan=self._follow)
        step = self._advanced()
        if step is not None and (not self.left or self._believed):  # nothing follows, so hear how it went
            self._advanced()
        return step

    def _advanced(self) -> ExecutedStep | None:
        assert self._run is not None
        try:
            step = next(self._run)
        except StopIteration as over:
            self.outcome, self._run, self.left = over.value, None, ()
            return None
        if step.planned in self.left:
            self.left = self.left[self.left.index(step.planned) + 1 :]
        self.done.append(step)
        self.view, self._node, self._maps = step.after.view, step.after.node, step.after.maps
        return step

    @property
    def _believed(self) -> bool:
        return self._node is not None and self._node.progress >= 1.0 and not self.options.execution.blind

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.close()
            self._run = None

    # What there is to see.

    def truth(self) -> Mapping[str, bool]:
        """Goal predicate -> whether it truly holds now, for people only; nothing while nobody has planned, or for what makes no sense."""
        return self.problem.truth() if self.result is not None and self.result.status is not Status.INVALID_GOAL else {}

    def instants(self) -> list[Instant]:
        """Now, and what is imagined after every step that is left to do."""
        steps = list(self.left)
        actions = [*(step.action for step in steps), None]
        now = Instant("now", seen_view(self.view, self._root(), self._now(), self.truth()), actions[0])
        world = self.planner.world
        futures = [imagined_view(self.view, step, world) for step in steps]
        told = [f"imagined after {i} of {len(steps)}: {step.action.primitive}" for i, step in enumerate(steps, 1)]
        return [now, *(Instant(words, view, action, True) for words, view, action in zip(told, futures, actions[1:], strict=True))]

    def outlines(self) -> Mapping[str, np.ndarray]:
        """What people call each of the goal's things -> its mask in the first view, while nothing has been moved."""
        targets = {} if self.session.deeds else self.problem.goal.targets
        return {self.called.get(name, name): target.mask for name, target in targets.items()}

    def _root(self) -> Node:
        if self._node is None:
            self._node = self.planner.world.root(self.view, Goal((), {}), self.problem.view)
        return self._node

    def _now(self) -> np.ndarray:
        """The maps `[P, R, H, W]` of what is seen."""
        if self._maps is None:
            self._maps = self.planner.world.maps([self._root()])[0]
        return self._maps

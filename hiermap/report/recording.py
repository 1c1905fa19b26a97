"""What one problem looked like, step by step, as files: text in plan.json, the search in graph.graphml, and a picture for everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import networkx
import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.report.pictures import SMALL_SCALE, Picture, png
from hiermap.report.search_graph import graph_png
from hiermap.system.files import read_sealed, sealed, write_atomically, write_json
from hiermap.worlds.base import Action
from hiermap.worlds.records import Amount, Count, check

PLAN, GRAPH = "plan.json", "graph.graphml"
REMEDY = "run the command that left it again"
VIEW, SEARCH = "view.png", "graph.png"
STORY, FILM = "storyboard.json", "film.mp4"
STEP, MAPS = "step_{:02d}.png", "step_{:02d}_maps.png"
"""Of every step, counted from 1."""


class ViewFacts(TypedDict):
    """What plan.json tells of a moment: goal predicate -> believed probability, and whether it truly holds where that is known."""

    predicates: dict[str, float]
    truth: dict[str, bool]


class StepFacts(TypedDict):
    """What plan.json tells of a step, as `StepRecord.to_json` puts it."""

    plan: Count
    primitive: str
    rotation: str
    point_world: tuple[float, float, float] | None
    affordance: float
    reason: str
    views: dict[str, ViewFacts]


class ExecutionFacts(TypedDict):
    """What plan.json tells of the execution."""

    success: bool
    failure_reason: str
    primitives: Count
    replans: Count


class PlanFacts(TypedDict):
    """What of plan.json is read again."""

    task: str
    seed: int
    goal_words: str
    status: str
    message: str
    shortest: Count | None
    detours: Count
    n_planned: Count
    cost: float
    success_probability: float
    plan_seconds: Amount
    metrics: dict[str, float]
    execution: ExecutionFacts | None
    settings: dict[str, Any]
    sensing_notes: list[str]
    steps: list[StepFacts]


@dataclass(frozen=True, eq=False)
class RecordedView:
    """The kitchen as seen or imagined at one moment.

    Attributes:
        rgb: `[H, W, 3]` uint8; of an imagined view, the last real picture.
        heats: `[P, H, W]` success probability in [0, 1], the best orientation of every cell.
        predicates: goal predicate -> believed probability.
        truth: goal predicate -> whether it truly holds; empty where nobody may know.
        depth: `[H, W]` along the view [m], NaN where nothing is known; None where a world imagines none.
    """

    rgb: np.ndarray
    heats: np.ndarray
    predicates: Mapping[str, float]
    truth: Mapping[str, bool]
    depth: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class StepRecord:
    """One step: what was chosen, what was imagined and, once executed, what came of it.

    Attributes:
        plan: 0 for the first plan, n for the n-th replan.
        point_world: contact point [m], or None where the world does not say.
        affordance: the map's value at the chosen cell, in [0, 1].
        views: "before", "imagined" (what was expected afterwards) and, once executed, "after", in this order.
        reason: the motor program's own word; "" while not executed.
    """

    plan: int
    action: Action
    point_world: Sequence[float] | None
    affordance: float
    views: Mapping[str, RecordedView]
    reason: str = ""

    @property
    def rotation(self) -> str:
        """Name of the orientation bin."""
        return PRIMITIVES[self.action.primitive].rotations[self.action.rotation_index]

    def to_json(self) -> dict:
        """Plain JSON without pictures and maps."""
        return {
            "plan": self.plan,
            "primitive": self.action.primitive,
            "cell": [int(index) for index in self.action.cell],
            "rotation_index": int(self.action.rotation_index),
            "rotation": self.rotation,
            "point_world": None if self.point_world is None else [float(value) for value in self.point_world],
            "affordance": float(self.affordance),
            "reason": self.reason,
            "views": {moment: {"predicates": dict(v.predicates), "truth": dict(v.truth)} for moment, v in self.views.items()},
        }


@dataclass(frozen=True, eq=False)
class Recording:
    """A whole problem.

    Attributes:
        summary: everything of plan.json but the steps (task, seed, goal in words, status, costs, settings, outcome).
        steps: planned or executed steps, in order.
        first: what is seen first, with the things the goal names.
        graph: the first plan's search graph.
    """

    summary: Mapping
    steps: Sequence[StepRecord]
    first: Picture
    graph: networkx.DiGraph


def save(recording: Recording, directory: Path) -> None:
    """Write everything into `directory`, each file atomically; plan.json comes last, so that where it is, all is."""
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / GRAPH, "\n".join(networkx.generate_graphml(recording.graph)) + "\n")
    write_atomically(directory / VIEW, png([recording.first]))
    write_atomically(directory / SEARCH, graph_png(recording.graph))
    for number, step in enumerate(recording.steps, start=1):
        write_atomically(directory / STEP.format(number), png(_views(step)))
        write_atomically(directory / MAPS.format(number), png(*_maps(step), scale=SMALL_SCALE))
    write_json(directory / PLAN, sealed({**recording.summary, "steps": [step.to_json() for step in recording.steps]}))


def read_plan(directory: Path) -> PlanFacts:
    """The content of a directory's plan.json; DataError where it is damaged."""
    record = read_sealed(directory / PLAN, REMEDY)
    check(record, PlanFacts, str(directory / PLAN))
    return record


def _views(step: StepRecord) -> list[Picture]:
    """What was seen before, the chosen cell marked, and, once executed, afterwards."""
    after = [Picture(step.views["after"].rgb)] if "after" in step.views else []
    return [Picture(step.views["before"].rgb, action=step.action), *after]


def _maps(step: StepRecord) -> list[list[Picture]]:
    """A row a primitive, a column a moment; the chosen cell is marked before."""
    rows = []
    for index, name in enumerate(PRIMITIVES):
        marks = {"before": step.action} if name == step.action.primitive else {}
        heats = {moment: view.heats[index] for moment, view in step.views.items()}
        rows.append([Picture(step.views[m].rgb, f"{name}, {m}: {h.max():.2f}", h, name, marks.get(m)) for m, h in heats.items()])
    return rows

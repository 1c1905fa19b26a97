"""What one problem looked like, step by step: text in plan.json, pictures and maps in recording.npz, both plain."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import networkx
import numpy as np

from hiermap.system.files import write_atomically, write_json
from hiermap.worlds.errors import DataError

PLAN, ARRAYS, GRAPH = "plan.json", "recording.npz", "graph.graphml"
_LOOKS = ("before", "imagined", "after")
_LEVELS = 255
"""Maps are kept to one part in 255, more than a picture shows."""


@dataclass(frozen=True, eq=False)
class Look:
    """One look at the kitchen, real or imagined.

    Attributes:
        rgb: `[H, W, 3]` uint8; of an imagined look, the last real picture.
        heats: `[P, H, W]` success probability in [0, 1], the best orientation of every cell.
        predicates: goal predicate -> believed probability.
        truth: goal predicate -> whether it truly holds; empty where nobody may know.
    """

    rgb: np.ndarray
    heats: np.ndarray
    predicates: Mapping[str, float] = field(default_factory=dict)
    truth: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StepRecord:
    """One step: what was chosen, what was imagined and, once executed, what came of it.

    Attributes:
        plan: 0 for the first plan, n for the n-th replan.
        rotation: name of the orientation bin.
        point_world: contact point [m], or None where the world does not say.
        affordance: the map's value at the chosen cell, in [0, 1].
        reason: the motor program's own word; "" while not executed.
        before, imagined, after: looks; `after` is None while not executed.
    """

    plan: int
    primitive: str
    cell: tuple[int, int]
    rotation_index: int
    rotation: str
    point_world: tuple[float, float, float] | None
    affordance: float
    before: Look
    imagined: Look | None = None
    after: Look | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Recording:
    """A whole problem.

    Attributes:
        summary: everything of plan.json but the steps (task, seed, goal in words, status, costs, settings, outcome).
        steps: planned or executed steps, in order.
        graph: the first plan's search graph with plain attributes.
        path: the chosen nodes of `graph`, from the root on.
    """

    summary: Mapping
    steps: Sequence[StepRecord]
    first: Look
    graph: networkx.DiGraph
    path: Sequence = ()


def save(recording: Recording, directory: Path) -> None:
    """Write plan.json, recording.npz and graph.graphml into `directory`, each atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    steps = []
    for index, step in enumerate(recording.steps):
        record = {key: value for key, value in vars(step).items() if key not in _LOOKS}
        looks = {name: _stored(getattr(step, name), f"{index}_{name}", arrays) for name in _LOOKS}
        steps.append({**record, "looks": looks})
    first = _stored(recording.first, "first", arrays)
    path = [str(node) for node in recording.path]
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(directory / ARRAYS, buffer.getvalue())
    write_atomically(directory / GRAPH, "\n".join(networkx.generate_graphml(plain_graph(recording.graph))) + "\n")
    write_json(directory / PLAN, {**recording.summary, "steps": steps, "first": first, "path": path})


def load(directory: Path) -> Recording:
    """Read what `save` wrote; DataError when a file is damaged or foreign."""
    try:
        record = json.loads((directory / PLAN).read_text())
        with np.load(directory / ARRAYS, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        graph = networkx.read_graphml(directory / GRAPH)
        steps = [_step(step, arrays) for step in record.pop("steps")]
        first, path = _read(record.pop("first"), arrays), record.pop("path")
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, BadZipFile) as error:
        raise DataError(f"{directory} holds no readable plan: {error}; run `hiermap plan ... out={directory}` again") from error
    if first is None:
        raise DataError(f"{directory} holds no first view; run `hiermap plan ... out={directory}` again")
    return Recording(record, steps, first, graph, path)


def plain_graph(graph: networkx.DiGraph) -> networkx.DiGraph:
    """A copy with string nodes and only the attributes GraphML can hold (numbers, bools, strings), ready for any graph tool."""
    plain = networkx.DiGraph()
    for node, data in graph.nodes(data=True):
        plain.add_node(str(node), **_plain(data))
    for start, end, data in graph.edges(data=True):
        plain.add_edge(str(start), str(end), **_plain(data))
    return plain


def _plain(data: Mapping) -> dict:
    kept = {}
    for key, value in data.items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bool | int | float | str):
            kept[str(key)] = value
        elif isinstance(value, tuple | list) and len(value) <= 4:
            kept[str(key)] = " ".join(map(str, value))
    return kept


def _stored(look: Look | None, name: str, arrays: dict[str, np.ndarray]) -> dict | None:
    if look is None:
        return None
    arrays[f"{name}_rgb"] = np.asarray(look.rgb, np.uint8)
    arrays[f"{name}_heats"] = (np.clip(look.heats, 0, 1) * _LEVELS).round().astype(np.uint8)
    return {"name": name, "predicates": dict(look.predicates), "truth": dict(look.truth)}


def _read(record: Mapping | None, arrays: Mapping[str, np.ndarray]) -> Look | None:
    if record is None:
        return None
    name = record["name"]
    return Look(arrays[f"{name}_rgb"], arrays[f"{name}_heats"].astype(np.float32) / _LEVELS, record["predicates"], record["truth"])


def _step(record: Mapping, arrays: Mapping[str, np.ndarray]) -> StepRecord:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key != "looks"}
    before = _read(record["looks"]["before"], arrays)
    if before is None:
        raise KeyError("looks.before")
    return StepRecord(
        **plain, before=before, imagined=_read(record["looks"]["imagined"], arrays), after=_read(record["looks"]["after"], arrays)
    )

"""What an evaluation leaves behind: episode rows, success with its interval, and files that survive a kill."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hiermap.system.files import write_atomically
from hiermap.system.proportions import wilson

COLUMNS = (
    "episode", "seed", "task", "chain_length", "detours", "success", "primitives", "shortest", "replans", "plan_seconds", "failure_reason",
)  # fmt: skip
"""The columns of `episodes.csv`, in order; scripts depend on them."""
MEANS = ("primitives", "replans", "plan_seconds", "episode_seconds")
"""What is averaged over a group's episodes."""
PARTIAL = "episodes.partial.jsonl"
"""Rows of an unfinished run; one header line, then one row a line."""


@dataclass(frozen=True)
class EpisodeRow:
    """One judged episode.

    Attributes:
        episode: index in the run, from 0.
        seed: the episode's seed.
        task: name the per-task table groups by.
        chain_length: k of a `chain-k` task, 1 for a single primitive.
        detours: steps of the shortest solution that no goal predicate asks for.
        success: judged from the true state at the end.
        primitives: executed.
        shortest: primitives in the shortest solution.
        replans: plans after the first.
        plan_seconds: mean wall-clock time of one planning call [s].
        failure_reason: "" on success.
        kind: kind of the thing acted on, in suites of single primitives.
        episode_seconds: wall-clock time of the whole episode [s].
    """

    episode: int
    seed: int
    task: str
    chain_length: int
    detours: int
    success: bool
    primitives: int
    shortest: int
    replans: int
    plan_seconds: float
    failure_reason: str = ""
    kind: str = ""
    episode_seconds: float = 0.0


def aggregate(rows: Sequence[EpisodeRow]) -> dict:
    """The summary of `rows`: success in percent with its 95 % Wilson interval, and means; at least one row."""
    successes = sum(row.success for row in rows)
    low, high = wilson(successes, len(rows))
    return {
        "pc_success": round(100 * successes / len(rows), 4),
        "n_episodes": len(rows),
        "ci95": [round(100 * low, 4), round(100 * high, 4)],
        **{f"mean_{name}": round(sum(getattr(row, name) for row in rows) / len(rows), 6) for name in MEANS},
    }


def eval_info(rows: Sequence[EpisodeRow], settings: Mapping) -> dict:
    """The content of `eval_info.json`; suites of single primitives add `per_kind`, keyed "task kind"."""
    info = {"aggregated": aggregate(rows), "per_task": grouped(rows, lambda row: row.task), "settings": dict(settings)}
    if any(row.kind for row in rows):
        info["per_kind"] = grouped(rows, lambda row: f"{row.task} {row.kind}".strip())
    return info


def grouped(rows: Sequence[EpisodeRow], name: Callable[[EpisodeRow], str]) -> dict[str, dict]:
    """`aggregate` for each group of rows, keyed and sorted by `name(row)`."""
    return {key: aggregate([row for row in rows if name(row) == key]) for key in sorted(set(map(name, rows)))}


def table(info: Mapping) -> str:
    """The summary as fixed-width text: one line a task, the total last, then one line a kind of thing."""
    heads = ("task", "success %", "95 % interval", "episodes", "primitives", "replans", "s/plan", "s/episode")
    lines = [_cells(name, group) for name, group in info["per_task"].items()]
    lines.append(_cells("all", info["aggregated"]))
    text = _aligned([heads, *lines])
    if "per_kind" in info:
        text += "\n\n" + _aligned([("primitive and thing", *heads[1:4]), *(_cells(n, g)[:4] for n, g in info["per_kind"].items())])
    return text


def episodes_csv(rows: Iterable[EpisodeRow]) -> str:
    """The text of `episodes.csv`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**asdict(row), "success": int(row.success), "plan_seconds": f"{row.plan_seconds:.4f}"} for row in rows)
    return text.getvalue()


class PartialRows:
    """The rows of an unfinished run, appended one by one so that the same command resumes after a kill.

    Args:
        directory: of the run.
        fingerprint: everything the rows depend on; rows of another fingerprint are not taken over.
    """

    def __init__(self, directory: Path, fingerprint: Mapping) -> None:
        self.path = directory / PARTIAL
        self.header = json.dumps({"fingerprint": fingerprint}, sort_keys=True)

    def load(self) -> dict[int, EpisodeRow]:
        """Finished rows by episode index; a last line that a kill cut short is dropped, another run's file starts over."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        rows: dict[int, EpisodeRow] = {}
        for line in lines[1:] if lines[:1] == [self.header] else ():
            try:
                row = EpisodeRow(**json.loads(line))
            except (json.JSONDecodeError, TypeError):
                break
            rows[row.episode] = row
        text = [self.header, *(json.dumps(asdict(row)) for row in rows.values())]
        write_atomically(self.path, "\n".join(text) + "\n")
        return rows

    def append(self, row: EpisodeRow) -> None:
        """Add one row and force it to disk."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(row)) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _cells(name: str, group: Mapping) -> tuple[str, ...]:
    low, high = group["ci95"]
    means = (f"{group[f'mean_{key}']:.2f}" for key in MEANS)
    return name, f"{group['pc_success']:.1f}", f"{low:.1f} .. {high:.1f}", str(group["n_episodes"]), *means


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    rows = ["  ".join([line[0].ljust(first), *map(str.rjust, line[1:], widths)]) for line in lines]
    return "\n".join([rows[0], "  ".join("-" * width for width in (first, *widths)), *rows[1:]])

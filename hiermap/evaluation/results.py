"""What an evaluation leaves behind: episode rows, success with its interval, and files that survive a kill."""

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from scipy.special import ndtri

from hiermap.system.files import write_atomically
from hiermap.worlds.errors import DataError

COLUMNS = (
    "episode", "seed", "task", "chain_length", "detours", "success", "primitives", "shortest", "replans", "plan_seconds", "failure_reason",
)  # fmt: skip
"""The columns of `episodes.csv`, in order; scripts depend on them."""
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

    @classmethod
    def from_json(cls, record: Mapping) -> "EpisodeRow":
        """The row written as `record`; DataError when a field is missing or foreign."""
        try:
            return cls(**record)
        except TypeError as error:
            raise DataError(f"not an episode row: {error}; expected the fields {[f.name for f in fields(cls)]}") from error


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion, both ends in [0, 1]; (0, 1) without trials.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    if trials == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / shrink
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)


def aggregate(rows: Sequence[EpisodeRow]) -> dict:
    """The summary of `rows`: success in percent with its 95 % Wilson interval, and means (None without rows)."""
    successes = sum(row.success for row in rows)
    low, high = wilson(successes, len(rows))
    return {
        "pc_success": round(100 * successes / len(rows), 4) if rows else 0.0,
        "n_episodes": len(rows),
        "ci95": [round(100 * low, 4), round(100 * high, 4)],
        "mean_primitives": _mean(row.primitives for row in rows),
        "mean_replans": _mean(row.replans for row in rows),
        "mean_plan_seconds": _mean(row.plan_seconds for row in rows),
        "mean_episode_seconds": _mean(row.episode_seconds for row in rows),
    }


def eval_info(rows: Sequence[EpisodeRow], settings: Mapping) -> dict:
    """The content of `eval_info.json`; suites of single primitives add `per_kind`, keyed "task kind"."""
    info = {"aggregated": aggregate(rows), "per_task": grouped(rows, lambda row: row.task), "settings": dict(settings)}
    if any(row.kind for row in rows):
        info["per_kind"] = grouped(rows, lambda row: f"{row.task} {row.kind}".strip())
    return info


def grouped(rows: Iterable[EpisodeRow], name: Callable[[EpisodeRow], str]) -> dict[str, dict]:
    """`aggregate` for each group of rows, keyed and sorted by `name(row)`."""
    groups: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    return {key: aggregate(groups[key]) for key in sorted(groups)}


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
    for row in rows:
        writer.writerow({**asdict(row), "success": int(row.success), "plan_seconds": f"{row.plan_seconds:.4f}"})
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
        if lines and lines[0] == self.header:
            for line in lines[1:]:
                try:
                    row = EpisodeRow.from_json(json.loads(line))
                except (json.JSONDecodeError, DataError, TypeError):
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

    def remove(self) -> None:
        """Delete the file once the final files are in place."""
        self.path.unlink(missing_ok=True)


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return round(sum(numbers) / len(numbers), 6) if numbers else None


def _cells(name: str, group: Mapping) -> tuple[str, ...]:
    low, high = group["ci95"]
    means = (group["mean_primitives"], group["mean_replans"], group["mean_plan_seconds"], group["mean_episode_seconds"])
    shown = tuple("-" if value is None else f"{value:.2f}" for value in means)
    return name, f"{group['pc_success']:.1f}", f"{low:.1f} .. {high:.1f}", str(group["n_episodes"]), *shown


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = [
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    return "\n".join([rows[0], "  ".join("-" * width for width in widths), *rows[1:]])

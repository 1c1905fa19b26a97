"""What an evaluation leaves behind: episode rows, success with its interval, and files that survive a kill."""

import csv
import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from hiermap.system.files import append_line, read_sealed, write_atomically
from hiermap.system.proportions import wilson
from hiermap.worlds.errors import ConfigError, DataError
from hiermap.worlds.records import Amount, Count, Share, check, check_fields

_log = logging.getLogger(__name__)
COLUMNS = (
    "episode", "seed", "task", "chain_length", "detours", "success", "primitives", "shortest", "replans", "plan_seconds", "failure_reason",
)  # fmt: skip
"""The columns of `episodes.csv`, in order; scripts depend on them."""
MEANS = ("primitives", "replans", "plan_seconds", "episode_seconds")
"""What is averaged over a group's episodes."""
PARTIAL = "episodes.partial.jsonl"
"""Rows of an unfinished run; one header line, then one row a line."""
RUN = "run.json"
"""Settings and every row of a finished run."""
REMEDY = "expected what `hiermap evaluate` writes: run it again"
HEADS = ("success %", "95 % interval", "episodes", "primitives", "replans", "s/plan", "s/episode")
"""What `cells` says of a group, after its name."""


@dataclass(frozen=True)
class EpisodeRow:
    """One judged episode.

    Attributes:
        episode: index in the run, from 0.
        seed: the episode's seed.
        task: name the per-task table groups by.
        chain_length: k of a `chain-k` task, the sum over all goals of a `sequel-n`, 1 for a single primitive.
        detours: steps of the shortest solution that no goal predicate asks for; of a sequel's first goal.
        success: judged from the true state at the end.
        primitives: executed; of a policy, steps of its control.
        shortest: primitives in the shortest solution.
        replans: plans after the first.
        plan_seconds: mean wall-clock time of one planning call, or of a policy's choice of an action [s].
        failure_reason: "" on success.
        kind: kind of the thing acted on, in suites of single primitives.
        episode_seconds: wall-clock time of the whole episode [s].
        planned: steps of the first plan, 0 if it is none or only a partial one.
        promised: the probability with which that plan was said to succeed, in [0, 1]; 0 without one; in a sequel it is for the first goal.
    """

    episode: Count
    seed: Annotated[int, 0, inf]
    task: str
    chain_length: Count
    detours: Count
    success: bool
    primitives: Count
    shortest: Count
    replans: Count
    plan_seconds: Amount
    failure_reason: str = ""
    kind: str = ""
    episode_seconds: Amount = 0.0
    planned: Count = 0
    promised: Share = 0.0

    def __post_init__(self) -> None:
        """ConfigError for what no episode can have come to: rows are also read from files."""
        check_fields(self)


class RunConfig(TypedDict):
    """What of a resolved config is read again."""

    seed: Annotated[int, 0, inf]
    episodes: NotRequired[Count]


class RunSettings(TypedDict):
    """Resolved config and provenance of a run."""

    config: RunConfig
    machine: NotRequired[str]


class RunRecord(TypedDict):
    """What `run.json` holds."""

    settings: RunSettings
    episodes: list[EpisodeRow]


@dataclass(frozen=True)
class Run:
    """A finished evaluation, as its `run.json` keeps it.

    Attributes:
        settings: resolved config and provenance.
        rows: in the order of the episodes; at least one.
    """

    settings: Mapping[str, Any]
    rows: Sequence[EpisodeRow]

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved config."""
        return self.settings["config"]


def read_run(directory: Path) -> Run:
    """The finished evaluation in a directory; raises ConfigError where there is none or its `run.json` is damaged."""
    path = directory / RUN
    if not path.is_file():
        raise ConfigError(f"{directory}: no finished evaluation there; expected the out=DIR of a `hiermap evaluate` that ran to its end")
    try:
        record = read_sealed(path, REMEDY)
        check(record, RunRecord, RUN)
        run = Run(_as_now(record["settings"]), sorted((EpisodeRow(**row) for row in record["episodes"]), key=lambda row: row.episode))
        if not run.rows:
            raise DataError("there is no episode")
        if strange := [row.episode for row in run.rows if row.seed != run.config["seed"] + row.episode]:
            raise DataError(f"the seed of episode {strange[0]} is not the first seed plus its number")
    except DataError as error:
        raise ConfigError(f"{path} is damaged ({error}); {REMEDY}") from error
    return run


def _as_now(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a run that was made when `kitchen` was but a name, as they are written now."""
    kitchen = settings["config"].get("kitchen")
    return settings if not isinstance(kitchen, str) else {**settings, "config": {**settings["config"], "kitchen": {"name": kitchen}}}


def aggregate(rows: Sequence[EpisodeRow]) -> dict:
    """The summary of `rows`: success in percent with its 95 % Wilson interval, and means; at least one row.

    The interval stands there twice: as `ci95`, which scripts read, and as `pc_success_ci95`, as others name it.
    """
    successes = sum(row.success for row in rows)
    interval = [round(100 * end, 4) for end in wilson(successes, len(rows))]
    return {
        "pc_success": round(100 * successes / len(rows), 4),
        "pc_success_ci95": interval,
        "n_success": successes,
        "n_episodes": len(rows),
        "ci95": interval,
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
    lines = [cells(name, group) for name, group in info["per_task"].items()]
    lines.append(cells("all", info["aggregated"]))
    text = aligned([("task", *HEADS), *lines])
    if "per_kind" in info:
        text += "\n\n" + aligned([("primitive and thing", *HEADS[:3]), *(cells(n, g)[:4] for n, g in info["per_kind"].items())])
    return text


def cells(name: str, group: Mapping) -> tuple[str, ...]:
    """One line of a table: the name of a group and its summary, as `HEADS` says."""
    low, high = group["ci95"]
    means = (f"{group[f'mean_{key}']:.2f}" for key in MEANS)
    return name, f"{group['pc_success']:.1f}", f"{low:.1f} .. {high:.1f}", str(group["n_episodes"]), *means


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Heads and lines as fixed-width text, the first column to the left and a rule under the heads."""
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    rows = ["  ".join([line[0].ljust(first), *map(str.rjust, line[1:], widths)]) for line in lines]
    return "\n".join([rows[0], "  ".join("-" * width for width in (first, *widths)), *rows[1:]])


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
        """Finished rows by episode index; a line that is not as it was written is left out and its episode run again, another run's file
        starts over.
        """
        lines = self.path.read_bytes().decode(errors="replace").splitlines() if self.path.exists() else []
        rows: dict[int, EpisodeRow] = {}
        if lines and lines[0] != self.header:
            _log.warning("%s is of another run or damaged; it is begun anew", self.path)
        for number, line in enumerate(lines[1:] if lines[:1] == [self.header] else (), start=2):
            row = self._row(line)
            if row is not None:
                rows[row.episode] = row
            elif number < len(lines):  # a kill cuts the last line short, nothing damages others
                _log.warning("%s, line %d is damaged; its episode is run again", self.path, number)
        write_atomically(self.path, "\n".join([self.header, *map(self._line, rows.values())]) + "\n")
        return rows

    def append(self, row: EpisodeRow) -> None:
        """Add one row and force it to disk."""
        append_line(self.path, self._line(row).encode())

    def _line(self, row: EpisodeRow) -> str:
        """A row with a check of it and of the run that it belongs to."""
        text = json.dumps(asdict(row))
        return json.dumps([hashlib.sha256((self.header + text).encode()).hexdigest()[:16], asdict(row)])

    def _row(self, line: str) -> EpisodeRow | None:
        try:
            row = EpisodeRow(**json.loads(line)[1])
        except (ValueError, TypeError, LookupError, RecursionError):  # whatever the damage
            return None
        return row if self._line(row) == line else None

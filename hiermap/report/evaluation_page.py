"""The part of a report that shows an evaluation: success with its interval, by task, by kind, by reason of failure."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from hiermap.report import page
from hiermap.report.page import Html, html
from hiermap.report.recording import REMEDY
from hiermap.system.config import flatten
from hiermap.worlds.errors import DataError
from hiermap.worlds.records import Amount, Count, check, read_json

INFO, EPISODES, FAILURES = "eval_info.json", "episodes.csv", "failures"
MAX_PICTURES = 24
"""Failures shown as pictures; the rest stay in their folder."""
MEANS = {"primitives": "mean_primitives", "replans": "mean_replans", "s / plan": "mean_plan_seconds", "s / episode": "mean_episode_seconds"}

MAX_CSV_BYTES = 1 << 25
NEEDED = ("task", "success", "failure_reason")
"""Columns of `episodes.csv` that are read; others are shown."""
Percent = Annotated[float, 0, 100]


class Group(TypedDict):
    """The summary of some episodes."""

    pc_success: Percent
    ci95: tuple[Percent, Percent]
    n_episodes: Count
    mean_primitives: Amount
    mean_replans: Amount
    mean_plan_seconds: Amount
    mean_episode_seconds: Amount


class InfoConfig(TypedDict):
    """What of a resolved config is shown in words."""

    suite: str


class InfoSettings(TypedDict):
    """Resolved config and provenance."""

    config: InfoConfig


class Info(TypedDict):
    """What `eval_info.json` holds."""

    aggregated: Group
    per_task: dict[str, Group]
    per_kind: NotRequired[dict[str, Group]]
    settings: InfoSettings


_BAR = '<div class="bar"><i style="width:{:.1f}%"></i><b style="left:{:.1f}%;width:{:.1f}%"></b></div>'
"""A bar with the interval drawn over it: success, the interval's lower end and its width in percent."""


def evaluation_section(directory: Path) -> Html:
    """Everything about the evaluation that left `directory`."""
    info, episodes = read_json(directory / INFO, REMEDY), _read_episodes(directory / EPISODES)
    check(info, Info, str(directory / INFO))
    config, total = info["settings"]["config"], info["aggregated"]
    title = html("<h1>{}: {:.1f} % of {} episodes</h1>", config["suite"], total["pc_success"], len(episodes))
    lead = ", ".join(f"{key} {value}" for key, value in _who(config).items())
    tasks = page.card("By task", _table({**info["per_task"], "all": total}))
    kinds = page.card("By primitive and kind of thing", _table(info["per_kind"])) if "per_kind" in info else Html()
    failures = _failures(episodes, sorted((directory / FAILURES).glob("*.png")))
    listing = page.folded("Every episode", page.table(list(episodes[0]), [list(row.values()) for row in episodes]))
    return page.joined([title, html('<p class="note">{}</p>', lead), tasks, kinds, failures, listing, page.settings(info["settings"])])


def _who(config: Mapping[str, Any]) -> dict[str, Any]:
    """Who acted, and on which seeds, from the resolved config."""
    policy = flatten(config).get("policy.factory")
    keys = ("seed",) if policy else ("planner", "world", "maps", "weights", "seed")
    return {**({"policy": policy} if policy else {}), **{key: config[key] for key in keys if key in config}}


def _read_episodes(path: Path) -> list[dict[str, str]]:
    """Column -> cell of every line of `episodes.csv`; DataError where it is damaged."""
    try:
        text = path.read_bytes()[: MAX_CSV_BYTES + 1].decode()
        heads, *lines = csv.reader(text.splitlines(), strict=True)
        episodes = [dict(zip(heads, line, strict=True)) for line in lines]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); {REMEDY}") from error
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"{path} is damaged: expected a line of {len(NEEDED)} or more heads and lines of as many cells; {REMEDY}"
        ) from error
    if not lines or len(text) > MAX_CSV_BYTES or not set(NEEDED) <= set(heads):
        raise DataError(f"{path} is damaged: expected columns {', '.join(NEEDED)} and at least one episode; {REMEDY}")
    return episodes


def _table(groups: Mapping[str, Mapping]) -> Html:
    rows = []
    for name, group in groups.items():
        success, (low, high), means = group["pc_success"], group["ci95"], (group[key] for key in MEANS.values())
        bar = html(_BAR, success, low, max(high - low, 0.6))
        rows.append((name, f"{success:.1f} %", bar, f"{low:.1f} .. {high:.1f}", group["n_episodes"], *means))
    return page.table(("", "success", "", "95 % interval", "episodes", *MEANS), rows)


def _failures(episodes: Sequence[Mapping[str, str]], pictures: Sequence[Path]) -> Html:
    counts = Counter((row["task"], row["failure_reason"] or "?") for row in episodes if row["success"] != "1")
    if not counts:
        return page.card("Failures", "None.")
    reasons = page.table(("task", "reason", "episodes"), [(task, why, number) for (task, why), number in counts.most_common()])
    figures = [page.picture(file, file.stem.replace("_", " ")) for file in pictures[:MAX_PICTURES]]
    return page.card("Failures", reasons, page.row(*figures))

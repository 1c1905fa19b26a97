"""The part of a report that shows an evaluation: success with its interval, by task, by kind, by reason of failure."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from hiermap.report import page
from hiermap.report.page import Html, html

INFO, EPISODES, FAILURES = "eval_info.json", "episodes.csv", "failures"
MAX_PICTURES = 24
"""Failures shown as pictures; the rest stay in their folder."""
MEANS = {"primitives": "mean_primitives", "replans": "mean_replans", "s / plan": "mean_plan_seconds", "s / episode": "mean_episode_seconds"}

_BAR = '<div class="bar"><i style="width:{:.1f}%"></i><b style="left:{:.1f}%;width:{:.1f}%"></b></div>'
"""A bar with the interval drawn over it: success, the interval's lower end and its width in percent."""


def evaluation_section(directory: Path) -> Html:
    """Everything about the evaluation that left `directory`."""
    info = json.loads((directory / INFO).read_text())
    with (directory / EPISODES).open() as file:
        episodes = list(csv.DictReader(file))
    config, total = info["settings"]["config"], info["aggregated"]
    title = html("<h1>{}: {:.1f} % of {} episodes</h1>", config["suite"], total["pc_success"], len(episodes))
    lead = ", ".join(f"{key} {config[key]}" for key in ("planner", "world", "maps", "weights", "seed") if key in config)
    tasks = page.card("By task", _table({**info["per_task"], "all": total}))
    kinds = page.card("By primitive and kind of thing", _table(info["per_kind"])) if "per_kind" in info else Html()
    failures = _failures(episodes, sorted((directory / FAILURES).glob("*.png")))
    listing = page.folded("Every episode", page.table(list(episodes[0]), [list(row.values()) for row in episodes]))
    return page.joined([title, html('<p class="note">{}</p>', lead), tasks, kinds, failures, listing, page.settings(info["settings"])])


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

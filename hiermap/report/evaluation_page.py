"""The part of a report that shows an evaluation: success with its interval, by task, by kind, by reason of failure."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path

from hiermap.report import html
from hiermap.worlds.errors import DataError

INFO, EPISODES, FAILURES = "eval_info.json", "episodes.csv", "failures"
MAX_PICTURES = 24
"""Failures shown as pictures; the rest stay in their folder."""


def evaluation_section(directory: Path) -> str:
    """Everything about the evaluation that left `directory`; DataError when its files are damaged."""
    try:
        info = json.loads((directory / INFO).read_text())
        with (directory / EPISODES).open() as file:
            episodes = list(csv.DictReader(file))
        config = info["settings"]["config"]
        percent = info["aggregated"]["pc_success"]
        title = f"<h1>{escape(str(config.get('suite', directory.name)))}: {percent:.1f} % of {len(episodes)} episodes</h1>"
        tables = _table("task", {**info["per_task"], "all": info["aggregated"]})
        kinds = html.card("<h3>By primitive and kind of thing</h3>", _table("kind", info["per_kind"])) if "per_kind" in info else ""
        return title + _lead(config) + html.card(tables) + kinds + _failures(directory, episodes) + _details(info, episodes)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{directory} holds no readable evaluation: {error!r}; run `hiermap evaluate ... out={directory}` again") from error


def _lead(config: Mapping) -> str:
    words = ", ".join(f"{key} {config[key]}" for key in ("planner", "world", "maps", "weights", "seed") if key in config)
    return f'<p class="lead">{escape(words)}</p>'


def _table(name: str, groups: Mapping[str, Mapping]) -> str:
    heads = (name, "success", "", "95 % interval", "episodes", "primitives", "replans", "s / plan", "s / episode")
    rows = []
    for key, group in groups.items():
        low, high = group["ci95"]
        means = [group[f"mean_{part}"] for part in ("primitives", "replans", "plan_seconds", "episode_seconds")]
        rows.append(
            (
                escape(key),
                f"{group['pc_success']:.1f} %",
                html.interval_bar(group["pc_success"], low, high),
                f"{low:.1f} .. {high:.1f}",
                str(group["n_episodes"]),
                *("-" if mean is None else f"{mean:.2f}" for mean in means),
            )
        )
    return html.table(heads, rows)


def _failures(directory: Path, episodes: list[dict]) -> str:
    failed = [row for row in episodes if row["success"] != "1"]
    if not failed:
        return html.card("<h3>Failures</h3><p>None.</p>")
    counts = Counter((row["task"], row["failure_reason"] or "?") for row in failed)
    reasons = html.table(("task", "reason", "episodes"), [(escape(task), escape(why), str(n)) for (task, why), n in counts.most_common()])
    files = sorted((directory / FAILURES).glob("*.png")) if (directory / FAILURES).is_dir() else []
    figures = "".join(html.file_picture(file.read_bytes(), file.stem.replace("_", " ")) for file in files[:MAX_PICTURES])
    return html.card("<h3>Failures</h3>", reasons, f'<div class="row" style="margin-top:14px">{figures}</div>')


def _details(info: Mapping, episodes: list[dict]) -> str:
    heads = tuple(episodes[0]) if episodes else ()
    listing = html.table(heads, [tuple(escape(value or "") for value in row.values()) for row in episodes])
    settings = f"<pre>{escape(json.dumps(info['settings'], indent=2))}</pre>"
    return html.folded("Every episode", listing) + html.folded("Settings", settings)

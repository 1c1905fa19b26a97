"""The part of a report that shows an evaluation: success with its interval, by task, by kind, by reason of failure."""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from hiermap.primitives.specs import PRIMITIVES
from hiermap.report import page
from hiermap.report.page import Html, counted, html
from hiermap.report.recording import REMEDY
from hiermap.report.storyboard import Story, fitting, read_story, strip
from hiermap.system.config import flatten
from hiermap.system.files import read_sealed
from hiermap.worlds.errors import DataError
from hiermap.worlds.records import Amount, Count, check

INFO, EPISODES, EPISODES_SHA256 = "eval_info.json", "episodes.csv", "episodes_csv_sha256"
FAILURES, STORIES, VIDEOS = "failures", "storyboards", "videos"
PICTURES = {FAILURES: ".png", STORIES: ".json", VIDEOS: ".mp4"}
"""Folder -> how the names of its files end; they begin with the number of their episode."""
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
    episodes_csv_sha256: NotRequired[str]


OUTCOMES = {True: "solved", False: "failed"}
_SIFT = """
(() => {
  const form = document.querySelector(".filters"), items = [];
  const sift = () => {
    const wanted = [...new FormData(form)].filter(([, value]) => value);
    for (const item of items) item.hidden = !wanted.every(([key, value]) => item.dataset[key].split(" ").includes(value));
    const rows = items.filter((item) => item.tagName === "TR");
    form.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  };
  addEventListener("DOMContentLoaded", () => { items.push(...document.querySelectorAll("[data-outcome]")); form.hidden = false; sift(); });
  form.addEventListener("change", sift);
})();
"""
"""Shows the episodes that the fields above them ask for."""
_BAR = '<div class="bar"><i style="width:{:.1f}%"></i><b style="left:{:.1f}%;width:{:.1f}%"></b></div>'
"""A bar with the interval drawn over it: success, the interval's lower end and its width in percent."""


def evaluation_section(directory: Path) -> Html:
    """Everything about the evaluation that left `directory`."""
    info = read_sealed(directory / INFO, REMEDY)
    check(info, Info, str(directory / INFO))
    episodes = _read_episodes(directory / EPISODES, info.get(EPISODES_SHA256))
    config, total = info["settings"]["config"], info["aggregated"]
    title = html("<h1>{}: {:.1f} % of {}</h1>", config["suite"], total["pc_success"], counted(len(episodes), "episode"))
    lead = ", ".join(f"{key} {value}" for key, value in _who(config).items())
    tasks = page.card("By task", _table({**info["per_task"], "all": total}))
    kinds = page.card("By primitive and kind of thing", _table(info["per_kind"])) if "per_kind" in info else Html()
    failures = _failures(episodes, sorted((directory / FAILURES).glob("*.png")))
    stories = {int(path.name.partition("_")[0]): read_story(path) for path in sorted((directory / STORIES).glob("[0-9]*_*.json"))}
    told = _stories(directory, stories)
    data = [_data(row["success"] == "1", row.get("primitives", ""), stories.get(number)) for number, row in enumerate(episodes)]
    listing = page.folded("Every episode", page.table(list(episodes[0]), [list(row.values()) for row in episodes], data))
    asked = _filters(data)
    lead = html('<p class="note">{}</p>', lead)
    return page.joined([title, lead, tasks, kinds, failures, asked, told, listing, page.settings(info["settings"])])


def _data(success: bool, primitives: str, told: Story | None) -> dict[str, str]:
    """By what an episode is found: how it ended, which primitives it is known to have run, and how many."""
    return {"outcome": OUTCOMES[success], "primitive": " ".join(dict.fromkeys(told["primitives"])) if told else "", "length": primitives}


def _filters(data: Sequence[Mapping[str, str]]) -> Html:
    """Fields by which the episodes below are sifted; without scripts they are not there, and everything is shown."""
    lengths = sorted({row["length"] for row in data if row["length"].isdigit()}, key=int)
    fields = (
        ("outcome", [(outcome, outcome) for outcome in OUTCOMES.values()]),
        ("primitive", [(name, name) for name in PRIMITIVES]),
        ("length", [(length, counted(int(length), "primitive")) for length in lengths]),
    )
    asked = page.joined(
        html('<label>{} <select name="{}"><option value="">any</option>{}</select></label>', name, name, _choices(values))
        for name, values in fields
    )
    return html('<form class="filters" hidden>{}<output></output></form><script>{}</script>', asked, Html(_SIFT))


def _choices(values: Sequence[tuple[str, str]]) -> Html:
    return page.joined(html('<option value="{}">{}</option>', value, words) for value, words in values)


def _stories(directory: Path, stories: Mapping[int, Story]) -> Html:
    """Storyboards, failures first, as many as have room."""
    ordered = sorted(stories.items(), key=lambda item: (item[1]["success"], item[0]))
    shown = fitting([told for _, told in ordered])
    parts = [_story(directory, number, told) for (number, told), _ in zip(ordered, shown, strict=False)]
    if left := len(ordered) - len(shown):
        parts.append(html('<p class="note">{} more in the folder {}</p>', counted(left, "storyboard"), STORIES))
    return page.card("Storyboards", *parts) if parts else Html()


def _story(directory: Path, number: int, told: Story) -> Html:
    films = [path.name for path in (directory / VIDEOS).glob(f"{number:04d}_*.mp4")]
    ending = told["outcome"].replace("_", " ")
    words = f"Episode {number}, seed {told['seed']}: {ending} after {counted(len(told['primitives']), 'primitive')}"
    lead = f"Goal: {told['goal']}." + "".join(f" Film: {VIDEOS}/{name}." for name in films)
    own = page.attributes(_data(told["success"], str(len(told["primitives"])), told))
    mark = html('<b class="{}">{}</b>', "yes" if told["success"] else "no", words)
    return html('<details class="episode" open{}><summary>{}</summary><p>{}</p>{}</details>', own, mark, lead, strip(told))


def _who(config: Mapping[str, Any]) -> dict[str, Any]:
    """Who acted, and on which seeds, from the resolved config."""
    policy = flatten(config).get("policy.factory")
    keys = ("seed",) if policy else ("planner", "world", "maps", "weights", "seed")
    return {**({"policy": policy} if policy else {}), **{key: config[key] for key in keys if key in config}}


def _read_episodes(path: Path, sha256: str | None) -> list[dict[str, str]]:
    """Column -> cell of every line of `episodes.csv`; DataError where it is damaged, or another file than its digest says."""
    try:
        content = path.read_bytes()[: MAX_CSV_BYTES + 1]
        text = content.decode()
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
    if sha256 not in (None, hashlib.sha256(content).hexdigest()):  # older evaluations do not say
        raise DataError(f"{path} is not the file that {INFO} beside it tells of, or was changed since; {REMEDY}")
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

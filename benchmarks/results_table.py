"""Print the README's results table from the committed `docs/results/*/eval_info.json`; a test holds the README to it."""

import json
import shlex
import sys
from pathlib import Path

from hiermap.system.config import flatten, load_config

ALWAYS = ("suite", "world", "maps", "planner", "seed", "episodes", "workers")
"""Keys a command of the table shows whether or not they are at their defaults."""
OF_PLANNERS = ("world", "maps", "planner")
"""Those of them that a policy decides itself."""
UNSECTIONED = ("max_replans", "weights")
"""Keys without a section that it shows where they are not."""
PRESET = "config=realistic"
COLUMNS = ("what", "success %", "95 % interval", "n", "s/plan", "commit", "command")


def changed(config: dict) -> list[str]:
    """What a run was told besides, as words of its command: every key of a section, or of `UNSECTIONED`, that is not at its default."""
    defaults = flatten(load_config("evaluate", ["suite=chain-1", "out=runs/x"]))
    told = {
        key: value for key, value in flatten(config).items() if ("." in key or key in UNSECTIONED) and value != defaults.get(key, value)
    }
    realistic = flatten(load_config("evaluate", ["suite=chain-1", "out=runs/x", PRESET]))
    preset = {key: value for key, value in realistic.items() if value != defaults.get(key, value)}
    if preset and preset.items() <= told.items():
        return [PRESET, *(f"{key}={value}" for key, value in told.items() if key not in preset)]
    return [f"{key}={value}" for key, value in told.items()]


def shown(name: str, info: dict) -> tuple[str, ...]:
    """One row: figures of `aggregated` or of one task, and the command that regenerates them."""
    record, settings = info["aggregated"], info["settings"]
    config = settings["config"]
    always = [key for key in ALWAYS if not (key in OF_PLANNERS and flatten(config).get("policy.factory"))]
    words = [*(f"{key}={config[key]}" for key in always), *changed(config), f"out=runs/{name}"]
    command = shlex.join(["hiermap", "evaluate", *words])
    low, high = record["ci95"]
    plan = f"{record['mean_plan_seconds']:.2f}"
    return (
        name,
        f"{record['pc_success']:.1f}",
        f"{low:.1f} to {high:.1f}",
        str(record["n_episodes"]),
        plan,
        str(settings.get("commit") or "")[:7],
        f"`{command}`",
    )


def rows(results: Path) -> list[tuple[str, ...]]:
    """A row per result directory, and below it one per task where a suite has several."""
    table = []
    for path in sorted(results.glob("*/eval_info.json")):
        info = json.loads(path.read_text())
        table.append(shown(path.parent.name, info))
        if len(info["per_task"]) > 1:
            for task, record in info["per_task"].items():
                low, high = record["ci95"]
                figures = (f"{record['pc_success']:.1f}", f"{low:.1f} to {high:.1f}", str(record["n_episodes"]))
                table.append((f"- {task}", *figures, "", "", ""))
    return table


def by_kind(info: dict) -> list[tuple[str, str]]:
    """What each primitive managed on each kind of thing, as `kind solved/tried`."""
    found: dict[str, list[str]] = {}
    for name, record in info.get("per_kind", {}).items():
        primitive, kind = name.removeprefix("primitive-").split(" ", 1)
        tried = record["n_episodes"]
        found.setdefault(primitive, []).append(f"{kind.replace('_', ' ')} {round(record['pc_success'] * tried / 100)}/{tried}")
    return [(primitive, ", ".join(kinds)) for primitive, kinds in found.items()]


def table(header: tuple[str, ...], lines: list) -> str:
    """Markdown of a header and its lines."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, tuple("---" for _ in header), *lines])


def markdown(results: Path) -> str:
    """The results, and for each suite of single primitives its table by kind."""
    parts = [table(COLUMNS, rows(results))]
    for path in sorted(results.glob("primitives-*/eval_info.json")):
        parts.append(table((path.parent.name, "by kind of thing"), by_kind(json.loads(path.read_text()))))
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(markdown(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "results")))

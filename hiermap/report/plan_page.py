"""The part of a report that shows one plan: the task, every step seen and imagined, and the search."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hiermap.report import page
from hiermap.report.page import Html, html
from hiermap.report.pictures import COLOURS
from hiermap.report.recording import MAPS, SEARCH, STEP, STORY, VIEW, PlanFacts, StepFacts
from hiermap.report.storyboard import read_story, strip

_OVERVIEW = (
    "status",
    "steps planned",
    "believed to succeed",
    "planned in [s]",
    "primitives done",
    "replans",
    "goal truly reached",
    "why not",
)
"""The facts by which plans are compared."""
_SEARCH = "Dots are imagined kitchens, darker green the nearer to the goal; lines are primitives, wider the surer, thick where chosen"


def plans_summary(plans: Sequence[PlanFacts]) -> Html:
    """The table a report of several plans opens with: one line a plan."""
    lead = "Maps for five primitives, a world model that imagines what each would do, and a search over what it imagines."
    rows = []
    for index, plan in enumerate(plans):
        link, facts = html('<a href="#plan-{}">{}</a>', index, plan["task"]), _facts(plan)
        rows.append((link, plan["seed"], plan["goal_words"], *(facts[name] for name in _OVERVIEW)))
    table = page.table(("task", "seed", "goal", *_OVERVIEW), rows)
    return html('<h1>hiermap report</h1><p class="note">{}</p><section>{}</section>', lead, table)


def plan_section(directory: Path, plan: PlanFacts, index: int) -> Html:
    """Everything about the plan whose content of plan.json is `plan` and whose pictures lie in `directory`."""
    title = html('<h2 id="plan-{}">{}, seed {}</h2>', index, plan["task"], plan["seed"])
    first = page.picture(directory / VIEW, "What is seen first, with the things the goal names")
    head = page.card(f"Goal: {plan['goal_words']}", page.row(first, page.table((), _facts(plan).items())))
    photographs = [page.card("What the robot did", strip(read_story(directory / STORY)))] if (directory / STORY).is_file() else []
    steps = [_step(directory, number, step) for number, step in enumerate(plan["steps"], start=1)]
    steps = steps or [page.card("No steps", plan["message"] or "The goal held already.")]
    search = page.card("The search", page.picture(directory / SEARCH, _SEARCH, wide=True))
    return page.joined([title, head, *photographs, *steps, search, page.settings(plan["settings"])])


def _facts(plan: PlanFacts) -> dict[str, object]:
    execution: Mapping = plan["execution"] or {}
    return {
        "status": plan["status"],
        "message": plan["message"],
        "steps planned": plan["n_planned"],
        "steps of the shortest solution": plan["shortest"],
        "of them detours": plan["detours"],
        "believed to succeed": plan["success_probability"],
        "expected duration [s]": plan["cost"],
        "planned in [s]": plan["plan_seconds"],
        **plan["metrics"],
        "primitives done": execution.get("primitives"),
        "replans": execution.get("replans"),
        "goal truly reached": execution.get("success"),
        "why not": execution.get("failure_reason"),
        "sensing": "; ".join(plan["sensing_notes"]),
    }


def _step(directory: Path, number: int, step: StepFacts) -> Html:
    point = "" if step["point_world"] is None else " at ({:.2f}, {:.2f}, {:.2f}) m".format(*step["point_world"])
    done = f"the motor program says {step['reason']}" if step["reason"] else "not executed"
    replan = f" (replan {step['plan']})" if step["plan"] else ""
    words = f"{step['primitive']} {step['rotation']}{point}, map {step['affordance']:.2f}, {done}{replan}"
    title = html('{}. <span style="color:{}">&#9679;</span> {}', number, COLOURS.get(step["primitive"], "inherit"), words)
    seen = page.picture(
        directory / STEP.format(number), "Where and which way" + (", and what was seen afterwards" if step["reason"] else "")
    )
    maps = page.picture(directory / MAPS.format(number), f"A row a primitive with its best value: {', '.join(step['views'])}", wide=True)
    return page.card(title, page.row(page.joined([seen, _predicates(step["views"])]), maps))


def _predicates(views: Mapping) -> Html:
    """What was believed at every moment of a step, beside the truth."""
    names = dict.fromkeys(name for view in views.values() for name in view["predicates"])
    truth = views["after"]["truth"] if "after" in views else {}
    rows = [(name, *(view["predicates"].get(name) for view in views.values()), truth.get(name)) for name in names]
    return page.table(("believed", *views, "truly after"), rows)

"""The part of a report that shows one plan: the task, every step seen and imagined, and the search."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hiermap.report import page
from hiermap.report.page import Html, html
from hiermap.report.pictures import COLOURS
from hiermap.report.recording import MAPS, SEARCH, STEP, VIEW

_SEARCH = "Dots are imagined kitchens, darker green the nearer to the goal; lines are primitives, wider the surer, thick where chosen"


def plans_summary(plans: Sequence[Mapping]) -> Html:
    """The table a report of several plans opens with: one line a plan."""
    heads = ("task", "seed", "goal", "plan", "believed success", "plan time", "executed", "outcome")
    lead = "Maps for five primitives, a world model that imagines what each would do, and a search over what it imagines."
    rows = [_summary_row(index, plan) for index, plan in enumerate(plans)]
    return html('<h1>hiermap report</h1><p class="note">{}</p><section>{}</section>', lead, page.table(heads, rows))


def plan_section(directory: Path, plan: Mapping, index: int) -> Html:
    """Everything about the plan whose content of plan.json is `plan` and whose pictures lie in `directory`."""
    title = html('<h2 id="plan-{}">{}, seed {}</h2>', index, plan["task"], plan["seed"])
    first = page.picture(directory / VIEW, "What is seen first, with the things the goal names")
    head = page.card(f"Goal: {plan['goal_words']}", page.row(first, page.facts(_facts(plan))))
    steps = [_step(directory, number, step) for number, step in enumerate(plan["steps"], start=1)]
    why = "The goal held already." if plan["status"] == "solved" else plan["message"]
    search = page.card("The search", page.picture(directory / SEARCH, _SEARCH))
    return page.joined([title, head, *(steps or [page.card("No steps", why)]), search, page.settings(plan["settings"])])


def _summary_row(index: int, plan: Mapping) -> tuple[object, ...]:
    link = html('<a href="#plan-{}">{}</a>', index, plan["task"])
    solved = plan["status"] == "solved"
    status = page.verdict(solved, f"{plan['n_planned']} steps" if solved else plan["status"])
    numbers = f"{plan['success_probability']:.2f}", f"{plan['plan_seconds']:.2f} s"
    return link, plan["seed"], plan["goal_words"], status, *numbers, *_executed(plan["execution"])


def _executed(execution: Mapping | None) -> tuple[object, object]:
    """How much was done and what came of it; None where nothing was."""
    if execution is None:
        return None, None
    outcome = "the goal truly holds" if execution["success"] else execution["failure_reason"] or "the goal does not hold"
    return f"{execution['primitives']} primitives, {execution['replans']} replans", page.verdict(execution["success"], outcome)


def _facts(plan: Mapping) -> dict[str, object]:
    executed, outcome = _executed(plan["execution"])
    return {
        "status": plan["status"],
        "steps planned": plan["n_planned"],
        "shortest solution": f"{plan['shortest']} primitives, {plan['detours']} of them detours",
        "believed to succeed": f"{plan['success_probability']:.2f}",
        "expected duration": f"{plan['cost']:.1f} s",
        **{name: f"{value:.3g}" for name, value in plan["metrics"].items()},
        "executed": executed,
        "outcome": outcome,
    }


def _step(directory: Path, number: int, step: Mapping) -> Html:
    point = "" if step["point_world"] is None else " at ({:.2f}, {:.2f}, {:.2f}) m".format(*step["point_world"])
    done = f"the motor program says {step['reason']}" if step["reason"] else "not executed"
    replan = f" (replan {step['plan']})" if step["plan"] else ""
    words = f"{step['primitive']} {step['rotation']}{point}, map {step['affordance']:.2f}, {done}{replan}"
    title = html('{}. <span style="color:{}">&#9679;</span> {}', number, COLOURS.get(step["primitive"], "inherit"), words)
    caption = "Where and which way" + (", and what was seen afterwards" if step["reason"] else "")
    seen = page.picture(directory / STEP.format(number), caption)
    maps = page.picture(directory / MAPS.format(number), f"A row a primitive with its best value: {', '.join(step['views'])}")
    return page.card(title, page.row(page.joined([seen, _predicates(step["views"])]), maps))


def _predicates(views: Mapping) -> Html:
    names = dict.fromkeys(name for view in views.values() for name in view["predicates"])
    heads = ("goal predicate", *(f"believed {moment}" if moment != "imagined" else moment for moment in views), "truly after")
    rows = [(name, *(_believed(view, name) for view in views.values()), _truth(views, name)) for name in names]
    return page.table(heads, rows)


def _believed(view: Mapping, name: str) -> str | None:
    return f"{view['predicates'][name]:.2f}" if name in view["predicates"] else None


def _truth(views: Mapping, name: str) -> Html | None:
    truth = views["after"]["truth"] if "after" in views else {}
    return page.verdict(truth[name], "holds" if truth[name] else "not yet") if name in truth else None

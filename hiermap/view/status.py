"""Where a desk stands, in words."""

from hiermap.planners import Status
from hiermap.report.page import Html, counted, html, joined, table
from hiermap.view.desk import Desk, Instant
from hiermap.worlds.goals import in_words


def told(desk: Desk, working: bool = False) -> Html:
    """Goal, plan, deeds and outcome as paragraphs; `working` while a button's work is being done."""
    lines = [f"Goal: {in_words(desk.problem.goal.predicates, desk.called)}."] if desk.result is not None else []
    lines += [_plan(desk)] + [_deed(desk, number) for number in range(len(desk.done))] + [_outcome(desk)]
    return joined(html('<p style="margin:0 0 0.3em">{}</p>', line) for line in [*lines, "Working ..." if working else ""] if line)


def _plan(desk: Desk) -> str:
    result = desk.result
    if result is None:
        return desk.message or "Click on a thing in the picture, choose what shall hold, add it to the goal, and plan."
    if not result.plan.steps:
        held = result.status is Status.SOLVED
        return "The goal is believed to hold already." if held else f"No plan: {result.status}. {result.message}"
    whole = "" if result else f" ({result.status}: only the first steps)"
    promise = f"success {result.plan.success_probability:.2f}, {result.plan.cost:.0f} s"
    left = f"; {counted(len(desk.left), 'step')} left" if desk.done and desk.can_go_on else ""
    return f"Plan: {counted(len(result.plan.steps), 'step')}, {promise}{whole}{left}. {result.message}".strip()


def _deed(desk: Desk, number: int) -> str:
    step = desk.done[number]
    effect = "had its effect" if step.effect else "is believed to have had no effect"
    replan = f", replan {step.plan}" if step.plan else ""
    return f"{number + 1}. {step.action.primitive} at {step.action.cell}{replan}: {step.report.reason}; it {effect}."


def _outcome(desk: Desk) -> str:
    if desk.outcome is None:
        return ""
    believed = "The goal is believed to hold" if desk.outcome else f"Stopped ({desk.outcome.failure_reason or 'not believed'})"
    return f"{believed}; {'it truly does' if all(desk.truth().values()) else 'it truly does not'}."


def beliefs(instant: Instant) -> Html:
    """What is believed of the goal at an instant, beside the truth where that is known."""
    view = instant.view
    heads = ("of the goal", "believed", "truly")[: 3 if view.truth else 2]
    rows = [(name, float(value), view.truth.get(name))[: len(heads)] for name, value in view.predicates.items()]
    return table(heads, rows) if rows else Html("")

"""The part of a report that shows one plan: the task, every step seen and imagined, and the search."""

import json
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from hiermap.report import html
from hiermap.report.graph_svg import graph_svg
from hiermap.report.pictures import COLOURS, SMALL_SCALE, action_picture, map_panels, outlined, upscaled
from hiermap.report.recording import Look, Recording, StepRecord
from hiermap.worlds.goals import Goal

_VIEW_SCALE = 3


def plans_summary(plans: Sequence[Recording]) -> str:
    """The table a report opens with: one line a plan."""
    heads = ("task", "seed", "goal", "plan", "believed success", "plan time", "executed", "outcome")
    rows = [
        (
            f'<a href="#plan-{index}">{escape(str(plan.summary.get("task", "")))}</a>',
            escape(str(plan.summary.get("seed", ""))),
            escape(str(plan.summary.get("goal_words", ""))),
            _plan_words(plan.summary),
            _number(plan.summary.get("success_probability"), "{:.2f}"),
            _number(plan.summary.get("plan_seconds"), "{:.2f} s"),
            _executed(plan.summary.get("execution")),
            _outcome(plan.summary.get("execution")),
        )
        for index, plan in enumerate(plans)
    ]
    lead = "Maps for five primitives, a world model that imagines what each would do, and a search over what it imagines."
    return f'<h1>hiermap report</h1><p class="lead">{lead}</p>' + html.card(html.table(heads, rows))


def plan_section(plan: Recording, anchor: str) -> str:
    """Everything about one plan."""
    summary = plan.summary
    title = f'<h2 id="{anchor}">{escape(str(summary.get("task", "")))}, seed {escape(str(summary.get("seed", "")))}</h2>'
    lead = f'<p class="lead">Goal: {escape(str(summary.get("goal_words", "")))}.</p>'
    numbers = _numbers(summary)
    first = html.picture(_first_view(plan), "What is seen first, with the things the goal names")
    facts = html.table(("", ""), [(f'<span class="note">{escape(key)}</span>', escape(value)) for key, value in numbers])
    head = html.card(f'<div class="row">{first}{facts}</div>')
    steps = "".join(_step(index, step) for index, step in enumerate(plan.steps)) or html.card(
        "<p>No steps: " + escape(_why(summary)) + ".</p>"
    )
    caption = (
        '<p class="note">Circles are imagined kitchens, darker green the nearer to the goal; lines are primitives, wider the surer.</p>'
    )
    graph = html.card("<h3>The search</h3>", caption, graph_svg(plan.graph, list(plan.path)))
    settings = html.folded("Settings", f"<pre>{escape(json.dumps(summary.get('settings', {}), indent=2))}</pre>")
    return title + lead + head + steps + graph + settings


def _step(index: int, step: StepRecord) -> str:
    dot = f'<span style="color:rgb{COLOURS[step.primitive]}">&#9679;</span>'
    done = f", the motor program says <b>{escape(step.reason)}</b>" if step.reason else ""
    point = f" at ({', '.join(f'{value:.2f}' for value in step.point_world)}) m" if step.point_world is not None else ""
    plan = f' <span class="note">(replan {step.plan})</span>' if step.plan else ""
    words = f"{escape(step.primitive)} {escape(step.rotation)}{point}, map {step.affordance:.2f}"
    head = f"<h3>{index + 1}. {dot} {words}{done}{plan}</h3>"
    seen = action_picture(step.before.rgb, step.primitive, step.cell, step.rotation_index, _VIEW_SCALE)
    real = "seen" if step.after is not None or step.reason else "imagined"
    chosen = (step.primitive, step.cell)
    figures = [_strip(step.before, f"The five maps, {real}, with the chosen cell", chosen)]
    if step.imagined is not None:
        figures.append(_strip(step.imagined, "The maps imagined for after this step"))
    if step.after is not None:
        figures.append(_strip(step.after, "The maps really seen after this step"))
    left = html.picture(seen, "Where and which way") + (_after_view(step.after) if step.after is not None else "")
    body = f'<div class="row"><div>{left}</div><div style="flex:1;min-width:680px">{"".join(figures)}</div></div>'
    return html.card(head, body, _predicates(step))


def _strip(look: Look, title: str, chosen: tuple[str, tuple[int, int]] | None = None) -> str:
    figures = []
    for (name, panel), heat in zip(map_panels(look.rgb, look.heats, chosen).items(), look.heats, strict=True):
        label = f'<b style="color:rgb{COLOURS[name]}">{escape(name)}</b> <span class="note">{float(heat.max()):.2f}</span>'
        figures.append(f"<div>{label}{html.picture(panel, '')}</div>")
    return f'<p class="note" style="margin:0 0 4px">{escape(title)}</p><div class="strip">{"".join(figures)}</div>'


def _after_view(look: Look) -> str:
    return html.picture(upscaled(look.rgb, SMALL_SCALE), "What was seen afterwards")


def _predicates(step: StepRecord) -> str:
    names = list(dict.fromkeys([*step.before.predicates, *(step.imagined.predicates if step.imagined else ())]))
    if not names:
        return ""
    heads = ("goal predicate", "believed before", "imagined after", "believed after", "truly after")
    rows = [
        (
            escape(name),
            _belief(step.before, name),
            _belief(step.imagined, name),
            _belief(step.after, name),
            _truth(step.after, name),
        )
        for name in names
    ]
    return html.table(heads, rows)


def _belief(look: Look | None, name: str) -> str:
    if look is None or name not in look.predicates:
        return html.verdict(None)
    value = look.predicates[name]
    return f'<span class="{"yes" if value >= 0.5 else "note"}">{value:.2f}</span>'


def _truth(look: Look | None, name: str) -> str:
    if look is None or name not in look.truth:
        return html.verdict(None)
    return html.verdict(True, "holds") if look.truth[name] else '<span class="note">not yet</span>'


def _first_view(plan: Recording) -> np.ndarray:
    image = upscaled(plan.first.rgb, 4)
    goal = plan.summary.get("goal")
    if not goal:
        return image
    return outlined(image, {name: target.mask for name, target in Goal.from_json(goal).targets.items()}, 4)


def _numbers(summary: Mapping) -> list[tuple[str, str]]:
    shown = [("status", str(summary.get("status", ""))), ("steps planned", str(summary.get("n_planned", "")))]
    if summary.get("shortest") is not None:
        shown.append(("shortest solution", f"{summary['shortest']} primitives, {summary.get('detours', 0)} of them detours"))
    shown += [("believed to succeed", f"{summary['success_probability']:.2f}")] if summary.get("success_probability") is not None else []
    shown += [("expected duration", f"{summary['cost']:.1f} s")] if summary.get("cost") is not None else []
    shown += [(key.replace("_", " "), _plain(value)) for key, value in (summary.get("metrics") or {}).items()]
    execution = summary.get("execution")
    if execution:
        words = "the goal truly holds" if execution["success"] else execution.get("failure_reason") or "the goal does not hold"
        shown += [("executed", f"{execution['primitives']} primitives, {execution['replans']} replans"), ("outcome", words)]
    return shown


def _plan_words(summary: Mapping) -> str:
    return html.verdict(summary.get("status") == "solved", f"{summary.get('n_planned', 0)} steps", str(summary.get("status", "")))


def _executed(execution: Mapping | None) -> str:
    return f"{execution['primitives']} primitives, {execution['replans']} replans" if execution else html.verdict(None)


def _outcome(execution: Mapping | None) -> str:
    if not execution:
        return html.verdict(None)
    return html.verdict(execution["success"], "solved", execution.get("failure_reason") or "not solved")


def _why(summary: Mapping) -> str:
    return "the goal held already" if summary.get("status") == "solved" else str(summary.get("status", "unknown status"))


def _number(value: float | None, form: str) -> str:
    return html.verdict(None) if value is None else form.format(value)


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
